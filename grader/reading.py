"""Files that somebody named, or that lie in their folder: read whole, or refused in a sentence.

Only regular files are read. A pipe that nobody writes to would wait for ever, a device would never
end, and a file of gigabytes would fill the memory before anything could be said of it.
"""

from __future__ import annotations

import errno
import io
import os
import stat
from pathlib import Path

from grader.errors import CourseError

MOST = 16 << 20  # bytes of a file; the largest stub has 12 thousand
_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
_FLAGS |= getattr(os, "O_BINARY", 0)
_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


class ReadingError(CourseError):
    """A file that cannot be read; `missing` when it is not there."""

    def __init__(self, sentence: str, missing: bool = False):
        super().__init__(sentence)
        self.missing = missing


class NotText(ReadingError):
    """A file that can be read, and is no UTF-8."""


def content(path: Path, label: str = "", most: int = MOST) -> bytes:
    """The bytes of a regular file; `label` is the option that named it.

    Raises `ReadingError` when there is no such file, or one that is not regular, is larger than
    `most` bytes or cannot be read.
    """
    try:
        if (kind := kind_of(os.stat(path).st_mode)) != "a file":
            raise _refusal(path, label, f"is {kind}. {_instead(label)}")
        # It may have become a pipe since.
        handle = os.open(path, _FLAGS)
        with open(handle, "rb") as file:
            about = os.fstat(handle)
            if (kind := kind_of(about.st_mode)) != "a file":
                raise _refusal(path, label, f"is {kind}. {_instead(label)}")
            if about.st_size <= most:
                data = file.read(most + 1)
                if len(data) <= most:
                    return data
    except (OSError, ValueError) as error:
        missing = isinstance(error, FileNotFoundError | NotADirectoryError)
        raise _refusal(path, label, why(error), missing) from None
    raise _refusal(path, label, f"is larger than {most >> 20} MB. Is it the right file?")


def text(path: Path, label: str = "", most: int = MOST) -> str:
    """The text of a UTF-8 file, with or without a byte order mark, its line ends as \\n.

    Raises `ReadingError` as `content` does, and `NotText` where the bytes are no UTF-8.
    """
    data = content(path, label, most)
    try:
        decoded = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        what = f"is not UTF-8 text (byte {error.start}). Save it as UTF-8"
        raise _refusal(path, label, what, kind=NotText) from None
    return io.IncrementalNewlineDecoder(None, True).decode(decoded, final=True)


def kind_of(mode: int) -> str:
    """What a path is, in words: a file, a folder, a pipe, a socket or a device."""
    return next((name for matches, name in _KINDS if matches(mode)), "a file")


def why(error: OSError | ValueError) -> str:
    """What the system refuses, and the way out, as the rest of a sentence without its stop."""
    match getattr(error, "errno", None):
        case errno.ENOENT:
            return "is not there. Check the path"
        case errno.ENOTDIR:
            return "is not there: a part of its path is a file. Check the path"
        case errno.ELOOP:
            return "is a link that leads to itself. Give the file itself"
        case errno.EACCES | errno.EPERM:
            return "may not be opened. Change its permissions, or give another"
        case errno.EROFS:
            return "is on a disk that may only be read. Give another place"
        case errno.ENOSPC | errno.EDQUOT:
            return "is on a disk that is full. Free some room, or give another place"
        case errno.ENAMETOOLONG:
            return "has a name that is too long. Give a shorter one"
        case errno.EISDIR:
            return "is a folder. Give a file"
        case errno.ENXIO:
            return "is a socket or a pipe that nobody is at. Give a file"
        case None:  # a null byte in the path
            return "is no path. Check it"
    return f"does not work: {getattr(error, 'strerror', None) or error}. Check it"


def printable(words: str | Path) -> str:
    """A name as it can be printed in one line: what is no printable character is escaped."""
    plain = str(words)
    if plain.isprintable():
        return plain
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in plain)


def _instead(label: str) -> str:
    return "Give a file" if label else "Move it away, or put a file in its place"


def _refusal(path: Path, label: str, rest: str, missing=False, kind=ReadingError) -> ReadingError:
    from grader.course import shown

    start = f"{label}: " if label else ""
    return kind(f"{start}{shown(Path(path))} {rest}.", missing)
