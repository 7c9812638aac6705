"""What a run found out, as plain data: a verdict per test, points per task, how to replay it.

Everything that is shown, stored or graded is drawn from a `Report`.
"""

from __future__ import annotations

import enum
import shlex
from collections.abc import Callable
from dataclasses import asdict, dataclass, field

_PRINTED_LINES = 5


class Verdict(enum.StrEnum):
    """What can be said of one test."""

    PASSED = "passed"
    WRONG = "wrong"
    NOT_ATTEMPTED = "not attempted"
    CRASHED = "crashed"
    TIMED_OUT = "timed out"
    TAMPERED = "tampered"


# A task's verdict is the first of these that one of its tests has.
_WORST_FIRST = (
    Verdict.TAMPERED,
    Verdict.TIMED_OUT,
    Verdict.CRASHED,
    Verdict.WRONG,
    Verdict.NOT_ATTEMPTED,
    Verdict.PASSED,
)


class Wrong(AssertionError):
    """An answer that is not the one asked for, with what a learner needs to see why."""

    def __init__(self, returned: str, expected: str, what: str | None = None, note: str = ""):
        super().__init__(f"{what or 'returned'}: {returned}; expected: {expected}")
        self.returned, self.expected, self.what, self.note = returned, expected, what, note


@dataclass
class TestResult:
    """One test: its verdict and, when it did not pass, what a learner needs to see why."""

    __test__ = False  # not a test class, whatever its name

    exercise: str
    task: str
    name: str  # TestSlope::test_example
    verdict: Verdict
    called: str = ""
    what: str = ""  # what was looked at, when it is not the value returned
    returned: str = ""
    expected: str = ""
    note: str = ""  # a sentence: the exception, the first value that differs
    where: str = ""  # the line of the learner's file that an exception passed through
    printed: str = ""  # the end of what the code printed
    seconds: float = 0.0

    @property
    def passed(self) -> bool:
        return self.verdict is Verdict.PASSED


@dataclass
class Diagnosis:
    """What a task's failure comes from: a known mistake that its code behaves exactly like, or
    nothing but other tasks that failed, which it calls."""

    mistake: str  # its name; empty where others are to blame
    message: str
    through: list[str] = field(default_factory=list)  # the names of those others


@dataclass
class TaskResult:
    """The tests of one task together, and the points they earn."""

    exercise: str
    task: str
    points: float
    tests: list[TestResult] = field(default_factory=list)
    diagnosis: Diagnosis | None = None

    @property
    def verdict(self) -> Verdict:
        found = {test.verdict for test in self.tests} or {Verdict.NOT_ATTEMPTED}
        if found == {Verdict.NOT_ATTEMPTED, Verdict.PASSED}:
            return Verdict.NOT_ATTEMPTED
        return next(verdict for verdict in _WORST_FIRST if verdict in found)

    @property
    def earned(self) -> float:
        """Points times the share of tests passed; nothing unless the readable case and a drawn
        value case pass, since side conditions alone show no understanding."""
        names = {test.name.rpartition("::")[2]: test.passed for test in self.tests}
        readable = [ok for name, ok in names.items() if name.startswith("test_example")]
        drawn = [ok for name, ok in names.items() if name.startswith("test_drawn")]
        if not (readable and all(readable) and any(drawn)):
            return 0.0
        return self.points * sum(test.passed for test in self.tests) / len(self.tests)

    @property
    def first_failure(self) -> TestResult | None:
        """The test to show: the first one that has the task's verdict."""
        return next((t for t in self.tests if t.verdict is self.verdict and not t.passed), None)


@dataclass
class ExerciseResult:
    """One exercise: its tasks, or the sentence that says why none could be judged."""

    exercise: str  # ex03_backward
    file: str
    tasks: list[TaskResult] = field(default_factory=list)
    problem: str = ""

    @property
    def passed(self) -> bool:
        return bool(self.tasks) and all(task.verdict is Verdict.PASSED for task in self.tasks)

    @property
    def earned(self) -> float:
        return sum(task.earned for task in self.tasks)

    @property
    def points(self) -> float:
        return sum(task.points for task in self.tasks)


