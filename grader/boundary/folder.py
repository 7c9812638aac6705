"""A folder of files that both sides of a boundary have, each its own copy of it.

A test writes files for the learner's code to read, and looks at what the code has written. Only
regular files and folders cross, as bytes; links and special files do not.
"""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path, PurePosixPath

from grader.boundary.frames import BLOBS, Broken

_FILES = 2000  # in one message
BYTES, ENTRIES = 256 << 20, 10_000  # that one submission may write in the judge's folders
_LONGEST = 400  # characters of a name


class Allowance:
    """What one submission may still have written on the judge's disk, in all tests together."""

    def __init__(self):
        self._bytes, self._entries = BYTES, ENTRIES

    def spend(self, size: int, entries: int) -> None:
        """Before something is written; `Broken` when there is no more to spend."""
        self._bytes -= size
        self._entries -= entries
        if self._bytes < 0 or self._entries < 0:
            raise Broken("more files than a submission may write")


class Folder:
    """One side's copy, and what of it the other side has."""

    def __init__(self, path: Path, allowance: Allowance | None = None):
        self.path, self._allowance = path, allowance
        self._known: dict[str, tuple | None] = {}  # name: stamp of a file, None for a folder

    def changes(self) -> list[list]:
        """[name, content] of what is new or changed, None as content for a folder; then
        [name] of what is gone."""
        found = dict(_walk(self.path))
        told, total = [], 0
        for name, stamp in sorted(found.items()):
            if name not in self._known or self._known[name] != stamp:
                content = None if stamp is None else (self.path / name).read_bytes()
                total += len(content or b"")
                if total > BLOBS:
                    raise TypeError("files of more than 64 MB cannot be graded")
                told.append([name, content])
        told += [[name] for name in sorted(self._known, reverse=True) if name not in found]
        self._known = found
        return told

    def apply(self, changes: object) -> None:
        """Bring this copy up to date; `Broken` for what would lie outside of it."""
        if not isinstance(changes, list) or len(changes) > _FILES:
            raise Broken("no files")
        for change in changes:
            match change:
                case [str(name)]:
                    self._remove(self._inside(name))
                case [str(name), None]:
                    self._spend(name, 0)
                    self._inside(name).mkdir(parents=True, exist_ok=True)
                case [str(name), bytes(content)]:
                    self._spend(name, len(content))
                    self._write(self._inside(name), content)
                case _:
                    raise Broken("no file")
        self._known = dict(_walk(self.path))

    def _spend(self, name: str, size: int) -> None:
        if self._allowance is not None:
            self._allowance.spend(size, 1 + name.count("/"))  # the folders on its way too

    def _inside(self, name: str) -> Path:
        parts = PurePosixPath(name).parts
        bad = not parts or name.startswith("/") or ".." in parts or "\0" in name
        if bad or len(name) > _LONGEST:
            raise Broken("a file outside of the folder")
        return self.path.joinpath(*parts)

    def _write(self, path: Path, content: bytes) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.is_file() or path.is_symlink():
            self._remove(path)
        path.write_bytes(content)

    def _remove(self, path: Path) -> None:
        with contextlib.suppress(OSError):  # not there, or not empty
            path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()


def _walk(folder: Path, inside: str = ""):
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        return
    for count, entry in enumerate(entries):
        if count >= _FILES:
            return
        name = f"{inside}{entry.name}"
        try:
            about = entry.stat(follow_symlinks=False)
        except OSError:
            continue
        if stat.S_ISDIR(about.st_mode):
            yield name, None
            yield from _walk(Path(entry.path), f"{name}/")
        elif stat.S_ISREG(about.st_mode):
            yield name, (about.st_mtime_ns, about.st_size, about.st_ino)
