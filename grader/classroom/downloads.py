"""What Canvas and Moodle let an instructor download, for `nbgrader zip_collect`.

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

from nbgrader.plugins import FileNameCollectorPlugin

# Whatever a student may choose comes last, and what stands first wins.
_CANVAS = re.compile(
    r"(?:(?!LATE_).*?_)?(?P<late>LATE_)?(?P<who>anon_[^_]+|\d+)_(?P<upload>\d+)_(?P<rest>.+)"
)
_MOODLE = re.compile(r"(?P<name>.+?)_(?P<who>\d+)_assignsubmission_file(?:_(?P<rest>.*))?")
_COPY = re.compile(r"[-_ ]?\(?(\d+)\)?$")  # what a browser or Canvas adds to a name it has seen
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


class LmsCollector(FileNameCollectorPlugin):
    """Hands nbgrader the newest notebook of each student, under the assignment's name.

    An instructor's own `named_regexp` goes before it.
    """

    _chosen: dict[Path, str] | None = None

    def collect(self, submitted_file: str) -> dict | None:
        """The student of a downloaded file; None when the file is not the one that counts."""
        if self.named_regexp:
            return super().collect(submitted_file)
        app = self.parent
        if self._chosen is None:
            self._chosen = self._choose(
                Path(app._format_collect_path(app.extracted_directory)),
                Path(app._format_collect_path(app.archive_directory)),
                app.coursedir.assignment_id,
            )
        student = self._chosen.get(Path(submitted_file))
        return student and {
            "student_id": student,
            "file_id": f"{app.coursedir.assignment_id}.ipynb",
        }

    def _choose(self, extracted: Path, archive: Path, assignment: str) -> dict[Path, str]:
        found = []
        for path in sorted(extracted.rglob("*.ipynb")):
            if path.name.startswith("._") or "__MACOSX" in path.parts:
                continue
            one = recognise(path, path.relative_to(extracted).parts)
            if one:
                found.append(one)
            else:
                self.log.error(
                    "%s: neither Canvas nor Moodle names a file or its archive like this, or they "
                    "name two students. Rename it, or set c.FileNameCollectorPlugin.named_regexp.",
                    path,
                )
        chosen = {}
        for student, copies in by_student(found).items():
            *older, newest = sorted(
                copies,
                key=lambda one: _age(one, _downloaded(one.path, extracted, archive), assignment),
            )
            chosen[newest.path] = student
            for one in older:
                self.log.warning("%s: %s has handed in a newer one", one.path, student)
            if newest.late:
                self.log.warning("%s handed in late, as Canvas has it", student)
        return chosen


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


def _age(one: Found, downloaded: float, assignment: str) -> tuple:
    """Of a student's notebooks, the greatest counts: it has the assignment's name, and is new."""
    named = one.title.startswith(assignment)
    copy = _COPY.match(one.title.removeprefix(assignment)) if named else None
    return named, one.upload, downloaded, int(copy[1]) if copy else 0, str(one.path)


def _downloaded(path: Path, extracted: Path, archive: Path) -> float:
    """When the archive was downloaded that a notebook comes from."""
    top = path.relative_to(extracted).parts[0]
    files = [file for file in archive.glob("*") if f"{file.name}.".startswith(f"{top}.")]
    times = [file.stat().st_mtime for file in files]
    return max(times, default=0.0)
