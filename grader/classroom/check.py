"""`check("slope")` in a notebook: the course's tests on what the cells above define.

It runs the same plugin on the same tests as everywhere else, in the kernel, where torch is warm
already. A notebook's cell that ends in it shows a verdict and has a float for nbgrader to read.
"""

from __future__ import annotations

import base64
import contextlib
import html
import importlib
import io
import os
import random
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import FunctionType, ModuleType, SimpleNamespace

from grader import engine, limits, pictures, stage, warm
from grader.course import CourseError, Exercise, load
from grader.loading import CannotLoad
from grader.preload import preload_for
from grader.report import ExerciseResult, TaskResult, Verdict, earned, failure_text
from grader.run import Run
from grader.target import Target

SECONDS = None  # for one test; None: what the tests themselves say
_COLOURS = {Verdict.PASSED: "#1a7f37", Verdict.NOT_ATTEMPTED: "#9a6700"}
PICTURE_SECONDS = 10.0
_WRONG = "#b42318"
# Set where nbgrader's Validate runs a notebook: of a check it quotes nothing but standard error.
_VALIDATING = "NBGRADER_VALIDATING"
_PLACE = re.compile(r"line (\d+) of .+?: (.*)")


def checks_of(name: str, namespace: dict | None = None) -> Callable[..., float]:
    """The function `check` for the notebook of one exercise, whose cells fill `namespace`."""
    import __main__

    namespace = vars(__main__) if namespace is None else namespace
    with contextlib.suppress(Exception):  # a check says what is wrong
        _warm_up(load().find(name))

    def check(task: str, points: float | None = None, seed: int | None = None) -> float:
        """Test a task as it is defined now, show what there is to see, and return the points."""
        try:
            exercise = load().find(name)
            worth = exercise.task(task).points if points is None else points
            found, problem, used = judge(exercise, task, namespace, seed)
            text, page = shown(found, problem, worth, used)
            _show(text, page)
            if _VALIDATING in os.environ and earned(found, worth) < worth:
                print(text, file=sys.stderr)
            if found and found.verdict is Verdict.PASSED and task == exercise.tasks[-1].name:
                _show_picture(exercise, namespace)
            return earned(found, worth)
        except CourseError as error:
            _show(str(error), f"<p>{html.escape(str(error))}</p>")
        except Exception as error:  # a fault of ours is not the learner's to read
            sentence = (
                f"{task} could not be checked ({type(error).__name__}: {error}). This is a fault "
                "of the course, not of your code: restart the kernel, run all, and report it."
            )
            _show(sentence, f"<p>{html.escape(sentence)}</p>")
        return 0.0

    return check


def judge(
    exercise: Exercise, task: str, namespace: dict, seed: int | None = None
) -> tuple[TaskResult | None, str, int]:
    """Run one task's tests in this process on a namespace: its result, a problem, the seed."""
    import pytest
    import pytest_timeout

    seed = engine.draw_seed() if seed is None else seed
    cells = Cells(Path.cwd(), namespace=namespace)
    run = Run(exercise.root, cells, seed, seconds_per_test=SECONDS)
    node = f"{exercise.test_file}::{exercise.task(task).test_class}"
    command = [node, f"--rootdir={exercise.root}", "-qq", "-p", "no:cacheprovider"]
    command += [f"-pno:{name}" for name in stage.UNUSED]
    with _undisturbed(), _own_figures(), cells.restored():
        status = pytest.main(command, plugins=[pytest_timeout, stage.Preset(run)])
    found = run.exercises.get(exercise.stem, ExerciseResult(exercise.stem, ""))
    result = next((one for one in found.tasks if one.task == task), None)
    if result is None:
        ended = "it was interrupted" if status == 2 else f"its tests did not run ({status!r})"
        return None, f"{task} was not checked: {ended}.", seed
    return result, found.problem, seed


@dataclass(frozen=True)
class Cells(Target):
    """What the cells of a notebook define, in the namespace where they ran."""

    namespace: dict = field(default_factory=dict)
    _kept: dict = field(default_factory=dict)

    def file(self, stem: str) -> Path:
        return self.path / "this notebook"

    def files(self, stem: str) -> tuple[str, ...]:
        names: dict[str, None] = {}
        for thing in list(self.namespace.values()):
            own = isinstance(thing, type) and thing.__module__ == self.namespace.get("__name__")
            for part in list(vars(thing).values()) if own else [thing]:
                part = getattr(part, "__func__", getattr(part, "fget", part))
                part = getattr(part, "__wrapped__", part)
                if isinstance(part, FunctionType) and part.__globals__ is self.namespace:
                    names[part.__code__.co_filename] = None
        return tuple(names) or ("this notebook",)

    def load(self, stem: str) -> ModuleType:
        # A mistake takes the task's place where the other cells' functions look for it.
        self._restore()
        if self.swap is not None:
            self.swap.swap_into(self.namespace)
        return _Module(stem, self.namespace)

    @contextlib.contextmanager
    def restored(self) -> Iterator[None]:
        """Leave the namespace as it is now, whatever is put into it meanwhile."""
        self._kept.update(self.namespace)
        try:
            yield
        finally:
            self._restore()
            self._kept.clear()

    def _restore(self) -> None:
        for name in self.namespace.keys() - self._kept.keys():
            del self.namespace[name]
        for name, thing in self._kept.items():
            if self.namespace.get(name, self) is not thing:
                self.namespace[name] = thing


