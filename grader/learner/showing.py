"""`kata show`: draws an exercise's picture with the learner's code, and opens or writes it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import typer
from rich.console import Console

from grader import course, engine, pictures, places
from grader.course import CourseError, shown
from grader.preload import preload_for
from grader.target import Target

_KINDS = (".png", ".svg", ".pdf")


def show(console: Console, name: str, target: str, out: Path | None) -> None:
    """Draw; say where the picture is and what it shows; open it when it has no place of its own."""
    loaded = course.load()
    exercise = loaded.find(name)
    if exercise.id == pictures.TRAINED:
        raise CourseError(
            f"The pictures of {exercise.id} are those of your training: `kata train` draws its "
            "curves, confusions and worst mistakes, and says where they are."
        )
    if exercise.id not in pictures.drawn():
        known = ", ".join([*pictures.drawn(), pictures.TRAINED])
        raise CourseError(f"{exercise.id} has no picture. There is one for {known}.")
    if out is not None and out.suffix not in _KINDS:
        raise CourseError(f"--out: {shown(out)} should end in {', '.join(_KINDS)}.")
    path = out or loaded.root / ".kata" / "pictures" / f"{exercise.stem}.png"
    where = Target.asked(target, loaded.root)
    places.file(path, "--out", _is_picture)
    path.parent.mkdir(parents=True, exist_ok=True)
    with engine.Engine(loaded.root, preload_for([exercise])) as warm:
        alt = warm.draw(where, exercise, path)
    console.print(f"wrote {shown(path.resolve())}")
    console.print(alt, style="dim")
    if out is None and _has_screen():
        typer.launch(str(path))


def _is_picture(head: bytes) -> bool:
    return not head or head.lstrip().startswith((b"\x89PNG", b"<?xml", b"<svg", b"%PDF"))


def _has_screen() -> bool:
    return sys.platform != "linux" or any(os.environ.get(n) for n in ("DISPLAY", "WAYLAND_DISPLAY"))
