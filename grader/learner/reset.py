"""The fresh stub in the place of the learner's file, which is kept."""

from __future__ import annotations

from rich.console import Console

from grader import build
from grader.course import Exercise, shown
from grader.learner import keep


def reset(console: Console, exercise: Exercise) -> None:
    """Write the stub, after a backup, and say how to get back what was there."""
    kept = keep.backup(exercise.stub, exercise.root)
    keep.write(exercise.stub, build.stub(exercise))
    console.print(f"[green]fresh[/green] {shown(exercise.stub)}")
    if kept:
        console.print(f"Yours is kept: cp {shown(kept)} {shown(exercise.stub)} brings it back.")
