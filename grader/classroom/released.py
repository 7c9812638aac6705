"""What a class was given of an exercise: the one text of ours that stands in an answer's gaps.

It comes from what `kata course` hands out, with its solutions cleared, and a cell that still has a
solution's marks cannot be made: so no line of reference code can take the place of an answer.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from grader import build
from grader.course import CourseError, Exercise

QUESTION, WORDS = "question", "words"  # what is asked, and the cell for the answer
_KEYS = {"schema_version": 3, "grade": False, "solution": False, "locked": False, "task": False}
_MARKS = ("locked", "grade", "solution", "task")


class HoldsReference(CourseError):
    """Text that a class was to be given has a solution's marks in it: nothing is graded with it."""


@dataclass(frozen=True)
class Known:
    """A cell of the released notebook, as the gradebook has it; `HoldsReference` if it cannot be.

    A student's own answer may hold the marks as text; what we put beside it may not.
    """

    grade_id: str
    cell_type: str
    source: str
    locked: bool
    grade: bool = False
    solution: bool = False
    task: bool = False
    points: float | None = None

    def __post_init__(self) -> None:
        if self.cell_type == "code":
            _refuse_marks(self.source, self.grade_id)

    @property
    def metadata(self) -> dict:
        own = {name: getattr(self, name) for name in _MARKS}
        points = {} if self.points is None else {"points": self.points}
        return _KEYS | own | {"grade_id": self.grade_id, "cell_type": self.cell_type} | points


@cache
def released(exercise: Exercise) -> tuple[Known, ...]:
    """The cells that nbgrader knows of an exercise's notebook, as a class gets them."""
    return tuple(
        Known(
            grade_id=cell.metadata["nbgrader"]["grade_id"],
            cell_type=cell.cell_type,
            source=cell.source,
            points=cell.metadata["nbgrader"].get("points"),
            **{key: cell.metadata["nbgrader"][key] for key in _MARKS},
        )
        for cell in _handed_out(exercise).cells
        if "nbgrader" in cell.metadata
    )


@cache
def given(exercise: Exercise) -> tuple[str, ...]:
    """The code cells of the released notebook that are no task's."""
    sources = [
        cell.source
        for cell in _handed_out(exercise).cells
        if cell.cell_type == "code" and "nbgrader" not in cell.metadata
    ]
    for source in sources:
        _refuse_marks(source, exercise.stem)
    return tuple(sources)


@cache
def _handed_out(exercise: Exercise):
    with without_iri_parser():
        from grader.classroom.course import source_book

        return build.cleared(source_book(exercise))


@contextlib.contextmanager
def without_iri_parser() -> Iterator[None]:
    """jsonschema, which nbformat imports, takes in a parser of IRIs that it finds: seconds, on
    every start of a grading, for a format that no notebook's schema has."""
    parser = "rfc3987_syntax"
    hidden = parser not in sys.modules
    if hidden:
        sys.modules[parser] = None
    try:
        yield
    finally:
        if hidden:
            del sys.modules[parser]


def _refuse_marks(source: str, name: str) -> None:
    if build.BEGIN in source or build.END in source:
        raise HoldsReference(
            f"The released cell {name} holds its solution: run nbgrader generate_assignment anew."
        )
