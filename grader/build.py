"""From the one source to what a learner edits: `solutions/` becomes stubs and notebooks.

The clearing is nbgrader's own, so that the `.py` stub and the notebook that a class gets are one
text: solution regions become `raise NotImplementedError()`, hint regions disappear.
"""

from __future__ import annotations

import ast
import difflib
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from grader import reading
from grader.course import Course, CourseError, Exercise
from grader.learner import keep

BEGIN, END = "BEGIN SOLUTION", "END SOLUTION"
MARKS = "BEGIN MARK SCHEME"  # in the cell that asks for an answer in words
_STUB = "# YOUR CODE HERE\nraise NotImplementedError()"


@dataclass(frozen=True)
class Stale:
    """A committed stub that is not what would be built, and how it differs."""

    path: Path
    difference: str


def notebook(exercise: Exercise):
    """The exercise as a notebook with nbgrader's metadata, solutions and hints still in it."""
    import jupytext

    source = reading.text(exercise.solution)
    book = jupytext.reads(source, fmt="py:percent")
    book.metadata["kernelspec"] = {
        "display_name": "Python 3",
        "language": "python",
        "name": "python3",
    }
    found = [_prepare(cell, number, exercise) for number, cell in enumerate(book.cells)]
    tasks = [task.name for task in exercise.tasks]
    if [name for name in found if name] != tasks:
        raise CourseError(
            f"The solution cells of {exercise.solution} are {[n for n in found if n]}, "
            f"but {exercise.test_file} tests {tasks}, in this order."
        )
    return book


def release(exercise: Exercise):
    """The notebook as a learner gets it: solutions, hints and mark schemes cleared by nbgrader."""
    return cleared(without_hints(notebook(exercise)))


def cleared(book):
    """The notebook with its solutions and mark schemes cleared by nbgrader."""
    from nbgrader.preprocessors import ClearSolutions

    solutions = ClearSolutions(enforce_metadata=True, code_stub={"python": _STUB})
    return solutions.preprocess(without_marks(book), {})[0]


def without_hints(book):
    """The notebook with its hint regions cleared by nbgrader."""
    from nbgrader.preprocessors import ClearHiddenTests

    hints = ClearHiddenTests(enforce_metadata=False)
    hints.begin_test_delimeter, hints.end_test_delimeter = "BEGIN HINTS", "END HINTS"
    return hints.preprocess(book, {})[0]


def without_marks(book):
    """The notebook with its questions, and without what an instructor marks the answers by."""
    from nbgrader.preprocessors import ClearMarkScheme

    book = ClearMarkScheme(enforce_metadata=False).preprocess(book, {})[0]
    for cell in book.cells:
        cell.source = cell.source.rstrip("\n")  # the gap that a cleared region leaves
    return book


def stub(exercise: Exercise) -> str:
    """The text of the exercise's file in `exercises/`."""
    import jupytext

    book = release(exercise)
    # Nothing about tools in the learner's file: no header, no cell metadata.
    for cell in book.cells:
        lines = cell.metadata.get("lines_to_next_cell")  # jupytext's note of blank lines
        cell.metadata.clear()
        if lines is not None:
            cell.metadata["lines_to_next_cell"] = lines
    book.metadata.clear()
    book.metadata["jupytext"] = {"notebook_metadata_filter": "-all", "cell_metadata_filter": "-all"}
    text = jupytext.writes(book, fmt="py:percent").rstrip("\n") + "\n"
    return re.sub(r"\n{3,}(?= )", "\n\n", text)  # the gap that a cleared region leaves in a class


def build(course: Course) -> list[tuple[Path, Path | None]]:
    """Write every stub that is not as built; each with the backup of what was there."""
    if not (course.root / "solutions").is_dir():
        raise CourseError(
            f"{course.root} has no solutions/ to build from: it is a learner's workspace. "
            "There, `kata reset` writes a fresh stub and `kata upgrade` all new ones."
        )
    changed = []
    for exercise in course.exercises:
        text = stub(exercise)
        if _committed(exercise.stub) != text:
            kept = keep.backup(exercise.stub, course.root)
            keep.write(exercise.stub, text)
            changed.append((exercise.stub, kept))
    return changed


def check(course: Course) -> list[Stale]:
    """Every stub in `exercises/` that is not, byte for byte, what would be built."""
    stale = []
    for exercise in course.exercises:
        built = stub(exercise)
        committed = _committed(exercise.stub)
        if committed != built:
            lines = difflib.unified_diff(
                committed.splitlines(), built.splitlines(), "committed", "built", lineterm="", n=1
            )
            stale.append(Stale(exercise.stub, "\n".join(list(lines)[:20])))
    known = {exercise.stub for exercise in course.exercises}
    for path in sorted((course.root / "exercises").glob("*.py")):
        if path not in known:
            stale.append(Stale(path, "no solution of this name: delete it"))
    return stale


def _committed(path: Path) -> str:
    """The text of a stub; empty when there is none, or no text."""
    try:
        return reading.text(path)
    except reading.ReadingError:
        return ""


def _prepare(cell, number: int, exercise: Exercise) -> str | None:
    """Give a cell its id and, when it is a task's, nbgrader's metadata; the task's name."""
    name = task_of(cell.source) if cell.cell_type == "code" else None
    grade_id = f"{exercise.stem}-{name}" if name else f"{exercise.stem}-{number}"
    cell["id"] = cell_id(grade_id)
    if name:
        cell.metadata["nbgrader"] = {
            "schema_version": 3,
            "grade_id": grade_id,
            "grade": False,
            "solution": True,
            "locked": False,
            "task": False,
        }
    return name


def cell_id(grade_id: str) -> str:
    """A cell's id. jupytext draws them at random; what is built twice should be the same twice."""
    return hashlib.sha256(grade_id.encode()).hexdigest()[:12]


def task_of(source: str) -> str | None:
    """The function or class that a solution cell defines; None for any other cell."""
    if BEGIN not in source:
        return None
    kinds = ast.FunctionDef | ast.ClassDef
    names = [node.name for node in ast.parse(source).body if isinstance(node, kinds)]
    if len(names) != 1:
        raise CourseError(f"A solution cell defines one task, not {names or 'none'}:\n{source}")
    return names[0]
