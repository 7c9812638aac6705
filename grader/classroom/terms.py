"""What a grade depends on besides the answer: the seed, and the course as hashes of its content."""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from grader import reading
from grader.classroom.submitted import Submission
from grader.course import Course, CourseError, Exercise, shown

_READING = b"2"  # counts up when a file comes to be read in another way: then it is graded again


@dataclass(frozen=True)
class Terms:
    """How a class is graded: everybody alike."""

    course: Course
    seed: int
    own: Path | None = None  # a folder with an instructor's own tests

    def key(self, handed_in: Submission) -> dict:
        """What a submission's result depends on, as plain data; the same key, the same result."""
        exercise = self.course.find(handed_in.exercise)
        return {
            "submission": content_hash(handed_in),
            "course": course_hash(exercise, self.own),
            "grader": grader_version(),
            "seed": self.seed,
        }


def grader_version() -> str:
    """The version of gradkata that is installed here."""
    return version("gradkata")


def content_hash(handed_in: Submission) -> str:
    """SHA-256 of what was handed in, and of the kind of file that it is."""
    kind = Path(handed_in.name).suffix.lower()
    parts = (kind.encode("utf-8", "replace"), handed_in.problem.encode("utf-8", "replace"))
    return _digest(_READING, *parts, handed_in.content)


def course_hash(exercise: Exercise, own: Path | None = None) -> str:
    """SHA-256 of the files that an exercise's verdicts come from: tests, mistakes, solution."""
    tests = exercise.root / "tests"
    files = [exercise.test_file, exercise.mistakes, exercise.solution, tests / "conftest.py"]
    if own:
        files += [own / "tests" / exercise.test_file.name, own / "tests" / "conftest.py"]
    return _digest(*(_bytes(file) for file in files), _settings(exercise.root))


def _settings(root: Path) -> bytes:
    """pytest's settings, among them the time that a test may take."""
    path = root / "pyproject.toml"
    try:
        found = tomllib.loads(_bytes(path).decode("utf-8-sig", "replace"))
        chosen = found.get("tool", {}).get("pytest", {}).get("ini_options", {})
    except (ValueError, RecursionError, AttributeError) as error:
        raise CourseError(f"{shown(path)} does not hold pytest's settings: {error}.") from None
    return repr(
        sorted((key, chosen[key]) for key in ("timeout", "addopts") if key in chosen)
    ).encode()


def _bytes(file: Path) -> bytes:
    """A file's bytes; none where it is not there. `CourseError` for what is no file."""
    try:
        return reading.content(file)
    except reading.ReadingError as error:
        if not error.missing:
            raise
        return b""


def _digest(*parts: bytes) -> str:
    found = hashlib.sha256()
    for part in parts:
        found.update(len(part).to_bytes(8, "big") + part)
    return found.hexdigest()
