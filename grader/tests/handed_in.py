"""A small class for the tests of `kata grade`: right, half right, wrong and odd submissions."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from grader import bank
from grader.classroom import cluster
from grader.classroom.submitted import Submission
from grader.classroom.terms import Terms
from grader.course import Course

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
