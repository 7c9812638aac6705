"""Whatever the terminal, the name of a folder and the plugins of pytest: the commands work."""

from __future__ import annotations

import io
import json
import os
import shlex
import shutil
import sys
import tomllib
from pathlib import Path

import pytest

from grader import course, terminal
from grader.learner.progress import Progress
from grader.report import ExerciseResult, Report, TaskResult, TestResult, Verdict, replay_of
from grader.tests import forked
from grader.tests.conftest import ROOT, whole_for

EX03 = "tests/test_ex03_backward.py"
KATA = [sys.executable, "-m", "grader"]


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp437", "utf-8"])
def test_what_an_encoding_lacks_is_printed_as_something_like_it(monkeypatch, encoding):
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding=encoding))
    terminal.take_any_character()
    print("✓ ex03 · done… \udcff ∂", flush=True)
    shown = written.getvalue().decode(encoding)
    assert shown.strip().endswith("?" if encoding != "utf-8" else "∂")
    assert "\udcff" not in shown
    if encoding == "ascii":
        assert shown == "+ ex03 - done... ? ?\n"


@pytest.mark.parametrize(
    "environment",
    [
        {"PYTHONIOENCODING": "ascii"},
        pytest.param(
            {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
            marks=pytest.mark.whole,
        ),
    ],
    ids=["ascii", "posix"],
)
def test_a_terminal_of_few_characters(tmp_path, environment):
    for room in ("exercises", "tests"):
        shutil.copytree(ROOT / room, tmp_path / room)
    for test_file in sorted((tmp_path / "tests").glob("test_*.py"))[1:]:
        test_file.unlink()
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (exercise,) = course.load(tmp_path).exercises
    tasks = [TaskResult(exercise.stem, task.name, task.points) for task in exercise.tasks]
    Progress(course.load(tmp_path)).take(exercise, ExerciseResult(exercise.stem, "", tasks))
    done = forked.cold(KATA, tmp_path, **environment)  # where am I: ▸, ✓, a table
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert "ex01" in done.stdout
    assert done.stdout.isascii()


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_output_that_goes_nowhere_is_a_sentence():
    command = f"{shlex.join(KATA)} hint ex03 slope > /dev/full"
    done = forked.cold(["sh", "-c", command], ROOT)
    assert done.returncode == 2
    assert "disk is full" in done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


@pytest.mark.parametrize(
    ("words", "environment"),
    [
        pytest.param((), {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}, marks=pytest.mark.whole),
        pytest.param(("-p", "no:timeout"), {}, marks=pytest.mark.whole),
        pytest.param(
            ("-p", "no:timeout"),
            {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
            marks=pytest.mark.whole,
        ),
        pytest.param(
            ("-p", "pytest_timeout"),
            {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
            marks=pytest.mark.whole,
        ),
    ],
    ids=["autoload", "timeout", "both", "named"],
)
def test_pytest_without_its_plugins(words, environment):
    command = [sys.executable, "-m", "pytest", EX03, "--target", "solutions", *words]
    done = forked.cold(command, ROOT, PYTEST_ADDOPTS="", **environment)
    assert done.returncode == 0, done.stdout[-2000:]
    assert "INTERNALERROR" not in done.stdout + done.stderr
    assert ("pytest-timeout is switched off" in done.stdout) == ("no:timeout" in words)


def test_a_loop_ends_where_plugins_are_not_looked_for(solved):
    path = solved / "ex03_backward.py"
    text = path.read_text()
    path.write_text(text.replace("return leaf.grad.item()", "\n    while True:\n        pass"))
    command = [sys.executable, "-m", "pytest", f"{EX03}::TestSlope", "--target", str(solved)]
    command += ["-o", "timeout=1", "--no-diagnosis"]
    done = forked.cold(command, ROOT, PYTEST_ADDOPTS="", PYTEST_DISABLE_PLUGIN_AUTOLOAD="1")
    assert done.returncode == 1
    assert "timed out" in done.stdout
    assert "INTERNALERROR" not in done.stdout + done.stderr


@pytest.mark.parametrize("target", ["my answers", "a'b", "$HOME", "exercises", "a;b", "größe"])
@pytest.mark.parametrize("name", ["TestSlope::test_example", "TestSlope::test_drawn[a b]"])
def test_the_line_that_replays_is_words_of_a_shell(target, name):
    report = Report(target, 5, {})
    test = TestResult("ex03_backward", "slope", name, Verdict.WRONG)
    words = shlex.split(replay_of(report)(test))
    assert words[:4] == ["pytest", f"{EX03}::{name}", "--seed", "5"]
    assert words[4:] == ([] if target == "exercises" else ["--target", target])


@pytest.mark.parametrize("kind", whole_for([".py", ".ipynb"], [".ipynb"]))
def test_kata_test_runs_the_file_that_is_named(kata, tmp_path, kind):
    path = tmp_path / f"ex03_backward{kind}"
    if kind == ".py":
        shutil.copy(ROOT / "solutions" / "ex03_backward.py", path)
    else:
        jupytext = pytest.importorskip("jupytext")
        jupytext.write(jupytext.read(ROOT / "solutions" / "ex03_backward.py"), path)
    done = kata("test", str(path))
    assert done.returncode == 0, done.stdout + done.stderr
    assert str(path) in done.stdout
    assert "1 of 1 exercises pass" in done.stdout


def test_a_folder_of_any_name_is_a_target(kata, tmp_path):
    folder = tmp_path / os.fsdecode(b"two\nlines \xff 'n' $more")
    try:
        folder.mkdir()
    except OSError as error:
        pytest.skip(f"this disk takes no such name: {error}")
    shutil.copy(ROOT / "solutions" / "ex03_backward.py", folder)
    path = tmp_path / "two\nlines.json"
    done = kata("test", "ex03", "--target", str(folder), "--json", str(path))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "two\\nlines" in done.stdout
    assert json.loads(path.read_text())["passed"]


def test_a_pipe_in_the_place_of_a_stub_is_a_sentence(kata, tmp_path):
    if not hasattr(os, "mkfifo"):
        pytest.skip("no pipes by name here")
    os.mkfifo(tmp_path / "ex03_backward.py")
    done = kata("test", "ex03", "--target", str(tmp_path))
    assert done.returncode == 1
    assert "ex03_backward.py is a pipe" in " ".join(done.stdout.split())  # wherever it is broken
    assert "Traceback" not in done.stdout + done.stderr


def test_kata_test_of_a_file_of_the_course_is_its_exercise(kata):
    for name in ("exercises/ex03_backward.py", EX03):
        done = kata("test", name)
        assert done.returncode == 1
        assert "exercises/ex03_backward.py" in done.stdout


def test_a_notebook_beside_the_script_is_run_where_it_is_named(loaded, tmp_path):
    from grader.course import load
    from grader.target import Target

    for room in ("exercises", "tests"):
        shutil.copytree(ROOT / room, tmp_path / room)
    notebook = tmp_path / "exercises" / "ex03_backward.ipynb"
    notebook.write_text("{}")
    target, (exercise,) = Target.named([str(notebook)], "exercises", load(tmp_path))
    assert target.path == notebook
    assert exercise.id == "ex03"


def test_the_oldest_typer_that_works_is_asked_for():
    """0.12.0 knows no `list[Path] | None`; up to 0.15.4 --help ends in a TypeError."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    (typer,) = [word for word in settings["project"]["dependencies"] if word.startswith("typer")]
    assert tuple(map(int, typer.removeprefix("typer>=").split("."))) >= (0, 16)


BAD_OPTIONS = [
    (("--seed", "-1"), "--seed"),
    (("--seed", "9" * 5000), "--seed"),
    (("--seed", "x"), "--seed"),
    (("--target", "nowhere"), "--target"),
    (("--target", "pyproject.toml"), "--target"),
    (("--target", "/dev/zero"), "--target"),
    (("--report", "tests"), "--report"),
    (("--report", "/dev/full"), "--report"),
    (("--report", "exercises/ex03_backward.py"), "--report"),
    (("--report", "pyproject.toml/inside.json"), "--report"),
]


@pytest.mark.parametrize(("words", "option"), BAD_OPTIONS, ids=lambda words: str(words)[:40])
def test_an_option_of_ours_that_pytest_cannot_use(plain_pytest, words, option):
    if words[1].startswith("/dev/") and not Path(words[1]).exists():
        pytest.skip(f"needs {words[1]}")
    done = plain_pytest(EX03, *words)
    assert done.returncode == 4  # pytest's own status for wrong usage
    assert option in done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert " passed" not in done.stdout
