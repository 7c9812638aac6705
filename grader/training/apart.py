"""A training whose learner's code runs in a worker, apart from what judges it.

    check ──▶ Apart ──▶ worker of a sandbox: Trainee, loaders, model, fit

The training images go in with their labels, the test images without; out come values, each of
which is taken for no more than it is.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from pathlib import Path

import torch

from grader.boundary.frames import Broken, TooLarge, printable
from grader.sandbox import Limits, Sandbox, fork_worker
from grader.training.check import check
from grader.training.child import LIMIT, STALL, Unable, Watch
from grader.training.learner import Stop
from grader.training.line import Line
from grader.training.record import TrainingRecord
from grader.training.trainee import FAST, LOADERS, MODEL

MEMORY = 6 << 30  # bytes; the full MNIST takes 1.5 GB with exercise 11's loaders
_HERE = Path(__file__).resolve().parent
# What a worker needs of this package: no judge, no digits. Without an __init__.py, grader.training
# is there as a namespace.
_CODE = [_HERE / f"{name}.py" for name in ("learner", "line", "loaders", "trainee", "worker")]
_CODE += [_HERE.parent / f"{name}.py" for name in ("describe", "draw", "loading", "report")]
_LIBRARIES = ("numpy", "torchvision.transforms.v2", "matplotlib.pyplot")
_ENTRY = "grader.training.worker"
_WORDS = 2000  # characters of a sentence, and of what the code printed, that are kept
_ROWS, _NUMBERS = 1000, 20  # of a history, and in each row
_LAST = 2.0  # seconds for the sandbox to say how a worker ended


def sandbox(limit: float = LIMIT, **options) -> Sandbox:
    """A sandbox whose workers can train, for any number of them one after the other.

    `limit` is in seconds, for one training; `options` are those of `grader.sandbox.Sandbox`.
    """
    options.setdefault("limits", Limits(memory=MEMORY, cpu_seconds=2 * limit, wall_seconds=limit))
    # The entry comes first, since it says how torch's threads wait.
    return Sandbox(_ENTRY, preload=[_ENTRY, *_LIBRARIES], code=_CODE, **options)


def check_apart(
    ex11: str,
    ex12: str,
    digits,
    sandbox,
    seed: int,
    epochs: int | None = None,
    on_progress: Callable[[dict], None] = lambda event: None,
    *,
    ex13: str | None = None,
    device: str | None = None,
    threads: int | None = None,
    stall: float = STALL,
) -> TrainingRecord:
    """Train with the learner's sources in a worker of a started `sandbox()`, and judge here.

    With the source of exercise 13 its loaders take the place of 11's. `Unable` for a `device`
    other than the CPU. `stall` is in seconds without a sign of life.
    """
    if device not in (None, "cpu"):
        raise Unable(f"--device {device}: a sandbox has no accelerator, so it trains on the CPU.")
    threads = threads or min(2, os.cpu_count() or 1)
    sources = {LOADERS: ex11, MODEL: ex12} | ({FAST: ex13} if ex13 is not None else {})
    watch = Watch(stall, sandbox.limits.wall_seconds)
    printed = _Tail()

    def hear(event: dict) -> None:
        watch.hear(event)
        on_progress(event)

    def start() -> Apart:
        return Apart(fork_worker(sandbox.control), sources, watch, hear, printed)

    record = check(
        start,
        digits,
        device=f"cpu ({threads} threads)",
        seed=seed,
        epochs=epochs,
        graded=True,
        fast=ex13 is not None,
        threads=threads,
        on_progress=hear,
    )
    record.isolation, record.printed = sandbox.isolation, printed.text
    return record


class _Tail:
    """The end of what the code printed."""

    text = ""

    def add(self, more: str) -> None:
        self.text = (self.text + printable(more[-_WORDS:], _WORDS))[-_WORDS:]


class Apart:
    """Stands for a `Trainee` that lives in a worker; a context manager that ends it.

    Every answer is checked for what it should be; `Stop` when it is not that, when the worker is
    lost, or when it says so itself.
    """

    def __init__(self, worker, sources: dict[str, str], watch: Watch, hear, printed: _Tail):
        self._worker, self._sources = worker, sources
        self._watch, self._hear, self._printed = watch, hear, printed
        self._line = Line(worker.socket)

    def __enter__(self) -> Apart:
        self._watch.start()
        self._worker.socket.settimeout(self._watch.stall)
        codes = {stem: text.encode(errors="replace") for stem, text in self._sources.items()}
        try:
            self._line.send("code", 0, codes)
        except Broken as error:
            raise self._lost(error) from None
        except TooLarge as error:
            raise Stop("crashed", f"The code is too large to be run: {error}.") from None
        return self

    def __exit__(self, *error: object) -> None:
        self._worker.close()

    # What a Trainee can do

    def load(self, seed: int, threads: int | None = None) -> None:
        self._ask("load", seed, threads)

    def loaders(self, *parts):
        count = len(parts[2])
        match self._ask("loaders", *parts):
            case [images, labels]:
                _require(images, (count, 1, 28, 28), torch.float32)
                _require(labels, (count,), torch.int64)
                return images, labels
        raise _odd()

    def model(self) -> None:
        self._ask("model")

    def scores(self, images):
        return _require(self._ask("scores", images), (len(images), 10), torch.float32)

    def fit(self, epochs: int) -> dict:
        match self._ask("fit", epochs):
            case {
                "history": list(history),
                "losses": list(losses),
                "batches": int(batches),
                "images": int(images),
                "seconds": float(seconds),
                "finite": bool(),
            } as told if (
                len(told) == 6
                and len(history) < _ROWS
                and all(map(_is_row, history))
                and all(isinstance(loss, float) for loss in losses)
                and min(batches, images, seconds) >= 0
            ):
                return told
        raise _odd()

    # How it is asked

    def _ask(self, op: str, *args):
        number = secrets.randbits(52)
        try:
            self._line.send(op, number, list(args))
            while True:
                kind, about, body = self._line.receive()
                if about != number:
                    raise Broken("an answer that nobody asked for")
                if kind == "event":
                    self._take(body)
                elif kind == "value":
                    return body
                elif kind == "stop":
                    raise _stop(body)
                else:
                    raise Broken("no answer")
        except Broken as error:
            raise self._lost(error) from None

    def _take(self, body: object) -> None:
        """An event, which is shown and no more."""
        match body:
            case [dict(event), str(text)]:
                self._printed.add(text)
                return self._hear(_event(event))
        raise Broken("no event")

    def _lost(self, error: Broken) -> Stop:
        watch = self._watch
        ended = None if watch.late() else self._worker.wait(_LAST)
        if watch.late():
            return Stop("timed out", watch.hang())
        if ended == "out of time":
            return Stop("timed out", watch.too_long())
        said = ended or str(error)
        return Stop("crashed", f"The process with the code ended {watch.where()}: {said}.")


def _stop(body: object) -> Stop:
    match body:
        case [str(outcome), str(sentence)]:
            return Stop(outcome, printable(sentence, _WORDS))
    return _odd()


def _odd() -> Stop:
    return Stop("wrong", "The process with the code answers what no training comes to.")


def _require(thing: object, shape: tuple[int, ...], dtype: torch.dtype):
    if isinstance(thing, torch.Tensor) and thing.shape == shape and thing.dtype == dtype:
        return thing
    raise _odd()


def _is_row(row: object) -> bool:
    """A line of the history: a few numbers by name."""
    if not isinstance(row, dict) or len(row) > _NUMBERS:
        return False
    return all(
        isinstance(name, str) and name == printable(name, 100) and isinstance(value, float)
        for name, value in row.items()
    )


def _event(event: dict) -> dict:
    """An event of the worker's as plain data; what is no event is a sign of life."""
    match event:
        case {"event": "phase", "what": str(what)}:
            return {"event": "phase", "what": printable(what, 100)}
        case {"event": "batches", "of": int(count)}:
            return {"event": "batches", "of": count}
        case {"event": "batch", "done": int(done), "epoch": int(epoch), "loss": loss} if (
            loss is None or isinstance(loss, float)
        ):
            return {"event": "batch", "done": done, "epoch": epoch, "loss": loss}
    return {"event": "alive"}
