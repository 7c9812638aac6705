"""The warm parent: imports once, then forks a fresh child for each run.

It reads requests as JSON lines from its standard input and writes the events of its children, as
JSON lines, to its standard output. It touches no accelerator and starts no threads, since both
do not survive a fork. What a child had to import is imported here afterwards, so that the next
child need not.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import json
import os
import selectors
import signal
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

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


@dataclass
class Child:
    """A run under way."""

    request: int
    pid: int
    pipe: int
    deadline: float
    buffer: bytes = b""
    imported: list[str] = field(default_factory=list)
    killed: bool = False


class Parent:
    """Forks, watches over deadlines, and passes on what the children say."""

    def __init__(self, requests: int, events: int):
        self._requests, self._events = requests, events
        self._selector = selectors.DefaultSelector()
        self._selector.register(requests, selectors.EVENT_READ, None)
        self._children: dict[int, Child] = {}
        self._buffer = b""

    def serve(self) -> None:
        self._say({"event": "ready"})
        while True:
            for key, _ in self._selector.select(self._patience()):
                if key.data is None:
                    if not self._read_requests():
                        return self._end()
                else:
                    self._read_child(key.data)
            self._kill_late()

    def _read_requests(self) -> bool:
        data = os.read(self._requests, 1 << 16)
        self._buffer += data
        *lines, self._buffer = self._buffer.split(b"\n")
        for line in lines:
            request = json.loads(line)
            if "cancel" in request:
                self._cancel(request["cancel"])
            else:
                self._fork(request)
        return bool(data)

    def _fork(self, request: dict) -> None:
        reader, writer = os.pipe()
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            try:
                os.setpgid(0, 0)  # killed together with the processes it starts
                _end_with_parent(parent)
                for end in (reader, self._requests, self._events):
                    os.close(end)
                self._selector.close()
                _run(request, writer)
            finally:
                os._exit(0)
        os.close(writer)
        child = Child(request["id"], pid, reader, time.monotonic() + request["startup_seconds"])
        self._children[child.request] = child
        self._selector.register(reader, selectors.EVENT_READ, child)

    def _read_child(self, child: Child) -> None:
        data = os.read(child.pipe, 1 << 16)
        if not data:
            return self._bury(child)
        child.buffer += data
        *lines, child.buffer = child.buffer.split(b"\n")
        for line in lines:
            event = json.loads(line)
            if event["event"] in ("start", "diagnosing"):
                child.deadline = time.monotonic() + event["seconds"] + GRACE
            elif event["event"] == "imported":
                child.imported = event["modules"]
                continue
            self._say(event | {"id": child.request})

    def _bury(self, child: Child) -> None:
        self._selector.unregister(child.pipe)
        os.close(child.pipe)
        del self._children[child.request]
        _kill(child.pid)  # whatever it left behind in its group
        _, status = os.waitpid(child.pid, 0)
        code = os.waitstatus_to_exitcode(status)
        self._say({"event": "end", "id": child.request, "status": code, "late": child.killed})
        for name in child.imported:
            _import(name)
        if child.imported:
            gc.freeze()

    def _cancel(self, request: int) -> None:
        if request in self._children:
            _kill(self._children[request].pid)

    def _kill_late(self) -> None:
        now = time.monotonic()
        for child in self._children.values():
            if now > child.deadline and not child.killed:
                child.killed = True
                _kill(child.pid)

    def _patience(self) -> float | None:
        if not self._children:
            return None
        nearest = min(child.deadline for child in self._children.values())
        return max(0.01, nearest - time.monotonic())

    def _say(self, event: dict) -> None:
        data = json.dumps(event).encode() + b"\n"
        while data:
            data = data[os.write(self._events, data) :]

    def _end(self) -> None:
        for child in self._children.values():
            _kill(child.pid)


def _kill(pid: int) -> None:
    for kill in (os.killpg, os.kill):
        try:
            return kill(pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            continue


def _end_with_parent(parent: int) -> None:
    """In a child, on Linux: when the warm parent is killed, end too."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
        if os.getppid() != parent:
            os._exit(0)


def _run(request: dict, events: int) -> None:
    """In the child: run pytest on one exercise and say what happens, as it happens."""
    import pytest
    import pytest_timeout

    from grader import bank, course
    from grader.run import Run
    from grader.target import Target

    known = set(sys.modules)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the command decides what Ctrl-C ends
    exercise = course.load(Path(request["root"])).find(request["exercise"])
    target = Target(Path(request["target"]))
    if request["swap"]:
        target = target.with_swap(bank.find(exercise, *request["swap"]))

    def say(event: dict) -> None:
        os.write(events, json.dumps(event).encode() + b"\n")

    run = Run(
        root=exercise.root,
        target=target,
        seed=request["seed"],
        diagnose=request["diagnose"],
        seconds_per_test=request["seconds_per_test"],
        tell=say,
    )
    nodes = [f"{exercise.test_file}::{name}" for name in request["tests"] or []]
    pytest.main(
        [
            *(nodes or [str(exercise.test_file)]),
            f"--rootdir={exercise.root}",
            "-qq",
            *(f"-pno:{name}" for name in UNUSED),
        ],
        plugins=[pytest_timeout, Preset(run)],
    )
    say({"event": "imported", "modules": _library_modules(set(sys.modules) - known)})


class Preset:
    """Hands the engine's own settings to the plugin, and says which tests there are."""

    def __init__(self, run):
        self._run = run

    def pytest_configure(self, config):
        from grader.run import RUN

        config.stash[RUN] = self._run

    def pytest_collection_finish(self, session):
        from grader.run import mark, name

        tests = [
            (mark(item).args[0], mark(item).kwargs["points"], name(item))
            for item in session.items
            if mark(item)
        ]
        self._run.tell({"event": "collected", "tests": tests})


def _library_modules(names: set[str]) -> list[str]:
    """Those that belong to an installed library, in the order of their import."""
    folders = tuple(
        str(Path(importlib.import_module(n).__file__).parent.parent) for n in ("torch",)
    )
    folders += (str(Path(os.__file__).parent),)
    found = []
    for name in names:
        file = getattr(sys.modules.get(name), "__file__", None) or ""
        if file.startswith(folders):
            found.append(name)
    return sorted(found)


def _import(name: str) -> None:
    # A library's private module may only import in another order: not ours to mend.
    with contextlib.suppress(Exception):
        importlib.import_module(name)


def main() -> None:
    """Become the warm parent: the modules named on the command line are imported first."""
    requests, events = os.dup(0), os.dup(1)
    null = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):  # a learner's prints must not mix with the events
        os.dup2(null, standard)
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    os.environ.setdefault("MPLBACKEND", "Agg")
    for name in ("grader.plugin", "pytest_timeout", *sys.argv[1:]):
        _import(name)
    if "torchvision" in sys.modules or "grader.mnist" in sys.modules:
        from grader.mnist import load_sample

        load_sample()
    from grader.engine import versions

    versions()  # looked up once, here, and not in every child
    gc.collect()
    gc.freeze()  # no collection in a child walks, and so copies, the parent's heap
    Parent(requests, events).serve()


if __name__ == "__main__":
    main()
