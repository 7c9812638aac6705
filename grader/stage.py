"""A stage: a process that has one exercise's tests collected, and forks a fresh child for each run.

It never runs a learner's code itself; what a child had to import is imported here afterwards, so
that the next child need not. A child that runs no learner's code either (that runs apart, in a
worker of the sandbox) is kept for a while, and takes the next request.
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

from grader import runs
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
_PATIENCE = 2.0  # seconds that a child waits for another request
_RUNS = 50  # of one child, so that whatever it piles up has an end
# What a child begins with: its request, where it reports, and where further requests come.
Ends = tuple[dict, int, int | None]


def perform(root: Path, stem: str, requests: int, events: int) -> int:
    """Collect the tests of an exercise and serve runs of them; pytest's exit status at the end."""
    import pytest_timeout

    from grader import bank, course
    from grader.run import Run
    from grader.target import Target

    exercise = course.load(root).find(stem)
    # Read here once, and not in every child.
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
        worker = runs.workers()
        stage = Stage(self._requests, self._events, keep=worker is not None)
        ends = stage.serve()
        try:
            if ends is not None:
                runs.serve(self._exercise, *ends, session, worker)
        finally:
            os._exit(0)  # whatever it raised, the tests that have no result tell


@dataclass
class Child:
    """A process that does the runs of one request, one seed after the other, or waits for one."""

    request: dict
    pid: int
    requests: int | None  # where it takes further ones, if it does
    lines: Lines
    folder: str
    deadline: float
    begun: bool = True  # False until it has said something of a request that it was handed
    done: int = 0  # runs
    imported: list[str] = field(default_factory=list)
    killed: bool = False

    @property
    def id(self) -> int:
        """The run under way."""
        return self.request["runs"][0][0]

    def let_go(self) -> None:
        """It gets no further request, and ends when it has none."""
        if self.requests is not None:
            os.close(self.requests)
            self.requests = None


class Stage:
    """Forks, watches over deadlines, and passes on what the children say."""

    def __init__(self, requests: int, events: int, keep: bool):
        self._requests, self._events, self._keep = Lines(requests), events, keep
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
            for child in self._children:
                if not child.request["runs"]:
                    child.let_go()
        elif not self._hand_over(request):
            return self._fork(request)
        return None

    def _hand_over(self, request: dict) -> bool:
        """Give a request to a child that waits for one, if there is one."""
        for child in self._children:
            if child.requests is not None and not child.request["runs"]:
                child.request, child.begun = request, False
                child.deadline = time.monotonic() + request["startup_seconds"]
                with contextlib.suppress(BrokenPipeError):  # it has ended: `_bury` forks another
                    send(child.requests, request)
                return True
        return False

    def _fork(self, request: dict) -> Ends | None:
        reader, writer = os.pipe()
        theirs, ours = os.pipe() if self._keep else (None, None)
        folder = tempfile.mkdtemp(prefix="kata-run-")
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            os.setpgid(0, 0)  # killed together with the processes it starts
            end_with_parent(parent)
            for end in (reader, ours, self._requests.descriptor, self._events):
                if end is not None:
                    os.close(end)
            for other in self._children:  # else they would not see that the stage lets them go
                other.let_go()
            self._selector.close()
            os.environ["TMPDIR"] = os.environ["PYTEST_DEBUG_TEMPROOT"] = tempfile.tempdir = folder
            return request, writer, theirs
        os.close(writer)
        if theirs is not None:
            os.close(theirs)
        deadline = time.monotonic() + request["startup_seconds"]
        child = Child(request, pid, ours, Lines(reader), folder, deadline)
        self._children.append(child)
        self._selector.register(child.lines, selectors.EVENT_READ, child)
        return None

    def _read_child(self, child: Child) -> Ends | None:
        for event in child.lines.read():
            child.begun = True
            if event["event"] in ("start", "diagnosing"):
                child.deadline = time.monotonic() + event["seconds"] + GRACE
            elif event["event"] == "imported":
                child.imported += event["modules"]
                continue
            elif event["event"] == "done":
                self._close_run(child, 0)
                continue
            send(self._events, event | {"id": child.id})
        if not child.lines.open:
            return self._bury(child)
        return None

    def _close_run(self, child: Child, code: int) -> None:
        send(self._events, {"event": "end", "id": child.id, "status": code, "late": child.killed})
        child.request["runs"].pop(0)
        child.done += 1
        if not child.request["runs"]:
            child.deadline = time.monotonic() + _PATIENCE
            if self._closing or child.done >= _RUNS:
                child.let_go()

    def _bury(self, child: Child) -> Ends | None:
        self._selector.unregister(child.lines)
        child.lines.close()
        child.let_go()
        self._children.remove(child)
        kill(child.pid)  # whatever it left behind in its group
        _, status = os.waitpid(child.pid, 0)
        if child.request["runs"] and child.begun:
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
                if child.requests is not None and not child.request["runs"]:
                    child.let_go()
                    child.deadline = now + GRACE  # to end by itself
                else:
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
