"""The full training check: a learner's loaders, model and fit on real digits, judged from outside.

    plan ──▶ child process: load, train, judge ──▶ TrainingRecord ──▶ terminal · JSON · pictures

Nothing here imports torch before it is needed: the command line stays quick.
"""

from __future__ import annotations

import json
import math
import os
import sys
from pathlib import Path

from grader.training.child import LIMIT, STALL, Plan, Unable, run_check, supervise
from grader.training.record import BOUNDS, EPOCHS, TrainingRecord

__all__ = [
    "BOUNDS",
    "EPOCHS",
    "Plan",
    "TrainingRecord",
    "Unable",
    "check",
    "run_check",
    "supervise",
    "train_command",
]

PICTURES = Path(".kata", "train")
RECORD = "record.json"  # beside them, for `kata report`


def check(*args, **kwargs) -> TrainingRecord:
    """Train once, in this process, and judge; see `grader.training.check`."""
    from grader.training.check import check as run

    return run(*args, **kwargs)


def train_command(
    target: str = "exercises",
    data: str = "full",
    device: str | None = None,
    seeds: int = 1,
    json_path: Path | str | None = None,
    fast: bool = False,
    epochs: int | None = None,
    out: Path | str | None = None,
    seed: int | None = None,
    threads: int | None = None,
    stall: float = STALL,
    limit: float = LIMIT,
) -> int:
    """`kata train`: 0 when every seed passed, 1 when one did not, 2 when it could not be done."""
    from rich.console import Console

    from grader import course, engine, mnist, places
    from grader.course import shown
    from grader.learner import keep
    from grader.target import Target
    from grader.training import pictures, show

    console = Console(highlight=False)
    errors = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
    if seeds < 1 or (epochs is not None and epochs < 1):
        errors.print("--seeds and --epochs are numbers from 1 on.")
        return 2
    folder = PICTURES if out is None else Path(out)
    try:
        code = Target.asked(target, course.find_root())
        places.folder(folder, "--out")
        places.report_file(folder / RECORD, "--out")
        places.report_file(json_path and Path(json_path), "--json")
    except course.CourseError as error:
        errors.print(str(error))
        return 2
    try:
        digits, threads, fork = _prepare(data, threads)
    except mnist.DataError as error:
        errors.print(str(error))
        return 2
    first = engine.draw_seed() if seed is None else seed
    records: list[TrainingRecord] = []
    try:
        for number in range(first, first + seeds):
            plan = Plan(code, str(data), number, epochs, device, fast, threads, fork)
            with show.progress(console) as hear:
                records.append(supervise(plan, digits, hear, stall, limit))
            if seeds > 1:
                console.print(f"  seed {number}: {records[-1].outcome}", style="dim")
        worst = show.lowest(records)
        drawn = pictures.draw(worst, digits, folder) if worst.accuracy is not None else []
        folder.mkdir(parents=True, exist_ok=True)
        for path in (folder / RECORD, json_path):
            if path:
                keep.write(Path(path), _text(shown(code.path), records))
    except (Unable, course.CourseError) as error:
        errors.print(str(error))
        return 2
    except OSError as error:
        errors.print(f"{error.filename or folder}: {error.strerror or error}.")
        return 2
    show.result(console, records, shown(code.path))
    if drawn:
        names = ", ".join(path.name for path in drawn)
        console.print(f"  pictures in {shown(folder.resolve())}: {names}", style="dim")
    return 0 if all(record.passed for record in records) else 1


def _prepare(data: str, threads: int | None):
    """The digits, the number of threads of a training, and whether it may be forked from here.

    A pool of threads does not survive a fork. So this process makes none where it is the one that
    brings torch in; where torch was there before, a forked child has to do with one thread.
    """
    ours = "torch" not in sys.modules
    # Threads that wait in a loop for each other starve on a busy machine: 0.6 ms an image in place
    # of 4 to 8 were measured with ten other processes on two cores. Read when torch is loaded.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    import torch

    from grader import mnist

    threads = threads or torch.get_num_threads()
    if ours:
        torch.set_num_threads(1)
    return mnist.load(data), threads, ours or threads == 1


def _text(target: str, records: list[TrainingRecord]) -> str:
    shares = [record.accuracy for record in records if record.accuracy is not None]
    found = {
        "target": target,
        "passed": all(record.passed for record in records),
        "lowest_accuracy": min(shares) if len(shares) == len(records) else None,
        "records": [record.to_json() for record in records],
    }
    return json.dumps(_finite(found), indent=1, allow_nan=False) + "\n"


def _finite(thing):
    """The same data with None for nan and infinities, which JSON does not have."""
    if isinstance(thing, dict):
        return {key: _finite(value) for key, value in thing.items()}
    if isinstance(thing, list):
        return [_finite(value) for value in thing]
    return None if isinstance(thing, float) and not math.isfinite(thing) else thing
