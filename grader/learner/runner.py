"""One exercise at a time in a warm engine; how it ended comes back as an event."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator

from grader.course import Course, CourseError, Exercise, shown
from grader.engine import (
    CAN_FORK,
    Engine,
    EngineError,
    Job,
    cold_run,
    draw_seed,
    versions,
)
from grader.learner.events import Finished
from grader.preload import preload_for
from grader.report import ExerciseResult, Report
from grader.target import Target


class Runner:
    """The engine of a watch, and the thread that waits for its answer."""

    def __init__(self, course: Course, tell: Callable[[object], None]):
        self._root, self._tell = course.root, tell
        self._engine = Engine(course.root, _preload(course))
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Runner:
        self.start()
        return self

    def __exit__(self, *exc) -> None:
        self.cancel()
        if self._thread:
            self._thread.join(0.5)
        self._end_parent()
        self._engine.close()

    def start(self) -> None:
        """Start the warm parent where there is none, or where it has died."""
        if CAN_FORK:
            if self._engine.died:
                self._engine.close()
            self._engine.start()

    def restart(self, course: Course) -> None:
        """A new warm parent, for when the grader itself has changed; nothing may be running."""
        self._end_parent()
        self._engine.close()
        self._engine = Engine(course.root, _preload(course))
        self.start()

    @property
    def died(self) -> bool:
        return self._engine.died

    def begin(self, exercise: Exercise) -> None:
        """Run the learner's file; a `Finished` follows, whatever happens."""
        self.start()
        seed = draw_seed()
        target = Target(self._root / "exercises")
        started = time.perf_counter()
        try:
            if CAN_FORK:
                results = (found for _, found in self._engine.map([Job(target, exercise, seed)]))
            else:
                results = _cold(target, exercise, seed)
        except EngineError as error:
            self._tell(Finished(exercise, None, str(error), died=True))
            return

        def wait() -> None:
            try:
                found = list(results)
            except EngineError as error:
                self._tell(Finished(exercise, None, str(error), died=True))
                return
            except Exception as error:
                self._tell(Finished(exercise, None, f"{type(error).__name__}: {error}"))
                return
            seconds = round(time.perf_counter() - started, 3)
            where = shown(target.path)
            report = Report(where, seed, versions(), found, seconds, warm=CAN_FORK)
            self._tell(Finished(exercise, report if found else None))

        self._thread = threading.Thread(target=wait, daemon=True)
        self._thread.start()

    def cancel(self) -> None:
        """Stop the run under way; its `Finished` comes without a report, or too late."""
        with contextlib.suppress(EngineError):  # it has died: the waiting thread says so
            self._engine.cancel()

    def _end_parent(self) -> None:
        """It may still be importing torch, and would hear of its end only after that."""
        if self._engine.pid and not self._engine.died:
            os.kill(self._engine.pid, signal.SIGTERM)


def _cold(target: Target, exercise: Exercise, seed: int) -> Iterator[ExerciseResult]:
    yield from cold_run(target, [exercise], seed).exercises


def _preload(course: Course) -> list[str]:
    try:
        return preload_for(course.exercises)
    except CourseError:  # a solution that is being written: its imports come later
        return ["torch"]
