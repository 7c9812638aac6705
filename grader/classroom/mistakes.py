"""Which known mistake does an answer behave like? Answered from a table, and never beside it.

What each mistake does, test by test under the class's seed, is found out once, by runs that hold no
submission, and kept. An answer is then compared with it: equal facts in all tests of a task, and
the mistake has a name. Nothing is guessed: no match, no diagnosis.

Where a task that failed uses others that failed before it, it is compared with the reference over
*their* mistakes: alike, and it fails only through them. That too is found out without the answer.
"""

from __future__ import annotations

import contextlib
import io
import json
import tokenize
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from grader import bank, engine
from grader.classroom.store import write
from grader.classroom.terms import course_hash
from grader.course import Course, Exercise, reached_from
from grader.diagnose import DIAGNOSED, alike, through
from grader.engine import Job
from grader.report import Diagnosis, ExerciseResult, TaskResult, TestResult, Verdict
from grader.target import Target

FOLDER = ".mistakes"  # beside the results of a class
_BATCH = 6  # runs that share a process: a fork costs as much as some of them
_BELOW = 3  # tasks at most whose mistakes are looked at together
_LOOKED_AT = 1 << 20  # characters of a source
_FACTS = ("name", "verdict", "what", "returned", "expected", "note")
Layer = tuple[str, str]  # a task, and the mistake in its place
# What was run: a task's tests, on the reference with these mistakes in it, the lowest first.
Row = tuple[str, tuple[Layer, ...]]


class _Missing(Exception):
    """Rows that have to be run before more can be said."""

    def __init__(self, rows: list[Row]):
        super().__init__(rows)
        self.rows = rows


class MistakeTable:
    """What the known mistakes of a course do under one seed; kept below `folder`, if there is one.

    It runs nothing itself: `ask` says what is to be run, `take` hears what came of it.
    """

    def __init__(self, course: Course, seed: int, folder: Path | None = None, line: str = ""):
        """`line` is what keeps code apart: verdicts may be worded by where the code runs."""
        self._course, self._seed = course, seed
        self._folder, self._apart = folder, not line.startswith("none")
        self._rows: dict[str, dict[Row, list[TestResult] | None]] = {}  # by exercise
        self._under_way: dict[Job, Row] = {}

    def ask(
        self, exercise: Exercise, result: ExerciseResult, source: str
    ) -> tuple[bool, list[tuple[Job, ...]]]:
        """Diagnose the tasks that failed; else: is something under way, and what else is to be run?

        `source` is the code that was run. `(False, [])` says that each task of the result has the
        diagnosis that it will ever have.
        """
        try:
            self._diagnose(exercise, result, source)
        except _Missing as missing:
            waited = {(job.exercise.stem, row) for job, row in self._under_way.items()}
            new = [row for row in missing.rows if (exercise.stem, row) not in waited]
            jobs = [self._job(exercise, row) for row in new]
            self._under_way |= dict(zip(jobs, new, strict=True))
            return True, [tuple(jobs[at : at + _BATCH]) for at in range(0, len(jobs), _BATCH)]
        return False, []

    def take(self, job: Job, result: ExerciseResult) -> bool:
        """Hear what a job has found; False for one that is none of the table's."""
        row = self._under_way.pop(job, None)
        if row is None:
            return False
        tests = [test for task in result.tasks if task.task == row[0] for test in task.tests]
        late = any(test.verdict is Verdict.TIMED_OUT for test in tests)  # it may be the machine's
        rows = self._table(job.exercise)
        rows[row] = None if late or not tests else tests
        if not self.runs(job.exercise):
            self._keep(job.exercise, rows)
        return True

    def runs(self, exercise: Exercise) -> bool:
        """Is a run of one of this exercise's mistakes under way?"""
        return any(job.exercise.stem == exercise.stem for job in self._under_way)

    def forget_under_way(self) -> None:
        """Whatever ran the jobs has ended."""
        self._under_way.clear()

    # Comparing

    def _diagnose(self, exercise: Exercise, result: ExerciseResult, source: str) -> None:
        if result.problem:
            return
        failed: list[TaskResult] = []  # by a fault of their own, as far as can be said
        for task in result.tasks:
            verdicts = {test.verdict for test in task.tests}
            if task.verdict in DIAGNOSED and Verdict.TIMED_OUT not in verdicts:
                used = names_used(source, task.task) & _used(exercise, task.task)
                below = [other for other in failed if other.task in used]
                task.diagnosis = self._cause(exercise, task, below[:_BELOW])
            through_others = task.diagnosis and task.diagnosis.through
            if task.verdict is not Verdict.PASSED and not through_others:
                failed.append(task)

    def _cause(
        self, exercise: Exercise, task: TaskResult, below: list[TaskResult]
    ) -> Diagnosis | None:
        """What a task's failure comes from, where it uses those that failed `below` it."""
        layers = [(other.task, other.diagnosis.mistake) for other in below if other.diagnosis]
        row = task.task, tuple(layers)
        if layers and len(layers) == len(below) and self._holds(exercise, row, task):
            names = [name for name, _ in layers]
            return Diagnosis("", through(names), names)
        for base in dict.fromkeys((tuple(layers), ())):
            entries = [
                entry
                for entry in bank.mistakes(exercise, task.task)
                if not base or _builds_on(exercise, entry, base)
            ]
            rows = [(task.task, (*base, (task.task, entry.name))) for entry in entries]
            self._need(exercise, rows)
            for entry, row in zip(entries, rows, strict=True):
                if self._holds(exercise, row, task):
                    return Diagnosis(entry.name, entry.message)
        return None

    def _holds(self, exercise: Exercise, row: Row, task: TaskResult) -> bool:
        """Does the answer do in every test of the task what the code of the row does?"""
        self._need(exercise, [row])
        facts = {test.name: test for test in self._table(exercise)[row] or ()}
        return facts.keys() == {test.name for test in task.tests} and all(
            alike(test, facts[test.name]) for test in task.tests
        )

    def _need(self, exercise: Exercise, rows: list[Row]) -> None:
        missing = [row for row in rows if row not in self._table(exercise)]
        if missing:
            raise _Missing(missing)

    # Running and keeping

    def _job(self, exercise: Exercise, row: Row) -> Job:
        task, layers = row
        target = Target(exercise.solution).with_swap(bank.layered(exercise, layers))
        tests = (exercise.task(task).test_class,)
        return Job(target, exercise, self._seed, diagnose=False, tests=tests, trusted=True)

    def _table(self, exercise: Exercise) -> dict[Row, list[TestResult] | None]:
        if exercise.stem not in self._rows:
            self._rows[exercise.stem] = dict(self._read(exercise))
        return self._rows[exercise.stem]

    def _path(self, exercise: Exercise) -> Path:
        return self._folder / FOLDER / f"{exercise.stem}.json"

    def _key(self, exercise: Exercise) -> dict:
        return {
            "course": course_hash(exercise),
            "seed": self._seed,
            "versions": engine.versions(),
            "apart": self._apart,
        }

    def _read(self, exercise: Exercise) -> Iterator[tuple[Row, list[TestResult] | None]]:
        """The rows that are kept; none where they are not there, damaged, or of other terms."""
        if self._folder is None:
            return
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
            data = json.loads(self._path(exercise).read_text("utf-8"))
            if data["key"] == self._key(exercise):
                for task, layers, facts in data["rows"]:
                    row = task, tuple((name, mistake) for name, mistake in layers)
                    yield (
                        row,
                        None
                        if facts is None
                        else [_result(exercise, task, test) for test in facts],
                    )

    def _keep(self, exercise: Exercise, rows: dict[Row, list[TestResult] | None]) -> None:
        if self._folder is None:
            return
        plain = [
            [task, layers, tests and [[getattr(test, name) for name in _FACTS] for test in tests]]
            for (task, layers), tests in rows.items()
        ]
        data = {"key": self._key(exercise), "rows": plain}
        with contextlib.suppress(OSError):  # full or read-only: then it is found out once more
            write(self._path(exercise), json.dumps(data) + "\n")


