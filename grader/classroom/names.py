"""Whose file is this, and which exercise is it? Read from names alone, which students may choose.

What stands first in a path wins: the folder, archive or file that an instructor's system has named
says whose it is, and nothing below it can say otherwise.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from grader.classroom.downloads import Found, by_student, recognise
from grader.course import Course

SUFFIXES = (".py", ".ipynb")
_ARCHIVE = re.compile(r"\.(zip|tar|tgz|tbz2?|txz|tar\.(gz|bz2|xz)|7z|rar)$", re.IGNORECASE)
_LONGEST = 255  # characters of one name, as file systems have it
_INVISIBLE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}  # controls, writing direction, surrogates
_PASSED_OVER = {"__macosx", "__pycache__", "tests", "solutions", "venv", "node_modules"}
_TOOLS = {"conftest.py", "setup.py", "nbgrader_config.py", "__init__.py"}  # no student's either
_NOBODY = {"exercises", "notebooks", "src"}  # folders of a workspace: no student's name
_COPY = r"(?:[-_ ]?\(?\d{1,3}\)?)?"  # what a browser or Canvas adds to a name it has seen


@dataclass(frozen=True)
class Named:
    """What a file's name says."""

    exercise: str  # ex03_backward
    who: str = ""  # what stands before it: ada_ex03_backward.py
    rank: int = 2  # 2: named as asked; 1: its folder is; 0: nearly, as ex03_backward_final.py


@dataclass(frozen=True)
class Top:
    """The first part of a file's path: the only one that may say whose it is."""

    part: str
    folder: bool  # and not the file itself, nor an archive
    who: str = ""


def clean(text: str, most: int = 120) -> str:
    """Text for a person's eyes: one line, nothing invisible, at most `most` characters.

    What is cut ends in digits of its hash, so that two long names stay two.
    """
    shown = "".join(
        "\ufffd" if unicodedata.category(one) in _INVISIBLE else one for one in text[:most]
    )
    if len(text) > most:
        digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
        shown = f"{shown[: most - 8]}…{digest[:7]}"
    return unicodedata.normalize("NFC", shown)


def clean_path(path: Path, most: int = 120) -> str:
    """A path for a person's eyes, at its full length or by its last name alone."""
    return clean(str(path)) if len(str(path)) <= most else f"…/{clean(path.name, most)}"


def student_name(text: str, most: int = 120) -> str:
    """A student's name for a person's eyes; two names that differ in what cannot be shown stay two.

    How letters with accents are spelled makes no difference: that is up to the system that packs.
    """
    shown = clean(text, most)
    if not any(unicodedata.category(letter) in _INVISIBLE for letter in text[:most]):
        return shown
    plain = unicodedata.normalize("NFC", text).encode("utf-8", "surrogatepass")
    return f"{clean(text, most - 7)} ({hashlib.sha256(plain).hexdigest()[:4]})"


def without_suffix(name: str) -> str:
    """`work.tar.gz` as the folder that it stands for: `work`."""
    return _ARCHIVE.sub("", name)


def is_archive(name: str) -> bool:
    """Whether a name says that it is an archive, of a kind that can be read or not."""
    return bool(_ARCHIVE.search(name))


def passed_over(folder: str) -> bool:
    """A folder in which nobody's answers are: hidden, made by a machine, or the course's tests."""
    return folder.startswith(".") or folder.casefold() in _PASSED_OVER


class Names:
    """Reads the names of one course's exercises."""

    def __init__(self, course: Course):
        self.exercises = {one.stem.casefold(): one for one in course.exercises}
        stems = "|".join(re.escape(stem) for stem in self.exercises)
        # ASCII: with all of Unicode, the Kelvin sign would be a K.
        self._asked = re.compile(rf"(?:(.+?)[-_ ])?({stems}){_COPY}", re.IGNORECASE | re.ASCII)

    def read(self, parts: tuple[str, ...]) -> Named | None:
        """What a path's last part says; None when it is no file of an exercise."""
        path = Path(parts[-1])
        if path.suffix.casefold() not in SUFFIXES or len(parts[-1]) > _LONGEST:
            return None
        if path.name.startswith((".", "test_")) or any(map(passed_over, parts[:-1])):
            return None
        asked = self._asked.fullmatch(path.stem)
        if asked:
            return Named(self.exercises[asked[2].casefold()].stem, (asked[1] or "").strip("-_ "))
        if len(parts) > 1 and parts[-2].casefold() in self.exercises:
            return Named(self.exercises[parts[-2].casefold()].stem, rank=1)
        return self._nearly(path.stem)

    def foreign(self, name: str) -> str:
        """The student behind a script or notebook that is named like no exercise: `ada` of
        `ada.ipynb`; "" where it is no such file, or a tool's."""
        path = Path(name[-_LONGEST:])
        code = path.suffix.casefold() in SUFFIXES and not name.startswith((".", "test_"))
        return path.stem if code and name.casefold() not in _TOOLS else ""

    def exercise_above(self, parts: tuple[str, ...]) -> str:
        """The exercise that the nearest folder of a path is named like; "" if none is."""
        stems = [
            self.exercises[part.casefold()].stem
            for part in parts[:-1]
            if part.casefold() in self.exercises
        ]
        return stems[-1] if stems else ""

    def whose(self, part: str) -> str:
        """The student that a flat file or an archive names: `ada` of `ada_ex03_backward`."""
        asked = self._asked.fullmatch(part[:_LONGEST])
        return (asked[1] or "").strip("-_ ") if asked else ""

    def nobody(self, folder: str) -> bool:
        """A folder that belongs to a workspace or an exercise and is no student's name."""
        name = folder.casefold()
        return name in _NOBODY or any(name in (key, one.id) for key, one in self.exercises.items())

    def _nearly(self, stem: str) -> Named | None:
        """A name that a person would take for an exercise's, in whatever letters it is written."""
        plain = unicodedata.normalize("NFKC", stem).casefold()
        for key, exercise in self.exercises.items():
            number = rf"(?<![a-z0-9])ex[-_ ]?0*{exercise.number}(?![0-9])"
            if key.removeprefix("ex") in plain or re.search(number, plain):
                return Named(exercise.stem, rank=0)
        return None


def students(tops: Iterable[Top]) -> dict[Top, str]:
    """The student behind each first part of one download, `""` where it names none.

    Canvas and Moodle name files as grader/classroom/downloads.py says; else a folder or an
    archive is a student's, and a flat file says it in front of the exercise.
    """
    tops = list(dict.fromkeys(tops))
    found: dict[Path, Found] = {}
    for place, top in enumerate(tops):
        one = recognise(Path(top.part), (top.part[:_LONGEST],))
        if one and (one.name or not top.folder):  # Canvas names no folders: 2024_11_ada is not its
            found[Path(str(place))] = replace(one, path=Path(str(place)))
    known = {one.path: who for who, copies in by_student(found.values()).items() for one in copies}
    plain = {top: top.who or (top.part if top.folder else "") for top in tops}
    return {
        top: student_name(known.get(Path(str(place)), plain[top])) for place, top in enumerate(tops)
    }


def upload_of(part: str) -> int:
    """The number that Canvas gave to an upload, which grows with time; 0 where there is none."""
    one = recognise(Path(part), (part[:_LONGEST],))
    return one.upload if one else 0
