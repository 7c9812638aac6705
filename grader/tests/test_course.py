"""The course's own files keep the rules that the rest builds on."""

from __future__ import annotations

import ast
import re

import pytest

from grader import build, course
from grader.course import CourseError
from grader.tests.conftest import ROOT

EXERCISES = course.load(ROOT).exercises
each_exercise = pytest.mark.parametrize("exercise", EXERCISES, ids=lambda e: e.stem)


def _imports(path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or "").partition(".")[0])
    return found


def _solution_lines(exercise) -> set[str]:
    lines, inside = set(), False
    for line in exercise.solution.read_text("utf-8").splitlines():
        text = line.strip()
        if text in (f"### {build.BEGIN}", f"### {build.END}"):
            inside = text.endswith(build.BEGIN)
        elif inside and text:
            lines.add(text)
    return lines


def test_there_are_thirteen_exercises_in_order():
    assert [exercise.number for exercise in EXERCISES] == list(range(1, 14))


@each_exercise
def test_the_stub_is_what_the_solution_builds(exercise):
    assert exercise.stub.read_text("utf-8") == build.stub(exercise)


@each_exercise
def test_no_line_of_a_reference_body_is_in_a_stub(exercise):
    body = _solution_lines(exercise)
    assert len(body) > 3
    for stub in (ROOT / "exercises").glob("*.py"):
        shared = body & {line.strip() for line in stub.read_text("utf-8").splitlines()}
        own = _solution_lines(exercise) if stub.name == exercise.stub.name else set()
        assert not (shared if own else {line for line in shared if len(line) > 30}), stub.name


@each_exercise
def test_no_hint_is_in_a_stub(exercise):
    stub = " ".join(re.sub(r"#", " ", exercise.stub.read_text("utf-8")).split())
    for task in exercise.tasks:
        for hint in exercise.hints(task.name):
            assert hint not in stub
    assert "HINTS" not in stub


@each_exercise
def test_every_task_has_three_different_hints_and_points(exercise):
    for task in exercise.tasks:
        assert len(set(exercise.hints(task.name))) == 3
        assert 1 <= task.points <= 6
        assert task.about


@each_exercise
def test_tests_reach_code_only_through_ex(exercise):
    assert _imports(exercise.test_file) <= {
        "pytest", "torch", "torchvision", "grader", "math", "gzip", "struct", "hashlib", "numpy",
        "PIL", "matplotlib", "itertools", "collections", "random", "functools", "operator",
        "pathlib", "multiprocessing", "os",
    }  # fmt: skip
    source = exercise.test_file.read_text("utf-8")
    for forbidden in ("monkeypatch", "capsys", "inspect", "importlib", "sys.modules", "solutions"):
        assert not re.search(rf"\b{re.escape(forbidden)}\b", source), forbidden


@each_exercise
def test_every_task_opens_with_an_example_and_draws_inputs(exercise):
    classes = {
        node.name: [f.name for f in node.body if isinstance(f, ast.FunctionDef)]
        for node in ast.parse(exercise.test_file.read_text("utf-8")).body
        if isinstance(node, ast.ClassDef)
    }
    for task in exercise.tasks:
        tests = [name for name in classes[task.test_class] if name.startswith("test_")]
        assert tests[0].startswith("test_example"), task.name
        assert any(name.startswith("test_drawn") for name in tests), task.name


@each_exercise
def test_prose_never_says_simply(exercise):
    text = exercise.solution.read_text("utf-8").lower()
    assert not re.search(r"\b(simply|obviously|trivially)\b", text)


@pytest.mark.parametrize(
    "name",
    [
        "3",
        "03",
        "ex03",
        "backward",
        "ex03_backward",
        "tests/test_ex03_backward.py",
        "exercises/ex03_backward.py",
    ],
)
def test_an_exercise_is_found_by_any_of_its_names(loaded, name):  # fmt: skip
    assert loaded.find(name).number == 3


def test_an_unknown_exercise_is_a_sentence(loaded):
    with pytest.raises(CourseError, match="no exercise 'ex99'.*ex01_tensors"):
        loaded.find("ex99")


def test_building_twice_gives_the_same_notebook(loaded):
    import nbformat

    one, other = (nbformat.writes(build.release(loaded.find("3"))) for _ in range(2))
    assert one == other


def test_a_release_notebook_is_valid_for_nbgrader(loaded):
    import nbformat
    from nbgrader.nbgraderformat import ValidationError
    from nbgrader.nbgraderformat.v3 import MetadataValidatorV3

    book = build.release(loaded.find("3"))
    nbformat.validate(book)
    try:
        MetadataValidatorV3().validate_nb(book)
    except ValidationError as error:
        pytest.fail(str(error))
    marked = [cell.metadata.nbgrader for cell in book.cells if "nbgrader" in cell.metadata]
    assert [cell["grade_id"] for cell in marked] == [
        f"ex03_backward-{task.name}" for task in loaded.find("3").tasks
    ]


def test_a_stub_that_differs_by_a_byte_is_found(loaded, tmp_path):
    import shutil

    for folder in ("exercises", "solutions", "tests"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    copy = course.load(tmp_path)
    assert build.check(copy) == []
    stub = copy.find("ex05").stub
    stub.write_text(stub.read_text() + "\n")
    (tmp_path / "exercises" / "ex99_left_over.py").write_text("")
    assert [found.path.name for found in build.check(copy)] == [stub.name, "ex99_left_over.py"]
    (written, kept), = build.build(copy)  # fmt: skip
    assert written == stub
    assert kept.read_text().endswith("\n\n"), "what was there is kept"
