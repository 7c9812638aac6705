"""The gradebook of an nbgrader course: found by its settings, opened, or refused in a sentence."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from grader import reading
from grader.course import CourseError, shown
from grader.loading import brief

CONFIG = "nbgrader_config.py"
_SQLITE = "sqlite:///"


def address(folder: Path, absent: str, label: str = "") -> str:
    """The address of a course's gradebook, as its settings have it.

    Raises `CourseError`, which ends in `absent` where nothing has made the gradebook yet.
    """
    from nbgrader.coursedir import CourseDirectory
    from traitlets.config.loader import PyFileConfigLoader

    folder = folder.resolve()
    start = f"{label}: " if label else ""
    settings = folder / CONFIG
    try:
        reading.content(settings, label)
    except reading.ReadingError as error:
        if not error.missing:
            raise
        raise CourseError(
            f"{start}{shown(folder)} is no nbgrader course: it has no {CONFIG}. Give the folder "
            "that `kata course` wrote."
        ) from None
    try:
        with contextlib.redirect_stdout(None):
            url = CourseDirectory(config=PyFileConfigLoader(str(settings)).load_config()).db_url
    except (Exception, SystemExit) as error:  # it is a program, of somebody's own
        raise CourseError(
            f"{start}{shown(settings)} does not work ({brief(error)}). Mend it, or move it away: "
            "`kata course` writes a fresh one."
        ) from None
    path = Path(url.removeprefix(_SQLITE))
    if url.startswith(_SQLITE) and not path.is_file():
        if path.exists():
            raise CourseError(f"{start}{shown(path)} is no file, and so no gradebook.")
        raise CourseError(f"{start}{shown(folder)}{absent}")
    return url


@contextlib.contextmanager
def opened(url: str, label: str = "") -> Iterator:
    """The gradebook at an address, as nbgrader has it.

    Raises `CourseError` where there is none, or what is there is damaged or locked.
    """
    from nbgrader.api import Gradebook
    from sqlalchemy.exc import SQLAlchemyError

    start = f"{label}: " if label else ""
    shown_url = reading.printable(url.removeprefix(_SQLITE))
    try:
        with Gradebook(url) as book:
            yield book
    except (SQLAlchemyError, ImportError) as error:
        reason = brief(getattr(error, "orig", None) or error)
        raise CourseError(
            f"{start}the gradebook {shown_url} can't be used ({reason}). Is another program at "
            "it, or is the file damaged?"
        ) from None
