"""A folder of everything that is no plain file, or is one that nobody should have to read."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

import pytest

LONG = "x" * 255  # bytes of a name, the most that file systems take
GIGANTIC = 10 << 30
DEEP = 100_000
CONTENTS = {
    "empty": b"",
    "null": b"a = 1\0\n",
    "latin": "größe = 1\n".encode("latin-1"),
    "binary": bytes(range(256)),
    "deep-json": b"[" * DEEP,
    "deep-object": b'{"cells":' * DEEP,
    "deep-python": b"a = " + b"(" * DEEP,
    "deep-sums": b"a = " + b"-" * DEEP + b"1\n",
    "deep-toml": b"a = " + b"[" * DEEP,
    "number": b"9" * 10_000,
    "list": b"[1, 2]\n",
    "cut": b'{"seed": 1, "exerc',
}


class Zoo:
    """Paths by their kind, and whether all are as they were."""

    def __init__(self, folder: Path):
        self.folder = folder
        folder.mkdir()
        self._sockets = []
        self._before: dict = {}

    def path(self, kind: str, suffix: str = "") -> Path:
        """Something of a kind, whose name ends in `suffix`; skips where it can't be had here."""
        path = self.folder / f"{kind}{suffix}"
        if kind == "zero" and not suffix:
            path = _device("/dev/zero")
        elif kind == "full" and not suffix:
            path = _device("/dev/full")
        elif kind == "inside":
            path = self.path("list", suffix) / f"inside{suffix}"
        elif kind == "long":
            path = self.folder / (LONG[len(suffix) :] + suffix)
        elif kind == "longer":
            path = self.folder / (LONG + "x" + suffix)
        elif kind == "newline":
            path = self.folder / f"two\nlines{suffix}"
        elif kind != "missing" and not os.path.lexists(path):
            self._make(kind, path)
        self._before = self._state()
        return path

    def same(self) -> bool:
        """Has nothing come, gone or changed since the last `path`?"""
        return self._state() == self._before

    def close(self) -> None:
        for listener in self._sockets:
            listener.close()
        for path in self.folder.iterdir():
            if path.is_dir() and not path.is_symlink():
                path.chmod(0o755)

    def _make(self, kind: str, path: Path) -> None:
        if kind in CONTENTS:
            path.write_bytes(CONTENTS[kind])
        elif kind == "folder":
            path.mkdir()
        elif kind == "fifo":
            _needs(hasattr(os, "mkfifo"), "pipes by name")
            os.mkfifo(path)
        elif kind == "socket":
            _needs(hasattr(socket, "AF_UNIX"), "Unix sockets")
            self._bind(path)
        elif kind == "loop":
            path.symlink_to(path.name)
        elif kind == "dangling":
            path.symlink_to("nobody/there")
        elif kind in ("zero", "full"):
            path.symlink_to(_device(f"/dev/{kind}"))
        elif kind == "gigantic":
            _needs(sys.platform == "linux", "sparse files")
            with open(path, "wb") as file:
                file.truncate(GIGANTIC)
        elif kind == "unreadable":
            _not_root()
            path.write_bytes(b"")
            path.chmod(0)
        elif kind == "unwritable":
            _not_root()
            path.write_bytes(b"")
            path.chmod(0o444)
        elif kind == "locked":
            _not_root()
            path.mkdir()
            path.chmod(0o555)
        else:
            raise ValueError(kind)

    def _bind(self, path: Path) -> None:
        listener = socket.socket(socket.AF_UNIX)
        self._sockets.append(listener)
        here = os.open(".", os.O_RDONLY)
        try:
            os.chdir(path.parent)  # an address is 108 bytes at most
            listener.bind(path.name)
        finally:
            os.fchdir(here)
            os.close(here)

    def _state(self) -> dict:
        return {
            path: (about.st_mode, about.st_size, about.st_mtime_ns, about.st_ino)
            for path in sorted(self.folder.rglob("*"))
            for about in [path.lstat()]
            if path not in (self.folder / "here",)
        }


def _device(name: str) -> Path:
    _needs(os.path.exists(name), name)
    return Path(name)


def _not_root() -> None:
    _needs(hasattr(os, "geteuid") and os.geteuid() != 0, "a user whom permissions bind")


def _needs(there: bool, what: str) -> None:
    if not there:
        pytest.skip(f"this needs {what}")
