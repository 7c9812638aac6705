"""`kata course DIR`: a complete nbgrader course, one assignment for each exercise.

Only `source/`, `own_tests/` and `kata.json` are ours to write again; what students handed in,
what was graded and the gradebook are never touched.
"""

from __future__ import annotations

import json
import math
import tomllib
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from grader import build
from grader.course import Course, CourseError, Exercise
from grader.learner import keep

SETTINGS = "kata.json"  # what `kata course` was told, for the steps that run inside nbgrader
OWN_TESTS = "own_tests"

_CONFIG = '''\
"""nbgrader's settings for this course. Yours to change: `kata course` writes it only once."""

from pathlib import Path

from grader.classroom.settings import configure

c = get_config()  # noqa: F821
c.CourseDirectory.course_id = "gradkata"
c.CourseDirectory.root = str(Path(__file__).resolve().parent)
configure(c)  # grade through gradkata's engine, in the place of a kernel
'''

_GUIDE = """\
# A class with gradkata and nbgrader

`source/` holds an assignment for each exercise, built from gradkata's one source. In this folder:

```bash
nbgrader generate_assignment ex03_backward   # the students' version, in release/
nbgrader autograde ex03_backward             # grades submitted/<student>/ex03_backward/
nbgrader generate_feedback ex03_backward     # a page for each student, in feedback/
nbgrader export                              # grades.csv
```

Releasing and collecting (`nbgrader release_assignment`, `collect`, `zip_collect`) are nbgrader's
own, and so is the formgrader. Students need gradkata installed: the first code cell of a notebook
brings in `check`, and `check("slope")` below a task says at once what passes and what to look at.

* Grading starts no kernel. The cells of each task are taken from the submission by their nbgrader
  id and run by gradkata's engine, in a process of their own with a limit on time and memory.
  Treat it as you treat any program of your students: it is not yet a sandbox.
* A cell that was copied, deleted, edited or turned into text is put right first. A notebook that
  can't be read, or belongs to another assignment, gets no points and a sentence that says why.
* Only gradkata's own exercises are graded: keep other assignments in a course folder of their own.
* A folder without any notebook is left out, as nbgrader does; its log says so.
* Feedback names verdict, known mistake and points. It shows no drawn input and no expected value.
* `c.KataExecute.seconds_per_test = 5` in `nbgrader_config.py` shortens what a test may take.
* The seed of each grading is in the autograded notebook's metadata, under `kata`.

`kata course .` builds the sources anew; run `nbgrader generate_assignment` after it. It never
touches `submitted/`, `autograded/`, `feedback/`, `gradebook.db` or your `nbgrader_config.py`.

| option | what it does |
|---|---|
| `--only 03,05` | these exercises |
| `--points FILE` | TOML: a table for each exercise, `[ex03]`, a line for each task, `slope = 5` |
| `--due 2026-12-01T18:00+01:00` | the due date; UTC where no offset is given |
| `--tests FOLDER` | your own `test_ex03_backward.py` …, run when grading and never released |

Own tests are written like gradkata's: classes marked `@pytest.mark.task("slope", points=1)`, with
the fixtures `ex` and `rng`. A task's points are then shared among all its tests, yours too.
"""

_CONFTEST = 'pytest_plugins = ["grader.plugin"]\n'


def write(
    course: Course,
    folder: Path,
    only: Iterable[str] = (),
    points: Path | None = None,
    due: str | None = None,
    tests: Path | None = None,
) -> list[Path]:
    """Write the course into `folder`, or update it; the files that changed."""
    folder = folder.resolve()
    if folder == course.root or folder.is_relative_to(course.root / "exercises"):
        raise CourseError(f"{folder} is where learners work: name another folder for the class.")
    exercises = course.select([name.strip() for name in only if name.strip()])
    worth = read_points(points, course) if points else {}
    settings = read_settings(folder)
    settings["course"] = str(course.root)
    if due is not None:
        moment = _moment(due)
        settings.setdefault("due", {}).update({one.stem: moment for one in exercises})
    pages = {one: page(one, worth.get(one.stem, {})) for one in exercises}  # all of them, or none
    own = _own_tests(tests, course) if tests else []

    changed = []
    for exercise, text in pages.items():
        path = folder / "source" / exercise.stem / f"{exercise.stem}.ipynb"
        changed += _update(path, text)
    if own:
        changed += _update(folder / OWN_TESTS / "tests" / "conftest.py", _CONFTEST)
    for path in own:
        changed += _update(folder / OWN_TESTS / "tests" / path.name, path.read_text("utf-8"))
    changed += _update(folder / SETTINGS, json.dumps(settings, indent=1) + "\n")
    for name, text in (("nbgrader_config.py", _CONFIG), ("README.md", _GUIDE)):
        if not (folder / name).exists():
            changed += _update(folder / name, text)
    return changed


