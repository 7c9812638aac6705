"""What an instructor asks `kata course` for, checked before anything is written."""

from __future__ import annotations

import tomllib
from datetime import datetime
from pathlib import Path

from grader import reading
from grader.bounds import MOST_POINTS
from grader.course import Course, CourseError, shown


def read_points(path: Path, course: Course) -> dict[str, dict[str, float]]:
    """Points by exercise and task, from an instructor's TOML file; `CourseError` if it is none."""
    try:
        data = tomllib.loads(reading.text(path, "--points"))
    except (ValueError, RecursionError) as error:
        raise CourseError(f"--points: {shown(path)} is not TOML: {error}.") from None
    worth: dict[str, dict[str, float]] = {}
    for name, tasks in data.items():
        exercise = course.find(name)
        if not isinstance(tasks, dict):
            raise CourseError(
                f"--points: {name} is not a table: write [{name}], then task = points."
            )
        for task, value in tasks.items():
            exercise.task(task)
            number = isinstance(value, int | float) and not isinstance(value, bool)
            if not (number and 0 <= value <= MOST_POINTS):
                raise CourseError(
                    f"--points: {name}.{task} is {str(value)[:40]}, not a number from 0 to "
                    f"{MOST_POINTS:,}."
                )
        worth[exercise.stem] = tasks
    return worth


def own_tests(folder: Path, course: Course) -> dict[str, str]:
    """An instructor's own test files, by their names; `CourseError` where there is none."""
    if not folder.is_dir():
        raise CourseError(f"--tests: {shown(folder)} is no folder. Give the one with your tests.")
    known = {exercise.test_file.name for exercise in course.exercises}
    found = sorted(folder.glob("test_ex*.py"))
    strange = [path.name for path in found if path.name not in known]
    if not found or strange:
        what = f"{', '.join(strange)} goes with no exercise" if strange else "no test_ex….py in it"
        raise CourseError(f"--tests: {folder}: {what}; name them like {sorted(known)[0]}.")
    return {path.name: reading.text(path) for path in found}


def worth_of_words(points: float) -> float:
    """What an answer in words is worth; `CourseError` where that is no number of points."""
    if not 0 <= points <= MOST_POINTS:
        raise CourseError(f"--own-words is a number from 0 to {MOST_POINTS:,}, not {points}.")
    return points


def one_line(install: str) -> str:
    """What pip is asked for; `CourseError` where it is not one line."""
    if not install.strip() or not install.isprintable():
        raise CourseError("--install is what pip is asked for, in one line: a name or an address.")
    return install.strip()


def moment(text: str) -> str:
    """A due date as ISO 8601; `CourseError` where it is none."""
    try:
        return datetime.fromisoformat(text).isoformat()
    except ValueError:
        raise CourseError(
            f"--due: {text[:40]!r} is not a date like 2026-12-01T18:00+01:00."
        ) from None
