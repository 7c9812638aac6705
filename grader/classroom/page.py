"""The page of a class: who has what, where it struggles, and what could not be graded and why.

One self-contained file, as grader/pages.py has it. Names, errors and whatever else a student may
have chosen are cut and cleaned here, and escaped by the template.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from grader import pages
from grader.classroom.likeness import Pair
from grader.classroom.names import clean
from grader.classroom.results import Row, by_student, exercises_of, problem_of
from grader.isolation import notice_of
from grader.pictures import style
from grader.report import ExerciseResult, TaskResult, Verdict

_BARS = 10  # of a histogram
_TROUBLES = 1000  # shown of what was not graded


@dataclass(frozen=True)
class Line:
    """A student on the page."""

    name: str
    total: str
    scores: list[tuple[str, str]]  # ex03, 5/8


@dataclass(frozen=True)
class Histogram:
    """How many students have how many points."""

    title: str
    worth: str
    bars: list[int]  # students, from few points to all
    spread: str  # the same in words

    @property
    def heights(self) -> list[tuple[int, float]]:
        """Each bar's number, and its height in per cent of the highest."""
        return [(number, 100 * number / max(self.bars)) for number in self.bars]


@dataclass(frozen=True)
class Struggle:
    """A task, and how many have not passed it."""

    exercise: str
    task: str
    failed: int
    of: int

    @property
    def percent(self) -> int:
        return round(100 * self.failed / self.of)


def render(
    rows: Sequence[Row],
    isolation: str,
    about: Mapping[str, str] | None = None,
    pairs: Sequence[Pair] = (),
) -> str:
    """The text of the page.

    `isolation` is what kept the code apart, as the reports have it; `about` is what else a reader
    needs to do this again, such as the seed and the versions; `pairs` are from `likeness`.
    """
    students = by_student(rows)
    results = [row[1] for row in rows if not problem_of(row)]
    troubles = _troubles(rows)
    return pages.render(
        "classroom/page.html",
        lines=[_line(student) for student in students],
        graded=len(results),
        ungraded=sum(bool(problem_of(row)) for row in rows),
        isolation=_text(isolation),
        notice=_text(notice_of(isolation), 200),
        about={_text(key): _text(str(value)) for key, value in (about or {}).items()},
        struggles=_struggles(results),
        diagnoses=_diagnoses(results),
        histograms=_histograms(rows, [one.earned for one in students if not one.problems]),
        blue=style.BLUE,
        troubles=troubles[:_TROUBLES],
        more=len(troubles[_TROUBLES:]),
        pairs=[_pair(pair) for pair in pairs],
        when=datetime.now().strftime("%Y-%m-%d %H:%M"),
    )


def _text(text: str, most: int = 80) -> str:
    """One line that a person can read, whatever was in it."""
    return clean(" ".join(text[: 4 * most].split()), most)


def _short(stem: str) -> str:
    return clean(stem.partition("_")[0], 12)


def _points(points: float) -> str:
    return f"{round(points, 2):g}"


def _line(student) -> Line:
    scores = {
        name: f"{_points(result.earned)}/{_points(result.points)}"
        for name, result in student.results.items()
    }
    scores |= {name: "not graded" for name in student.problems}
    listed = [(_short(name), score) for name, score in sorted(scores.items())]
    total = _points(student.earned) if student.results else "not graded"
    if student.results and student.problems:
        total += " so far"
    return Line(_text(student.name), total, listed)


def _tasks(results: Sequence[ExerciseResult]) -> list[TaskResult]:
    return [task for result in results for task in result.tasks]


def _struggles(results: Sequence[ExerciseResult]) -> list[Struggle]:
    """Every task that somebody has not passed, the worst first."""
    tasks = _tasks(results)
    seen = Counter((task.exercise, task.task) for task in tasks)
    failed = Counter(
        (task.exercise, task.task) for task in tasks if task.verdict is not Verdict.PASSED
    )
    found = [
        Struggle(_short(exercise), task, number, seen[exercise, task])
        for (exercise, task), number in failed.items()
    ]
    return sorted(found, key=lambda one: (-one.failed / one.of, one.exercise, one.task))


def _diagnoses(results: Sequence[ExerciseResult]) -> list[tuple[int, str, str]]:
    """How many answers behave like each known mistake, most often first: number, task, message."""
    count = Counter(
        (_short(task.exercise), task.task, task.diagnosis.message)
        for task in _tasks(results)
        if task.diagnosis and task.diagnosis.mistake
    )
    often = sorted(count.items(), key=lambda item: (-item[1], item[0]))
    return [(number, f"{exercise} {task}", message) for (exercise, task, message), number in often]


def _troubles(rows: Sequence[Row]) -> list[tuple[str, str, str]]:
    """What was not graded, or has code that does not even load: student, exercise, why."""
    found = []
    for submission, result in rows:
        why = submission.problem or result.problem
        if why:
            found.append((_text(submission.student), _short(submission.exercise), _text(why, 400)))
    return sorted(found)


def _pair(pair: Pair) -> dict:
    lines = [f"{a}–{b} and {c}–{d}" for (a, b), (c, d) in pair.lines]
    return {
        "exercise": _short(pair.exercise),
        "students": [_text(name) for name in pair.students],
        "percent": round(100 * pair.share),
        "lines": "; ".join(lines),
    }


def _histograms(rows: Sequence[Row], totals: list[float]) -> list[Histogram]:
    """How the points are spread: in all, then in each exercise."""
    drawn = [("all exercises", totals, sum(_worth(rows, name) for name in exercises_of(rows)))]
    for name in exercises_of(rows):
        scores = [row[1].earned for row in rows if row[0].exercise == name and not problem_of(row)]
        drawn.append((_short(name), scores, _worth(rows, name)))
    return [_histogram(*one) for one in drawn if one[1] and one[2]]


def _worth(rows: Sequence[Row], exercise: str) -> float:
    return max((row[1].points for row in rows if row[0].exercise == exercise), default=0.0)


def _histogram(title: str, scores: list[float], worth: float) -> Histogram:
    bars = [0] * _BARS
    for score in scores:
        bars[min(_BARS - 1, int(_BARS * score / worth))] += 1  # all points belong to the last
    edges = [_points(worth * step / _BARS) for step in range(_BARS + 1)]
    spread = [
        f"{number} from {low} to {high}"
        for number, low, high in zip(bars, edges, edges[1:], strict=False)
        if number
    ]
    return Histogram(f"{title}: {len(scores)} students", _points(worth), bars, ", ".join(spread))
