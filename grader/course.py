"""What there is, in order: exercises and their tasks, read from `solutions/` and `tests/`.

Everything here is derived by parsing, so that nothing is imported and no second table exists:
points and order come from the test classes, titles and hints from the solution files.
"""

from __future__ import annotations

import ast
import contextlib
import os
import re
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from grader import reading
from grader.errors import CourseError as CourseError
from grader.reading import printable

AGAIN = "`kata upgrade` writes the course's files of a workspace anew; in a clone, git does."
LEVELS = ("Idea", "Tool", "Nearly there")
_HINTS = re.compile(r"### BEGIN HINTS\n(.*?)### END HINTS\n?", re.DOTALL)
_TEST = re.compile(r"ex(\d+)_")
_PACKED = Path(__file__).resolve().parent / "_course"  # in a wheel, see pyproject.toml


@dataclass(frozen=True)
class Task:
    """One function or class that a learner writes."""

    name: str
    points: int
    about: str
    test_class: str


@dataclass(frozen=True)
class Exercise:
    """One numbered file and what belongs to it."""

    number: int
    stem: str  # ex03_backward
    root: Path

    @property
    def id(self) -> str:
        return f"ex{self.number:02}"

    @property
    def stub(self) -> Path:
        return self.root / "exercises" / f"{self.stem}.py"

    @property
    def solution(self) -> Path:
        return solutions(self.root) / f"{self.stem}.py"

    @property
    def test_file(self) -> Path:
        return self.root / "tests" / f"test_{self.stem}.py"

    @property
    def mistakes(self) -> Path:
        return self.root / "tests" / "mistakes" / f"{self.stem}.py"

    @property
    def variants(self) -> Path:
        return solutions(self.root) / "variants" / f"{self.stem}.py"

    @cached_property
    def title(self) -> str:
        """The lesson's heading without its number: `Backward: reading the slope off a graph`."""
        first = re.search(r"^# # (?:\d+ · )?(.+)$", reading.text(self.solution), re.MULTILINE)
        return first[1].strip() if first else self.stem

    @cached_property
    def tasks(self) -> tuple[Task, ...]:
        tree = parsed(self.test_file)
        try:
            found = [_task(node) for node in tree.body if isinstance(node, ast.ClassDef)]
        except (ValueError, KeyError, IndexError, TypeError):
            raise CourseError(
                f"{shown(self.test_file)} has a mark that is not like "
                f'`@pytest.mark.task("slope", points=2)`. {AGAIN}'
            ) from None
        return tuple(task for task in found if task)

    @property
    def points(self) -> int:
        return sum(task.points for task in self.tasks)

    def task(self, name: str) -> Task:
        for task in self.tasks:
            if task.name == name:
                return task
        names = ", ".join(task.name for task in self.tasks)
        raise CourseError(f"{self.id} has no task {name!r}; its tasks are {names}.")

    def building_on(self, task: str) -> tuple[Task, ...]:
        """The task itself and those whose solution uses it, directly or through another."""
        source = reading.text(self.solution)
        return tuple(one for one in self.tasks if task in reached_from(source, one.name))

    def hints(self, task: str) -> tuple[str, ...]:
        """The three hints of a task, mildest first."""
        block = _HINTS.search(definition(self.solution, task))
        if not block:
            raise CourseError(f"{self.solution} gives no hints for {task}.")
        text = re.sub(r"^\s*# ?", "", block[1], flags=re.MULTILINE)
        parts = re.split(rf"^({'|'.join(LEVELS)}): *", text, flags=re.MULTILINE)[1:]
        hints = dict(zip(parts[::2], (" ".join(part.split()) for part in parts[1::2]), strict=True))
        if tuple(hints) != LEVELS:
            raise CourseError(f"The hints for {task} in {self.solution} are not {LEVELS}.")
        return tuple(hints.values())


@dataclass(frozen=True)
class Course:
    """The exercises of one course folder, in order."""

    root: Path
    exercises: tuple[Exercise, ...]

    def find(self, name: str | Path) -> Exercise:
        """The exercise that `3`, `03`, `ex03`, `backward`, `ex03_backward` or a path means.

        Raises `CourseError` for a path that leads out of the course: what is done to an exercise
        is done to the file here, and not to one of the same name elsewhere.
        """
        self._check_path(name)
        text = Path(str(name)).stem.removeprefix("test_")
        digits = text.removeprefix("ex")
        for exercise in self.exercises:
            by_number = digits.isascii() and digits.isdecimal()
            by_number = by_number and digits.lstrip("0") == str(exercise.number)
            if by_number or text in (exercise.stem, exercise.stem.partition("_")[2]):
                return exercise
        known = ", ".join(exercise.stem for exercise in self.exercises)
        raise CourseError(f"There is no exercise {printable(name)!r}. There are {known}.")

    def _check_path(self, name: str | Path) -> None:
        path = Path(name)
        if len(path.parts) < 2 and not is_code(path):
            return
        with contextlib.suppress(OSError, ValueError):
            folder = Path(os.path.realpath(path.parent))
            ours = (self.root, solutions(self.root))
            if any(folder.is_relative_to(os.path.realpath(root)) for root in ours):
                return
        raise CourseError(
            f"{shown(path)} is not a file of the course in {shown(self.root)}. Give a name like "
            f"ex03; `kata test {shown(path)}` runs a file from elsewhere."
        )

    def select(self, names: list[str] | None) -> tuple[Exercise, ...]:
        """The exercises that the names mean; all without names.

        Raises `CourseError` for a name that means none, and where a test file cannot be read.
        """
        chosen = tuple(self.find(name) for name in names) if names else self.exercises
        for exercise in chosen:
            _ = exercise.tasks
        return chosen


