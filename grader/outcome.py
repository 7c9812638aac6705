"""From what ended a test to its verdict."""

from __future__ import annotations

from pathlib import Path

from _pytest.outcomes import Exit, OutcomeException

from grader import describe
from grader.boundary.faults import Ended, origin
from grader.course import shown
from grader.limits import TimedOut
from grader.loading import CannotLoad, explain, line_in
from grader.report import TestResult, Verdict, Wrong
from grader.run import SPIN

_LINE = 300  # characters of a learner's line that are shown


class LeftEarly(Exception):
    """The learner's code tried to end or skip the test run."""


def contain(error: BaseException, files: tuple[str, ...]) -> BaseException:
    """An exit, skip or xfail that comes from the learner's file is a crash, not an order."""
    if not isinstance(error, SystemExit | OutcomeException | Exit | GeneratorExit):
        return error
    if _line_in(error, files) is None and not isinstance(error, SystemExit):
        return error
    kind = "exit" if isinstance(error, SystemExit) else f"pytest's {type(error).__name__.lower()}"
    crash = LeftEarly(f"the code calls {kind}: a function should return, not end the program")
    return crash.with_traceback(error.__traceback__)


def judge(error: BaseException, result: TestResult, files: tuple[str, ...]) -> None:
    """Fill in the verdict, and what explains it, of a test that `error` ended."""
    line = _line_in(error, files)
    if line and line[1]:
        text = line[1] if len(line[1]) <= _LINE else f"{line[1][:_LINE]}…"
        result.where = f"line {line[0]} of {shown(Path(files[0]))}: {text}"
    if isinstance(error, Wrong):
        result.verdict, result.where = Verdict.WRONG, ""
        result.what = error.what or ""
        result.returned, result.expected = error.returned, error.expected
        result.note = error.note
    elif isinstance(error, CannotLoad):
        result.verdict, result.note = error.verdict, error.sentence
    elif isinstance(error, NotImplementedError) and line and "NotImplementedError" in line[1]:
        result.verdict, result.where = Verdict.NOT_ATTEMPTED, ""
        needed = _raiser(error)
        if needed != result.task:
            result.note = f"needs {needed}, which is not written yet"
    elif isinstance(error, TimedOut):
        result.verdict, result.note = Verdict.TIMED_OUT, f"{error}. {SPIN}"
    elif isinstance(error, Ended):
        result.verdict, result.note = Verdict.CRASHED, f"{error}."
    elif isinstance(error, AssertionError) and line is None:
        result.verdict, result.note = Verdict.WRONG, str(error).partition("\n")[0]
    else:
        result.verdict, result.note = Verdict.CRASHED, explain(error)
        if line is None:
            result.note += " (while the test looked at what came back)"
    for about in ("returned", "expected", "note"):
        setattr(result, about, describe.steady(getattr(result, about)))


def _line_in(error: BaseException, files: tuple[str, ...]) -> tuple[int, str] | None:
    found = origin(error)
    return found.line if found else line_in(error, *files)


def _raiser(error: BaseException) -> str:
    """The top-level function or class in which an exception was raised."""
    found = origin(error)
    if found:
        return found.raiser
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    return trace.tb_frame.f_code.co_qualname.partition(".")[0] if trace else ""
