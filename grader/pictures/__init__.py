"""`kata show`: the picture of an exercise's idea, drawn with the learner's own code.

Every picture calls the learner's functions, so a wrong one shows in it. Figures are matplotlib's,
on a light card of their own, legible on light pages and dark ones.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# By exercise: the module that draws it. The function in it has the exercise's own name.
_DRAWN_BY = {
    "ex03": "graphs",
    "ex04": "graphs",
    "ex05": "descent",
    "ex06": "descent",
    "ex07": "descent",
    "ex08": "digits",
    "ex09": "digits",
    "ex11": "digits",
}
TRAINED = "ex12"  # its pictures are those of the training check


@dataclass
class Picture:
    """A figure, and what it shows in words: its text alternative."""

    figure: Figure
    alt: str


def drawn() -> list[str]:
    """The exercises whose picture is drawn from their own code."""
    return sorted(_DRAWN_BY)


def draw(exercise: str, module) -> Picture:
    """Draw the picture of an exercise (`ex05`) from a module, or a namespace, with its tasks."""
    paint: Callable = getattr(import_module(f"grader.pictures.{_DRAWN_BY[exercise]}"), exercise)
    return paint(module)
