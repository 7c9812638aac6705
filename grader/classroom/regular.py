"""Opens regular files and folders by their own names, and nothing that a link leads to."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from grader.classroom.packed import NOT_A_FILE
from grader.classroom.trimmed import Unusable

STAMP = "timestamp.txt"  # nbgrader's, beside what was handed in
_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC  # a pipe would wait for ever


def why(error: Exception) -> str:
    """What follows a file's name in a sentence."""
    if isinstance(error, OSError):
        if error.errno in (errno.ELOOP, errno.ENOTDIR):
            return NOT_A_FILE
        return f"cannot be read: {error.strerror}."
    return str(error)


@contextmanager
def opened(name: str | Path, flags: int, folder: int | None = None) -> Iterator[int]:
    """A handle on what has this very name: no link is followed."""
    handle = os.open(name, _FLAGS | flags, dir_fd=folder)
    try:
        yield handle
    finally:
        os.close(handle)


@contextmanager
def regular(name: str, folder: int | None) -> Iterator[BinaryIO]:
    """A regular file, open to be read; `Unusable` when it is a device, or the second name of a file
    that somebody else owns. Whose own it is, a link elsewhere cannot take it from.
    """
    with opened(name, 0, folder) as handle:
        about = os.fstat(handle)
        if not stat.S_ISREG(about.st_mode):
            raise Unusable("is not a file: hand in the exercise's file itself.")
        if about.st_nlink > 1 and about.st_uid != _owner(name, folder):
            raise Unusable("is a hard link to somebody else's file: hand in a copy.")
        with open(handle, "rb", closefd=False) as file:
            yield file


def _owner(name: str, folder: int | None) -> int:
    """Who owns the folder that a file lies in."""
    return os.stat(os.path.dirname(name) or "." if folder is None else folder).st_uid


def handed_in(folder: int) -> float | None:
    """When nbgrader took this in, in seconds since 1970; None where that cannot be read."""
    try:
        with regular(STAMP, folder) as file:
            text = file.read(100).decode("ascii").strip()
        return datetime.fromisoformat(text.replace(" UTC", "+00:00")).timestamp()
    except (OSError, ValueError, OverflowError, Unusable):
        return None
