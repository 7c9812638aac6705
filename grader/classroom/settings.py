"""How nbgrader is told to grade through gradkata: called by a course's `nbgrader_config.py`."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path

from grader.course import CourseError


def configure(c) -> None:
    """Put our steps into nbgrader's; everything else stays as nbgrader has it.

    Where that does not work, nothing goes on: nbgrader takes a configuration that fails for none,
    and would run what students wrote in a kernel.
    """
    try:
        if sys.argv[1:2] == ["autograde"]:
            _warm_up(sys.argv[2:])
        _put_in(c)
    except Exception as error:
        raise SystemExit(
            f"gradkata cannot be put into nbgrader ({type(error).__name__}: {error}). Nothing was "
            "done: without it nbgrader would run the students' code itself."
        ) from None


def _warm_up(words: list[str]) -> None:
    """Start what grades, which takes as long as nbgrader takes to begin.

    It gets ready for the assignment that nbgrader's words name.
    """
    from grader.classroom import judge
    from grader.classroom.course import course_of

    with suppress(CourseError):
        course = course_of(Path.cwd())
        named = [one for one in course.exercises if any(one.stem in word for word in words)]
        judge.begin(course, named or course.exercises)


def _put_in(c) -> None:
    from nbgrader.converters import Autograde, GenerateAssignment, GenerateFeedback
    from nbgrader.preprocessors import Execute, SaveAutoGrades

    from grader.classroom import autograde, collector, exchange
    from grader.classroom.harmless import harmless

    # nbgrader calls alembic by its bare name, which an environment that is not activated hides.
    beside = str(Path(sys.executable).parent)
    if beside not in os.environ.get("PATH", "").split(os.pathsep):
        os.environ["PATH"] = beside + os.pathsep + os.environ.get("PATH", "")

    ours = {Execute: autograde.KataExecute, SaveAutoGrades: autograde.SaveGraded}
    steps = Autograde.autograde_preprocessors.default()
    c.Autograde.autograde_preprocessors = [ours.get(step, step) for step in steps]
    steps = Autograde.sanitize_preprocessors.default()
    c.Autograde.sanitize_preprocessors = [autograde.Mend, *steps]
    c.Autograde.exporter_class = autograde.AnyNotebook
    c.Autograde.pre_convert_hook = autograde.under_its_own_name
    # The question is a cell of its own, locked: autograding puts its mark scheme back.
    c.ClearMarkScheme.enforce_metadata = False
    c.HTMLExporter.filters = {"strip_files_prefix": harmless}  # in feedback and the formgrader
    steps = GenerateFeedback.preprocessors.default()
    c.GenerateFeedback.preprocessors = [*steps, autograde.SayOpen]
    steps = GenerateAssignment.preprocessors.default()
    c.GenerateAssignment.preprocessors = [*steps, autograde.SetDueDate]
    c.ZipCollectApp.collector_plugin = collector.LmsCollector
    c.ExchangeFactory.release_assignment = exchange.ReleaseAssignment