class _Module(ModuleType):
    """A namespace that looks like a module; what it lacks is a sentence for the learner."""

    def __init__(self, stem: str, namespace: dict):
        super().__init__(stem)
        object.__setattr__(self, "_namespace", namespace)

    def __getattr__(self, name: str):
        if name in self._namespace:
            return self._namespace[name]
        if name.startswith("__"):
            raise AttributeError(name)
        sentence = f"This notebook has no {name} yet: run the cell that defines it, then this one."
        raise CannotLoad(sentence, Verdict.NOT_ATTEMPTED)


def shown(task: TaskResult | None, problem: str, worth: float, seed: int) -> tuple[str, str]:
    """What a check shows, as text and as HTML."""
    if task is None:
        return problem, f'<p style="color:{_WRONG}">{html.escape(problem)}</p>'
    points = f"{earned(task, worth):g}/{worth:g}"
    lines = failure_text(task, lambda test: f'check("{task.task}", seed={seed})')
    lines = [_PLACE.sub(r"line \1: \2", line.removeprefix("    ")) for line in lines]
    if problem and problem not in "\n".join(lines):
        lines.append(problem)
    text = "\n".join([f"{task.task}  {task.verdict}  {points}", *(f"  {one}" for one in lines)])
    colour = _COLOURS.get(task.verdict, _WRONG)
    page = (
        f'<div><code>{html.escape(task.task)}</code> <b style="color:{colour}">'
        f"{html.escape(str(task.verdict))}</b> {points}</div>"
    )
    if lines:
        style = "white-space:pre-wrap;word-break:normal"  # JupyterLab breaks within words
        page += f'<pre style="{style}">{html.escape(chr(10).join(lines))}</pre>'
    return text, page


def _show(text: str, page: str) -> None:
    # Only a notebook's kernel has something that can show HTML.
    if "ipykernel" in sys.modules:
        from IPython.display import display

        display({"text/plain": text, "text/html": page}, raw=True)
    else:
        print(text)


def _show_picture(exercise: Exercise, namespace: dict) -> None:
    """Below the last check: the picture of the exercise's idea, where these cells can draw it."""
    if exercise.id not in pictures.drawn() or "ipykernel" not in sys.modules:
        return
    from IPython.display import display

    # An extra: what the cells cannot draw yet is told by the checks of its own tasks.
    with contextlib.suppress(Exception, limits.TimedOut):
        with _undisturbed(), limits.time_limit(PICTURE_SECONDS), limits.interruptible():
            picture = pictures.draw(exercise.id, SimpleNamespace(**namespace))
            data = io.BytesIO()
            picture.figure.savefig(data, format="png", dpi=100)
        encoded = base64.b64encode(data.getvalue()).decode("ascii")
        display({"text/plain": picture.alt, "image/png": encoded}, raw=True)


def _warm_up(exercise: Exercise) -> None:
    """Import now, in the notebook's first cell, what the first checks would wait for."""
    needed = preload_for([exercise])
    for module in (*warm.NEEDED, *needed):
        importlib.import_module(module)
    if "grader.mnist" in needed:
        from grader.mnist import load_sample

        load_sample()


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """Swallow what is printed, and leave the kernel's state as the tests found it."""
    import numpy
    import torch

    plain, arrays, tensors = random.getstate(), numpy.random.get_state(), torch.get_rng_state()
    threads, graded, dtype = (
        torch.get_num_threads(),
        torch.is_grad_enabled(),
        torch.get_default_dtype(),
    )
    kept = os.environ.get("PYTEST_DISABLE_PLUGIN_AUTOLOAD")
    path = list(sys.path)
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # others' plugins cost each check some time
    try:
        with (
            contextlib.redirect_stdout(io.StringIO()),
            contextlib.redirect_stderr(io.StringIO()),
        ):
            yield
    finally:
        if kept is None:
            del os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"]
        sys.path[:] = path
        random.setstate(plain)
        numpy.random.set_state(arrays)
        torch.set_rng_state(tensors)
        torch.set_num_threads(threads)
        torch.set_grad_enabled(graded)
        torch.set_default_dtype(dtype)


@contextlib.contextmanager
def _own_figures():
    """Close the figures that tests have drawn: a notebook would show them below the check."""
    before = _figures()
    try:
        yield
    finally:
        for number in _figures() - before:
            sys.modules["matplotlib.pyplot"].close(number)


def _figures() -> set[int]:
    pyplot = sys.modules.get("matplotlib.pyplot")
    return set(pyplot.get_fignums()) if pyplot else set()
