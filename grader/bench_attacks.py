"""The corpus of attacks against three graders: this judge, plain pytest, and nbgrader's own kernel.

The other two run the code in the process that decides, so bubblewrap is put around them: an attack
may spoil its own verdict there, and nothing of this machine.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from grader import bench_nbgrader
from grader.classroom import course as classes
from grader.course import Course, CourseError, Exercise
from grader.engine import Job, apart
from grader.report import Report
from grader.target import Target

HEADINGS = ["family", "attacks", "gradkata fooled", "pytest fooled", "nbgrader fooled", "tried"]
NOTES = [
    "fooled: a point that the code did not earn; of pytest also exit status 0.",
    "pytest: `pytest tests/test_exNN.py --target FILE`, the course's own tests, in one process.",
    "nbgrader: `nbgrader autograde` with its own Execute on a notebook that holds the attack.",
    "tried: those that the other two were given; what eats a machine was not, nor what steers "
    "a wire that they do not have.",
]
SECONDS = 60  # for one attack, in pytest or in nbgrader
_CELL_SECONDS = 10  # for one cell of a notebook
_AT_ONCE = 2
_HARMFUL = ("memory", "disk", "output", "processes", "threads")  # costs that only a sandbox bounds


@dataclass
class Fooled:
    """Which graders gave an attack what it had not earned; None where it was not tried."""

    attack: str
    family: str
    ours: bool | None = None
    pytest: bool | None = None
    nbgrader: bool | None = None


def measure(
    course: Course, exercises: Iterable[Exercise], tick: Callable[[int, int], None]
) -> tuple[list[Fooled], list[list[str | float]]]:
    """What became of each attack, and a row for each family."""
    try:
        from grader.tests import attacks
    except ImportError:
        raise CourseError("The attacks are not installed: run this from the repository.") from None
    if not shutil.which("bwrap"):
        raise CourseError("bench attacks holds its attacks in bubblewrap, which is not installed.")
    stems = {exercise.stem for exercise in exercises}
    chosen = [one for one in attacks.corpus() if one.exercise in stems]
    others = [one for one in chosen if not one.wire and not _harmful(one)]
    found = {one.name: Fooled(one.name, one.family) for one in chosen}
    with tempfile.TemporaryDirectory(prefix="kata-bench-") as name:
        tried = _tried(course, chosen, others, Path(name).resolve())
        for done, (side, one, bad) in enumerate(tried, 1):
            setattr(found[one.name], side, bad)
            tick(done, len(chosen) + 2 * len(others))
    results = list(found.values())
    return results, _rows(results)


def _tried(course: Course, chosen: list, others: list, folder: Path) -> Iterator[tuple]:
    """Which of `_SIDES`, an attack, and was it fooled: all attacks on ours, the others on all."""
    files = _hand_in(course, chosen, folder)
    for one, bad in _ours(course, files):
        yield "ours", one, bad
    _assignments(course, {one.exercise for one in others}, folder)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for side, judged in (("pytest", _pytest), ("nbgrader", _nbgrader)):
            for one, bad in pool.map(partial(judged, course, files), others):
                yield side, one, bad


def _assignments(course: Course, stems: Iterable[str], folder: Path) -> None:
    """A course with one assignment for each exercise, and nbgrader's own settings."""
    for stem in stems:
        root = folder / stem
        classes.write(course, root, [course.find(stem).id])
        bench_nbgrader.nbgrader(root, "generate_assignment", stem)
        settings = f"c.Execute.timeout = {_CELL_SECONDS}\n"
        (root / "nbgrader_config.py").write_text(bench_nbgrader.PLAIN + settings, "utf-8")


def _harmful(one) -> bool:
    return any(word in one.cost for word in _HARMFUL)


def _hand_in(course: Course, chosen: list, folder: Path) -> dict:
    """Each attack as a file of the exercise's name, in a folder of its own."""
    files = {}
    for number, one in enumerate(chosen):
        file = folder / str(number) / f"{one.exercise}.py"
        file.parent.mkdir()
        file.write_text(one.source(course.find(one.exercise)), "utf-8")
        files[one] = file
    return files


