"""Which known mistake does a failure look like?

Each mistake of the failing task takes the task's place in the learner's own module and the task's
tests run again, with the same seed. Equal failures, test by test and message by message, mean that
the learner's code behaves exactly as that mistake does. Nothing is guessed: no match, no diagnosis.
"""

from __future__ import annotations

import itertools
import re
import time

from grader import bank, course, limits
from grader.report import Diagnosis, TaskResult, TestResult, Verdict
from grader.run import RESULT, SWAP, name, result_of, run_quietly

TASK_BUDGET = 1.5  # seconds of processor time for the mistakes of one task
TASK_CLOCK = 4.5  # seconds on the clock: longer for a busy machine, not for code that sleeps

_NUMBER = re.compile(r"-?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?")
# pytest numbers a test's temporary folder anew each time the test runs.
_TMP = re.compile(r"[^\s'\"]*pytest-of-[^/]+/pytest-\d+/[^/\s'\"]+")
DIAGNOSED = {Verdict.WRONG, Verdict.CRASHED}


def diagnose(task: TaskResult, run, items: list, nextitem) -> Diagnosis | None:
    """The first known mistake that fails the task's tests just as the learner's code does."""
    if task.verdict not in DIAGNOSED or Verdict.TIMED_OUT in {t.verdict for t in task.tests}:
        return None
    if isinstance(run.modules.get(task.exercise), BaseException):
        return None
    entries = bank.mistakes(course.load(run.root).find(task.exercise), task.task)
    seen = {test.name: test for test in task.tests}
    # Failing tests first, the quickest of them first of all: it tells most mistakes apart. But code
    # that remembers something fails in the order of the file only.
    ordered = sorted(
        (item for item in items if name(item) in seen), key=lambda item: seen[name(item)].passed
    )
    quickest = sorted(ordered, key=lambda item: (seen[name(item)].passed, seen[name(item)].seconds))
    orders = [quickest] if quickest == ordered else [quickest, ordered]
    budget = _Budget(run.diagnosis_seconds)
    module = run.modules[task.exercise]
    try:
        for items, entry in itertools.product(orders, entries):
            if budget.left() <= 0:
                break
            if _behaves_as(entry, run, task, items, seen, budget, nextitem):
                return Diagnosis(entry.name, entry.message)
    finally:
        run.modules[task.exercise] = module
        run.diagnosis_seconds -= budget.spent()
    return None


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


def _behaves_as(entry, run, task, items, seen, budget, nextitem) -> bool:
    kept = {item: result_of(item) for item in items}
    try:
        with limits.time_limit(budget.left()), limits.interruptible():
            run.modules[task.exercise] = run.swapped(task.exercise, entry)
        for item in items:
            item.stash[SWAP] = entry
            if budget.left() <= 0:
                return False
            with limits.time_limit(budget.left()):
                run_quietly(item, nextitem)
            if not alike(result_of(item), seen[name(item)]):
                return False
    except (Exception, limits.TimedOut):
        return False  # the swapped module does not load, or the time is up: no match
    finally:
        for item, result in kept.items():
            item.stash[RESULT] = result
            if SWAP in item.stash:
                del item.stash[SWAP]
    return True


def _same_text(one: str, other: str) -> bool:
    if one == other:
        return True
    one, other = _TMP.sub("tmp", one), _TMP.sub("tmp", other)
    if _NUMBER.sub("#", one) != _NUMBER.sub("#", other):
        return False
    pairs = zip(_NUMBER.findall(one), _NUMBER.findall(other), strict=True)
    return all(
        abs(float(a) - float(b)) <= 1e-3 * max(abs(float(a)), abs(float(b)), 1e-3) for a, b in pairs
    )
