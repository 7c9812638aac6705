"""Seconds per submission: `nbgrader autograde` with our step, and as nbgrader has it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from grader import bank
from grader.classroom import course as classes
from grader.course import Course, CourseError, Exercise

HEADINGS = ["exercise", "ours s", "nbgrader's s", "nbgrader's / ours"]
NOTES = [
    "Seconds per submission: one `nbgrader autograde` of the same notebooks on each side, "
    "one after the other, one process each; its start is in them.",
    "Both sides: reading and mending the notebook, nbgrader's own steps, the course's tests, the "
    "naming of a known mistake, the score in the gradebook, the autograded notebook.",
    "Ours: one warm engine for all of them, a fork for each. nbgrader's: its own Execute, a kernel "
    "for each, in which every cell of the notebook runs, and so check(…).",
    "The same test cells have earned all their points on both sides.",
]
PLAIN = """\
from pathlib import Path

c = get_config()
c.CourseDirectory.course_id = "gradkata"
c.CourseDirectory.root = str(Path(__file__).resolve().parent)
"""


def measure(
    course: Course, exercises: tuple[Exercise, ...], runs: int, tick: Callable[[int, int], None]
) -> list[list[str | float]]:
    """A row for each exercise, from a class of `runs` students in a temporary folder."""
    rows: list[list[str | float]] = []
    for done, exercise in enumerate(exercises):
        tick(done, len(exercises))
        with tempfile.TemporaryDirectory(prefix="kata-") as name:
            ours, theirs = (Path(name, side).resolve() for side in ("ours", "nbgrader"))
            classes.write(course, ours, [exercise.id])
            nbgrader(ours, "generate_assignment", exercise.stem)
            hand_in(ours, exercise, runs)
            shutil.copytree(ours, theirs)  # one release, and the same notebooks handed in
            (theirs / "nbgrader_config.py").write_text(PLAIN, "utf-8")
            seconds = [_graded(folder, exercise, runs) for folder in (ours, theirs)]
            if _full_cells(ours, exercise) != _full_cells(theirs, exercise):
                raise CourseError(f"The two sides grade {exercise.stem} differently.")
        rows.append([exercise.stem, *seconds, seconds[1] / seconds[0]])
    return rows


def hand_in(folder: Path, exercise: Exercise, runs: int) -> None:
    """Every second student has all right, the others one known mistake, task by task."""
    solved = json.loads(classes.page(exercise))
    spoils = [_mistake(exercise, task.name) for task in exercise.tasks]
    for student in range(runs):
        book = json.loads(json.dumps(solved))
        if student % 2:
            task, source = spoils[student // 2 % len(spoils)]
            for cell in book["cells"]:
                if (
                    cell["metadata"].get("nbgrader", {}).get("grade_id")
                    == f"{exercise.stem}-{task}"
                ):
                    cell["source"] = source
        path = folder / "submitted" / f"student{student:03}" / exercise.stem
        path.mkdir(parents=True)
        (path / f"{exercise.stem}.ipynb").write_text(json.dumps(book), "utf-8")


def _mistake(exercise: Exercise, task: str) -> tuple[str, str]:
    """A cell with a mistake of the bank: where there is one, one that needs no reference."""
    entry = min(bank.mistakes(exercise, task), key=lambda one: one.reference is not None)
    return task, entry.text


def _graded(folder: Path, exercise: Exercise, runs: int) -> float:
    started = time.perf_counter()
    nbgrader(folder, "autograde", exercise.stem)
    return (time.perf_counter() - started) / runs


def nbgrader(folder: Path, *words: str) -> None:
    """Run one of nbgrader's commands in a course; `CourseError` with its last words."""
    # nbgrader calls alembic by its bare name; a user's own settings should not take part.
    beside = str(Path(sys.executable).parent)
    own = {
        "PATH": os.pathsep.join([beside, os.environ.get("PATH", "")]),
        "JUPYTER_CONFIG_DIR": str(folder / ".jupyter"),
    }
    done = subprocess.run(
        [sys.executable, "-m", "nbgrader", *words],
        cwd=folder,
        env=os.environ | own,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise CourseError(f"nbgrader {' '.join(words)} failed:\n{done.stderr[-3000:]}")


def _full_cells(folder: Path, exercise: Exercise) -> set[tuple[str, str]]:
    """Which test cell of which student has earned all of its points."""
    from nbgrader.api import Gradebook

    checks = {classes.check_id(exercise.stem, task.name) for task in exercise.tasks}
    with Gradebook(f"sqlite:///{folder / 'gradebook.db'}", "gradkata") as gradebook:
        found = gradebook.assignment_submissions(exercise.stem)
        grades = [grade for one in found for book in one.notebooks for grade in book.grades]
        return {
            (grade.notebook.student.id, grade.name)
            for grade in grades
            if grade.name in checks and grade.auto_score == grade.max_score
        }
