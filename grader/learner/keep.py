"""Files that are written without ever losing what was there."""

from __future__ import annotations

import os
import shutil
import tempfile
from datetime import datetime
from pathlib import Path

from grader.course import shown
from grader.errors import CourseError
from grader.reading import MOST, kind_of


def backup(path: Path, root: Path) -> Path | None:
    """Copy a file into `.kata/backup/` under the time of day; None when there is no file.

    Raises `CourseError` for one that is too large to be code.
    """
    if not path.is_file():
        return None
    if path.stat().st_size > MOST:
        raise CourseError(
            f"{shown(path)} is larger than {MOST >> 20} MB: move it away yourself, then run this "
            "again. Nothing was written."
        )
    folder = root / ".kata" / "backup"
    folder.mkdir(parents=True, exist_ok=True)
    stamp = datetime.now().strftime("%Y-%m-%d_%H%M%S")
    copy = folder / f"{path.stem}_{stamp}{path.suffix}"
    number = 1
    while copy.exists():
        number += 1
        copy = folder / f"{path.stem}_{stamp}_{number}{path.suffix}"
    shutil.copy2(path, copy)
    return copy


def write(path: Path, text: str) -> None:
    """Write a whole file or nothing: whoever reads it never sees a part.

    A link stays, and what it leads to is written. Raises `CourseError` where something else than
    a file is in the place, which is left there.
    """
    if path.exists() and not path.is_file():
        kind = kind_of(path.stat().st_mode)
        raise CourseError(f"{shown(path)} is {kind}. Move it away, then run this again.")
    path = Path(os.path.realpath(path))
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        _replace(path, text)
    except OSError as error:  # a full disk names no file, and others the one that is for a moment
        error.filename, error.filename2 = str(path), None
        raise


def _replace(path: Path, text: str) -> None:
    handle, name = tempfile.mkstemp(prefix=".kata-", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        if path.exists():
            shutil.copymode(path, name)
        else:
            os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)  # it is gone when the cut came after the last step
        raise
