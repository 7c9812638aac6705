"""A stage: a process that has one exercise's tests collected, and forks a child for each request.

It never runs a learner's code itself, and a child serves one request and no other. Where the code
runs in the child, what the child had to import is imported here afterwards, so that the next need
not; from a child whose code runs apart, nothing comes back but its events.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import os
import selectors
import shutil
import signal
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from grader import limits, runs
from grader.wire import Lines, send

# Parts of pytest that a learner's tests have no use for; each costs every run some time.
UNUSED = [
    "cacheprovider",
    "debugging",
    "doctest",
    "faulthandler",
    "junitxml",
    "legacypath",
    "logging",
    "pastebin",
    "recwarn",
    "setuponly",
    "setupplan",
    "stepwise",
    "threadexception",
    "unittest",
    "unraisableexception",
    "warnings",
]
GRACE = 4.0  # seconds beyond the limit of a test or a diagnosis before the child is killed
# What a child begins with: its request, and where it reports.
Ends = tuple[dict, int]


def perform(root: Path, stem: str, bank_too: bool, requests: int, events: int) -> int:
    """Collect the tests of an exercise and serve runs of them; pytest's exit status at the end.

    With `bank_too` the known answers are read as well: in no stage that judges what was handed in.
    """
    import pytest_timeout

    from grader import bank, course
    from grader.run import Run
    from grader.target import Target

    exercise = course.load(root).find(stem)
    if bank_too:  # here once, and not in every child
        bank.read(exercise.mistakes, exercise)
        bank.read(exercise.variants, exercise)
    command = [str(exercise.test_file), f"--rootdir={root}", "-qq", "--capture=sys"]
    command += [f"-pno:{name}" for name in UNUSED]
    nobody = Run(root, Target(exercise.test_file), seed=0)
    serve = Serve(exercise, requests, events)
    return int(pytest.main(command, plugins=[pytest_timeout, Preset(nobody), serve]))


class Preset:
    """Hands the engine's own settings to the plugin."""

    def __init__(self, run):
        self._run = run

    @pytest.hookimpl(tryfirst=True)  # the plugin makes settings of its own where there are none
    def pytest_configure(self, config):
        from grader.run import RUN

        config.stash[RUN] = self._run


class Serve:
    """Stops pytest between collecting and running: the children go on from there."""

    def __init__(self, exercise, requests: int, events: int):
        self._exercise, self._requests, self._events = exercise, requests, events

    def pytest_runtestloop(self, session):
        if session.testsfailed:  # to collect; pytest's own loop ends with the status
            return None
        send(self._events, {"event": "ready"})
        gc.collect()
        gc.freeze()  # no collection in a child walks, and so copies, what was there before
        ends = Stage(self._requests, self._events).serve()
        try:
            if ends is not None:
                runs.serve(self._exercise, *ends, session)
        finally:
            os._exit(0)  # whatever it raised, the tests that have no result tell


@dataclass
class Child:
    """A process that does the runs of one request, one after the other."""

    request: dict
    pid: int
    lines: Lines
    folder: str
    deadline: float
    imported: list[str] = field(default_factory=list)
    killed: bool = False
    patience: limits.Patience | None = None

    @property
    def id(self) -> int:
        """The run under way."""
        return self.request["runs"][0][0] if self.request["runs"] else -1


