"""What a learner has reached, kept by the content of their files.

A result is good as long as the learner's file and the test file are what they were when it was
found, so nothing that has not changed is run again, and asking needs no torch.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from grader import reading
from grader.course import Course, CourseError, Exercise, shown
from grader.learner import keep
from grader.reading import ReadingError, why
from grader.report import ExerciseResult


class Progress:
    """The learner's results in `.kata/progress.json`, a line of JSON for each exercise."""

    def __init__(self, course: Course):
        self._path = course.root / ".kata" / "progress.json"
        self._rows = self._read()
        self.trouble = ""  # a sentence, where the results can't be kept

    def of(self, exercise: Exercise) -> dict | None:
        """`{"tasks": {name: verdict}, "earned": …, "points": …}`, or None when it is not known."""
        row = self._rows.get(exercise.stem)
        return row if row and row.get("content") == _content(exercise) else None

    def take(self, exercise: Exercise, result: ExerciseResult) -> None:
        """Remember what a run of the learner's own file has found."""
        if not result.tasks:
            return
        self._rows[exercise.stem] = {
            "content": _content(exercise),
            "tasks": {task.task: str(task.verdict) for task in result.tasks},
            "earned": round(result.earned, 2),
            "points": result.points,
        }
        rows = sorted(self._rows.items())
        lines = ",\n".join(f"{json.dumps(stem)}: {json.dumps(row)}" for stem, row in rows)
        try:
            keep.write(self._path, f"{{\n{lines}\n}}\n")
        except (OSError, CourseError) as error:  # a report that is ready is shown all the same
            self.trouble = f"What passes is not remembered: {_why(error, self._path)}"

    def _read(self) -> dict:
        try:
            rows = json.loads(reading.text(self._path))
        except (ReadingError, ValueError, RecursionError):
            return {}  # nothing kept yet, or a file that was cut short: found again by running
        rows = rows if isinstance(rows, dict) else {}
        return {stem: row for stem, row in rows.items() if _is_row(row)}


def _content(exercise: Exercise) -> str:
    digest = hashlib.sha256()
    for path in (exercise.stub, exercise.test_file):
        digest.update(_bytes(path) + b"\0")
    return digest.hexdigest()[:16]


def _bytes(path: Path) -> bytes:
    try:
        return reading.content(path)
    except ReadingError:
        return b""


def _why(error: OSError | CourseError, path: Path) -> str:
    return f"{shown(path)} {why(error)}." if isinstance(error, OSError) else str(error)


def _is_row(row: object) -> bool:
    """Is this what `take` writes, or has somebody been at the file?"""
    if not isinstance(row, dict) or not isinstance(row.get("tasks"), dict):
        return False
    return all(isinstance(row.get(name), int | float) for name in ("earned", "points"))
