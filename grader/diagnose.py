"""Which known mistake does a failure look like?

Each mistake of the failing task takes the task's place in the learner's own module and the task's
tests run again, with the same seed. Equal failures, test by test and message by message, mean that
the learner's code behaves exactly as that mistake does. Nothing is guessed: no match, no diagnosis.

Where the task's code calls another task's that failed before it, the tests run first with right
answers in the place of those: what passes then has no mistake of its own to be told of.
"""

from __future__ import annotations

import itertools
import re
import time
from collections.abc import Callable

from grader import bank, course, describe, limits
from grader.report import Diagnosis, TaskResult, TestResult, Verdict
from grader.run import RESULT, SWAP, name, result_of, run_quietly

TASK_BUDGET = 2.5  # seconds of processor time for the mistakes of one task
TASK_CLOCK = 7.5  # seconds on the clock: longer for a busy machine, not for code that sleeps

_NUMBER = re.compile(r"-?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?")
DIAGNOSED = {Verdict.WRONG, Verdict.CRASHED}


def diagnose(task: TaskResult, run, items: list, nextitem) -> Diagnosis | None:
    """The first known mistake that fails the task's tests just as the learner's code does."""
    if task.verdict not in DIAGNOSED or Verdict.TIMED_OUT in {t.verdict for t in task.tests}:
        return None
    if isinstance(run.modules.get(task.exercise), BaseException):
        return None
    trial = _Trial(task.exercise, run, nextitem)
    tested = {test.name for test in task.tests}
    with trial:
        return _cause(task, trial, [item for item in items if name(item) in tested])


def _cause(task: TaskResult, trial: _Trial, items: list) -> Diagnosis | None:
    exercise = course.load(trial.run.root).find(task.exercise)
    entries = bank.mistakes(exercise, task.task)
    seen = {test.name: test for test in task.tests}
    seconds = {test.name: test.seconds for test in task.tests}
    to_blame = _failed_before(task, trial.run)
    if to_blame:
        right = bank.references(exercise, to_blame)
        failed = [item for item in items if not seen[name(item)].passed]
        if trial.holds(right, failed, lambda result: result.passed):
            return Diagnosis("", through(to_blame), to_blame)
        seen = trial.results(right, items)
        if seen is None:
            return None
        entries = tuple(entry.after(right) for entry in entries)
    # Failing tests first, the quickest of them first of all: it tells most mistakes apart. But code
    # that remembers something fails in the order of the file only.
    ordered = sorted(items, key=lambda item: seen[name(item)].passed)
    quickest = sorted(ordered, key=lambda item: (seen[name(item)].passed, seconds[name(item)]))
    orders = [quickest] if quickest == ordered else [quickest, ordered]
    for items, entry in itertools.product(orders, entries):
        if trial.holds(entry, items, lambda result: alike(result, seen[result.name])):
            return Diagnosis(entry.name, entry.message)
    return None


def _failed_before(task: TaskResult, run) -> list[str]:
    """The tasks that have failed by a fault of their own, and that this one's code calls."""
    failed = [
        one.task
        for one in run.exercise(task.exercise).tasks
        if one.verdict is not Verdict.PASSED and not (one.diagnosis and one.diagnosis.through)
    ]
    if not failed:
        return []
    called = course.reached_from(run.target.source(task.exercise), task.task)
    return [one for one in failed if one in called]


def through(tasks: list[str]) -> str:
    """The sentence on a task that fails only through others, which it calls."""
    names = " and ".join(f"`{task}`" for task in tasks)
    if len(tasks) == 1:
        return (
            f"It fails only through {names}, which it calls: with a right one in its place, "
            "nothing fails here. Mend that one first."
        )
    return (
        f"It fails only through {names}, which it calls: with right ones in their places, "
        "nothing fails here. Mend those first."
    )


class _Trial:
    """Runs tests of a task with other answers in the module, until its time is up.

    As a context manager it leaves the module, and the time of the run, as they are to be.
    """

    def __init__(self, exercise: str, run, nextitem):
        self.run, self._exercise, self._nextitem = run, exercise, nextitem
        self._budget = _Budget(run.diagnosis_seconds)

    def __enter__(self) -> _Trial:
        self._module = self.run.modules[self._exercise]
        return self

    def __exit__(self, *error: object) -> None:
        self.run.modules[self._exercise] = self._module
        self.run.diagnosis_seconds -= self._budget.spent()

    def holds(self, entry: bank.Entry, items: list, check: Callable[[TestResult], bool]) -> bool:
        """Does `check` hold of each test's result with this answer in the module?

        The first that it does not hold of ends the trial; False when the time is up.
        """
        kept = {item: result_of(item) for item in items}
        try:
            if self._budget.left() <= 0:
                return False
            with limits.time_limit(self._budget.left()), limits.interruptible():
                swapped = self.run.target.with_swap(entry)
                self.run.modules[self._exercise] = swapped.load(self._exercise)
            return all(check(self._result(item, entry)) for item in items)
        except (Exception, limits.TimedOut):
            return False  # the swapped module does not load, or the time is up
        finally:
            for item, result in kept.items():
                item.stash[RESULT] = result
                if SWAP in item.stash:
                    del item.stash[SWAP]

    def results(self, entry: bank.Entry, items: list) -> dict[str, TestResult] | None:
        """Each test's result with this answer; None when one has no end, or the time is up."""
        found: dict[str, TestResult] = {}

        def keep(result: TestResult) -> bool:
            found[result.name] = result
            return result.verdict is not Verdict.TIMED_OUT

        return found if self.holds(entry, items, keep) else None

    def _result(self, item, entry: bank.Entry) -> TestResult:
        item.stash[SWAP] = entry
        seconds = self._budget.left()
        if seconds <= 0:
            raise limits.TimedOut(seconds)
        with limits.time_limit(seconds):
            run_quietly(item, self._nextitem)
        return result_of(item)


class _Budget:
    """What the diagnosis of one task may cost: processor time, and three times that of waiting."""

    def __init__(self, seconds: float):
        self._share = min(1.0, seconds / TASK_BUDGET)
        self._started = time.process_time(), time.monotonic()

    def spent(self) -> float:
        """Seconds of the budget that are used up."""
        working = time.process_time() - self._started[0]
        waiting = time.monotonic() - self._started[1]
        return max(working, waiting * TASK_BUDGET / TASK_CLOCK)

    def left(self) -> float:
        """Seconds on the clock that may still pass."""
        return (TASK_BUDGET * self._share - self.spent()) * TASK_CLOCK / TASK_BUDGET


def alike(one: TestResult, other: TestResult) -> bool:
    """Two results that a learner could not tell apart; numbers may differ by rounding."""
    fields = ("what", "returned", "expected", "note")
    return one.verdict is other.verdict and all(
        _same_text(getattr(one, name), getattr(other, name)) for name in fields
    )


def _same_text(one: str, other: str) -> bool:
    if one == other:
        return True
    one, other = describe.without_tmp(one), describe.without_tmp(other)
    if _NUMBER.sub("#", one) != _NUMBER.sub("#", other):
        return False
    pairs = zip(_NUMBER.findall(one), _NUMBER.findall(other), strict=True)
    return all(
        abs(float(a) - float(b)) <= 1e-3 * max(abs(float(a)), abs(float(b)), 1e-3) for a, b in pairs
    )
