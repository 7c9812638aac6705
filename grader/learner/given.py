"""What a workspace was given out, kept to tell the learner's work and a newer course from it."""

from __future__ import annotations

from pathlib import Path

from grader import reading
from grader.course import own

FOLDER = Path(".kata") / "given"


def is_behind(root: Path, source: Path | None = None) -> bool:
    """Was this workspace made from another course than the one that is installed now?"""
    source = source or own()
    given = root / FOLDER
    return given.is_dir() and any(
        not (given / "tests" / path.name).is_file()
        or reading.content(given / "tests" / path.name) != reading.content(path)
        for path in (source / "tests").glob("test_ex*.py")
    )
