"""`kata show`: pictures of the learner's own code, and sentences where it can not draw them."""

from __future__ import annotations

import pytest

from grader import pictures
from grader.engine import EngineError
from grader.target import Target


@pytest.fixture
def draw(engine, loaded, tmp_path):
    """Draw the picture of an exercise from a folder or a mistake: the file, and its words."""

    def run(name: str, target: Target):
        path = tmp_path / f"{name}.png"
        return path, engine.draw(target, loaded.find(name), path)

    return run


@pytest.mark.parametrize("name", pictures.drawn())
def test_the_solutions_draw_something_and_say_what(draw, loaded, name):
    from matplotlib.image import imread

    path, alt = draw(name, Target(loaded.root / "solutions"))
    pixels = imread(path)
    assert min(pixels.shape[:2]) > 300
    assert pixels[..., :3].std() > 0.03
    assert alt.endswith(".") and len(alt) > 60


def test_what_is_drawn_is_the_learners(draw, loaded, solved):
    path, alt = draw("ex06", Target(loaded.root / "solutions"))
    pixels = path.read_bytes()
    forgets = solved / "ex06_zero_grad.py"
    forgets.write_text(forgets.read_text() + "\n\ndef zero_grads(params):\n    pass\n")
    path, other = draw("ex06", Target(solved))
    assert other != alt
    assert path.read_bytes() != pixels


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("raise NotImplementedError", "is not written yet"),
        ("return 1 / 0", "ZeroDivisionError"),
        ("import os; os._exit(0)", "ended the process"),
        ("raise SystemExit", "SystemExit"),
    ],
)
def test_code_that_can_not_draw_is_a_sentence(draw, solved, body, said):
    path = solved / "ex06_zero_grad.py"
    path.write_text(path.read_text() + f"\n\ndef zero_grads(params):\n    {body}\n")
    with pytest.raises(EngineError, match=said):
        draw("ex06", Target(solved))


def test_a_missing_function_is_named(draw, solved):
    path = solved / "ex05_lr_step.py"
    path.write_text(path.read_text().replace("def descend(", "def go_down("))
    with pytest.raises(EngineError, match="has no descend"):
        draw("ex05", Target(solved))


def test_the_command_writes_and_says(kata, tmp_path):
    out = tmp_path / "steps.svg"
    done = kata("show", "ex05", "--target", "solutions", "--out", str(out))
    assert done.returncode == 0, done.stderr
    assert "three learning rates" in done.stdout
    assert out.read_text().lstrip().startswith("<?xml")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["ex01"], "has no picture"),
        (["ex12"], "kata train"),
        (["ex05", "--out", "steps.bmp"], "should end in"),
        (["ex05"], "not written yet"),
    ],
)
def test_what_can_not_be_shown_is_a_sentence(kata, words, said):
    done = kata("show", *words)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
