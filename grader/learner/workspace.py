"""A learner's own folder: made from the course in the package, and brought up to a newer one.

What was given out is kept in `.kata/given/`, so that a later version can tell the learner's work
from the stub. Every file is written in this order: a backup, the file, the copy of what was given.
So a command that is cut short at any point has lost nothing, and is finished by running it again.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from grader import build, places, reading
from grader.course import CourseError, load, own, shown
from grader.learner import keep
from grader.learner.carry import Carried, carry
from grader.learner.given import FOLDER
from grader.reading import NotText, ReadingError

_SETTINGS = "pyproject.toml"


@dataclass(frozen=True)
class Change:
    """What has become of one file, and where the learner's is kept if it was theirs."""

    path: Path
    did: str  # wrote, updated, removed, left
    kept: Path | None = None
    carried: tuple[str, ...] = ()
    left: tuple[str, ...] = ()


@dataclass(frozen=True)
class Brought:
    """What a command has done to a workspace."""

    root: Path
    changes: list[Change]
    made: bool = False  # it was not there before


def init(root: Path, source: Path | None = None) -> Brought:
    """Make a workspace in a new folder, or bring the one that is there up to date."""
    root = root.absolute()
    places.folder(root, "")
    if is_workspace(root):
        return upgrade(root, source)
    _refuse_clone(root)
    files = _course_files(source or own())
    for name, text in files.items():
        path = root / name
        if os.path.lexists(path) and _read(path) != text:
            raise CourseError(
                f"{shown(path)} is there and not from this course. Nothing was written; "
                "give the name of a new folder."
            )
    return Brought(root, _bring(root, files), made=True)


def upgrade(root: Path, source: Path | None = None) -> Brought:
    """Bring a workspace up to the installed course; the learner's work is carried over."""
    _refuse_clone(root)
    return Brought(root, _bring(root, _course_files(source or own())))


def is_workspace(root: Path) -> bool:
    """Was this folder made by `kata init`? Its `.kata/` may be gone, say in a fresh checkout."""
    conftest = _read(root / "tests" / "conftest.py") or ""
    return (root / FOLDER).is_dir() or (
        (root / "exercises").is_dir() and "grader.plugin" in conftest and not _is_clone(root)
    )


def say(console: Console, brought: Brought) -> None:
    """What was done: in a new folder how to go on, in an old one what became of each file."""
    root = shown(brought.root)
    if brought.made:
        console.print(f"[green]made[/green] {root}: {len(brought.changes)} files", soft_wrap=True)
        console.print(f"next   cd {root}\n       kata", soft_wrap=True)
        return
    for change in brought.changes:
        lines = [f"[green]{change.did}[/green] {shown(change.path)}"]
        if change.carried:
            lines.append(f"  yours, carried over: {', '.join(map(escape, change.carried))}")
        if change.left:
            lines.append(
                f"  [yellow]not carried over:[/yellow] {', '.join(map(escape, change.left))}"
            )
        if change.kept:
            lines.append(f"  as it was: {shown(change.kept)}")
        console.print("\n".join(lines), soft_wrap=True)
    if not brought.changes:
        console.print(f"{root} is up to date.", soft_wrap=True)


def _course_files(source: Path) -> dict[str, str]:
    """Every file that a learner gets, by its name in the workspace."""
    course = load(source)
    # Built, not copied: the clone's own exercises/ may be somebody's work.
    files = {
        f"exercises/{exercise.stub.name}": build.stub(exercise) for exercise in course.exercises
    }
    files[_SETTINGS] = _pytest_settings(source / _SETTINGS)
    for path in sorted((source / "tests").rglob("*")):
        if path.suffix in (".py", ".toml"):
            files[path.relative_to(source).as_posix()] = reading.text(path)
    return files


