"""What a graded student reads: verdict, known mistake, hint, points.

No drawn input, no expected value and no reference code: of a wrong answer the value it returned is
shown, and only for the readable example, which everybody can look up in the course's tests.
"""

from __future__ import annotations

import html
import re

from grader.course import Task
from grader.report import TaskResult, TestResult, Verdict

_PLACE = re.compile(r"line \d+ of .+?: (.*)")
_LONGEST = 300  # characters of the student's own value or code
_MARKS = {Verdict.PASSED: "✓"}
_COLOURS = {Verdict.PASSED: "#1a7f37", Verdict.NOT_ATTEMPTED: "#9a6700"}
_WRONG = "#b42318"


def shown(
    about: Task,
    task: TaskResult | None,
    score: float,
    worth: float,
    problem: str,
    note: str,
    notice: str = "",
) -> tuple[str, str]:
    """The feedback on one task, as text and as HTML; `notice` says what stayed open, if so."""
    verdict = task.verdict if task else "not graded"
    rows = [("", notice and f"{notice}."), ("", about.about)]
    if problem or task is None:
        rows.append(("", f"Not graded, because {problem or 'its tests did not run'}."))
    else:
        rows += _rows(task, note)
    if verdict is not Verdict.PASSED and task:
        rows.append(("next", f"kata hint {task.exercise.partition('_')[0]} {task.task}"))
    graded = task is not None and not problem
    points = f"{score:g}/{worth:g} points" if graded else f"{worth:g} points open"
    rows = [(label, _short(words)) for label, words in rows if words]
    text = "\n".join(
        [f"{about.name}  {verdict}  {points}"]
        + [f"  {label:<10} {words}" if label else f"  {words}" for label, words in rows]
    )
    colour = _COLOURS.get(verdict, _WRONG)
    cells = "".join(
        f'<tr><td style="padding-right:1em">{html.escape(label)}</td>'
        f"<td>{html.escape(words)}</td></tr>"
        for label, words in rows
    )
    page = (
        f"<div><code>{html.escape(about.name)}</code> "
        f'<b style="color:{colour}">{html.escape(str(verdict))}</b> {points}</div>'
        f'<table style="text-align:left">{cells}</table>'
    )
    return text, page


def _rows(task: TaskResult, note: str) -> list[tuple[str, str]]:
    rows = []
    first = task.first_failure
    if note:
        rows.append(("", note))
    elif first:
        rows.append((_title(first), _what_happened(first)))
    if task.diagnosis:
        rows.append(("looks like", task.diagnosis.message))
    passed = sum(test.passed for test in task.tests)
    failed = [_title(test) for test in task.tests if not test.passed]
    rows.append(("tests", f"{passed} of {len(task.tests)} passed"))
    if failed and not note and task.verdict is not Verdict.NOT_ATTEMPTED:
        rows.append(("not passed", ", ".join(failed)))
    return rows


def _what_happened(test: TestResult) -> str:
    """A failure in the student's own terms."""
    place = _PLACE.search(test.where)
    at = f" at `{place[1].strip()}`" if place else ""
    if test.verdict is Verdict.WRONG:
        own = test.returned if _title(test).startswith("example") else ""
        return f"returned {own}" if own else "the value that came back is not right"
    if test.verdict is Verdict.NOT_ATTEMPTED:
        missing = f" has no {test.task}. " in test.note
        return f"no cell defines {test.task}" if missing else "not written yet"
    if test.verdict is Verdict.TIMED_OUT:
        return "no answer in time. Is there a loop that never ends, or far more work than needed?"
    kind = test.note.partition(":")[0]
    if kind == "LeftEarly":
        return f"the code ends the program{at}: a function should return"
    if kind.isidentifier():  # the message may hold a drawn input
        return f"{kind}{at}"
    return f"crashed{at}"


def _title(test: TestResult) -> str:
    return test.name.rpartition("::")[2].removeprefix("test_").replace("_", " ")


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
