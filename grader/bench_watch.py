"""From the save to the printed verdict: `kata watch` beside a cold `pytest` on the same file."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from grader.course import Course, Exercise, solutions
from grader.engine import Engine, Job
from grader.preload import preload_for
from grader.target import Target

_VERDICT = " exercises pass, seed "  # the last line of what is shown about a run
HEADINGS = ["exercise", "its tests s", "median s", "max s", "cold pytest s", "cold / watch"]


def measure(
    course: Course, exercises: tuple[Exercise, ...], runs: int, tick: Callable[[int, int], None]
) -> tuple[list[str], list[list[str | float]]]:
    """Headings and rows: `runs` saves of each solved exercise in a copy of the course.

    Beside them what the tests themselves take, and in a last row the floor: a bare fork with a
    pytest that has nothing to run.
    """
    with tempfile.TemporaryDirectory() as name:
        root = Path(name).resolve()
        shutil.copytree(solutions(course.root), root / "solutions")
        for room in ("exercises", "tests"):
            shutil.copytree(course.root / room, root / room)
        shutil.copy(course.root / "pyproject.toml", root)
        tests, floor = _in_the_engine(course, exercises, runs)
        watched = _watched(root, exercises, runs)
        rows: list[list[str | float]] = []
        for done, exercise in enumerate(exercises):
            tick(done, len(exercises))
            cold = _cold(root, exercise)
            times = watched[exercise.stem]
            median = statistics.median(times)
            rows.append(
                [exercise.stem, tests[exercise.stem], median, max(times), cold, cold / median]
            )
    rows.append(["(a fork and an empty pytest)", 0.0, statistics.median(floor), max(floor), "", ""])
    return HEADINGS, rows


def _watched(root: Path, exercises: tuple[Exercise, ...], runs: int) -> dict[str, list[float]]:
    """Seconds from each save to the line that ends its verdict, as a learner would see it."""
    watch = subprocess.Popen(
        [sys.executable, "-m", "grader", "watch", exercises[0].id],
        cwd=root,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        _until(watch, _VERDICT)
        found: dict[str, list[float]] = {}
        for exercise in exercises:
            path = root / "exercises" / f"{exercise.stem}.py"
            text = exercise.solution.read_text("utf-8")
            times = []
            for number in range(-1, runs):  # the first shows the warm parent what else to import
                changed = f"{text}# {number}\n"
                started = time.perf_counter()
                path.write_text(changed, "utf-8")
                _until(watch, _VERDICT)
                times.append(time.perf_counter() - started)
                _until(watch, f"{exercise.id} passes.", "All exercises pass.")
            found[exercise.stem] = times[1:]
        return found
    finally:
        watch.terminate()
        watch.communicate()


def _until(watch: subprocess.Popen, *texts: str) -> None:
    for line in watch.stdout:
        if any(text in line for text in texts):
            return
    raise RuntimeError("kata watch ended before its verdict")


def _cold(root: Path, exercise: Exercise) -> float:
    command = [sys.executable, "-m", "pytest", f"tests/test_{exercise.stem}.py", "-q"]
    started = time.perf_counter()
    subprocess.run(command, cwd=root, capture_output=True, check=True)
    return time.perf_counter() - started


def _in_the_engine(
    course: Course, exercises: tuple[Exercise, ...], runs: int
) -> tuple[dict[str, float], list[float]]:
    """Seconds that each exercise's own tests take, and those of a run without any."""
    target = Target(solutions(course.root))
    tests: dict[str, float] = {}
    floor = []
    with Engine(course.root, preload_for(exercises)) as warm:
        for exercise in exercises:
            for _ in range(2):
                [(_, found)] = warm.map([Job(target, exercise, seed=1, diagnose=False)])
            tests[exercise.stem] = sum(test.seconds for task in found.tasks for test in task.tests)
        for _ in range(runs):
            started = time.perf_counter()
            list(warm.map([Job(target, exercises[0], 1, diagnose=False, tests=("TestNothing",))]))
            floor.append(time.perf_counter() - started)
    return tests, floor
