"""What Canvas and Moodle let an instructor download.

Canvas: a file for each student, `doejane_LATE_12345_67890_ex03_backward-1.ipynb`, where 12345 is
the student's number in Canvas, which its grade import knows too, and 67890 that of the upload.
Moodle: `Jane Doe_678_assignsubmission_file_/ex03_backward.ipynb`, or all of it in one name; 678
goes with this one assignment, so a student is known by name.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

# Whatever a student may choose comes last, and what stands first wins.
_CANVAS = re.compile(
    r"(?:(?!LATE_).*?_)?(?P<late>LATE_)?(?P<who>anon_[^_]+|\d+)_(?P<upload>\d+)_(?P<rest>.+)"
)
_MOODLE = re.compile(r"(?P<name>.+?)_(?P<who>\d+)_assignsubmission_file(?:_(?P<rest>.*))?")
_UNSAFE = re.compile(r"[^\w\s.,'’-]")


@dataclass(frozen=True)
class Found:
    """A notebook of a download: whose it is, and what tells which of several counts."""

    path: Path
    number: str  # the student's, in Canvas, or the participant's, in Moodle
    name: str = ""  # Moodle's
    late: bool = False
    upload: int = 0  # Canvas counts its uploads
    title: str = ""


def recognise(path: Path, parts: tuple[str, ...]) -> Found | None:
    """Whose notebook this is; None where that is not clear. `parts` lead to it from the top."""
    known = [_parsed(path, part) for part in parts]
    archive, inside = known[0], [one for one in known[1:] if one]
    if archive and inside and archive.number != inside[0].number:
        return None  # an archive with a name like a student's: which of the two is it?
    return inside[0] if inside else archive


def by_student(found: Iterable[Found]) -> dict[str, list[Found]]:
    """The notebooks of each student. Students who share a name are told apart by number."""
    found = list(found)
    numbers: dict[str, set[str]] = {}
    for one in found:
        numbers.setdefault(one.name, set()).add(one.number)
    students: dict[str, list[Found]] = {}
    for one in found:
        shared = not one.name or len(numbers[one.name]) > 1
        student = f"{one.name} {one.number}".strip() if shared else one.name
        students.setdefault(student, []).append(one)
    return students


def tidy(name: str) -> str:
    """A name as a student's id: one spelling of each letter, and nothing that a path minds."""
    name = _UNSAFE.sub("_", unicodedata.normalize("NFC", name))
    return " ".join(name.split()).lstrip(".") or "_"


def _parsed(path: Path, part: str) -> Found | None:
    part = unicodedata.normalize("NFC", part)
    if match := _CANVAS.fullmatch(part):
        title = Path(match["rest"]).stem
        return Found(path, match["who"], "", bool(match["late"]), int(match["upload"]), title)
    if match := _MOODLE.fullmatch(part):
        title = Path(match["rest"] or path.name).stem
        return Found(path, match["who"], tidy(match["name"]), title=title)
    return None
