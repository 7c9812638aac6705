"""Grade files that Canvas and Moodle import, out of nbgrader's gradebook.

The roster is what Canvas or Moodle itself exports: its columns that say who somebody is go back as
they came, and a column that is there for an assignment already is used again.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from grader import places, reading
from grader.classroom import books
from grader.classroom.downloads import tidy
from grader.course import CourseError, shown
from grader.learner import keep

_CANVAS = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section"]
_MOODLE = ["First name", "Last name", "Username", "Email address"]
_ROSTER = 64 << 20  # bytes
_POINTS = "    Points Possible"  # by these words, and spaces, Canvas knows the row
_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")  # a spreadsheet runs what begins like this


@dataclass
class Grades:
    """A class's gradebook, as far as a grade file needs it."""

    worth: dict[str, float]  # points of each assignment
    people: dict[str, tuple[str, str, str]]  # first name, last name, email of each student
    scores: dict[tuple[str, str], float | None]  # by student and assignment, of those handed in


@dataclass
class Sheet:
    """A grade file, and who or what is not in it."""

    rows: list[list[str]]
    students: int = 0
    strangers: list[str] = field(default_factory=list)  # students whom the roster does not have
    ungraded: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The file's text."""
        out = io.StringIO()
        csv.writer(out, lineterminator="\n").writerows(self.rows)
        return out.getvalue()


@dataclass
class _Roster:
    header: list[str]
    rows: list[list[str]]
    columns: dict[str, str]  # the header that an assignment has there already


def export(folder: Path, to: str, out: Path, roster: Path | None = None) -> Sheet:
    """Write the grades of the class in `folder` to a file for `to`, one of `FORMATS`."""
    if to not in FORMATS:
        raise CourseError(f"--to: {to!r} is none of {', '.join(FORMATS)}.")
    places.file(out, "--out")
    if out.suffix in (".py", ".ipynb", ".db", ".json"):
        raise CourseError(f"--out: {shown(out)} is no name of a CSV file. Give one in .csv.")
    if roster and out.exists() and roster.exists() and out.samefile(roster):
        raise CourseError(f"--out: {shown(out)} is the roster. Give another name: it stays.")
    grades = read(folder)
    sheet = FORMATS[to](grades, roster)
    keep.write(out, sheet.text)
    return sheet


def read(folder: Path) -> Grades:
    """The grades of the class in `folder`, from nbgrader's gradebook."""
    url = books.address(folder, ": nothing is graded yet; run `nbgrader autograde` there first.")
    with books.opened(url) as book:
        return Grades(
            {one.name: one.max_score for one in book.assignments},
            {
                one.id: (one.first_name or "", one.last_name or "", one.email or "")
                for one in book.students
            },
            {
                (done.student.id, one.name): None if done.needs_manual_grade else done.score
                for one in book.assignments
                for done in book.assignment_submissions(one.name)
            },
        )


def for_canvas(grades: Grades, roster: Path | None = None) -> Sheet:
    """Canvas finds a student by ID, then by one of the SIS columns, then by name."""
    if roster:
        listed = _read_roster(roster, grades.worth)
        header = [name.strip() for name in listed.header]
        if header[:2] != _CANVAS[:2] or _CANVAS[-1] not in header:
            raise CourseError(
                f"--roster: {roster} does not begin with the columns Student, ID, … Section: "
                "give the file that Canvas exports (Grades, Export, Entire Gradebook)."
            )
        width = header.index(_CANVAS[-1]) + 1
        people = [row for row in listed.rows if row[0].strip() not in ("", _POINTS.strip())]
        listed = _Roster(listed.header[:width], [row[:width] for row in people], listed.columns)
        known = width - 1  # a section is nobody's own
    else:
        rows = []
        for student, (first, last, _) in sorted(grades.people.items()):
            name = ", ".join(part for part in (last, first) if part) or student
            number = student if student.isdecimal() else ""
            rows.append([name, number, "", "" if number else student, ""])
        listed, known = _Roster(_CANVAS, rows, {}), len(_CANVAS)
    sheet = _filled(grades, listed, known)
    worth = [_number(points) for points in grades.worth.values()]
    sheet.rows.insert(1, [_POINTS] + [""] * (len(listed.header) - 1) + worth)
    return sheet


