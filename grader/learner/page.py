"""`kata report`: one self-contained HTML page with verdicts, diagnoses, pictures and the training.

Nothing in it is fetched from anywhere: pictures are data in the page, and its own policy forbids
every request. What a learner's code printed or returned is escaped like any other text.
"""

from __future__ import annotations

import contextlib
import json
import tempfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from textwrap import dedent

from grader import pages, pictures, places, reading
from grader.course import Course, CourseError, Exercise, shown
from grader.engine import Engine, EngineError, draw_seed
from grader.learner import keep
from grader.preload import preload_for
from grader.reading import ReadingError
from grader.report import ExerciseResult, Report, TaskResult, failure_text, replay_of
from grader.target import Target
from grader.training import PICTURES, RECORD
from grader.training.pictures import ALT


@dataclass
class Row:
    """An exercise on the page."""

    title: str
    earned: str
    result: ExerciseResult
    tasks: list[tuple[TaskResult, str]]  # each with the text that its failure has
    picture: pages.Inlined | None

    @property
    def failing(self) -> bool:
        """Begun, and not there yet: shown unfolded."""
        return not self.result.passed and any(task.earned for task in self.result.tasks)


def write(course: Course, target: Target, path: Path) -> Report:
    """Run every exercise, draw its picture where that works, and write the page."""
    if path.suffix not in (".html", ".htm"):
        raise CourseError(f"--out: {shown(path)} should end in .html.")
    places.file(path, "--out", lambda head: b"gradkata" in head or not head)
    exercises = course.select(None)
    with Engine(course.root, preload_for(exercises)) as engine:
        report = engine.run(target, exercises, draw_seed())
        rows = [
            _row(exercise, result, report, _picture(engine, target, exercise, result))
            for exercise, result in zip(exercises, report.exercises, strict=True)
        ]
    keep.write(path, _page(report, rows, _training(course.root)))
    return report


def _row(exercise: Exercise, result: ExerciseResult, report: Report, picture) -> Row:
    replay = replay_of(report)
    texts = [(task, dedent("\n".join(failure_text(task, replay)))) for task in result.tasks]
    earned = f"{result.earned:.3g}/{result.points:g}"
    return Row(f"{exercise.id} {exercise.title}", earned, result, texts, picture)


def _picture(engine, target, exercise: Exercise, result: ExerciseResult) -> pages.Inlined | None:
    """The exercise's picture; none where there is no such or the code does not draw it yet."""
    if exercise.id not in pictures.drawn():
        return None
    with tempfile.TemporaryDirectory(prefix="kata-") as folder:
        path = Path(folder) / "picture.png"
        try:
            alt = engine.draw(target, exercise, path)
        except EngineError:
            return None
        return pages.inlined(path.read_bytes(), alt)


def _training(root: Path) -> dict | None:
    """What the last training check came to, if there was one."""
    folder = root / PICTURES
    try:
        record = json.loads(reading.text(folder / RECORD))["records"][-1]
        sentence = record["sentence"]
    except (ReadingError, ValueError, LookupError, TypeError, RecursionError):
        return None
    found = []
    for name, alt in ALT.items():
        with contextlib.suppress(ReadingError):
            found.append(pages.inlined(reading.content(folder / f"{name}.png"), alt))
    return {"sentence": sentence, "pictures": found}


def _page(report: Report, rows: list[Row], training: dict | None) -> str:
    earned = sum(exercise.earned for exercise in report.exercises)
    points = sum(exercise.points for exercise in report.exercises)
    return pages.render(
        "learner/page.html",
        report=report,
        rows=rows,
        training=training,
        earned=f"{earned:.4g}",
        points=f"{points:g}",
        report_earned=earned,
        report_points=points,
        when=datetime.now().strftime("%Y-%m-%d %H:%M"),
    )
