"""One answer of one student to one exercise, as bytes: what travels to whoever grades it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Submission:
    """A file that a student handed in; nothing of it has been run.

    `problem` says in a sentence why it cannot be graded; its content is empty then.
    """

    student: str
    exercise: str  # ex03_backward
    name: str  # where it came from, as an instructor would find it: ada/ex03_backward.py
    content: bytes  # of a script or a notebook, which the end of the name tells
    problem: str = ""
