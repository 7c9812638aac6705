"""From what ended a test to its verdict."""

from __future__ import annotations

import re
from pathlib import Path

from _pytest.outcomes import Exit, OutcomeException

from grader.course import shown
from grader.expect import Wrong
from grader.limits import TimedOut
from grader.report import TestResult, Verdict
from grader.target import CannotLoad, brief, line_in

_MEMORY = re.compile(r"you tried to allocate (\d+) bytes")
_SPIN = "Is there a loop that never ends, or far more work than the task needs?"


class LeftEarly(Exception):
    """The learner's code tried to end or skip the test run."""


def contain(error: BaseException, path: Path) -> BaseException:
    """An exit, skip or xfail that comes from the learner's file is a crash, not an order."""
    if not isinstance(error, SystemExit | OutcomeException | Exit | GeneratorExit):
        return error
    if line_in(error, path) is None and not isinstance(error, SystemExit):
        return error
    kind = "exit" if isinstance(error, SystemExit) else f"pytest's {type(error).__name__.lower()}"
    crash = LeftEarly(f"the code calls {kind}: a function should return, not end the program")
    return crash.with_traceback(error.__traceback__)


def judge(error: BaseException, result: TestResult, path: Path) -> None:
    """Fill in the verdict, and what explains it, of a test that `error` ended."""
    line = line_in(error, path)
    if line and line[1]:
        result.where = f"line {line[0]} of {shown(path)}: {line[1]}"
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
        result.verdict, result.note = Verdict.TIMED_OUT, f"{error}. {_SPIN}"
    elif isinstance(error, AssertionError) and line is None:
        result.verdict, result.note = Verdict.WRONG, str(error).partition("\n")[0]
    else:
        result.verdict, result.note = Verdict.CRASHED, explain(error)
        if line is None:
            result.note += " (while the test looked at what came back)"


def explain(error: BaseException) -> str:
    """An exception in a line; what torch says about memory in plainer words."""
    asked = _MEMORY.search(str(error))
    if asked:
        return f"out of memory: this asks for {int(asked[1]) / 1e9:.1f} GB at once"
    if isinstance(error, MemoryError):
        return "out of memory: a test may take 4 GB"
    return brief(error)


def _raiser(error: BaseException) -> str:
    """The top-level function or class in which an exception was raised."""
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    return trace.tb_frame.f_code.co_qualname.partition(".")[0] if trace else ""
