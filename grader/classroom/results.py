"""What a class has come to: per student and exercise, per task, and as two CSV files.

Rows are pairs of a submission and its result; one that could not be graded has a problem, in
either of the two. Whatever a student may choose is text that no spreadsheet runs.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from grader.classroom.lms import safe
from grader.classroom.names import clean
from grader.classroom.submitted import Submission
from grader.learner import keep
from grader.report import ExerciseResult

Row = tuple[Submission, ExerciseResult]
Seeds = Mapping[tuple[str, str], int]  # by student and exercise


@dataclass
class Student:
    """One student's results, by exercise."""

    name: str
    results: dict[str, ExerciseResult] = field(default_factory=dict)  # of what was graded
    problems: dict[str, str] = field(default_factory=dict)  # of what was not: why

    @property
    def earned(self) -> float:
        """Points, of what was graded."""
        return sum(result.earned for result in self.results.values())

    @property
    def total(self) -> float | None:
        """Points of all that was handed in; None while some of it is not graded: that is no 0."""
        return None if self.problems else self.earned


def problem_of(row: Row) -> str:
    """Why a submission was not graded; empty when it was."""
    submission, result = row
    return submission.problem or (result.problem if not result.tasks else "")


def by_student(rows: Iterable[Row]) -> list[Student]:
    """The class, by name."""
    students: dict[str, Student] = {}
    for row in rows:
        submission, result = row
        one = students.setdefault(submission.student, Student(submission.student))
        if problem := problem_of(row):
            one.problems[submission.exercise] = problem
        else:
            one.results[submission.exercise] = result
    return [students[name] for name in sorted(students)]


def exercises_of(rows: Iterable[Row]) -> list[str]:
    """The exercises that were handed in, in order."""
    return sorted({submission.exercise for submission, _ in rows if submission.exercise})


def write_csv(rows: Sequence[Row], path: Path, seeds: Seeds | None = None) -> tuple[Path, Path]:
    """Write the scores to `path`, and the tasks beside it: scores.csv and scores_tasks.csv.

    An exercise that was not handed in is an empty cell, and so is one that could not be graded;
    the last column names those, and there is no total beside them. UTF-8, lines end in a line feed,
    points are numbers with up to four decimals. Each file is whole or not there. Returns both
    paths.
    """
    tasks = path.with_name(f"{path.stem}_tasks{path.suffix}")
    keep.write(path, _text(_scores(rows)))
    keep.write(tasks, _text(_tasks(rows, seeds or {})))
    return path, tasks


def _scores(rows: Sequence[Row]) -> list[list]:
    exercises = exercises_of(rows)
    table: list[list] = [["student", *exercises, "total", "not graded"]]
    for student in by_student(rows):
        scores = [
            student.results[name].earned if name in student.results else None for name in exercises
        ]
        missed = ", ".join(name or "all that was handed in" for name in sorted(student.problems))
        table.append([student.name, *scores, student.total, missed])
    return table


def _tasks(rows: Sequence[Row], seeds: Seeds) -> list[list]:
    heads = ["student", "exercise", "task", "verdict", "earned", "points", "diagnosis", "seed"]
    table: list[list] = [heads]
    ordered = sorted(rows, key=lambda row: (row[0].student, row[0].exercise))
    for submission, result in ordered:
        known = [submission.student, submission.exercise]
        if problem := problem_of((submission, result)):
            table.append([*known, "", "not graded", None, None, problem, None])
        for task in [] if problem else result.tasks:
            said = task.diagnosis.message if task.diagnosis else ""
            seed = seeds.get((submission.student, submission.exercise))
            own = [task.task, str(task.verdict), task.earned, task.points, said, seed]
            table.append([*known, *own])
    return table


def _text(table: list[list]) -> str:
    """A file in which all text stands in quotes, so that no separator in it makes a cell."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
    writer.writerows([[_cell(value) for value in row] for row in table])
    return out.getvalue()


def _cell(value: str | float | None) -> str | float:
    if value is None:
        return ""
    if isinstance(value, str):
        return safe(clean(" ".join(value.split()), 500))
    number = round(value, 4)
    return int(number) if number == int(number) else number
