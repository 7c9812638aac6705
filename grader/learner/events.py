"""What can happen while `kata watch` waits, each told by the thread that sees it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from grader.course import Exercise
from grader.report import Report


@dataclass(frozen=True)
class Saved:
    """Files were written, renamed or deleted."""

    paths: frozenset[Path]


@dataclass(frozen=True)
class Key:
    """A key was pressed, or a line that starts with it was sent."""

    name: str


@dataclass(frozen=True)
class NoMoreKeys:
    """Standard input has ended."""


@dataclass(frozen=True)
class Finished:
    """A run has ended: with its report, without one when it was cancelled, or with its engine."""

    exercise: Exercise
    report: Report | None
    trouble: str = ""
    died: bool = False


@dataclass(frozen=True)
class Trained:
    """The training check has ended."""

    status: int


@dataclass(frozen=True)
class Trouble:
    """Something does not work here; what is done about it is part of the sentence."""

    sentence: str


@dataclass(frozen=True)
class Quit:
    """Ctrl-C, or the terminal is gone."""
