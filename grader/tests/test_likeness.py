"""Answers that are alike are shown to a person; what everybody writes is not."""

from __future__ import annotations

import json
import random
import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.classroom import likeness
from grader.classroom.submitted import Submission
from grader.tests import spelling

EXERCISE = "ex03_backward"
OWN = '''
def slope(f, x):
    """The slope, found in a way of one's own."""
    point = torch.linspace(x, x + 1.0, 3)[:1].clone()
    point.requires_grad_()
    heights = [f(part) for part in point.unbind()]
    while len(heights) > 1:
        heights[0] = heights[0] + heights.pop()
    heights[0].backward(retain_graph=False)
    collected = {"slope": point.grad.tolist()}
    return float(collected["slope"][-1] if collected else "nan")


def gradient(f, x):
    pieces = torch.stack([x.detach()[place] for place in range(x.numel())])
    pieces.requires_grad_(bool(x.numel()))
    for height in sorted([f(pieces)], key=float, reverse=True):
        height.backward()
    return pieces.grad.clone().view(*x.shape).contiguous()
'''


def answer(student: str, code: str, exercise: str = EXERCISE, suffix: str = ".py") -> Submission:
    return Submission(student, exercise, f"{student}/{exercise}{suffix}", code.encode())


def renamed(code: str) -> str:
    """The same with other names, texts, comments and line breaks."""
    for number, word in enumerate(("point", "heights", "part", "collected", "pieces", "place")):
        code = re.sub(rf"\b{word}\b", f"v{number}", code)
    code = code.replace('"""The slope, found in a way of one\'s own."""', '"mine"')
    return code.replace("    while", "\n    # as long as it takes\n    while")


@pytest.fixture(scope="module")
def stub(loaded):
    return loaded.find(EXERCISE).stub.read_text("utf-8")


def test_a_copy_in_other_words_is_found(loaded, stub):
    ada, bob = answer("ada", stub + OWN), answer("bob", "import math\n\n" + stub + renamed(OWN))
    (pair,) = likeness.likeness([bob, ada, answer("cy", stub)], loaded)
    assert pair.students == ("ada", "bob")
    assert pair.share > 0.9
    first = stub.count("\n") + 2
    (a, b), (c, d) = pair.lines[0]
    assert first <= a <= first + 2 and c in range(a + 2, a + 5)
    assert b > a + 5 and d > c + 5


def test_a_copy_in_a_notebook_is_found(loaded, stub):
    cells = [{"cell_type": "markdown", "source": OWN}, {"cell_type": "code", "source": [OWN]}]
    book = answer("bob", json.dumps({"cells": cells}), suffix=".ipynb")
    (pair,) = likeness.likeness([answer("ada", stub + OWN), book], loaded)
    assert pair.share == 1.0


def test_what_the_course_has_itself_is_not(loaded):
    """Stubs, solutions, variants and known mistakes are handed in by a whole class."""
    given_out = []
    for exercise in loaded.exercises:
        texts = [exercise.stub, exercise.solution, exercise.variants, exercise.mistakes]
        for number, path in enumerate(texts * 2):
            given_out.append(answer(f"s{number}", path.read_text("utf-8"), exercise.stem))
    assert likeness.likeness(given_out, loaded) == []


def test_honest_answers_are_not(loaded, tmp_path):
    """A few hundred answers that somebody has written one by one: two are alike."""
    honest = [
        answer(str(one), one.write(tmp_path).read_text("utf-8"), one.exercise.stem)
        for kind in ("spelled", "right", "unlike")
        for one in spelling.read(loaded, kind)
    ]
    assert len(honest) > 50
    twins = ("ex10/open_grey/negative_picture", "ex10/open_grey/with_numpy")  # a few words apart
    assert {pair.students for pair in likeness.likeness(honest, loaded)} <= {twins}


def test_a_large_group_is_seen_and_a_habit_is_not(loaded, stub):
    def habit(number: int) -> str:
        draw = random.Random(number)
        words = [
            draw.choice(["a.sum()", "b[0]", "-c", "(d, e)", "f * 2", "{}", "~g", "h % i"])
            for _ in range(60)
        ]
        return OWN[: OWN.index("def gradient")] + "".join(
            f"x{n} = {w}\n" for n, w in enumerate(words)
        )

    class_ = [answer(f"s{number:02}", stub + habit(number)) for number in range(40)]
    assert likeness.likeness(class_, loaded) == []
    group = [answer(f"t{number:02}", stub + habit(0) + OWN) for number in range(8)]
    found = likeness.likeness(class_ + group, loaded)
    assert len(found) >= 28
    assert {pair.students[0][0] + pair.students[1][0] for pair in found} <= {"tt", "st"}


def test_the_order_of_the_answers_does_not_matter(loaded, stub):
    some = [answer(f"s{n}", stub + OWN + f"\nx = {'a' * n}.b{n}(1)\n" * n) for n in range(6)]
    once = likeness.likeness(some, loaded)
    assert once and once == likeness.likeness(some[::-1], loaded)


def test_what_cannot_be_graded_is_left_out(loaded, stub):
    bad = [Submission(who, EXERCISE, "x.py", b"", "x.py is empty.") for who in "ab"]
    assert likeness.likeness(bad + [answer("c", stub + OWN)], loaded) == []
    assert likeness.likeness([], loaded) == []


HOSTILE = {
    "one line": '"' + '\\"' * 500_000,
    "brackets": "(" * 1_000_000,
    "quotes": "'''\"\"\"" * 100_000,
    "open": "'" * 3 + "x" * 1_000_000,
    "lines": "\n" * 1_000_000,
    "nothing": "\0" * 1_000_000,
    "a word": "a" * 1_000_000,
    "other letters": "é\u202e\ud7ff" * 200_000,
    "json": "[" * 1_000_000,
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_text_is_read_in_no_time(loaded, kind):
    start = time.process_time()
    for suffix in (".py", ".ipynb"):
        some = [answer(who, HOSTILE[kind] + who, suffix=suffix) for who in "ab"]
        likeness.likeness(some, loaded)
    assert time.process_time() - start < 2


@settings(max_examples=80, deadline=None, derandomize=True, database=None)
@given(st.lists(st.text("ab1.'\"\\#\n \t(é\0", max_size=80) | st.binary(max_size=80), max_size=3))
def test_any_bytes_are_read(loaded, texts):
    texts = [text.encode() if isinstance(text, str) else text for text in texts]
    some = [Submission(str(n), EXERCISE, "x.py", text) for n, text in enumerate(texts)]
    assert isinstance(likeness.likeness(some, loaded), list)


@pytest.mark.whole
def test_a_thousand_answers_take_seconds(loaded, stub):
    def own(number: int) -> str:
        draw = random.Random(number)
        words = [draw.choice(["sum", "b", "exp", "view", "t", "abs", "clone"]) for _ in range(150)]
        return "".join(f"x = y.{word}({word[0]}, 1)\n" for word in words)

    many = [answer(f"s{n:04}", stub + own(n)) for n in range(1000)]
    start = time.process_time()
    found = likeness.likeness(many, loaded)
    assert time.process_time() - start < 20
    assert found == []
