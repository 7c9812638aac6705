"""A small class for the tests of `kata grade`: right, half right, wrong and odd submissions."""

from __future__ import annotations

import ast
import json
import os
import signal
from functools import cache
from pathlib import Path

from grader import bank, build
from grader import course as courses
from grader.classroom import cluster
from grader.classroom.submitted import Submission
from grader.classroom.terms import Terms
from grader.course import Course, Exercise
from grader.report import ExerciseResult, TaskResult, TestResult, Verdict

STEM = "ex03_backward"
SEED = 4
_grade = cluster.grade  # which a test puts `grade_or_die` in the place of


def terms(loaded: Course) -> Terms:
    return Terms(loaded, SEED)


def one(loaded: Course, student: str, extra: str = "", name: str = "03") -> Submission:
    """The solution of an exercise, and `extra` below it."""
    exercise = loaded.find(name)
    text = exercise.solution.read_text("utf-8") + extra
    return Submission(student, exercise.stem, f"{student}/{exercise.stem}.py", text.encode())


def a_class(loaded: Course, number: int, names=("03",)) -> list[Submission]:
    """`number` submissions: the solution in turn with one of the known mistakes or variants."""
    found = []
    for place in range(number):
        exercise = loaded.find(names[place % len(names)])
        entries = [*bank.mistakes(exercise), *bank.variants(exercise)]
        extra = entries[place % len(entries)].text if place % 3 else ""
        found.append(one(loaded, f"student {place}", f"\n\n{extra}", exercise.stem))
    return found


def on_disk(submissions: list[Submission], folder: Path) -> Path:
    """The same as files, a folder for each student."""
    for handed_in in submissions:
        file = folder / handed_in.student / f"{handed_in.exercise}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(handed_in.content)
    return folder


def plain(graded) -> dict:
    """Results by submission, without the time that they took."""
    found = {}
    for one_result in graded:
        result = one_result.result
        for test in (test for task in result.tasks for test in task.tests):
            test.seconds = 0.0
        found[one_result.submission.name] = (result, result.earned)
    return found


def grade_or_die(order: dict) -> str:
    """What a worker does, but for a submission that ends its worker."""
    if b"# killer" in order["submission"]["content"]:
        os.kill(os.getpid(), signal.SIGKILL)
    return _grade(order)


@cache
def _class_book(exercise: Exercise) -> str:
    from nbformat import writes

    from grader.classroom.course import source_book

    return writes(build.cleared(source_book(exercise)))


@cache
def stub_of(exercise: Exercise) -> str:
    """What a learner begins with."""
    return build.stub(exercise)


@cache
def right_of(exercise: Exercise) -> dict[str, str]:
    """The reference of each task."""
    return {task.name: courses.reference(exercise, task.name) for task in exercise.tasks}


def as_notebook(exercise: Exercise, answered: frozenset[str], gap: str) -> Submission:
    """The notebook of a class with the reference in the cells of some tasks, and not of others.

    The others are "deleted", "untouched" or "emptied".
    """
    book = json.loads(_class_book(exercise))
    names, cells = {task.name for task in exercise.tasks}, []
    for cell in book["cells"]:
        grade_id = cell["metadata"].get("nbgrader", {}).get("grade_id", "")
        name = grade_id.removeprefix(f"{exercise.stem}-")
        if name in answered:
            cell["source"] = right_of(exercise)[name]
        elif gap == "emptied" and name in names:
            cell["source"] = ""
        if gap != "deleted" or name in answered or name not in names:
            cells.append(cell)
    content = json.dumps(book | {"cells": cells}).encode()
    return Submission("ada", exercise.stem, f"ada/{exercise.stem}.ipynb", content)


def as_script(exercise: Exercise, answered: frozenset[str], gap: str) -> Submission:
    """The file of a learner with the reference's functions of some tasks, and not of others."""
    lines = stub_of(exercise).split("\n")
    names = {task.name for task in exercise.tasks}
    for node in reversed(ast.parse(stub_of(exercise)).body):
        name = getattr(node, "name", "")
        if name in answered:
            lines[node.lineno - 1 : node.end_lineno] = [right_of(exercise)[name]]
        elif name in names and gap != "untouched":
            del lines[node.lineno - 1 : node.end_lineno]
    content = "\n".join(lines).encode()
    return Submission("ada", exercise.stem, f"ada/{exercise.stem}.py", content)


def a_result(handed_in: Submission) -> ExerciseResult:
    """A point for whatever it is."""
    test = TestResult(handed_in.exercise, "slope", "TestSlope::test_example", Verdict.PASSED)
    task = TaskResult(handed_in.exercise, "slope", 1, [test])
    return ExerciseResult(handed_in.exercise, handed_in.name, [task])
