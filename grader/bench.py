"""Every claim about speed, measured: both sides in one run, and shown as a ratio."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from grader import bank, bench_attacks, bench_class, bench_nbgrader, bench_watch
from grader.course import Course, CourseError, Exercise, solutions
from grader.engine import Engine, Job
from grader.preload import preload_for
from grader.target import Target

Tick = Callable[[int, int], None]  # told of steps done, and of how many


@dataclass
class Bench:
    """A measured claim as a table: a row for each subject."""

    name: str
    title: str
    headings: list[str]
    rows: list[list[str | float]]
    notes: list[str] = field(default_factory=list)
    details: list[dict] = field(default_factory=list)  # what the rows were counted from

    def to_json(self) -> dict:
        return asdict(self)


def run(
    name: str,
    course: Course,
    exercises: Iterable[Exercise],
    runs: int | None = None,
    tick: Tick = lambda done, of: None,
) -> Bench:
    """Measure one claim, `runs` times for each subject, or as often as it says itself.

    `tick` hears how many of its steps are done, and of how many.
    """
    if name not in _BENCHES:
        raise CourseError(f"There is no bench {name!r}. There are {', '.join(_BENCHES)}.")
    measure, usual = _BENCHES[name]
    return measure(course, tuple(exercises), runs or usual, tick)


def engine(course: Course, exercises: tuple[Exercise, ...], runs: int, tick: Tick) -> Bench:
    """Seconds for one run of an exercise: a warm fork beside a cold pytest process."""
    target = Target(solutions(course.root))
    rows: list[list[str | float]] = []
    with Engine(course.root, preload_for(exercises)) as warm:
        for done, exercise in enumerate(exercises):
            tick(done, len(exercises))
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


def diagnosis(course: Course, exercises: tuple[Exercise, ...], runs: int, tick: Tick) -> Bench:
    """Milliseconds that naming a mistake adds to a warm run of the task that failed.

    Of each task the mistake that the diagnosis comes to last, in a file of the learner's own.
    """
    rows: list[list[str | float]] = []
    with tempfile.TemporaryDirectory() as name, Engine(course.root, preload_for(exercises)) as warm:
        for done, exercise in enumerate(exercises):
            tick(done, len(exercises))
            added: list[tuple[float, str]] = []
            for task in exercise.tasks:
                last = bank.mistakes(exercise, task.name)[-1]
                target = Target(_file_with(exercise, last, Path(name)))
                with_, without = (
                    Job(target, exercise, 1, diagnose=diagnose, tests=(task.test_class,))
                    for diagnose in (True, False)
                )
                [(_, found)] = warm.map([with_])
                named = found.tasks[0].diagnosis
                if named is None or named.mistake != last.name:
                    raise CourseError(f"{last.name} of {task.name} is not named: {named}")
                times = [[_warm(warm, job) for job in (with_, without)] for _ in range(runs)]
                slow, fast = (min(column) for column in zip(*times, strict=True))
                added.append((1000 * (slow - fast), task.name))
            worst = max(added)
            rows.append([exercise.stem, statistics.median(ms for ms, _ in added), *worst])
    headings = ["exercise", "median ms", "worst ms", "of the task"]
    return Bench("diagnosis", f"What a diagnosis adds, best of {runs} runs", headings, rows)


def watch(course: Course, exercises: tuple[Exercise, ...], runs: int, tick: Tick) -> Bench:
    """Seconds from a save to the printed verdict of `kata watch`, beside a cold pytest."""
    headings, rows = bench_watch.measure(course, exercises, runs, tick)
    return Bench("watch", f"From the save to the verdict, {runs} saves each", headings, rows)


def nbgrader(course: Course, exercises: tuple[Exercise, ...], runs: int, tick: Tick) -> Bench:
    """Seconds per submission of `nbgrader autograde`: our step beside nbgrader's own kernel."""
    rows = bench_nbgrader.measure(course, exercises, runs, tick)
    title = f"Autograding, seconds for each of {runs} submissions"
    return Bench("nbgrader", title, bench_nbgrader.HEADINGS, rows, bench_nbgrader.NOTES)


def classes(course: Course, exercises: tuple[Exercise, ...], runs: int, tick: Tick) -> Bench:
    """Submissions per minute of `kata grade`, in two sizes of class, beside nbgrader's own."""
    rows = bench_class.measure(course, exercises, runs, tick)
    return Bench("class", "Grading a class", bench_class.HEADINGS, rows, bench_class.NOTES)


def attacks(course: Course, exercises: tuple[Exercise, ...], runs: int, tick: Tick) -> Bench:
    """Attacks that earn points they should not: from this judge, plain pytest and nbgrader."""
    found, rows = bench_attacks.measure(course, exercises, tick)
    title = f"{len(found)} attacks, and which graders they fool"
    headings, notes = bench_attacks.HEADINGS, bench_attacks.NOTES
    return Bench("attacks", title, headings, rows, notes, [asdict(one) for one in found])


def _warm(engine: Engine, job: Job) -> float:
    return _seconds(lambda: list(engine.map([job])))


def _file_with(exercise: Exercise, entry: bank.Entry, folder: Path) -> Path:
    path = folder / f"{entry.name}.py"
    path.write_text(f"{exercise.solution.read_text('utf-8')}\n\n{entry.text}", "utf-8")
    return path


def _cold(course: Course, exercise: Exercise) -> None:
    command = [sys.executable, "-m", "pytest", str(exercise.test_file), "-q", "--no-diagnosis"]
    command += ["--target", "solutions", "--seed", "1"]
    subprocess.run(command, cwd=course.root, capture_output=True, check=True)


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


# Each with the runs that it takes when nobody says how many.
_BENCHES: dict[str, tuple[Callable[[Course, tuple[Exercise, ...], int, Tick], Bench], int]] = {
    "engine": (engine, 7),
    "diagnosis": (diagnosis, 7),
    "watch": (watch, 7),
    "nbgrader": (nbgrader, 20),
    "class": (classes, 100),
    "attacks": (attacks, 1),
}
