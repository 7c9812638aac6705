"""Run a command as a person would, but forked from a process that has the imports behind it.

The commands are the real ones, in a process of their own; what is saved is the seconds that torch
takes to import, for each of some dozens of runs.
"""

from __future__ import annotations

import gc
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from grader import engine, warm

PRELOAD = [
    "torch",
    "torchvision.transforms.v2",
    "matplotlib.pyplot",
    "pytest",
    "_pytest.pathlib",
    "pytest_timeout",
    "typer",
    "rich.progress",
    "rich.syntax",
    *warm.NEEDED,
    "grader.bench",
]
# Of what a developer has installed, only what a learner has too; hypothesis alone takes a second.
PLAIN = "--disable-warnings -p no:hypothesispytest -p no:anyio -p no:xdist"
ENVIRONMENT = {"COLUMNS": "200", "NO_COLOR": "1", "PYTEST_ADDOPTS": PLAIN}


SPAWN = engine.spawn
CONTEXT = None
if "forkserver" in multiprocessing.get_all_start_methods():
    CONTEXT = multiprocessing.get_context("forkserver")
    CONTEXT.set_forkserver_preload(PRELOAD)


class Served:
    """A warm parent forked from the same server, for the tests' own engine; `Popen` to it."""

    def __init__(self, preload: tuple[str, ...], folder: Path):
        self._theirs, requests = CONTEXT.Pipe(duplex=False)
        events, theirs = CONTEXT.Pipe(duplex=False)
        self._process = CONTEXT.Process(target=_serve, args=(self._theirs, theirs))
        self._process.start()
        theirs.close()
        self.pid = self._process.pid
        self.stdin, self.stdout = (
            os.fdopen(os.dup(requests.fileno()), "wb"),
            os.fdopen(os.dup(events.fileno()), "rb"),
        )
        requests.close()
        events.close()
        order(self.stdin, preload, folder)

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired("grader.warm", timeout)
        return self._process.exitcode

    def kill(self) -> None:
        self._process.kill()


def _serve(requests, events) -> None:
    _become_parent(os.dup(requests.fileno()), os.dup(events.fileno()))


def order(stdin, preload: tuple[str, ...], folder: Path) -> None:
    """Tell a process that waits in `_become_parent` to go ahead."""
    stdin.write(json.dumps([str(folder), *preload]).encode() + b"\n")
    stdin.flush()


def run(program: str, words: tuple[str, ...], cwd: Path) -> subprocess.CompletedProcess:
    """`kata …` or `pytest …`; what it printed, and its exit status."""
    if CONTEXT is None:
        module = {"kata": "grader", "pytest": "pytest"}[program]
        return cold([sys.executable, "-m", module, *words], cwd)
    with tempfile.TemporaryDirectory() as folder:
        out, err = Path(folder, "out"), Path(folder, "err")
        child = CONTEXT.Process(target=_main, args=(program, words, str(cwd), str(out), str(err)))
        child.start()
        child.join(240)
        assert child.exitcode is not None, f"{program} {words} does not end"
        shown = [path.read_text("utf-8", "replace") for path in (out, err)]
        return subprocess.CompletedProcess([program, *words], child.exitcode, *shown)


def cold(command: list[str], cwd: Path) -> subprocess.CompletedProcess:
    """A command in a process that starts from nothing."""
    return subprocess.run(
        command,
        cwd=cwd,
        env=os.environ | ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


class Standby:
    """A warm parent forked ahead, before the command has any thread; `Popen` to the engine.

    It waits for the names to preload. A command that wants a second one starts it the usual way.
    """

    def __init__(self):
        requests, events = os.pipe(), os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            for end in (requests[1], events[0]):
                os.close(end)
            _become_parent(requests[0], events[1])
        os.close(requests[0]), os.close(events[1])
        self.stdin, self.stdout = os.fdopen(requests[1], "wb"), os.fdopen(events[0], "rb")
        self._code: int | None = None
        self._used = False

    def spawn(self, preload: tuple[str, ...], folder: Path):
        if self._used:
            return SPAWN(preload, folder)
        self._used = True
        order(self.stdin, preload, folder)
        return self

    def poll(self) -> int | None:
        if self._code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self._code = os.waitstatus_to_exitcode(status) if pid else None
        return self._code

    def wait(self, timeout: float = 1e9) -> int:
        end = time.monotonic() + timeout
        while self.poll() is None:
            if time.monotonic() > end:
                raise subprocess.TimeoutExpired("grader.warm", timeout)
            time.sleep(0.005)
        return self._code

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)


def _become_parent(requests: int, events: int) -> None:
    os.setsid()
    os.dup2(requests, 0), os.dup2(events, 1)
    os.close(requests), os.close(events)
    gc.freeze()
    try:
        order = b""
        while not order.endswith(b"\n"):
            piece = os.read(0, 1)
            if not piece:
                return
            order += piece
        folder, *names = json.loads(order)
        os.chdir(folder)
        sys.argv = ["grader.warm", *names]
        warm.main()
    finally:
        os._exit(0)


def _main(program: str, words: tuple[str, ...], cwd: str, out: str, err: str) -> None:
    os.chdir(cwd)
    os.environ |= ENVIRONMENT
    for number, path in ((1, out), (2, err)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT), number)
    sys.stdout, sys.stderr = (
        os.fdopen(number, "w", encoding="utf-8", closefd=False) for number in (1, 2)
    )
    sys.argv = [program, *words]
    gc.freeze()  # what was imported is not ours to walk, and so to copy
    standby = Standby()
    engine.spawn = standby.spawn
    try:
        if program == "kata":
            from grader.cli import main

            main()
            code = 0
        else:
            import pytest

            code = int(pytest.main(list(words)))
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    if standby.poll() is None:
        standby.kill()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