def _ours(course: Course, files: dict) -> Iterator[tuple]:
    exercises = [course.find(stem) for stem in sorted({one.exercise for one in files})]
    jobs = {
        Job(Target(file), course.find(one.exercise), 7, diagnose=False): one
        for one, file in files.items()
    }
    with apart(course.root, exercises) as engine:
        for job, result in engine.map(jobs, width=2 * _AT_ONCE):
            yield jobs[job], jobs[job].unearned(result) > 0


def _pytest(course: Course, files: dict, one) -> tuple:
    folder = files[one].parent
    report = folder / "report.json"
    command = [sys.executable, "-m", "pytest", f"tests/test_{one.exercise}.py", "-qq", "--seed=7"]
    command += ["-p", "no:cacheprovider", "--no-diagnosis"]
    command += ["--target", str(files[one]), "--report", str(report)]
    status = _held(command, course.root, folder)
    try:
        (result,) = Report.from_json(json.loads(report.read_text("utf-8"))).exercises
    except (OSError, ValueError, KeyError, TypeError):
        return one, status == 0
    return one, (status == 0 and one.earns != "everything") or one.unearned(result) > 0


def _nbgrader(course: Course, files: dict, one) -> tuple:
    """Autograde a notebook whose first solution cell is the attack; the others are empty."""
    exercise, root = course.find(one.exercise), files[one].parent / "class"
    shutil.copytree(files[one].parents[1] / exercise.stem, root)
    book = json.loads(classes.page(exercise))
    cells = {f"{exercise.stem}-{task.name}": task for task in exercise.tasks}
    texts = iter([files[one].read_text("utf-8")])
    for cell in book["cells"]:
        if cell["metadata"].get("nbgrader", {}).get("grade_id") in cells:
            cell["source"] = next(texts, "# see above")
    path = root / "submitted" / "student" / exercise.stem
    path.mkdir(parents=True)
    (path / f"{exercise.stem}.ipynb").write_text(json.dumps(book), "utf-8")
    words = [sys.executable, "-m", "nbgrader", "autograde", exercise.stem]
    _held(words, root, root)
    return one, _scored(root, exercise, one)


def _scored(root: Path, exercise: Exercise, one) -> bool:
    """Has a test cell of a task that it did not solve earned points?"""
    from nbgrader.api import Gradebook, MissingEntry

    solved = one.earns.split()
    unsolved = [task.name for task in exercise.tasks if solved != ["everything"]]
    checks = {classes.check_id(exercise.stem, task) for task in unsolved if task not in solved}
    with Gradebook(f"sqlite:///{root / 'gradebook.db'}", "gradkata") as gradebook:
        try:
            books = gradebook.find_submission(exercise.stem, "student").notebooks
        except MissingEntry:
            return False
        grades = [grade for book in books for grade in book.grades if grade.name in checks]
        return any(grade.auto_score for grade in grades)


def _held(command: list[str], start: Path, writable: Path) -> int | None:
    """Run a command that may write to one folder and nowhere else; None when time is up."""
    words = ["bwrap", "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--tmpfs", "/tmp"]
    words += ["--bind", str(writable), str(writable), "--unshare-pid", "--unshare-net"]
    words += ["--unshare-ipc", "--die-with-parent", "--new-session", "--chdir", str(start)]
    beside = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    own = {"PATH": beside, "HOME": str(writable), "JUPYTER_CONFIG_DIR": str(writable)}
    own["PYTHONPATH"] = str(Path(__file__).resolve().parents[1])
    held = subprocess.Popen(
        [*words, *command],
        env=os.environ | own,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        return held.wait(SECONDS)
    except subprocess.TimeoutExpired:
        return None
    finally:
        held.kill()  # and with it everything that was started inside
        held.wait()


def _rows(found: list[Fooled]) -> list[list[str | float]]:
    rows: list[list[str | float]] = []
    counts = Counter(one.family for one in found)
    for family in [*counts, "all"]:
        some = [one for one in found if family in (one.family, "all")]
        fooled = [sum(bool(getattr(one, side)) for one in some) for side in _SIDES]
        rows.append([family, len(some), *fooled, sum(one.pytest is not None for one in some)])
    return rows


_SIDES = ("ours", "pytest", "nbgrader")
