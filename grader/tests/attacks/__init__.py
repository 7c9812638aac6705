"""A corpus of attacks on the grader: each file here is what a cheating learner hands in.

A file begins with a docstring of `key: value` lines. `exercise` is what is handed in, `tries` says
what for, `earns` what it has truly solved: `nothing`, `everything`, or the tasks by name. `base`
names what comes before the file's own text: `wrong` has every task with a wrong answer, `right` has
the solution, `none` has nothing. `with: wire` adds `wire.txt`, which finds the worker's end of the
wire. `cost` says what a slow one takes. The family is the folder.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from grader.course import Course, Exercise
from grader.report import ExerciseResult

_HERE = Path(__file__).parent
_WRONG = '''
def answer(name, *args, **kwargs):
    """What every task gives back; an attack may say something else."""
    return 0.5


'''
_FUNCTION = """def {0}(*args, **kwargs):
    return answer("{0}", *args, **kwargs)


"""
_CLASS = """class {0}:
    def __init__(self, *args, **kwargs):
        pass


"""


@dataclass(frozen=True)
class Attack:
    """One submission of the corpus."""

    path: Path
    family: str
    exercise: str
    tries: str
    earns: str
    base: str = "wrong"
    wire: bool = False
    cost: str = ""  # what it takes that a quick run of the tests should not

    @property
    def name(self) -> str:
        return f"{self.family}/{self.path.stem}"

    def source(self, exercise: Exercise) -> str:
        """The whole file as it is handed in."""
        parts = [_base(exercise, self.base)]
        if self.wire:
            parts.append((_HERE / "wire.txt").read_text("utf-8"))
        parts.append(self.path.read_text("utf-8").replace("COURSE", str(_HERE.parents[2])))
        return "\n\n".join(parts)

    def unearned(self, result: ExerciseResult) -> float:
        """Points above what its author has solved."""
        solved = self.earns.split()
        every = solved == ["everything"]
        return sum(task.earned for task in result.tasks if not (every or task.task in solved))

    def lost(self, result: ExerciseResult) -> float:
        """Points of solved tasks that it did not get."""
        solved = self.earns.split()
        every = solved == ["everything"]
        rows = [task for task in result.tasks if every or task.task in solved]
        return sum(task.points - task.earned for task in rows)


@cache
def corpus() -> tuple[Attack, ...]:
    """Every attack, family by family."""
    return tuple(_read(path) for path in sorted(_HERE.glob("*/*.py")))


def families() -> list[str]:
    return list(dict.fromkeys(one.family for one in corpus()))


def control(course: Course, stem: str, base: str) -> str:
    """A right or a wrong submission without an attack."""
    return _base(course.find(stem), base)


def _read(path: Path) -> Attack:
    head = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""
    joined = head.replace("\n    ", " ")
    told = dict(line.split(": ", 1) for line in joined.splitlines())
    wire = told.pop("with", "") == "wire"
    return Attack(path, path.parent.name, wire=wire, **told)


def _base(exercise: Exercise, base: str) -> str:
    if base == "right":
        return exercise.solution.read_text("utf-8")
    if base == "none":
        return ""
    made = [(_CLASS if name[0].isupper() else _FUNCTION).format(name) for name in _names(exercise)]
    return "import torch\n" + _WRONG + "".join(made)


def _names(exercise: Exercise) -> list[str]:
    return [task.name for task in exercise.tasks]
