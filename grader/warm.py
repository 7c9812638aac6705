"""The warm parent: imports once, then forks a stage for each exercise as it is asked for.

It reads requests as JSON lines from its standard input and writes the events of the runs, as JSON
lines, to its standard output. It touches no accelerator and starts no threads, since both do not
survive a fork.
"""

from __future__ import annotations

import gc
import os
import selectors
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from grader.course import Exercise
from grader.stage import end_with_parent, kill, load, perform
from grader.wire import Lines, send

NEEDED = ("grader.plugin", "grader.draw", "grader.expect", "pytest_timeout")  # by every run
# A course folder, the stem of one of its exercises, and whether the known answers are read too.
Key = tuple[str, str, bool]


@dataclass
class Collected:
    """A stage as its parent sees it."""

    pid: int
    requests: int
    events: Lines
    stamp: tuple
    deadline: float | None  # for collecting; None once that is done
    under_way: set[int] = field(default_factory=set)
    late: bool = False


class Parent:
    """Sends each request to the stage of its exercise, and passes on what the stages say."""

    def __init__(self, requests: int, events: int):
        self._requests, self._events = Lines(requests), events
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._requests, selectors.EVENT_READ, None)
        self._stages: dict[Key, Collected] = {}
        self._all: list[Collected] = []  # those of old files too, until their runs have ended

    def serve(self) -> None:
        """Serve until standard input ends, which ends the stages too."""
        send(self._events, {"event": "ready"})
        while self._requests.open:
            for key, _ in self._selector.select(self._patience()):
                if key.data is not None:
                    self._read_stage(key.data)
                    continue
                for request in self._requests.read():
                    self._take(request)
            self._kill_late()
        self._end()

    def _take(self, request: dict) -> None:
        if "cancel" in request:
            for stage in self._all:
                if request["cancel"] in stage.under_way:
                    send(stage.requests, request)
            return
        key = request["root"], request["exercise"], request["bank"]
        stamp = _stamp(*key[:2])
        stage = self._stages.get(key)
        if stage is None or stage.stamp != stamp:
            if stage is not None:
                send(stage.requests, {"retire": True})
            seconds = request["startup_seconds"]
            stage = self._stages[key] = self._fork(key, stamp, time.monotonic() + seconds)
            self._all.append(stage)
        stage.under_way |= {run for run, *_ in request["runs"]}
        send(stage.requests, request)

    def _fork(self, key: Key, stamp: tuple, deadline: float) -> Collected:
        ours, theirs = os.pipe(), os.pipe()  # requests, events
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                end_with_parent(parent)
                for stage in self._all:  # else they would not see that the parent has ended
                    os.close(stage.requests)
                    stage.events.close()
                for end in (ours[1], theirs[0], self._requests.descriptor, self._events):
                    os.close(end)
                self._selector.close()
                code = perform(Path(key[0]), *key[1:], ours[0], theirs[1])
            finally:
                os._exit(code)
        os.close(ours[0])
        os.close(theirs[1])
        stage = Collected(pid, ours[1], Lines(theirs[0]), stamp, deadline)
        self._selector.register(stage.events, selectors.EVENT_READ, stage)
        return stage

    def _read_stage(self, stage: Collected) -> None:
        for event in stage.events.read():
            if event["event"] == "ready":
                stage.deadline = None
                continue
            if event["event"] == "end":
                stage.under_way.discard(event["id"])
            send(self._events, event)
        if not stage.events.open:
            self._bury(stage)

    def _bury(self, stage: Collected) -> None:
        """A stage has ended: retired, or its tests can't be collected, or it was killed."""
        self._selector.unregister(stage.events)
        stage.events.close()
        os.close(stage.requests)
        self._all.remove(stage)
        self._stages = {key: other for key, other in self._stages.items() if other is not stage}
        _, status = os.waitpid(stage.pid, 0)
        code = os.waitstatus_to_exitcode(status)
        for request in stage.under_way:
            end = {"event": "end", "id": request, "status": code, "late": stage.late}
            send(self._events, end)

    def _end(self) -> None:
        """Let the stages clear up after their children."""
        for stage in self._all:
            os.close(stage.requests)
        for stage in self._all:
            os.waitpid(stage.pid, 0)

    def _kill_late(self) -> None:
        now = time.monotonic()
        for stage in self._all:
            if stage.deadline and now > stage.deadline and not stage.late:
                stage.late = True
                kill(stage.pid)

    def _patience(self) -> float | None:
        deadlines = [stage.deadline for stage in self._all if stage.deadline and not stage.late]
        return max(0.01, min(deadlines) - time.monotonic()) if deadlines else None


def _stamp(root: str, stem: str) -> tuple:
    """What tells whether the files that a stage has read are still the same."""
    one = Exercise(0, stem, Path(root))
    settings = (one.root / "pyproject.toml", one.test_file.with_name("conftest.py"))
    files = (*settings, one.test_file, one.mistakes, one.solution, one.variants)
    return tuple(_version(file) for file in files)


def _version(file: Path) -> tuple[int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


def main() -> None:
    """Become the warm parent: the modules named on the command line are imported first."""
    requests, events = os.dup(0), os.dup(1)
    null = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):  # a learner's prints must not mix with the events
        os.dup2(null, standard)
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    os.environ.setdefault("MPLBACKEND", "Agg")
    for name in (*NEEDED, *sys.argv[1:]):
        load(name)
    if "torchvision" in sys.modules or "grader.mnist" in sys.modules:
        from grader.mnist import load_sample

        load_sample()
    from grader.engine import WORKERS, versions

    if WORKERS in os.environ:  # its children serve one submission each, and are all that begins
        from grader.boundary.worker import warm

        warm()
    versions()  # looked up once, here, and not in every child
    gc.collect()
    gc.freeze()  # no collection in a child walks, and so copies, the parent's heap
    Parent(requests, events).serve()
    os._exit(0)  # at once: the command waits, and torch takes its time to be unloaded


if __name__ == "__main__":
    main()