def parsed(path: Path) -> ast.Module:
    """A file of the course as a tree; `CourseError` where it is no Python."""
    try:
        return ast.parse(reading.text(path), str(path))
    except SyntaxError as error:
        what = f"has a {type(error).__name__} in line {error.lineno}: {error.msg}"
    except (ValueError, RecursionError, MemoryError) as error:
        what = f"is not Python source ({error or 'it is nested too deeply'})"
    raise CourseError(f"{shown(path)} {what}. {AGAIN}")


def is_code(path: Path) -> bool:
    """Is there a script or a notebook of this name?"""
    return path.suffix in (".py", ".ipynb") and os.path.exists(path)


def definition(path: Path, name: str) -> str:
    """The source of the top-level function or class `name` of a file."""
    found = definition_in(reading.text(path), name)
    if found is None:
        raise CourseError(f"{path} defines no {name}.")
    return found


def definition_in(source: str, name: str) -> str | None:
    """The part of a source that defines the top-level function or class `name`, if any does."""
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == name:
            return ast.get_source_segment(source, node) or ""
    return None


def reached_from(source: str, name: str) -> set[str]:
    """The top-level function or class `name` of a source, and those that it uses, directly or not.

    Of two definitions of one name the last counts.
    """
    defined = {
        node.name: {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
        for node in ast.parse(source).body
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
    }
    found, new = set(), {name}
    while new := (new & defined.keys()) - found:
        found |= new
        new = set().union(*(defined[one] for one in new))
    return found


def reference(exercise: Exercise, task: str) -> str:
    """A task's code as the solution has it, without hints and the marks of the build."""
    text = _HINTS.sub("", definition(exercise.solution, task))
    return re.sub(r"^\s*###.*\n?", "", text, flags=re.MULTILINE)


def shown(path: Path) -> str:
    """A path as a person standing in the current folder would write it."""
    for folder in (_here(), _PACKED):  # of a file in the package: solutions/ex03_backward.py
        if folder and path.is_relative_to(folder):
            return printable(path.relative_to(folder))
    return printable(path)


def _here() -> Path | None:
    try:
        return Path.cwd()
    except OSError:  # it was removed
        return None


def own() -> Path:
    """The folder of the course that comes with the grader: in its package, or the clone around."""
    return _PACKED if _PACKED.is_dir() else _PACKED.parents[1]


def solutions(root: Path) -> Path:
    """The reference code of a course folder; a learner's workspace has none, and takes our own."""
    beside = root / "solutions"
    return beside if beside.is_dir() else own() / "solutions"


def find_root(start: Path | None = None) -> Path:
    """The course folder: the nearest one above `start` with exercises and tests, else our own."""
    here = start or _here()
    if here is None:
        raise CourseError("The folder that you stand in is gone. Change into your workspace.")
    here = here.resolve()
    for folder in (here, *here.parents):
        if (folder / "exercises").is_dir() and (folder / "tests" / "conftest.py").is_file():
            return folder
    if (own() / "exercises").is_dir():  # a clone; nobody works inside an installed package
        return own()
    raise CourseError(
        f"There is no course in {here} or above it: no folder with exercises/ and tests/. "
        "Change into your workspace, or make one: kata init my-kata"
    )


def nearest() -> Path:
    """The course folder that we stand in, or the course that is installed: an instructor may stand
    anywhere."""
    try:
        return find_root()
    except CourseError:
        return own()


@cache
def load(root: Path | None = None) -> Course:
    """The course in `root`, or in the folder we stand in."""
    root = root or find_root()
    stems = sorted(path.stem.removeprefix("test_") for path in (root / "tests").glob("test_ex*.py"))
    for stem in stems:
        if not _TEST.match(stem):
            raise CourseError(
                f"{shown(root / 'tests' / f'test_{stem}.py')} has no number like test_ex03_….py. "
                "If it is your own, give it a name that does not begin with test_ex."
            )
    exercises = tuple(Exercise(int(_TEST.match(stem)[1]), stem, root) for stem in stems)
    if not exercises:
        raise CourseError(f"There are no tests/test_ex….py in {root}.")
    if not (root / "solutions").is_dir():
        _check_workspace(exercises)
    return Course(root, exercises)


def _check_workspace(exercises: tuple[Exercise, ...]) -> None:
    """Has a workspace only tests that the installed course knows?"""
    for exercise in exercises:
        if not exercise.solution.is_file():
            raise CourseError(
                f"{shown(exercise.test_file)} does not belong to the installed gradkata. If it is "
                "from another version, `kata upgrade` brings your workspace up to date; if it is "
                "your own, give it a name that does not begin with test_ex."
            )


def _task(node: ast.ClassDef) -> Task | None:
    for mark in node.decorator_list:
        if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.task":
            points = {word.arg: ast.literal_eval(word.value) for word in mark.keywords}["points"]
            about = ast.get_docstring(node) or ""
            return Task(ast.literal_eval(mark.args[0]), points, about, node.name)
    return None
