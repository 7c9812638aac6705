"""The grading of answers through the engine, which stays warm for the whole class.

`grade` is for one notebook that nbgrader has open; `grade_each` for files as bytes, many at a time.
Both go through `_map`, the one way to what runs the code.
"""

from __future__ import annotations

import atexit
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from grader import engine
from grader import isolation as kept_apart
from grader.classroom.cases import Cases, job_for, merged, parts, unjudged
from grader.classroom.mistakes import MistakeTable
from grader.classroom.submission import Answer
from grader.classroom.submitted import Submission
from grader.course import Course, Exercise
from grader.isolation import Isolation
from grader.preload import preload_for
from grader.report import ExerciseResult

_TABLES = 8  # of mistakes, that are held at a time
SET_ASIDE = "Set aside: whatever graded it came to an end, twice."
engines: dict[Path, engine.Engine] = {}  # by course folder; warm for as long as this process lives
# By course folder, seed and the folder that they are kept in.
tables: dict[tuple[Path, int, Path | None], MistakeTable] = {}
words: dict[Path, Isolation] = {}  # by course folder; closed where no other word was given


@dataclass
class Grading:
    """What was found, with which seed; nothing found where no code was there to run."""

    result: ExerciseResult
    seed: int
    isolation: str = ""


def grade(
    exercise: Exercise,
    answer: Answer,
    course: Course,
    own: Path | None = None,
    seconds_per_test: float | None = None,
    seed: int | None = None,
    kept: Path | None = None,
) -> Grading:
    """Run an exercise's tests, and the instructor's own, on an answer; under a fresh seed if none
    is named. What the known mistakes do is kept below `kept`."""
    seed = engine.draw_seed() if seed is None else seed
    with tempfile.TemporaryDirectory(prefix="kata-") as folder:
        file = Path(folder) / f"{exercise.stem}.py"
        file.write_text(answer.source, "utf-8")
        results = [
            _run(course, job_for(file, one, seed, seconds_per_test)) for one in parts(exercise, own)
        ]
    table = table_for(course, seed, kept)
    _diagnose(course, exercise, results[0], answer.source, table)
    return Grading(merged(results), seed, isolation(course))


def table_for(course: Course, seed: int, kept: Path | None = None) -> MistakeTable:
    """What the known mistakes do under a seed; as long as this process lives, and on the disk."""
    key = (course.root, seed, kept)
    if key not in tables:
        while len(tables) >= _TABLES:
            tables.pop(next(iter(tables)))
        tables[key] = MistakeTable(course, seed, kept, isolation(course))
    return tables[key]


def _diagnose(
    course: Course, exercise: Exercise, result: ExerciseResult, source: str, table: MistakeTable
) -> None:
    while (asked := table.ask(exercise, result, source))[0]:
        try:
            for job, found in _map(course, asked[1], None):
                table.take(job, found)
        except engine.EngineError:  # someone ended it: then without a word on what it looks like
            _discard(course)
            table.forget_under_way()
            return


def grade_submission(
    handed_in: Submission, course: Course, seed: int, own: Path | None = None
) -> ExerciseResult:
    """Grade one submission under a seed; see `grade_each`."""
    ((_, result),) = grade_each([handed_in], course, seed, own, width=1)
    return result


def grade_each(
    submissions: Iterable[Submission],
    course: Course,
    seed: int,
    own: Path | None = None,
    width: int | None = None,
    kept: Path | None = None,
) -> Iterator[tuple[Submission, ExerciseResult]]:
    """Grade submissions through one engine, `width` at a time, each result as it is there.

    Every submission gets one result. What cannot be graded gets `unjudged`; so does a submission
    that was under way twice when the engine ended. Nothing is written but in a temporary folder,
    and below `kept`, if that is given, what the known mistakes do.
    `own` is a folder with an instructor's own tests. `EngineError` when there is no engine to have,
    or none that keeps the code as far apart as `words` want.
    """
    with tempfile.TemporaryDirectory(prefix="kata-") as folder:
        table = table_for(course, seed, kept)
        cases = Cases(submissions, course, seed, own, Path(folder), table)
        while not (yield from _through(course, cases, width)):
            for handed_in in cases.interrupted():  # alone, so that it is clear whose fault it is
                again = Cases([handed_in], course, seed, own, Path(folder), table)
                if not (yield from _through(course, again, 1)):
                    again.interrupted()
                    yield handed_in, unjudged(handed_in, SET_ASIDE)


def isolation(course: Course) -> str:
    """What keeps the code under test apart from its tests (`grader.isolation` reads the line).

    `EngineError` with what to do where something stays open and the word is not `OPEN`.
    """
    if engine.CAN_FORK:
        return _warm(course).isolation
    line = kept_apart.none("this system has no fork")
    _refuse(course, kept_apart.refusal(line))
    return line


def _refuse(course: Course, refusal: str) -> None:
    if refusal and words.get(course.root, Isolation.CLOSED) is not Isolation.OPEN:
        raise engine.EngineError(f"Refused: {refusal}")


def begin(course: Course, exercises: Iterable[Exercise]) -> None:
    """Start what grades, without waiting for it: whoever grades will.

    What `exercises` import is imported at once; the others can be graded too, but more slowly.
    """
    if engine.CAN_FORK and course.root not in engines:
        with suppress(engine.EngineError):  # whoever grades will meet it again
            _keep(course, engine.apart(course.root, exercises), wait=False)


def _through(course: Course, cases: Cases, width: int | None):
    """Run the jobs of some cases; False when the engine ended before them."""
    try:
        for job, result in _map(course, cases, width):
            cases.take(job, result)
            yield from cases.ended()
    except engine.EngineError:  # someone ended it
        _discard(course)
        if not cases.busy:
            raise
        yield from cases.ended()
        return False
    yield from cases.ended()
    return True


def _run(course: Course, job: engine.Job) -> ExerciseResult:
    try:
        return next(_map(course, [job], 1))[1]
    except engine.EngineError:  # someone ended it: once more, with a new one
        _discard(course)
        return next(_map(course, [job], 1))[1]


def _map(course: Course, jobs: Iterable[engine.Job], width: int | None):
    """Each job with its result, as they end."""
    if engine.CAN_FORK:
        yield from _warm(course).map(jobs, width)
        return
    isolation(course)
    for job in jobs:
        yield job, engine.cold_run(job.target, [job.exercise], job.seed).exercises[0]


def _warm(course: Course) -> engine.Engine:
    try:
        if course.root in engines:
            engines[course.root].start()
        else:
            _keep(course, engine.apart(course.root, course.exercises))
    except engine.EngineError as error:
        _discard(course)
        preload = preload_for(course.exercises)
        bare = engine.Engine(course.root, preload, without=str(error))
        _refuse(course, bare.refusal)
        _keep(course, bare)
    _refuse(course, engines[course.root].refusal)
    return engines[course.root]


def _keep(course: Course, started: engine.Engine, wait: bool = True) -> None:
    started.start(wait)
    atexit.register(started.close)
    engines[course.root] = started


def _discard(course: Course) -> None:
    ended = engines.pop(course.root, None)
    if ended:
        atexit.unregister(ended.close)
        ended.close()
