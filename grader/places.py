"""Where a command is to write: looked at before the work begins, and nothing is made by looking.

What cannot be written is found here, and not when an hour's results are there to be lost. A file
of another kind that is in the place is never overwritten.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from grader.errors import CourseError
from grader.reading import kind_of, why

_LONGEST = 255  # bytes of a name, where the system does not say
_HEAD = 4096  # bytes that tell what a file is


def file(path: Path | None, label: str, is_ours: Callable[[bytes], bool] | None = None) -> None:
    """Can a file be written at `path`, which the option `label` names? None asks for nothing.

    `is_ours` is asked about the first bytes of a file that is there; where it says no, the file is
    somebody's, and stays. Raises `CourseError` with a sentence.
    """
    if path is None:
        return
    try:
        mode = _mode(path)
        if mode is None:
            _new(path, label)
            return
        if (kind := kind_of(mode)) != "a file":
            raise _refused(path, label, f"is {kind}. Give the name of a file")
        if not os.access(path, os.W_OK):
            raise _refused(path, label, "may not be written to. Give another name")
        if is_ours and not is_ours(_head(path)):
            raise _refused(path, label, "is there, and is something else. Give another name")
        _try(path.resolve().parent, path, label)
    except (OSError, ValueError) as error:
        raise _refused(path, label, why(error)) from None


def folder(path: Path, label: str) -> None:
    """Is `path` a folder that can be written to, or can it be made one?

    Raises `CourseError` with a sentence.
    """
    try:
        mode = _mode(path)
        if mode is None:
            _new(path, label)
        elif (kind := kind_of(mode)) != "a folder":
            raise _refused(path, label, f"is {kind}. Give the name of a folder")
        else:
            _try(path, path, label)
    except (OSError, ValueError) as error:
        raise _refused(path, label, why(error)) from None


def report_file(path: Path | None, label: str) -> None:
    """`file` for a report as JSON."""
    if path is not None and path.suffix in (".py", ".ipynb"):
        raise _refused(path, label, "would be code by its name. Give one that ends in .json")
    file(path, label, lambda head: head.lstrip()[:1] in (b"{", b""))


def _mode(path: Path) -> int | None:
    """What is at the end of all links; None where there is nothing, not even a dangling link."""
    try:
        return os.stat(path).st_mode
    except FileNotFoundError:
        if path.is_symlink():
            # What it leads to may be a folder's file that is made only later.
            return _mode(path.parent / os.readlink(path))
        return None


def _new(path: Path, label: str) -> None:
    """Something new below the nearest folder that is there."""
    path = Path(os.path.realpath(path))
    above, missing = path.parent, [path.name]
    while _mode(above) is None:
        missing.append(above.name)
        above = above.parent
    if (kind := kind_of(os.stat(above).st_mode)) != "a folder":
        raise _refused(path, label, f"can't be: {_shown(above)} is {kind}. Give another path")
    for name in missing:
        if len(os.fsencode(name)) > _longest(above):
            raise _refused(path, label, "has a name that is too long. Give a shorter one")
    _try(above, path, label)


def _longest(above: Path) -> int:
    try:
        return os.pathconf(above, "PC_NAME_MAX")
    except (AttributeError, OSError, ValueError):
        return _LONGEST


def _try(above: Path, path: Path, label: str) -> None:
    """Write a byte into a folder, in a file that is gone at once."""
    try:
        with tempfile.TemporaryFile(dir=above) as trial:
            trial.write(b"\n")
            trial.flush()
    except PermissionError:
        what = f"can't be written: {_shown(above)} may not be written to. Give another place"
        raise _refused(path, label, what) from None


def _head(path: Path) -> bytes:
    with open(path, "rb") as there:
        return there.read(_HEAD)


def _refused(path: Path, label: str, rest: str) -> CourseError:
    start = f"{label}: " if label else ""
    return CourseError(f"{start}{_shown(path)} {rest}.")


def _shown(path: Path) -> str:
    from grader.course import shown

    return shown(path)
