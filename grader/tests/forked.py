"""Run a command as a person would, but forked from a process that has the imports behind it.

The commands are the real ones, in a process of their own; what is saved is the seconds that torch
and nbgrader take to import, for each of some dozens of runs. One server forks for all workers of
a test run: its imports are made once, when the first order comes.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import json
import os
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import traceback
import weakref
from pathlib import Path

from grader import engine, mnist
from grader.boundary import linux

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
    "grader.warm",
    "grader.plugin",
    "grader.draw",
    "grader.expect",
    "grader.bench",
    "grader.learner.watch",
    "nbgrader.apps.nbgraderapp",
    # what the commands import only when they come to it
    "_pytest.unittest",
    "anyio",
    "grader.classroom.autograde",
    "grader.cli",
    "grader.pictures",
    "grader.prove",
    "grader.worker",
    "jupytext",
    "nbclient",
    "platformdirs.pytest_plugin",
    "rich.markdown",
    "typer._adapters",
    "typer.rich_utils",
    "xdist.looponfail",
    "xdist.plugin",
]
PROGRAMS = {  # the name of a program: its module, and the function that is its entry point
    "kata": ("grader.cli", "main"),
    "pytest": ("pytest", "console_main"),
    "nbgrader": ("nbgrader.apps.nbgraderapp", "main"),
    "grader.warm": ("grader.warm", "main"),
    "dask": ("dask.__main__", "main"),
}
# Of what a developer has installed, only what a learner has too; hypothesis alone takes a second.
PLAIN = "--disable-warnings -p no:hypothesispytest -p no:anyio -p no:xdist"
ENVIRONMENT = {"COLUMNS": "200", "NO_COLOR": "1", "PYTEST_ADDOPTS": PLAIN}
ADDRESS = "KATA_TEST_SERVER"  # the environment's word for where the server listens
SHORTER = "KATA_TEST_SHORTER"  # constants of the grader that what is served sets, as JSON
CAN_SERVE = hasattr(os, "fork") and hasattr(socket, "send_fds")
_NUMBER = struct.Struct("i")  # a process id, and later an exit status


# --- the side of the tests -------------------------------------------------------------------


def start() -> None:
    """Have a server for this process and all below it, until this process ends."""
    if ADDRESS in os.environ or not CAN_SERVE:
        return
    folder = tempfile.mkdtemp(prefix="kata-")
    address = os.path.join(folder, "socket")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen(64)  # who comes before the imports are made waits for them
        server = subprocess.Popen(
            [sys.executable, "-m", __name__, str(listener.fileno())],
            stdin=subprocess.PIPE,
            cwd=Path(__file__).resolve().parents[2],
            env=os.environ | ENVIRONMENT,  # a console that a module makes has its width from here
            pass_fds=[listener.fileno()],
            start_new_session=True,  # Ctrl-C is for pytest
        )
    os.environ[ADDRESS] = address
    owner = os.getpid()

    def stop() -> None:
        if os.getpid() == owner:  # and not a child that was forked
            server.stdin.close()
            server.wait(20)
            shutil.rmtree(folder, ignore_errors=True)

    atexit.register(stop)


class Served:
    """A process forked from the server; as much of `Popen` as its users ask for."""

    def __init__(self, program: str, words, cwd: Path, env=None, stdin=None, stdout=None,
                 stderr=None, control=None):  # fmt: skip
        """Pipes in place of descriptors that are not given; its errors go with its output then."""
        theirs = []
        self.stdin = self.stdout = None
        if stdin is None:
            stdin, ours = os.pipe()
            theirs.append(stdin)
            self.stdin = os.fdopen(ours, "wb")
        if stdout is None:
            ours, stdout = os.pipe()
            theirs.append(stdout)
            self.stdout = os.fdopen(ours, "rb")
        order = {"program": program, "words": [*words], "cwd": str(cwd)}
        order["env"] = {**(os.environ if env is None else env), ADDRESS: os.environ[ADDRESS]}
        files = [stdin, stdout, stdout if stderr is None else stderr]
        files += [] if control is None else [control]
        self._line = socket.socket(socket.AF_UNIX)
        self._line.connect(os.environ[ADDRESS])
        message = json.dumps(order).encode()
        sent = socket.send_fds(self._line, [message], files)
        self._line.sendall(message[sent:])
        self._line.shutdown(socket.SHUT_WR)
        for end in theirs:
            os.close(end)
        self.pid = self._hear()
        self.returncode: int | None = None

    def __enter__(self) -> Served:
        return self

    def __exit__(self, *_) -> None:
        for end in (self.stdin, self.stdout):
            if end:
                end.close()
        self.wait()

    def poll(self) -> int | None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        if self.returncode is None:
            if not select.select([self._line], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired("a served process", timeout)
            self.returncode = self._hear()
            self._line.close()
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def _hear(self) -> int:
        said = self._line.recv(_NUMBER.size, socket.MSG_WAITALL)
        if not said:
            raise RuntimeError("the server of the tests has ended")
        return _NUMBER.unpack(said)[0]


def spawn(preload: tuple[str, ...], folder: Path, control: int | None = None):
    """A warm parent for an engine, in the place of `grader.engine.spawn`."""
    return Served("grader.warm", preload, folder, stderr=2, control=control)


def run(program: str, words, cwd: Path, **more: str) -> subprocess.CompletedProcess:
    """`kata …`, `pytest …` or `nbgrader …`: what it printed, and its exit status.

    `more` goes into its environment.
    """
    if ADDRESS not in os.environ:
        module = {"kata": "grader"}.get(program, program)
        return cold([sys.executable, "-m", module, *words], cwd, **more)
    with (
        open(os.devnull) as nothing,
        tempfile.TemporaryFile() as out,
        tempfile.TemporaryFile() as err,
    ):
        files = {"stdin": nothing.fileno(), "stdout": out.fileno(), "stderr": err.fileno()}
        served = Served(program, words, cwd, os.environ | ENVIRONMENT | more, **files)
        try:
            served.wait(240)
        finally:
            served.kill()
        shown = []
        for file in (out, err):
            file.seek(0)
            shown.append(file.read().decode("utf-8", "replace"))
        return subprocess.CompletedProcess([program, *words], served.returncode, *shown)


def cold(command: list[str], cwd: Path, **more: str) -> subprocess.CompletedProcess:
    """A command in a process that starts from nothing."""
    return subprocess.run(
        command,
        cwd=cwd,
        env=os.environ | ENVIRONMENT | more,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def without_grammars() -> None:
    """Have nbformat imported without a package that compiles grammars for a second.

    Its schemas have no internationalised addresses to be checked.
    """
    sys.modules.setdefault("rfc3987_syntax", None)


# --- the side of the server ------------------------------------------------------------------


def serve(listener: socket.socket) -> None:
    """Fork a process for each order that comes in, until standard input is closed."""
    imported = False
    while True:
        ready, *_ = select.select([listener, 0], [], [])
        if 0 in ready:
            return
        if not imported:
            without_grammars()
            for name in PRELOAD:
                with contextlib.suppress(ImportError):
                    importlib.import_module(name)
            mnist.load_sample()  # as every warm parent does
            for taken_down in getattr(weakref.finalize, "_registry", ()):
                taken_down.atexit = False  # by torch, bit by bit, in each process that ends
            gc.collect()
            gc.freeze()  # what was imported is no child's to walk, and so to copy
            linux.into_huge_pages()
            signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # none of those who attend is waited for
            imported = True
        line, _ = listener.accept()
        if os.fork() == 0:
            try:
                listener.close()
                _attend(line)
            finally:
                os._exit(0)
        line.close()


def _attend(line: socket.socket) -> None:
    """Start what is ordered, say its process id, and when it has ended its exit status."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    message, files, *_ = socket.recv_fds(line, 1 << 16, 4)
    while piece := line.recv(1 << 16):
        message += piece
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            line.close()
            code = _perform(json.loads(message), files)
        finally:
            os._exit(code)
    for file in files:
        os.close(file)
    with contextlib.suppress(OSError):  # nobody may be there to hear it
        line.sendall(_NUMBER.pack(pid))
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    with contextlib.suppress(OSError):
        line.sendall(_NUMBER.pack(status))


def _perform(order: dict, files: list[int]) -> int:
    """Become the program; its exit status."""
    os.setsid()
    for number, file in enumerate(files[:3]):
        os.dup2(file, number)
        os.close(file)
    sys.stdin, sys.stdout, sys.stderr = (
        os.fdopen(number, mode, buffering=1, encoding="utf-8", closefd=False)
        for number, mode in enumerate("rww")
    )
    os.environ.clear()
    os.environ.update(order["env"])
    if files[3:]:
        os.environ[engine.WORKERS] = str(files[3])
    os.chdir(order["cwd"])
    sys.argv = [order["program"], *order["words"]]
    engine.spawn = spawn
    for place, value in json.loads(os.environ.get(SHORTER, "{}")).items():
        module, _, name = place.rpartition(".")
        setattr(importlib.import_module(module), name, value)
    module, name = PROGRAMS[order["program"]]
    try:
        code = getattr(importlib.import_module(module), name)()
    except SystemExit as end:
        code = end.code
    except BaseException:
        traceback.print_exc()
        code = 1
    if isinstance(code, str):
        print(code, file=sys.stderr)
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    return code if isinstance(code, int) else int(code is not None)


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
    os._exit(0)  # what libraries say of their own leaks is no one's here