def page(exercise: Exercise, points: dict[str, float] | None = None) -> str:
    """nbgrader's source notebook of an exercise, solutions in it and hints not."""
    import nbformat

    worth = {task.name: task.points for task in exercise.tasks} | (points or {})
    book = build.without_hints(build.notebook(exercise))
    cells = []
    for cell in book.cells:
        cell.metadata.pop("lines_to_next_cell", None)
        cells.append(cell)
        name = build.task_of(cell.source) if cell.cell_type == "code" else None
        if name:
            given = "" if worth[name] == exercise.task(name).points else f", points={worth[name]:g}"
            cells.append(_locked(check_id(exercise.stem, name), f'check("{name}"{given})'))
            cells[-1].metadata["nbgrader"] |= {"grade": True, "points": worth[name]}
    start = f'from grader.classroom import checks_of\n\ncheck = checks_of("{exercise.id}")'
    cells.insert(1, _locked(f"{exercise.stem}-setup", start))
    book.cells = cells
    book.metadata.pop("jupytext", None)
    return nbformat.writes(book) + "\n"


def check_id(stem: str, task: str) -> str:
    """The grade_id of a task's test cell."""
    return f"{stem}-{task}-check"


def read_points(path: Path, course: Course) -> dict[str, dict[str, float]]:
    """Points by exercise and task, from an instructor's TOML file."""
    try:
        data = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CourseError(f"--points: {path} is not TOML: {error}.") from None
    worth: dict[str, dict[str, float]] = {}
    for name, tasks in data.items():
        exercise = course.find(name)
        if not isinstance(tasks, dict):
            raise CourseError(
                f"--points: {name} is not a table: write [{name}], then task = points."
            )
        for task, value in tasks.items():
            exercise.task(task)
            number = isinstance(value, int | float) and not isinstance(value, bool)
            if not (number and math.isfinite(value) and value >= 0):
                raise CourseError(f"--points: {name}.{task} is {value!r}, not a number from 0 up.")
        worth[exercise.stem] = tasks
    return worth


def read_settings(folder: Path) -> dict:
    """What `kata course` was told about this folder; empty where it never ran."""
    path = folder / SETTINGS
    try:
        return json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise CourseError(f"{path} is not JSON ({error}): delete it and run this again.") from None


def _own_tests(folder: Path, course: Course) -> list[Path]:
    known = {exercise.test_file.name for exercise in course.exercises}
    found = sorted(folder.glob("test_ex*.py"))
    strange = [path.name for path in found if path.name not in known]
    if not found or strange:
        what = f"{', '.join(strange)} goes with no exercise" if strange else "no test_ex….py in it"
        raise CourseError(f"--tests: {folder}: {what}; name them like {sorted(known)[0]}.")
    return found


def _locked(grade_id: str, source: str):
    from nbformat.v4 import new_code_cell

    cell = new_code_cell(source, id=build.cell_id(grade_id))
    cell.metadata["nbgrader"] = {
        "schema_version": 3,
        "grade_id": grade_id,
        "grade": False,
        "solution": False,
        "locked": True,
        "task": False,
    }
    return cell


def _moment(text: str) -> str:
    try:
        return datetime.fromisoformat(text).isoformat()
    except ValueError:
        raise CourseError(f"--due: {text!r} is not a date like 2026-12-01T18:00+01:00.") from None


def _update(path: Path, text: str) -> list[Path]:
    if path.is_file() and path.read_text("utf-8") == text:
        return []
    keep.write(path, text)
    return [path]
