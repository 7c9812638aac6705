"""Files that are written without ever losing what was there."""

from __future__ import annotations

import os
import shutil
import tempfile
from datetime import datetime
from pathlib import Path


def backup(path: Path, root: Path) -> Path | None:
    """Copy a file into `.kata/backup/` under the time of day; None when there is no file."""
    if not path.is_file():
        return None
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
    """Write a whole file or nothing: whoever reads it never sees a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
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
