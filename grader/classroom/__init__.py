"""For a class: nbgrader's course from the one source, `check` in its notebooks, and its grades."""

from grader.classroom.check import checks_of

__all__ = ["checks_of"]
