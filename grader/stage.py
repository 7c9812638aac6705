"""A stage: a process that has one exercise's tests collected, and forks a fresh child for each run.

It never runs a learner's code itself; what a child had to import is imported here afterwards, so
that the next child need not.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import itertools
import os
import selectors
import shutil
import signal
import sys
import tempfile
import time
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest

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
PICTURE_SECONDS = 30.0
GRACE = 4.0  # seconds beyond the limit of a test or a diagnosis before the child is killed


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
        stage = Stage(self._requests, self._events)
        request, pipe = stage.serve()
        try:
            if request is not None:
                _run(self._exercise, request, pipe, session)
        finally:
            os._exit(0)  # whatever it raised, the tests that have no result tell


@dataclass
class Child:
    """A process that does the runs of one request, one seed after the other."""

    request: dict
    pid: int
    lines: Lines
    folder: str
    deadline: float
    imported: list[str] = field(default_factory=list)
    killed: bool = False

    @property
    def id(self) -> int:
        """The run under way."""
        return self.request["runs"][0][0]


class Stage:
    """Forks, watches over deadlines, and passes on what the children say."""

    def __init__(self, requests: int, events: int):
        self._requests, self._events = Lines(requests), events
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._requests, selectors.EVENT_READ, None)
        self._children: list[Child] = []
        self._closing = False

    def serve(self) -> tuple[dict | None, int]:
        """Serve until nothing is wanted any more. In a child: its request, and where to report."""
        while not (self._closing and not self._children):
            for key, _ in self._selector.select(self._patience()):
                if key.data is not None:
                    pipe = self._read_child(key.data)
                    if pipe is not None:
                        return key.data.request, pipe
                    continue
                for request in self._requests.read():
                    pipe = self._take(request)
                    if pipe is not None:
                        return request, pipe
                if not self._requests.open:  # the warm parent has ended
                    self._end()
                    return None, -1
            self._kill_late()
        return None, -1

    def _take(self, request: dict) -> int | None:
        if "cancel" in request:
            for child in self._children:
                if any(run == request["cancel"] for run, *_ in child.request["runs"]):
                    self._cancel(child)
        elif "retire" in request:
            self._closing = True
        else:
            return self._fork(request)
        return None

    def _cancel(self, child: Child) -> None:
        """End it with all its runs: nobody cancels one of them alone."""
        for run, *_ in child.request["runs"][1:]:
            send(self._events, {"event": "end", "id": run, "status": 0, "late": False})
        del child.request["runs"][1:]
        kill(child.pid)

    def _fork(self, request: dict) -> int | None:
        reader, writer = os.pipe()
        folder = tempfile.mkdtemp(prefix="kata-run-")
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            os.setpgid(0, 0)  # killed together with the processes it starts
            end_with_parent(parent)
            for end in (reader, self._requests.descriptor, self._events):
                os.close(end)
            self._selector.close()
            os.environ["TMPDIR"] = os.environ["PYTEST_DEBUG_TEMPROOT"] = tempfile.tempdir = folder
            return writer
        os.close(writer)
        deadline = time.monotonic() + request["startup_seconds"]
        child = Child(request, pid, Lines(reader), folder, deadline)
        self._children.append(child)
        self._selector.register(child.lines, selectors.EVENT_READ, child)
        return None

    def _read_child(self, child: Child) -> int | None:
        for event in child.lines.read():
            if event["event"] in ("start", "diagnosing"):
                child.deadline = time.monotonic() + event["seconds"] + GRACE
            elif event["event"] == "imported":
                child.imported = event["modules"]
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

    def _bury(self, child: Child) -> int | None:
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


def _run(exercise, request: dict, pipe: int, session) -> None:
    """In the child: run the tests and say what happens, as it happens."""
    from _pytest.main import pytest_runtestloop

    from grader import bank
    from grader.run import RUN, Run, mark, name
    from grader.target import Target

    known = len(sys.modules)  # a set of them would touch, and so copy, a page for each name
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the command decides what Ctrl-C ends
    swap = bank.find(exercise, *request["swap"]) if request["swap"] else None
    if request.get("picture"):
        from grader.pictures.paint import paint

        send(pipe, {"event": "start", "test": None, "seconds": PICTURE_SECONDS})
        target = Target(Path(request["runs"][0][2]), swap)
        problem, alt = paint(exercise, target, Path(request["picture"]), PICTURE_SECONDS)
        return send(pipe, {"event": "picture", "problem": problem, "alt": alt})
    if request["tests"]:
        wanted = tuple(request["tests"])
        classes = tuple(f"{one}::" for one in wanted)
        session.items = [
            item for item in session.items if name(item) in wanted or name(item).startswith(classes)
        ]
    tests = [
        (mark(item).args[0], mark(item).kwargs["points"], name(item))
        for item in session.items
        if mark(item)
    ]
    worker = _workers()
    for _, seed, path in request["runs"]:
        session.config.stash[RUN] = Run(
            root=exercise.root,
            target=Target(Path(path), swap),
            seed=seed,
            diagnose=request["diagnose"],
            seconds_per_test=request["seconds_per_test"],
            tell=lambda event: send(pipe, event),
            worker=worker,
        )
        send(pipe, {"event": "collected", "tests": tests})
        pytest_runtestloop(session)
        new = list(itertools.islice(reversed(sys.modules), len(sys.modules) - known))
        send(pipe, {"event": "imported", "modules": _library_modules(new[::-1])})
        send(pipe, {"event": "done"})


def _workers():
    """What starts a worker for the code under test, where it is to run apart from the tests."""
    from grader.engine import WORKERS

    control = os.environ.get(WORKERS)
    if control is None:
        return None
    from grader.sandbox import fork_worker

    return partial(fork_worker, int(control))


def _library_modules(names: list[str]) -> list[str]:
    """Those that belong to an installed library, in the order of their import."""
    folders = (
        str(Path(sys.modules["torch"].__file__).parent.parent),
        str(Path(os.__file__).parent),
    )
    found = []
    for name in names:
        file = getattr(sys.modules.get(name), "__file__", None) or ""
        if file.startswith(folders):
            found.append(name)
    return found
