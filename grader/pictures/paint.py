"""Draws a picture in the process that runs the learner's code; what goes wrong is a sentence."""

from __future__ import annotations

from pathlib import Path

from grader import limits, pictures
from grader.course import Exercise, shown
from grader.draw import seed_everything
from grader.loading import CannotLoad, explain, line_in
from grader.run import SPIN, Run
from grader.target import Target

_DOTS = 130  # an inch


def paint(exercise: Exercise, target: Target, path: Path, seconds: float) -> tuple[str, str]:
    """Write the picture to `path`: a sentence where that fails, and the picture in words."""
    seed_everything(0)
    module = None
    try:
        with limits.memory_limit(), limits.time_limit(seconds), limits.interruptible():
            module = Run(exercise.root, target, seed=0).load(exercise.stem)
            picture = pictures.draw(exercise.id, module)
            picture.figure.savefig(path, dpi=_DOTS)
        return "", picture.alt
    except CannotLoad as error:
        return error.sentence, ""
    except limits.TimedOut as error:
        return f"{shown(target.file(exercise.stem))}: {error}. {SPIN}", ""
    except AttributeError as error:
        if module is not None and error.obj is module:
            return f"{shown(target.file(exercise.stem))} has no {error.name} to draw with.", ""
        return _crash(error, exercise, target), ""
    except (Exception, SystemExit) as error:
        return _crash(error, exercise, target), ""


def _crash(error: BaseException, exercise: Exercise, target: Target) -> str:
    file = target.file(exercise.stem)
    line = line_in(error, *target.files(exercise.stem))
    where = f"line {line[0]} of {shown(file)} (`{line[1]}`)" if line else shown(file)
    if isinstance(error, NotImplementedError):
        return f"{where} is not written yet, and the picture is drawn with it."
    return f"{where}: {explain(error)}. `kata test {exercise.id}` says more."
