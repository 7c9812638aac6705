"""Which modules to have imported before the first fork, for the exercises that will be run."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from pathlib import Path

from grader import course, reading
from grader.course import Exercise

_STEPS = 5  # from here on an answer may bring one of torch's optimisers
_SLOPES = 3  # from here on, gradients go back and forth
# What each judge has to do with: workers, Linux's limits where there are any, generators to seed.
# What it imported by itself, every other judge would have to import too.
_JUDGES = ("grader.boundary.judge", "grader.boundary.trusted", "grader.worker")
_JUDGES += ("resource", "numpy.random")


def preload_for(exercises: Iterable[Exercise]) -> list[str]:
    """For a warm parent whose children run the code and its tests: what the solutions import."""
    exercises = tuple(exercises)
    return _imported(exercise.solution for exercise in exercises) + _digits_for(exercises)


def preload_judge(exercises: Iterable[Exercise]) -> list[str]:
    """For a warm parent whose children only judge: what the tests import.

    What only the code needs is left out: less to import, and less to fork.
    """
    exercises = tuple(exercises)
    names = _imported(exercise.test_file for exercise in exercises) + _digits_for(exercises)
    if "PIL" in names:
        names.append("PIL.PngImagePlugin")
    return [*names, *_JUDGES, *_steps_for(exercises)]


def preload_worker(exercises: Iterable[Exercise]) -> list[str]:
    """For a sandbox whose workers only run the code: what the solutions import."""
    exercises = tuple(exercises)
    libraries = _imported(exercise.solution for exercise in exercises)
    return ["torch", "numpy", *libraries, *_steps_for(exercises)]


def _digits_for(exercises: Iterable[Exercise]) -> list[str]:
    """What reads the digits, if any of the tests want them."""
    wanted = any("digits" in reading.text(one.test_file) for one in exercises)
    return ["grader.mnist"] if wanted else []


def _steps_for(exercises: Iterable[Exercise]) -> list[str]:
    """What torch imports at the first step of an optimiser, and at the first gradient handed on:
    seconds, and in each child again without it."""
    last = max((exercise.number for exercise in exercises), default=0)
    names = {_STEPS: "torch._dynamo", _SLOPES: "torch.fx.experimental.symbolic_shapes"}
    return next(([name] for number, name in names.items() if last >= number), [])


def _imported(files: Iterable[Path]) -> list[str]:
    names: dict[str, None] = {}
    for file in files:
        for node in course.parsed(file).body:
            if isinstance(node, ast.Import):
                names |= dict.fromkeys(alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                names[node.module] = None
    return list(names)