def _result(exercise: Exercise, task: str, facts: list) -> TestResult:
    named = dict(zip(_FACTS, facts, strict=True))
    return TestResult(exercise.stem, task, **named | {"verdict": Verdict(named["verdict"])})


def _used(exercise: Exercise, task: str) -> set[str]:
    """The tasks that the reference's answer to a task uses; the answer itself is never parsed."""
    return _reached(exercise.solution.read_text("utf-8"), task) - {task}


def _builds_on(exercise: Exercise, entry: bank.Entry, base: tuple[Layer, ...]) -> bool:
    """Does a mistake use one of these tasks? Else it does over them what it does by itself."""
    source = f"{exercise.solution.read_text('utf-8')}\n\n{entry.text}"
    builds_on_right = _used(exercise, entry.task) if entry.reference else set()
    used = _reached(source, entry.task) | builds_on_right
    return any(name in used for name, _ in base)


_reached = lru_cache(maxsize=256)(reached_from)


def names_used(source: str, name: str) -> set[str]:
    """The top-level functions and classes that one of a source names, directly or not.

    Found by its words, without comments and strings: nothing that was handed in is parsed here.
    """
    blocks: dict[str, set[str]] = {}
    block: set[str] = set()
    before = ""
    with contextlib.suppress(tokenize.TokenError, SyntaxError):  # up to where it is no Python
        for token in tokenize.generate_tokens(io.StringIO(source[:_LOOKED_AT]).readline):
            if token.type == tokenize.NAME:
                if before in ("def", "class"):
                    outer = not token.line[:1].isspace()
                    block = blocks.setdefault(token.string, set()) if outer else block
                elif before != ".":
                    block.add(token.string)
            before = token.string
    reached, new = set(), {name}
    while new := (new & blocks.keys()) - reached:
        reached |= new
        new = set().union(*(blocks[one] for one in new))
    return reached - {name}
