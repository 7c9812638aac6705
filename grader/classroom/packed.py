"""What an archive may cost, and what one file of it comes to: names and bytes, never on disk."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from grader.classroom.names import clean

MEMBERS = 20_000  # of one archive
UNPACKED = 4 << 30  # bytes that come out of an archive given by the instructor
NESTED = 256 << 20  # and of an archive in it, or in a student's folder
_LONG, _DEEP, _PART = 4096, 64, 255  # characters of a name, its parts, and characters of a part
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_TOO_LONG = "has too long a name: pack less deep."
NOT_A_FILE = "is a link or a device, and links are not followed: hand in the file itself."


class BadArchive(Exception):
    """An archive that cannot be read as a whole; what follows its name in a sentence."""


@dataclass(frozen=True)
class Member:
    """A file of an archive. One that was not asked for has no content and no problem."""

    parts: tuple[str, ...]
    content: bytes = b""
    problem: str = ""  # what follows the name in a sentence


Wanted = Callable[[tuple[str, ...]], int]  # the most bytes that a file may have; 0: leave it


class Budget:
    """What one archive may still cost."""

    def __init__(self, unpacked: int = UNPACKED, members: int = MEMBERS):
        self.unpacked, self.members = unpacked, members
        self._bytes, self._files = unpacked, members

    def file(self) -> None:
        """One more file; `BadArchive` when these are too many."""
        self._files -= 1
        if self._files < 0:
            raise BadArchive(
                f"holds more than {self.members:,} files: pack only the exercises' own files."
            )

    def take(self, size: int) -> None:
        """So many more bytes; `BadArchive` when these are too many."""
        self._bytes -= size
        if self._bytes < 0:
            raise BadArchive(
                f"unpacks to more than {self.unpacked >> 20:,} MB: pack only the exercises' own "
                "files."
            )


def one(parts, problem: str, size: int, wanted: Wanted, read: Callable[[], bytes]) -> Member:
    """One file with its content, if it is asked for and nothing is wrong with it."""
    most = wanted(parts) if parts else 0
    if not most:
        return Member(parts)
    if problem or size > most:
        return Member(parts, problem=problem or too_large(most))
    content = read()
    if len(content) > most:  # the archive has lied about its size
        return Member(parts, problem=too_large(most))
    return Member(parts, content)


def too_large(most: int) -> str:
    """What to say of a file with more than `most` bytes."""
    return f"is larger than {most >> 20} MB: hand in the exercise's code alone."


def split(name: str) -> tuple[tuple[str, ...], str]:
    """A member's name as parts, and what is wrong with it. Windows packs with backslashes."""
    if len(name) > _LONG:  # before anything looks at each letter of it
        ends = name.partition("/")[0], name.rpartition("/")[2]
        return tuple(clean(part, _PART) for part in ends if part), _TOO_LONG
    pieces = name.replace("\\", "/").split("/")
    parts = tuple(part for part in pieces if part not in ("", ".", ".."))
    if len(parts) > _DEEP or any(len(part) > _PART for part in parts):
        ends = parts[:1] + parts[-1:] if len(parts) > 1 else parts
        return tuple(clean(part, _PART) for part in ends), _TOO_LONG
    if _CONTROL.search(name):
        return parts, "has control characters in its name: rename it and pack it again."
    if ".." in pieces or not pieces[0] or pieces[0][1:] == ":":
        return parts, "has a name that leads out of the archive: pack it again from its own folder."
    return parts, ""
