"""`kata course DIR`: a complete nbgrader course, one assignment for each exercise.

Only `source/`, `own_tests/` and `kata.json` are ours to write again; what students handed in,
what was graded and the gradebook are never touched.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from grader import build, places, reading
from grader.classroom import asked
from grader.classroom.released import QUESTION, WORDS
from grader.course import Course, CourseError, Exercise, find_root, load, shown
from grader.engine import draw_seed
from grader.learner import keep

SETTINGS = "kata.json"  # what `kata course` was told, for the steps that run inside nbgrader
OWN_TESTS = "own_tests"
INSTALL = "gradkata"  # what pip is asked for on a machine without the course
OWN_WORDS = 1.0  # points for the answer in words, where nobody says otherwise

_START = """\
try:
    from grader.classroom import checks_of
except ImportError:  # the course is not on this machine yet, as on Colab
    %pip install --quiet {install}
    from grader.classroom import checks_of

check = checks_of("{exercise}")"""

_CONFIG = '''\
"""nbgrader's settings for this course. Yours to change: `kata course` writes it only once."""

from pathlib import Path

try:
    from grader.classroom.settings import configure
except ImportError as error:  # nbgrader would go on, and run what students wrote in a kernel
    raise SystemExit(f"Without gradkata nothing is done here ({error}): pip install gradkata")

c = get_config()  # noqa: F821
c.CourseDirectory.course_id = "gradkata"
c.CourseDirectory.root = str(Path(__file__).resolve().parent)
# c.Exchange.root = "/srv/exchange"  # where students fetch and submit; the same in their settings
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

The formgrader is nbgrader's own. Students need gradkata: the first code cell of a notebook brings
in `check`, and asks pip for the course where it is missing, as on Colab (`kata course DIR
--install ADDRESS` names another place to get it from). `check("slope")` below a task says at once
what passes and what to look at.

## Handing out and in

**With nbgrader's exchange**, a folder that the class shares on one machine:

```bash
nbgrader release_assignment ex03_backward    # into the exchange
nbgrader collect ex03_backward               # the newest of each student; --update for later ones
nbgrader release_feedback ex03_backward      # after generate_feedback
```

A student, in a folder of their own:

```bash
nbgrader fetch_assignment ex03_backward --course gradkata
nbgrader submit ex03_backward --course gradkata
nbgrader fetch_feedback ex03_backward --course gradkata
```

The folder is `c.Exchange.root`, here and in the students' `~/.jupyter/nbgrader_config.py`;
`/usr/local/share/nbgrader/exchange` when neither names one. nbgrader insists that everybody may
write to it. gradkata adds the sticky bit, to it (mode 1777, as `/tmp` has it) and to the folder
that takes the submissions (3733: put in, not look in), so that nobody renames or deletes what is
another's. A submission's name ends in a random text, and its folder is readable to those who know
it. Where even that is too much, put the exchange into a folder that only your class's Unix group
may enter (`chgrp class DIR; chmod 750 DIR`). It needs Unix accounts, one for each student:
nbgrader takes a submission to be its owner's.

**With Canvas or Moodle**: hand out the notebook in `release/`, download all submissions as one
zip, put it into `downloaded/ex03_backward/archive/`, and

```bash
nbgrader zip_collect ex03_backward           # into submitted/; --force for a second time
```

A student is known by Canvas's number, and in Moodle by name; who shares a name gets Moodle's
participant number too, which is another one in each assignment. Of several notebooks the newest
counts: by Canvas's upload number, else by the download they came with. The log names those left
out and those that Canvas marks as late; neither says when something was handed in, so nbgrader
knows no late ones. For other names of files set `c.FileNameCollectorPlugin.named_regexp`.

```bash
kata grades . --to canvas --out canvas.csv   # for Grades, Import
kata grades . --to moodle --out moodle.csv   # for Grades, Import, CSV file
```

With `--roster FILE`, the grades as Canvas or Moodle exports them, its columns that say who
somebody is go back as they came, and the columns it has for the assignments are used again;
without it, Canvas makes new assignments of these names. Moodle does not know students by name: a
class collected from there needs the roster. What is not graded yet, or not handed in, stays empty.
A cell that a spreadsheet would run as a formula gets a `'` before it.

## How it grades

* Grading starts no kernel. The cells of each task are taken from the submission by their nbgrader
  id and run by gradkata's engine, apart from the tests, in a sandbox without files, network or
  neighbours. Where a machine can't have one, `nbgrader autograde` refuses with exit status 2 and
  says what to install; `c.KataExecute.isolation = "open"` in `nbgrader_config.py` grades all the
  same, and the feedback says so. The README's "How far a grade can be trusted" has the promises.