@dataclass
class Report:
    """One run."""

    target: str
    seed: int
    versions: dict[str, str]
    exercises: list[ExerciseResult] = field(default_factory=list)
    seconds: float = 0.0
    warm: bool = True  # False where there is no fork and a cold process did the work
    isolation: str = ""  # what kept the code apart from its tests, layer by layer

    @property
    def passed(self) -> bool:
        return bool(self.exercises) and all(exercise.passed for exercise in self.exercises)

    def to_json(self) -> dict:
        """Plain data, with the derived verdicts and points written out for other readers."""
        data = asdict(self)
        data["passed"] = self.passed
        for exercise, plain in zip(self.exercises, data["exercises"], strict=True):
            plain |= {
                "passed": exercise.passed,
                "earned": exercise.earned,
                "points": exercise.points,
            }
            for task, row in zip(exercise.tasks, plain["tasks"], strict=True):
                row |= {"verdict": task.verdict, "earned": task.earned}
        return data

    @classmethod
    def from_json(cls, data: dict) -> Report:
        """The report that `to_json` gave."""
        exercises = [_exercise(plain) for plain in data["exercises"]]
        own = {key: data[key] for key in ("target", "seed", "versions", "seconds", "warm")}
        return cls(**own, exercises=exercises, isolation=data.get("isolation", ""))


def _exercise(plain: dict) -> ExerciseResult:
    tasks = [task_from(row) for row in plain["tasks"]]
    return ExerciseResult(plain["exercise"], plain["file"], tasks, plain["problem"])


def task_from(row: dict) -> TaskResult:
    """A task's result from its plain data."""
    tests = [TestResult(**test | {"verdict": Verdict(test["verdict"])}) for test in row["tests"]]
    diagnosis = Diagnosis(**row["diagnosis"]) if row["diagnosis"] else None
    return TaskResult(row["exercise"], row["task"], row["points"], tests, diagnosis)


def earned(task: TaskResult | None, worth: float) -> float:
    """A task's points when all of them are `worth`: a finite float that nbgrader can read."""
    if task is None or not task.points:
        return 0.0
    return round(min(max(task.earned / task.points, 0.0), 1.0) * float(worth), 6)


def summary_line(task: TaskResult) -> str:
    """`slope  passed  2/2`, in columns."""
    earned = f"{task.earned:.3g}/{task.points:g}"
    return f"  {task.task:<24} {task.verdict:<14} {earned:>7}"


def exercise_lines(exercise: ExerciseResult, replay: Callable[[TestResult], str]) -> list[str]:
    """A line per task, and below a task that failed what its author should read."""
    lines = [f"    {line}" for line in _lines(exercise.problem)] if exercise.problem else []
    for task in exercise.tasks:
        lines.append(summary_line(task))
        if not exercise.problem:
            lines += failure_text(task, replay)
    return lines


def replay_of(report: Report) -> Callable[[TestResult], str]:
    """The command that runs one test of a report again, with the same inputs."""

    def replay(test: TestResult) -> str:
        node = shlex.quote(f"tests/test_{test.exercise}.py::{test.name}")
        target = "" if report.target == "exercises" else f" --target {shlex.quote(report.target)}"
        return f"pytest {node} --seed {report.seed}{target}"

    return replay


def failure_text(task: TaskResult, replay: Callable[[TestResult], str]) -> list[str]:
    """What a learner reads about a task that did not pass; nothing when it did or is a stub."""
    test = task.first_failure
    if test is None or task.verdict is Verdict.NOT_ATTEMPTED:
        return [f"    {line}" for line in _lines(test.note)] if test and test.note else []
    rows = [("called", test.called)]
    if test.verdict is Verdict.WRONG:
        rows += [(test.what or "returned", test.returned), ("expected", test.expected)]
    rows += [("", test.note), ("at", test.where), ("printed", _printed(test.printed))]
    if task.diagnosis:
        rows.append(("looks like", task.diagnosis.message))
    others = [t.name.rpartition("::")[2] for t in task.tests if not t.passed and t is not test]
    if others:
        more = f" and {len(others) - 3} more" if len(others) > 3 else ""
        rows.append(("also", ", ".join(others[:3]) + more))
    rows.append(("next", f"kata hint {task.exercise.partition('_')[0]} {task.task}"))
    rows.append(("replay", replay(test)))
    lines = [f"    in {test.name.rpartition('::')[2]}:"]
    for label, text in rows:
        if text:
            first, *rest = [text] if label == "replay" else _lines(text)
            if len(label) > 10:
                label = "\n      ".join(_lines(label)) + "\n" + " " * 17
            lines += f"      {label:<10} {first}".split("\n")
            lines += [f"                 {line}" for line in rest]
    return lines


def _printed(text: str) -> str:
    """The last lines of what the code printed, each cut to a line's width."""
    lines = text.splitlines()
    kept = [line if len(line) <= 92 else line[:91] + "…" for line in lines[-_PRINTED_LINES:]]
    return "\n".join(
        ([f"({len(lines) - len(kept)} lines more)"] if len(lines) > len(kept) else []) + kept
    )


def _lines(text: str, width: int = 92) -> list[str]:
    """Wrap long sentences; keep lines that are already broken (a caret under its line)."""
    import textwrap

    broken = text.splitlines()
    if len(broken) > 1:
        return broken
    return textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False) or [""]
