"""Every claim about speed, measured: both sides in one run, and shown as a ratio."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass

from grader.course import Course, CourseError, Exercise
from grader.engine import Engine, Job, preload_for
from grader.target import Target


@dataclass
class Bench:
    """A measured claim as a table: a row for each subject."""

    name: str
    title: str
    headings: list[str]
    rows: list[list[str | float]]

    def to_json(self) -> dict:
        return asdict(self)


def run(name: str, course: Course, exercises: Iterable[Exercise], runs: int = 7) -> Bench:
    """Measure one claim, `runs` times for each subject."""
    if name not in _BENCHES:
        raise CourseError(f"There is no bench {name!r}. There are {', '.join(_BENCHES)}.")
    return _BENCHES[name](course, tuple(exercises), runs)


def engine(course: Course, exercises: tuple[Exercise, ...], runs: int) -> Bench:
    """Seconds for one run of an exercise: a warm fork beside a cold pytest process."""
    target = Target(course.root / "solutions")
    rows: list[list[str | float]] = []
    with Engine(course.root, preload_for(exercises)) as warm:
        for exercise in exercises:
            job = Job(target, exercise, seed=1, diagnose=False)
            list(warm.map([job]))  # the first run shows the parent what else to import
            times = [_seconds(lambda job=job: list(warm.map([job]))) for _ in range(runs)]
            cold = _seconds(lambda exercise=exercise: _cold(course, exercise))
            median = statistics.median(times)
            rows.append([exercise.stem, median, max(times), cold, cold / median])
        floor = Job(target, exercises[0], seed=1, diagnose=False, tests=("TestNothing",))
        times = [_seconds(lambda: list(warm.map([floor]))) for _ in range(runs)]
        rows.append(["(a fork and an empty pytest)", statistics.median(times), max(times), "", ""])
    headings = ["exercise", "warm median s", "warm max s", "cold pytest s", "cold / warm"]
    return Bench("engine", f"One run, {runs} warm runs each", headings, rows)


def _cold(course: Course, exercise: Exercise) -> None:
    command = [sys.executable, "-m", "pytest", str(exercise.test_file), "-q", "--no-diagnosis"]
    command += ["--target", "solutions", "--seed", "1"]
    subprocess.run(command, cwd=course.root, capture_output=True, check=True)


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


_BENCHES: dict[str, Callable[[Course, tuple[Exercise, ...], int], Bench]] = {"engine": engine}