* A cell that was copied, deleted, edited or turned into text is put right first. A notebook that
  can't be read, or belongs to another assignment, is not graded, with a sentence that says why, in
  the log too: it waits for you as needing a manual grade, and no 0 is saved. `nbgrader export`
  writes 0.0 for it all the same; `kata grades` leaves it empty.
* A task's answer is what its own cell defines. Where that is the untouched stub, it is the last
  other cell that defines it: cells may be merged.
* Only gradkata's own exercises are graded: keep other assignments in a course folder of their own.
* A folder without any notebook is left out, as nbgrader does; its log says so.
* Feedback names verdict, known mistake and points. It shows no drawn input and no expected value.
* `c.KataExecute.seconds_per_test = 5` in `nbgrader_config.py` shortens what a test may take.
* The class has one seed, in `kata.json`: nbgrader and `kata grade --course .` grade with it, and
  give one verdict for one answer.

## In their own words

Each notebook ends in a question, with a cell for an answer of a few sentences. You mark it, in the
formgrader (`nbgrader formgrade`) or any other way that nbgrader has: its mark scheme is taken out
of what students get, and back in the graded notebook and in the feedback. It is worth 1 point more
than the tests give. An answer that was left empty gets 0 points by itself; a grade with an answer
that nobody has marked counts as not graded yet.

## Changing the course

`kata course .` builds the sources anew; run `nbgrader generate_assignment` after it. It never
touches `submitted/`, `autograded/`, `feedback/`, `gradebook.db` or your `nbgrader_config.py`.

| option | what it does |
|---|---|
| `--only 03,05` | these exercises |
| `--points FILE` | TOML: a table for each exercise, `[ex03]`, a line for each task, `slope = 5` |
| `--own-words 2` | what the question of each notebook is worth; 0 leaves the answer out |
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
    own_words: float | None = None,
    install: str | None = None,
) -> list[Path]:
    """Write the course into `folder`, or update it; the files that changed."""
    places.folder(folder, "")
    folder = folder.resolve()
    if folder == course.root or folder.is_relative_to(course.root / "exercises"):
        raise CourseError(f"{folder} is where learners work: name another folder for the class.")
    exercises = course.select([name.strip() for name in only if name.strip()])
    worth = asked.read_points(points, course) if points else {}
    settings = read_settings(folder)
    settings["course"] = str(course.root)
    settings.setdefault("seed", draw_seed())
    if own_words is not None:
        settings["own_words"] = asked.worth_of_words(own_words)
    words = settings.get("own_words", OWN_WORDS)
    if install is not None:
        settings["install"] = asked.one_line(install)
    package = settings.get("install", INSTALL)
    if due is not None:
        moment = asked.moment(due)
        settings.setdefault("due", {}).update({one.stem: moment for one in exercises})
    own = asked.own_tests(tests, course) if tests else {}
    # All of them, or none.
    pages = {one: page(one, worth.get(one.stem, {}), words, package) for one in exercises}

    changed = []
    for exercise, text in pages.items():
        path = folder / "source" / exercise.stem / f"{exercise.stem}.ipynb"
        changed += _update(path, text)
    if own:
        changed += _update(folder / OWN_TESTS / "tests" / "conftest.py", _CONFTEST)
    for name, text in own.items():
        changed += _update(folder / OWN_TESTS / "tests" / name, text)
    changed += _update(folder / SETTINGS, json.dumps(settings, indent=1) + "\n")
    for name, text in (("nbgrader_config.py", _CONFIG), ("README.md", _GUIDE)):
        if not (folder / name).exists():
            changed += _update(folder / name, text)
    return changed


def page(
    exercise: Exercise,
    points: dict[str, float] | None = None,
    own_words: float | None = None,
    install: str = INSTALL,
) -> str:
    """nbgrader's source notebook of an exercise, solutions in it and hints not.

    An answer in the student's own words is worth `own_words`, given by hand; 0 asks for none.
    `install` is what pip is asked for where the course is missing.
    """
    import nbformat

    return nbformat.writes(source_book(exercise, points, own_words, install)) + "\n"


