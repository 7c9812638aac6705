"""The grading of one answer through the engine, which stays warm for the whole class."""

from __future__ import annotations

import atexit
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from grader import engine
from grader.classroom.submission import Answer
from grader.course import Course, Exercise
from grader.report import ExerciseResult
from grader.target import Target

engines: dict[Path, engine.Engine] = {}  # by course folder; warm for as long as this process lives


@dataclass
class Grading:
    """What was found, with which seed; nothing found where no code was there to run."""

    result: ExerciseResult
    seed: int


def grade(
    exercise: Exercise,
    answer: Answer,
    course: Course,
    own: Path | None = None,
    seconds_per_test: float | None = None,
) -> Grading:
    """Run an exercise's tests, and the instructor's own, on an answer under a fresh seed."""
    seed = engine.draw_seed()
    exercises = [exercise]
    if own and (own / "tests" / exercise.test_file.name).is_file():
        exercises.append(replace(exercise, root=own))
    with tempfile.TemporaryDirectory(prefix="kata-") as folder:
        file = Path(folder) / f"{exercise.stem}.py"
        file.write_text(answer.source, "utf-8")
        first, *more = [
            _run(course, Target(file), one, seed, seconds_per_test) for one in exercises
        ]
    for extra in more:
        for row in extra.tasks:
            same = next((task for task in first.tasks if task.task == row.task), None)
            if same:
                same.tests += row.tests
        first.problem = first.problem or extra.problem
    return Grading(first, seed)


def _run(course, target, exercise, seed, seconds_per_test) -> ExerciseResult:
    if not engine.CAN_FORK:
        return engine.cold_run(target, [exercise], seed).exercises[0]
    try:
        report = _warm(course).run(target, [exercise], seed, seconds_per_test=seconds_per_test)
    except engine.EngineError:  # someone ended it: once more, with a new one
        del engines[course.root]
        report = _warm(course).run(target, [exercise], seed, seconds_per_test=seconds_per_test)
    return report.exercises[0]


def _warm(course: Course) -> engine.Engine:
    if course.root not in engines:
        started = engine.Engine(course.root, engine.preload_for(course.exercises))
        started.start()
        atexit.register(started.close)
        engines[course.root] = started
    return engines[course.root]