def for_moodle(grades: Grades, roster: Path | None = None) -> Sheet:
    """Moodle asks which column says who somebody is: username, email address or ID number."""
    if roster:
        listed = _read_roster(roster, grades.worth)
        taken = [listed.header.index(name) for name in listed.columns.values()]
        width = min(taken, default=len(listed.header))
        rows = [row[:width] for row in listed.rows]
        listed = _Roster(listed.header[:width], rows, listed.columns)
    else:
        rows = [
            [first, last, student, email]
            for student, (first, last, email) in sorted(grades.people.items())
        ]
        listed = _Roster(_MOODLE, rows, {})
    return _filled(grades, listed, len(listed.header))


FORMATS = {"canvas": for_canvas, "moodle": for_moodle}


def safe(cell: str) -> str:
    """A cell's text that no spreadsheet takes for a formula."""
    return f"'{cell}" if cell.lstrip().startswith(_FORMULA) else cell


def _filled(grades: Grades, roster: _Roster, known: int) -> Sheet:
    """The roster with a column for each assignment; students are found in its `known` columns."""
    titles = [roster.columns.get(name, name) for name in grades.worth]
    sheet = Sheet([[safe(cell) for cell in [*roster.header, *titles]]])
    places = _places(roster.rows, known)
    whose: dict[int, str] = {}
    for student in sorted(grades.people):
        place = places.get(_key(student))
        if place is None or place in whose:
            sheet.strangers.append(student)
        else:
            whose[place] = student
    sheet.students = len(whose)
    for place, row in enumerate(roster.rows):
        student = whose.get(place)
        scores = [grades.scores.get((student, name), "") for name in grades.worth]
        sheet.ungraded += [
            f"{student} in {name}"
            for name, score in zip(grades.worth, scores, strict=True)
            if score is None
        ]
        sheet.rows.append([safe(cell) for cell in row] + [_number(score) for score in scores])
    return sheet


def _places(rows: list[list[str]], known: int) -> dict[str, int | None]:
    """The row that each name, number and address stands for; None for what several share."""
    found: dict[str, int | None] = {}
    for place, row in enumerate(rows):
        names = {_key(cell) for cell in row[:known] if cell.strip()}
        names.add(_key(" ".join(row[:2])))  # Moodle's first and last name
        for name in names:
            found[name] = None if name in found else place
    return found


def _key(text: str) -> str:
    return tidy(text).casefold()


def _number(score: float | str | None) -> str:
    if score is None or score == "":
        return ""  # both leave as it is what stands there
    return f"{round(score, 4):.10g}"


def _read_roster(path: Path, assignments: Iterable[str]) -> _Roster:
    try:
        text = reading.text(path, "--roster", _ROSTER)
    except reading.NotText as error:
        raise CourseError(f"{error} (In a spreadsheet: CSV UTF-8.)") from None
    first = text.partition("\n")[0]
    mark = max(",;\t", key=first.count)
    try:
        header, *rows = [row for row in csv.reader(io.StringIO(text), delimiter=mark) if any(row)]
    except (ValueError, csv.Error):
        raise CourseError(
            f"--roster: {shown(path)} is no CSV file with a line of headers."
        ) from None
    rows = [row + [""] * (len(header) - len(row)) for row in rows]
    columns = {}
    for name in assignments:
        own = re.compile(rf"(?<!\w){re.escape(name)}(?!\w)")
        title = next((title for title in header if own.search(title)), None)
        if title:
            columns[name] = title
    return _Roster(header, rows, columns)