def source_book(
    exercise: Exercise,
    points: dict[str, float] | None = None,
    own_words: float | None = None,
    install: str = INSTALL,
):
    """The same as a notebook in memory."""
    worth = {task.name: task.points for task in exercise.tasks} | (points or {})
    book = build.without_hints(build.notebook(exercise))
    own_words = OWN_WORDS if own_words is None else own_words
    if not own_words:
        book = build.without_marks(book)
    cells = []
    for cell in book.cells:
        cell.metadata.pop("lines_to_next_cell", None)
        cells.append(cell)
        name = build.task_of(cell.source) if cell.cell_type == "code" else None
        if name:
            given = "" if worth[name] == exercise.task(name).points else f", points={worth[name]:g}"
            cells.append(_locked(check_id(exercise.stem, name), f'check("{name}"{given})'))
            cells[-1].metadata["nbgrader"] |= {"grade": True, "points": worth[name]}
        elif build.MARKS in cell.source:
            _lock(cell, f"{exercise.stem}-{QUESTION}")
            cells.append(_answer(f"{exercise.stem}-{WORDS}", own_words))
    start = _START.format(install=install, exercise=exercise.id)
    cells.insert(1, _locked(f"{exercise.stem}-setup", start))
    book.cells = cells
    book.metadata.pop("jupytext", None)
    return book


def check_id(stem: str, task: str) -> str:
    """The grade_id of a task's test cell."""
    return f"{stem}-{task}-check"


def read_settings(folder: Path) -> dict:
    """What `kata course` was told about this folder; empty where it never ran."""
    path = folder / SETTINGS
    try:
        settings = json.loads(reading.text(path))
    except reading.ReadingError as error:
        if error.missing:
            return {}
        raise
    except (ValueError, RecursionError) as error:
        raise CourseError(
            f"{shown(path)} is not JSON ({error}): delete it and run this again."
        ) from None
    if not _are_settings(settings):
        raise CourseError(
            f"{shown(path)} does not hold what `kata course` writes: delete it and run this again."
        )
    return settings


def class_seed(folder: Path, earlier: int | None = None) -> int:
    """The seed that everybody of a class is graded with; drawn and kept where there is none yet.

    `earlier` is taken where the class was graded before its folder had a seed. `CourseError` when
    the one that is there is no number, or cannot be kept.
    """
    settings = read_settings(folder)
    if "seed" not in settings:
        keep_seed(folder, draw_seed() if earlier is None else earlier)
        settings = read_settings(folder)
    seed = settings["seed"]
    if type(seed) is not int:
        raise CourseError(f"{folder / SETTINGS}: its seed is {seed!r}, and not a whole number.")
    return seed


def keep_seed(folder: Path, seed: int) -> None:
    """Have a class graded with this seed from now on, on both ways; `CourseError` if not kept."""
    settings = read_settings(folder) | {"seed": seed}
    try:
        _update(folder / SETTINGS, json.dumps(settings, indent=1) + "\n")
    except OSError as error:
        raise CourseError(
            f"{folder / SETTINGS} cannot be written ({error.strerror}), and the class's seed with "
            "it: make the folder writable."
        ) from None


def course_of(folder: Path) -> Course:
    """The course that a class's folder was written from; else the one nearest to it."""
    root = Path(read_settings(folder).get("course", ""))
    return load(root if (root / "tests" / "conftest.py").is_file() else find_root())


def _are_settings(settings: object) -> bool:
    """Is this as `write` keeps it, or has somebody been at the file?"""
    if not isinstance(settings, dict):
        return False
    kinds = {"course": str, "install": str, "own_words": int | float, "due": dict}
    kept = [(settings[name], kind) for name, kind in kinds.items() if name in settings]
    return all(isinstance(setting, kind) for setting, kind in kept)


def _locked(grade_id: str, source: str):
    from nbformat.v4 import new_code_cell

    return _lock(new_code_cell(source), grade_id)


def _answer(grade_id: str, points: float):
    """The cell for an answer in words, which an instructor marks."""
    from nbformat.v4 import new_markdown_cell

    cell = _lock(new_markdown_cell("YOUR ANSWER HERE"), grade_id)
    cell.metadata["nbgrader"] |= {
        "grade": True,
        "solution": True,
        "locked": False,
        "points": points,
    }
    return cell


def _lock(cell, grade_id: str):
    """Make a cell one that students do not change."""
    cell["id"] = build.cell_id(grade_id)
    cell.metadata["nbgrader"] = {
        "schema_version": 3,
        "grade_id": grade_id,
        "grade": False,
        "solution": False,
        "locked": True,
        "task": False,
    }
    return cell


def _update(path: Path, text: str) -> list[Path]:
    with suppress(reading.ReadingError):
        if reading.text(path) == text:
            return []
    keep.write(path, text)
    return [path]