def _pytest_settings(path: Path) -> str:
    """pytest's part of the course's own settings, and nothing else of them."""
    table = re.search(r"^\[tool\.pytest\..*?(?=^\[|\Z)", reading.text(path), re.M | re.S)
    if not table:
        raise CourseError(f"{path} has no [tool.pytest.ini_options].")
    return table[0].rstrip() + "\n"


def _bring(root: Path, files: dict[str, str]) -> list[Change]:
    """Bring every file of a workspace to what the course has now.

    Raises `CourseError` before anything is written where a file or folder of it cannot be one.
    """
    _check(root, files)
    if not (root / ".kata" / ".gitignore").is_file():
        keep.write(root / ".kata" / ".gitignore", "*\n")
    changes = [_update(root, name, text) for name, text in files.items()]
    given = root / FOLDER
    olds = sorted(path for path in given.rglob("*") if path.is_file())
    names = (path.relative_to(given).as_posix() for path in olds)
    changes += [_retire(root, name) for name in names if name not in files]
    return [change for change in changes if change]


def _check(root: Path, files: dict[str, str]) -> None:
    folders = {root / ".kata" / "backup", root / FOLDER}
    for name in files:
        for path in (root / name, root / FOLDER / name):
            folders.add(path.parent)
            if _read(path) is None and path.is_symlink() and not path.exists():
                raise CourseError(f"{shown(path)} is a link to nothing. Move it away first.")
    for folder in sorted(folders):
        places.folder(folder, "")


def _update(root: Path, name: str, new: str) -> Change | None:
    path, given = root / name, root / FOLDER / name
    old, mine, exercise = _read(given), _read(path), name.startswith("exercises/")
    change = None
    if not path.exists():
        if not (exercise and path.with_suffix(".ipynb").exists()):  # worked on as a notebook
            keep.write(path, new)
            change = Change(path, "wrote")
    elif mine == new or (old == new and not name.startswith("tests/")):
        pass
    elif mine is not None and mine == old:
        keep.write(path, new)
        change = Change(path, "updated")
    else:
        kept = keep.backup(path, root)
        merged = _merge(old or "", mine, new) if exercise else Carried(new)
        keep.write(path, merged.text)
        change = Change(path, "updated", kept, tuple(merged.names), tuple(merged.left))
    if old != new:
        keep.write(given, new)
    return change


def _merge(old: str, mine: str | None, new: str) -> Carried:
    """The new stub with the learner's code in it; the bare stub when theirs is no Python."""
    if mine is None:
        return Carried(new, left=["all of it: the file is not UTF-8 text"])
    try:
        return carry(old, mine, new)
    except SyntaxError as error:
        return Carried(new, left=[f"all of it: line {error.lineno} is no Python ({error.msg})"])
    except (ValueError, RecursionError, MemoryError) as error:
        return Carried(new, left=[f"all of it: {error or 'it is nested too deeply'}"])


def _retire(root: Path, name: str) -> Change | None:
    """A file that the course does not have any more: taken away, unless it is the learner's."""
    path, given = root / name, root / FOLDER / name
    change = None
    if path.is_file():
        theirs = _read(path) != _read(given)
        if theirs and name.startswith("exercises/"):
            change = Change(path, "left", left=("the course has no such exercise any more",))
        else:
            change = Change(path, "removed", keep.backup(path, root) if theirs else None)
            path.unlink()
    given.unlink()
    return change


def _read(path: Path) -> str | None:
    """A file's text; None when it is not there, or no text.

    Raises `ReadingError` for what is no file, or cannot be read.
    """
    try:
        return reading.text(path)
    except NotText:
        return None
    except ReadingError as error:
        if not error.missing:
            raise
        return None


def _is_clone(root: Path) -> bool:
    return (root / "solutions").is_dir() and (root / "grader").is_dir()


def _refuse_clone(root: Path) -> None:
    if _is_clone(root):
        raise CourseError(
            f"{shown(root)} is a clone of gradkata, not a workspace. Work in its exercises/, and "
            "`git pull` brings a newer course; or give `kata init` the name of another folder."
        )
