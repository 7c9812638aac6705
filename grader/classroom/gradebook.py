"""Scores of `kata grade` into the gradebook of an nbgrader course, as autograding writes them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from grader.classroom import books
from grader.classroom.cases import HOSTILE, is_notebook, mended
from grader.classroom.course import check_id
from grader.classroom.released import released
from grader.classroom.store import Graded
from grader.classroom.submission import NotGraded
from grader.course import Course, CourseError, Exercise
from grader.report import earned


def check(folder: Path) -> None:
    """`CourseError` unless there is a gradebook to write to; nothing is opened."""
    _address(folder)


def write(folder: Path, course: Course, graded: Sequence[Graded]) -> str:
    """Write the scores into the gradebook of the course in `folder`; what to say about it.

    Students who are not in it are added. What could not be graded keeps no score from before: it
    is open, as after an autograding that failed. `CourseError` when an assignment is not there,
    and then nothing is written.
    """
    with books.opened(_address(folder), "--course") as book:
        names = {one.name for one in book.assignments}
        absent = sorted({one.submission.exercise for one in graded} - names - {""})
        if absent:
            raise CourseError(
                f"The gradebook has no {', '.join(absent)}: run nbgrader generate_assignment for "
                "it in the class's folder. What was graded is kept."
            )
        written = 0
        with book.db.no_autoflush:
            for one in graded:
                if one.submission.exercise:
                    _put(book, course.find(one.submission.exercise), one)
                    written += 1
        book.db.commit()
    return f"{written} submissions are in the gradebook of {folder}."


def _address(folder: Path) -> str:
    absent = " has no gradebook yet: run nbgrader generate_assignment there."
    return books.address(folder, absent, "--course")


def _put(book, exercise: Exercise, graded: Graded) -> None:
    stem, student = exercise.stem, graded.submission.student
    book.update_or_create_student(student)
    submitted = book.update_or_create_submission(stem, student)
    notebook = next((one for one in submitted.notebooks if one.name == stem), None)
    if notebook is None:
        raise CourseError(f"The assignment {stem} in the gradebook has no notebook {stem}.")
    tasks = {check_id(stem, row.task): row for row in graded.result.tasks}
    for grade in notebook.grades:
        if not tasks:
            grade.auto_score, grade.needs_manual_grade = None, True
        elif grade.name in tasks:
            score = earned(tasks[grade.name], grade.max_score)
            grade.auto_score = score if math.isfinite(score) else 0.0
            grade.needs_manual_grade = False
        else:  # an answer in words
            empty = not _answered(graded, exercise, grade.name)
            grade.auto_score = 0.0 if empty else None
            grade.needs_manual_grade = not empty and grade.manual_score is None


def _answered(graded: Graded, exercise: Exercise, name: str) -> bool:
    """Has the student written into a cell that a person marks?"""
    known = next((one for one in released(exercise) if one.grade_id == name), None)
    if known is None:
        return True  # a cell that the instructor has added
    if not is_notebook(graded.submission):
        return False
    try:
        cells = mended(graded.submission.content, exercise)
    except (NotGraded, *HOSTILE):
        return False
    marked = [cell for cell in cells if cell.metadata.get("nbgrader", {}).get("grade_id") == name]
    return any(cell.source.strip() != known.source.strip() for cell in marked)
