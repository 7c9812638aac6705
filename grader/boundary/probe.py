"""What a worker reaches that it should not, tried in a worker and not supposed from its layers.

Whoever starts the sandbox sets out what would be reached (`Bait`), in kinds that a reader knows; a
trial worker, locked in as all will be, looks for it before the first submission comes.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import tempfile
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path

PROCESSES = 6  # the limit of the trial worker: a few forks show whether any limit holds
_PATIENCE = 1.0  # seconds for a connection


class Bait:
    """Something of each kind outside of the sandbox, for everybody to reach; `close` ends it."""

    def __init__(self, place: str | None, courses: list[str]):
        self._stack = ExitStack()
        folder = Path(tempfile.mkdtemp(prefix="kata-", dir=place))
        self._stack.callback(shutil.rmtree, folder, ignore_errors=True)
        folder.chmod(0o755)
        mark = folder / "mark"
        mark.write_text("outside\n")
        mark.chmod(0o644)
        files = dict.fromkeys(courses, "it sees the course")
        files[str(mark)] = "it sees a file of this machine"
        self.words = {"files": files, "pid": os.getpid()}
        self._listen("sockets", socket.AF_UNIX, str(folder / "socket"))
        self._listen("abstract", socket.AF_UNIX, f"\0kata-{os.getpid()}-{folder.name}")
        self._listen("network", socket.AF_INET, ("127.0.0.1", 0))
        with suppress(OSError):
            (folder / "socket").chmod(0o777)

    def _listen(self, name: str, family: int, address: object) -> None:
        # What this machine cannot offer, such as abstract names, nobody reaches.
        with suppress(OSError):
            server = self._stack.enter_context(socket.socket(family))
            server.bind(address)
            server.listen()
            self.words[name] = server.getsockname()
            if isinstance(self.words[name], bytes):
                self.words[name] = os.fsdecode(self.words[name])

    def close(self) -> None:
        self._stack.close()


def look(bait: dict) -> dict[str, str]:
    """What this process reaches, by kind, each with what it was that shows it."""
    tries: list[tuple[str, str, Callable[[], bool]]] = [
        ("files", words, lambda path=path: os.path.lexists(path))
        for path, words in bait["files"].items()
    ]
    for kind, name, family in (
        ("network", "network", socket.AF_INET),
        ("network", "abstract", socket.AF_UNIX),
        ("sockets", "sockets", socket.AF_UNIX),
    ):
        if name in bait:
            words = {
                "network": "it reaches a port of this machine",
                "abstract": "it reaches an abstract socket",
                "sockets": "it reaches a socket by its path",
            }[name]
            address = tuple(bait[name]) if family == socket.AF_INET else bait[name]
            tries.append((kind, words, lambda f=family, a=address: _connects(f, a)))
    if "network" in bait:
        words = "it sends to a port of this machine"
        tries.append(("network", words, lambda: _sends(tuple(bait["network"]))))
    signals = "it may send signals to other processes"
    tries.append(("processes", signals, lambda: _may_signal(bait["pid"])))
    tries.append(("processes", "no limit on them holds", _forks_without_end))
    reached: dict[str, str] = {}
    for kind, words, attempt in tries:
        if kind not in reached and attempt():
            reached[kind] = words
    return reached


def _connects(family: int, address: object) -> bool:
    try:
        with socket.socket(family) as client:
            client.settimeout(_PATIENCE)
            client.connect(address)
        return True
    except OSError:
        return False


def _sends(address: tuple) -> bool:
    """Whether a datagram leaves; nobody need hear it."""
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.sendto(b"x", address)
        return True
    except OSError:
        return False


def _may_signal(pid: int) -> bool:
    """Whether `pid`, a number of the outside, takes a signal; ours is another process."""
    if pid == os.getpid():
        return False
    try:
        os.kill(pid, 0)
        return True
    except OSError:
        return False


def _forks_without_end() -> bool:
    """Whether twice as many processes come as this worker may have."""
    children: list[int] = []
    ready, end = os.pipe()
    try:
        while len(children) < 2 * PROCESSES:
            child = os.fork()
            if child == 0:
                os.close(end)
                os.read(ready, 1)  # until the parent is gone or closes it
                os._exit(0)
            children.append(child)
    except OSError:
        return False
    finally:
        os.close(end)
        os.close(ready)
        for child in children:
            with suppress(OSError):
                os.kill(child, signal.SIGKILL)
                os.waitpid(child, 0)
    return True
