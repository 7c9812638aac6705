"""The results of a class on disk: a file for each submission, whole or not there at all.

grades/grading.json                 what the class is graded with: seed, versions, hashes
grades/ex03_backward/ada.json       a Report, and under "key" what it depends on
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import urllib.parse
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from grader import reading
from grader.classroom.submitted import Submission
from grader.course import CourseError
from grader.report import ExerciseResult, Report

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

_SETTINGS = "grading.json"
_LONGEST = 180  # characters of a file's name; file systems take 255, with a suffix or two
_PLAIN = re.compile(r"[a-z0-9_.-]")
_DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\.|$)")  # no file's name on Windows

_RESULT = 64 << 20  # bytes of a result
_DAMAGED = (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError)
UNREADABLE = "their result files were damaged"
_CHANGED = {  # what part of a key differs, in this order of telling
    "submission": "they were handed in anew",
    "course": "the exercise has changed",
    "grader": "gradkata has another version",
    "seed": "the seed is another",
    "loaders": "their loaders were handed in anew",
    "data": "the digits are others",
}


@dataclass
class Graded:
    """A result, and what it was reached with."""

    submission: Submission
    result: ExerciseResult
    versions: dict[str, str] = field(default_factory=dict)
    isolation: str = ""
    training: dict | None = None  # of the training check: passed, accuracy, sentence, seconds


def file_name(student: str) -> str:
    """A file's name for a student, whatever they are called; `student_of` is the way back.

    Lower-case letters, digits and `-_.` stay, all else is percent-encoded, capitals too: to some
    file systems they are small ones. Very long names end in a hash and have no way back.
    """
    data = student.encode("utf-8", "surrogatepass")
    name = "".join(
        chr(byte) if byte < 128 and _PLAIN.match(chr(byte)) else f"%{byte:02x}" for byte in data
    )
    if name[:1] in ("", ".", "-") or name[-1] == "." or _DEVICES.match(name):
        name = (f"%{data[0]:02x}" if data else "%") + name[1:]
        name = name[:-1] + "%2e" if name[-1] == "." else name
    if len(name) > _LONGEST:
        name = f"{name[:_LONGEST]}%~{hashlib.sha256(data).hexdigest()[:32]}"
    return name


def student_of(name: str) -> str | None:
    """The student of a `file_name`; None where the name was too long to be kept."""
    if "%~" in name:
        return None
    return "" if name == "%" else urllib.parse.unquote(name, "utf-8", "surrogatepass")


class Store:
    """The folder of a class's results. One command at a time may hold it: use it in a `with`."""

    def __init__(self, folder: Path):
        self.folder = folder
        self._lock: int | None = None

    def __enter__(self) -> Store:
        self.folder.mkdir(parents=True, exist_ok=True)
        if fcntl:
            self._lock = os.open(self.folder / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # ends with the process
            except OSError:
                os.close(self._lock)
                raise CourseError(
                    f"Another kata grade is at work in {self.folder}: wait for it, or name another "
                    "folder with --out."
                ) from None
        return self

    def __exit__(self, *_) -> None:
        if self._lock is not None:
            os.close(self._lock)

    def settings(self) -> dict:
        """What the class was graded with before; empty at the first time."""
        path = self.folder / _SETTINGS
        try:
            found = json.loads(reading.text(path))
            if isinstance(found, dict) and type(found.get("seed")) is int:
                return found
        except reading.ReadingError as error:
            if error.missing:
                return {}
        except (ValueError, RecursionError):
            pass
        raise CourseError(
            f"{path} is damaged, and the class's seed with it: give the seed with --seed N (it is "
            "in every result), or remove the file to draw another."
        )

    def keep_settings(self, settings: dict) -> None:
        """Write down what the class is graded with."""
        write(self.folder / _SETTINGS, json.dumps(settings, indent=1) + "\n")

    def path(self, handed_in: Submission) -> Path:
        """Where a submission's result is, or will be."""
        return self.folder / handed_in.exercise / f"{file_name(handed_in.student)}.json"

    def put(self, graded: Graded, key: dict) -> None:
        """Keep a result; it is on the disk when this returns."""
        result, handed_in = graded.result, graded.submission
        seconds = sum(test.seconds for task in result.tasks for test in task.tests)
        report = Report(
            handed_in.name, key["seed"], graded.versions, [result], round(seconds, 3)
        ).to_json()
        # What stayed open is the first that a reader of the file sees.
        about = {"student": handed_in.student, "isolation": graded.isolation, "key": key}
        write(self.path(handed_in), json.dumps(about | report | about, indent=1) + "\n")

    def find(self, handed_in: Submission, key: dict) -> tuple[Graded | None, str]:
        """The result that is there and still holds; else why not, "" if there is none."""
        try:
            data = json.loads(reading.text(self.path(handed_in), most=_RESULT))
            kept, report = data["key"], Report.from_json(data)
            isolation = str(data["isolation"])
            graded = Graded(handed_in, report.exercises[0], report.versions, isolation)
            same = data["student"] == handed_in.student
            _ = report.to_json(), float(graded.result.earned), float(graded.result.points)
            why = _difference(kept, key) or ("" if same else UNREADABLE)
        except reading.ReadingError as error:
            return None, "" if error.missing else UNREADABLE
        except _DAMAGED:
            return None, UNREADABLE
        return (None, why) if why else (graded, "")

    def left_over(self, handed_in: Iterable[Submission]) -> list[str]:
        """Students with a result of before for one of these exercises, of whom nothing is there."""
        paths = {self.path(one) for one in handed_in if one.exercise}
        beside = {
            path for folder in {path.parent for path in paths} for path in folder.glob("*.json")
        }
        return sorted(student_of(path.stem) or path.stem for path in beside - paths)

    def put_training(self, student: str, record: dict, key: dict) -> None:
        """Keep what the training check of a student came to."""
        about = {"student": student, "key": key, "record": record}
        write(self._training(student), json.dumps(about, indent=1) + "\n")

    def find_training(self, student: str, key: dict) -> dict | None:
        """What a student's training check came to, if that still holds."""
        try:
            data = json.loads(reading.text(self._training(student), most=_RESULT))
            same = data["student"] == student and not _difference(data["key"], key)
            record = data["record"]
            return record if same and isinstance(record, dict) and "passed" in record else None
        except (reading.ReadingError, *_DAMAGED):
            return None

    def _training(self, student: str) -> Path:
        return self.folder / "training" / f"{file_name(student)}.json"


def _difference(kept: dict, key: dict) -> str:
    """Why a result with the key `kept` does not hold for `key`; empty when it does."""
    return next((_CHANGED[part] for part in _CHANGED if kept.get(part) != key.get(part)), "")


def write(path: Path, text: str) -> None:
    """Write a whole file or nothing, on the disk when this returns.

    One name for what is being written: a killed command's rest is overwritten by the next one.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    try:
        with open(part, "w", encoding="utf-8", errors="surrogatepass") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    except BaseException:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        raise
