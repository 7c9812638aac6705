"""For a class: nbgrader's course from the one source, `check` in its notebooks, and its grades."""

__all__ = ["checks_of"]


def __getattr__(name: str):
    if name == "checks_of":  # what it needs takes a while to import, and few commands need it
        from grader.classroom.check import checks_of

        return checks_of
    raise AttributeError(name)
