"""What a learner has reached, kept by the content of their files.

A result is good as long as the learner's file and the test file are what they were when it was
found, so nothing that has not changed is run again, and asking needs no torch.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from grader.course import Course, Exercise
from grader.learner import keep
from grader.report import ExerciseResult


class Progress:
    """The learner's results in `.kata/progress.json`, a line of JSON for each exercise."""

    def __init__(self, course: Course):
        self._path = course.root / ".kata" / "progress.json"
        self._rows = self._read()

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
        keep.write(self._path, f"{{\n{lines}\n}}\n")

    def _read(self) -> dict:
        try:
            rows = json.loads(self._path.read_text("utf-8"))
        except (OSError, ValueError):
            return {}  # nothing kept yet, or a file that was cut short: found again by running
        return rows if isinstance(rows, dict) else {}


def _content(exercise: Exercise) -> str:
    digest = hashlib.sha256()
    for path in (exercise.stub, exercise.test_file):
        digest.update(_bytes(path) + b"\0")
    return digest.hexdigest()[:16]


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
