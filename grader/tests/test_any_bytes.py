"""For any bytes in any file that a command reads: what it holds, or a sentence."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import pytest

from grader import course
from grader.learner import page
from grader.learner.progress import Progress
from grader.loading import CannotLoad
from grader.target import read_source

hypothesis = pytest.importorskip("hypothesis")
st = hypothesis.strategies

KEYS = ("tasks", "earned", "points", "content", "course", "due", "own_words", "install", "seed",
        "key", "student", "isolation", "record", "records", "passed", "sentence", "exercises",
        "versions", "target", "seconds", "warm", "exercise", "file", "problem", "cells",
        "cell_type", "source", "metadata", "nbformat", "nbformat_minor", "worksheets",
        "ex03_backward", "ex03", "slope", "code", "ada")  # fmt: skip
WORDS = st.sampled_from(KEYS)
LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), WORDS, st.just(4)
)
TREES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=5),
    max_leaves=12,
)
ROWS = st.lists(
    st.lists(st.sampled_from(["Student", "ID", "Section", "ex03_backward", '"', "\0", "=1"]))
)
TEST = {"exercise": "ex03_backward", "task": "slope", "name": "TestSlope::test_example",
        "verdict": "passed", "called": "", "what": "", "returned": "", "expected": "", "note": "",
        "where": "", "printed": "", "seconds": 0.5}  # fmt: skip
TASK = {"exercise": "ex03_backward", "task": "slope", "points": 1, "tests": [TEST],
        "diagnosis": {"mistake": "", "message": "", "through": []}}  # fmt: skip
EXERCISE = {"exercise": "ex03_backward", "file": "", "tasks": [TASK], "problem": ""}
WHOLE = [  # what the files hold when nobody has been at them
    {"student": "ada", "isolation": "", "key": {}, "target": "", "seed": 1, "versions": {},
     "seconds": 1.0, "warm": True, "exercises": [EXERCISE]},
    {"student": "ada", "key": {}, "record": {"passed": True}},
    {"records": [{"sentence": "It reads."}], "passed": True},
    {"ex03_backward": {"content": "", "tasks": {"slope": "passed"}, "earned": 1, "points": 1}},
    {"course": "", "install": "gradkata", "own_words": 1.0, "due": {}, "seed": 4, "versions": {}},
    {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [
        {"cell_type": "code", "source": ["a = 1"], "metadata": {}, "outputs": [], "id": "a"}]},
    {"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "worksheets": [{"cells": [
        {"cell_type": "code", "input": "a = 1", "language": "python"}]}]},
]  # fmt: skip


@st.composite
def spoiled(draw) -> bytes:
    """A whole file, of which one part is another."""
    whole = json.loads(json.dumps(draw(st.sampled_from(WHOLE))))
    part = whole
    while True:
        inner = list(part) if isinstance(part, dict) else list(range(len(part)))
        at = draw(st.sampled_from(inner))
        if not (isinstance(part[at], dict | list) and part[at]) or draw(st.booleans()):
            break
        part = part[at]
    if draw(st.booleans()):
        part[at] = draw(LEAVES | TREES)
    else:
        del part[at]
    return json.dumps(whole).encode()


CONTENTS = st.one_of(
    spoiled(),
    spoiled(),
    spoiled(),
    st.binary(max_size=60),
    st.text(max_size=60).map(lambda text: text.encode("utf-8", "surrogatepass")),
    TREES.map(lambda tree: json.dumps(tree).encode()),
    st.dictionaries(WORDS, TREES).map(lambda tree: json.dumps(tree).encode()),
    ROWS.map(lambda rows: "\n".join(map(",".join, rows)).encode()),
    st.builds(lambda name, value: f"[{name}]\nslope = {json.dumps(value)}".encode(), WORDS, LEAVES),
)


@pytest.fixture(scope="module")
def readers(tmp_path_factory, loaded):
    """Every file that is read, and what reads it."""
    from grader.classroom import asked, lms
    from grader.classroom.course import course_of
    from grader.classroom.store import Store
    from grader.classroom.submitted import Submission

    folder = tmp_path_factory.mktemp("bytes")
    exercise = loaded.find("ex03")
    here = course.Course(folder, (exercise,))
    handed_in = Submission("ada", exercise.stem, f"{exercise.stem}.py", b"")
    store = Store(folder)
    grades = lms.Grades({exercise.stem: 1.0}, {"ada": ("", "", "")}, {})

    def with_result():
        graded, _ = store.find(handed_in, {})
        if graded:
            assert isinstance(graded.result.earned + graded.result.points, int | float)

    def with_progress():
        progress = Progress(here)
        progress._rows.setdefault(exercise.stem, {})
        return progress.of(exercise)

    return [
        (folder / ".kata" / "progress.json", with_progress),
        (folder / ".kata" / "train" / "record.json", lambda: page._training(folder)),
        (folder / "kata.json", lambda: course_of(folder)),
        (folder / "points.toml", lambda: asked.read_points(folder / "points.toml", loaded)),
        (folder / "roster.csv", lambda: lms.for_canvas(grades, folder / "roster.csv").text),
        (folder / "roster.csv", lambda: lms.for_moodle(grades, folder / "roster.csv").text),
        (folder / "grading.json", store.settings),
        (store.path(handed_in), with_result),
        (store._training("ada"), lambda: store.find_training("ada", {})),
        (folder / "a.ipynb", lambda: read_source(folder / "a.ipynb")),
        (folder / "a.py", lambda: read_source(folder / "a.py")),
        (folder / "b.py", lambda: course.parsed(folder / "b.py")),
    ]


def _check(readers: list, content: bytes) -> None:
    for path, read in readers:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        with contextlib.suppress(course.CourseError, CannotLoad):
            read()


SETTINGS = {"deadline": None, "suppress_health_check": list(hypothesis.HealthCheck)}


@hypothesis.settings(max_examples=40, **SETTINGS)
@hypothesis.given(content=CONTENTS)
def test_any_bytes_are_read_or_refused_in_a_sentence(readers, content):
    _check(readers, content)


@pytest.mark.whole
@hypothesis.settings(max_examples=1000, **SETTINGS)
@hypothesis.given(content=CONTENTS)
def test_any_bytes_at_length(readers, content):
    _check(readers, content)


WORDS_OF_A_LINE = st.one_of(
    st.text(max_size=12), WORDS, st.sampled_from(["../x.py", "a/b", "ex", "²", "~", ".", "\0"])
)


@hypothesis.settings(max_examples=200, **SETTINGS)
@hypothesis.given(word=WORDS_OF_A_LINE)
def test_any_word_is_an_exercise_or_a_sentence(loaded, word):
    from grader.target import Target

    with contextlib.suppress(course.CourseError):
        assert loaded.find(word) in loaded.exercises
    with contextlib.suppress(course.CourseError):
        target, exercises = Target.named([word], "exercises", loaded)
        assert target.path.exists() and exercises
    with contextlib.suppress(course.CourseError):
        assert isinstance(Target.asked(word, loaded.root).path, Path)
