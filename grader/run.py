"""One run's settings and findings, and the running of one of its tests."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

import pytest
from _pytest.runner import runtestprotocol

from grader import describe, limits
from grader.bank import REFERENCE, Entry
from grader.boundary.faults import Ended
from grader.course import shown
from grader.loading import CannotLoad
from grader.recorder import Ex, last_call
from grader.report import ExerciseResult, TestResult, Verdict
from grader.target import Target, read_source

SPIN = "Is there a loop that never ends, or far more work than the task needs?"
PRINTED = 2000  # characters of what a test prints that are kept
DIAGNOSIS_SECONDS = 6.0  # for all diagnoses of a run together


class Tail:
    """The end of what a worker prints, however much that is."""

    def __init__(self):
        self._text = ""

    def write(self, text: str) -> None:
        self._text = (self._text + text)[-PRINTED:]

    def take(self) -> str:
        """What is kept; from now on it is not."""
        text, self._text = self._text, ""
        return text


@dataclass
class Run:
    """One run's settings and what it has found; the engine hands in its own."""

    root: Path
    target: Target
    seed: int
    diagnose: bool = True
    seconds_per_test: float | None = None  # None: what pyproject.toml and the tests' marks say
    tell: Callable[[dict], None] | None = None  # hears of tests and tasks as they start and end
    exercises: dict[str, ExerciseResult] = field(default_factory=dict)
    modules: dict[str, object] = field(default_factory=dict)
    group: list = field(default_factory=list)  # the (item, reports) of the task under way
    diagnosis_seconds: float = DIAGNOSIS_SECONDS  # what is left of them
    # Starts a worker for the code under test; None: it runs in the process of the tests.
    worker: Callable | None = None
    late: set[str] = field(default_factory=set)  # tasks of which a test timed out in another child
    started: object = None  # the worker that was started last
    tail: Tail = field(default_factory=Tail)  # of what a worker prints

    def load(self, stem: str):
        """The module under test, loaded once; a file that does not load fails once too."""
        if stem not in self.modules:
            try:
                with limits.interruptible(caught=True):
                    self.modules[stem] = self._load(stem)
            except CannotLoad as error:
                self.modules[stem] = error
            except Ended as error:
                sentence = f"{shown(self.target.file(stem))} does not import: {error}."
                self.modules[stem] = CannotLoad(sentence)
            except limits.TimedOut as error:
                sentence = f"{shown(self.target.file(stem))} does not import: {error}. {SPIN}"
                self.modules[stem] = CannotLoad(sentence, Verdict.TIMED_OUT)
        if isinstance(self.modules[stem], CannotLoad):
            raise self.modules[stem].with_traceback(None)
        return self.modules[stem]

    def _load(self, stem: str):
        if self.worker is None:
            return self.target.load(stem)
        from grader.boundary.judge import Remote

        path = self.target.file(stem)
        swap = self.target.swap
        source, parts = read_source(path), swap.parts if swap else ()
        show = self.tail.write
        limits.watch(self._pid_of_code)

        def start():
            self.started = self.worker()
            return self.started

        return Remote(start, source, f"{stem}.py", shown(path), stem, parts, show)

    def _pid_of_code(self) -> int | None:
        """The process that the code under test is in, where that is known."""
        return self.started.pid if self.started is not None else None

    def close(self) -> None:
        """End the workers that it has started."""
        if self.worker is not None:
            for module in self.modules.values():
                if hasattr(module, "close"):
                    module.close()

    def exercise(self, stem: str) -> ExerciseResult:
        file = shown(self.target.file(stem))
        return self.exercises.setdefault(stem, ExerciseResult(stem, file))


RUN = pytest.StashKey[Run]()
RESULT = pytest.StashKey[TestResult]()
EX = pytest.StashKey[Ex]()
SWAP = pytest.StashKey[Entry]()  # what a diagnosis has put in the place of the task


def run_quietly(item, nextitem) -> list:
    """Run one test of a task without telling anyone; its result is in the item's stash."""
    item.stash[RESULT] = TestResult(stem(item), mark(item).args[0], name(item), Verdict.PASSED)
    if EX in item.stash:
        del item.stash[EX]
    # (A judge whose code runs apart has a limit for all of its tests: see grader.runs.)
    free = item.config.stash[RUN].worker is not None or _on_accelerator()
    with contextlib.nullcontext() if free else limits.memory_limit():
        reports = runtestprotocol(item, log=False, nextitem=nextitem)
    run = item.config.stash[RUN]
    printed = (reports[-1].capstdout + run.tail.take())[-PRINTED:]
    item.stash[RESULT].printed = describe.steady(printed)
    return reports


def end_late(item, result: TestResult) -> NoReturn:
    """Where the code runs apart, a test is out of time: say so, and end this process.

    The exception may come in the middle of anything that pytest does, and what is cut in two there
    must not judge another test. The engine has the others run in a process of their own.
    """
    run = item.config.stash[RUN]
    result.called = last_call(item.stash[EX]) if EX in item.stash else ""
    result.printed = describe.steady(run.tail.take())
    run.tell({"event": "test", "result": vars(result)})
    run.tell({"event": "cut"})
    os._exit(0)


def result_of(item) -> TestResult:
    """The result of the last run of an item."""
    return item.stash[RESULT]


def learner_files(item) -> tuple[str, ...]:
    """The files whose lines are the learner's: the file under test, and what was swapped in."""
    target = item.config.stash[RUN].target
    swapped = item.stash.get(SWAP, target.swap)
    bank = (str(swapped.path), REFERENCE) if swapped else ()
    return (*target.files(stem(item)), *bank)


def mark(item):
    """The mark of the task that a test belongs to; None for tests that are not the course's."""
    return item.get_closest_marker("task")


def stem(item) -> str:
    """The exercise that a test file judges: ex03_backward."""
    return item.path.stem.removeprefix("test_")


def name(item) -> str:
    """A test's name within its file: TestSlope::test_example."""
    return item.nodeid.partition("::")[2]


def _on_accelerator() -> bool:
    # Its driver maps far more memory than it uses, which RLIMIT_DATA would count.
    import torch

    return torch.accelerator.is_available()
