"""Our step inside `nbgrader zip_collect`: which notebook of a download is whose, and counts."""

from __future__ import annotations

import re
from pathlib import Path

from nbgrader.plugins import FileNameCollectorPlugin

from grader.classroom.downloads import Found, by_student, recognise

_COPY = re.compile(r"[-_ ]?\(?(\d+)\)?$")  # what a browser or Canvas adds to a name it has seen


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