class Stage:
    """Forks, watches over deadlines, and passes on what the children say."""

    def __init__(self, requests: int, events: int):
        self._requests, self._events = Lines(requests), events
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._requests, selectors.EVENT_READ, None)
        self._children: list[Child] = []
        self._closing = False

    def serve(self) -> Ends | None:
        """Serve until nothing is wanted any more. In a child: what it begins with."""
        while not (self._closing and not self._children):
            for key, _ in self._selector.select(self._patience()):
                if key.data is not None:
                    ends = self._read_child(key.data)
                    if ends is not None:
                        return ends
                    continue
                for request in self._requests.read():
                    ends = self._take(request)
                    if ends is not None:
                        return ends
                if not self._requests.open:  # the warm parent has ended
                    self._end()
                    return None
            self._kill_late()
        return None

    def _take(self, request: dict) -> Ends | None:
        if "cancel" in request:
            for child in self._children:
                if child.id == request["cancel"]:
                    kill(child.pid)
        elif "retire" in request:
            self._closing = True
        else:
            return self._fork(request)
        return None

    def _fork(self, request: dict) -> Ends | None:
        reader, writer = os.pipe()
        folder = tempfile.mkdtemp(prefix="kata-run-")
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            os.setpgid(0, 0)  # killed together with the processes it starts
            end_with_parent(parent)
            for end in (reader, self._requests.descriptor, self._events):
                os.close(end)
            for other in self._children:
                other.lines.close()
            self._selector.close()
            os.environ["TMPDIR"] = os.environ["PYTEST_DEBUG_TEMPROOT"] = tempfile.tempdir = folder
            return request, writer
        os.close(writer)
        deadline = time.monotonic() + request["startup_seconds"]
        child = Child(request, pid, Lines(reader), folder, deadline)
        self._children.append(child)
        self._selector.register(child.lines, selectors.EVENT_READ, child)
        return None

    def _read_child(self, child: Child) -> Ends | None:
        for event in child.lines.read():
            if event["event"] in ("start", "diagnosing"):
                child.deadline = time.monotonic() + event["seconds"] + GRACE
                child.patience = limits.Patience(event["seconds"] + GRACE, child.pid)
            elif event["event"] == "imported":
                child.imported += event["modules"]
                continue
            elif event["event"] == "done":
                if child.request["runs"]:
                    self._close_run(child, 0)
                continue
            send(self._events, event | {"id": child.id})
        if not child.lines.open:
            return self._bury(child)
        return None

    def _close_run(self, child: Child, code: int) -> None:
        send(self._events, {"event": "end", "id": child.id, "status": code, "late": child.killed})
        child.request["runs"].pop(0)
        if not child.request["runs"]:
            child.deadline = time.monotonic() + GRACE  # to end by itself

    def _bury(self, child: Child) -> Ends | None:
        self._selector.unregister(child.lines)
        child.lines.close()
        self._children.remove(child)
        kill(child.pid)  # whatever it left behind in its group
        _, status = os.waitpid(child.pid, 0)
        if child.request["runs"]:
            self._close_run(child, os.waitstatus_to_exitcode(status))
        shutil.rmtree(child.folder, ignore_errors=True)
        for name in child.imported:
            load(name)
        if child.imported:
            gc.freeze()
        if child.request["runs"]:  # it ended before it had done them all
            return self._fork(child.request)
        return None

    def _kill_late(self) -> None:
        now = time.monotonic()
        for child in self._children:
            if now > child.deadline and not child.killed:
                more = child.patience.more() if child.patience else 0.0
                if more:  # it has not had the time that has passed
                    child.deadline = now + more
                    continue
                child.killed = True
                kill(child.pid)

    def _patience(self) -> float | None:
        if not self._children:
            return None
        nearest = min(child.deadline for child in self._children)
        return max(0.01, nearest - time.monotonic())

    def _end(self) -> None:
        for child in self._children:
            kill(child.pid)
            shutil.rmtree(child.folder, ignore_errors=True)


def kill(pid: int) -> None:
    """End a process, and its group if it leads one."""
    for way in (os.killpg, os.kill):
        try:
            return way(pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            continue


def end_with_parent(parent: int) -> None:
    """In a child, on Linux: when the process that forked it is killed, end too."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
        if os.getppid() != parent:
            os._exit(0)


def load(name: str) -> None:
    """Import a module to have it warm."""
    # A library's private module may only import in another order: not ours to mend.
    with contextlib.suppress(Exception):
        importlib.import_module(name)
