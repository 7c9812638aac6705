"""The training in a child process of its own, and the parent that watches over it.

The child alone runs the learner's code and touches an accelerator. What it has to say comes
through a pipe as lines of JSON, never as pickles.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from grader.course import shown
from grader.loading import CannotLoad
from grader.target import Target, read_source
from grader.training.learner import Code, not_loaded
from grader.training.record import EPOCHS, TrainingRecord
from grader.training.trainee import FAST, LOADERS, MODEL, Trainee

STALL = 120.0  # seconds without a batch or another sign of life
LIMIT = 3600.0  # seconds for one training in all
_PRINTED = 2000  # characters of the learner's output that are kept


class Unable(Exception):
    """The check could not do its work, through no fault of the learner's."""


@dataclass(frozen=True)
class Plan:
    """One training: of what, on what, how."""

    target: Target
    data: str
    seed: int
    epochs: int | None = None
    device: str | None = None
    fast: bool = False
    threads: int | None = None
    fork: bool = False  # the parent has no pool of threads, or the child is to have one thread

    def codes(self) -> dict[str, Code]:
        """The learner's files; `Stop` where one can't be read."""
        try:
            return {
                stem: Code(read_source(file), str(file), shown(file))
                for stem in (LOADERS, MODEL, *((FAST,) if self.fast else ()))
                for file in [self.target.file(stem)]
            }
        except CannotLoad as error:
            raise not_loaded(error) from None


def run_check(plan: Plan, digits, say) -> TrainingRecord:
    """In the child: load the learner's files, train, judge; `say` gets every event as a dict.

    The last event is {"event": "record", "record": …}, or {"event": "unable", "sentence": …}.
    """
    from grader.training.check import check

    try:
        device = _device(plan.device)
    except Unable as error:
        say({"event": "unable", "sentence": str(error)})
        raise
    name = device_name(device)
    say({"event": "device", "device": name})
    record = check(
        lambda: contextlib.nullcontext(Trainee(plan.codes(), device, say)),
        digits,
        device=name,
        seed=plan.seed,
        epochs=plan.epochs,
        fast=plan.fast,
        on_progress=say,
    )
    say({"event": "record", "record": record.to_json()})
    return record


def supervise(
    plan: Plan,
    digits,
    on_event: Callable[[dict], None] = lambda event: None,
    stall: float = STALL,
    limit: float = LIMIT,
) -> TrainingRecord:
    """Run a plan in a child and return its record; end it when it hangs."""
    import multiprocessing
    from multiprocessing.connection import wait

    fork = plan.fork and _can_fork()
    context = multiprocessing.get_context("fork" if fork else "spawn")
    reader, writer = context.Pipe(duplex=False)
    with tempfile.TemporaryDirectory(prefix="gradkata-", ignore_cleanup_errors=True) as folder:
        output = Path(folder, "output.txt")
        arguments = (writer, plan, digits if fork else None, output)
        child = context.Process(target=_child, args=arguments)
        child.start()
        writer.close()
        state = Watch(stall, limit)
        hung = False
        try:
            while state.end is None:
                if hung := state.late():
                    break
                ready = wait([reader, child.sentinel], timeout=min(1.0, stall / 4))
                if reader in ready or reader.poll():
                    try:
                        event = json.loads(reader.recv_bytes(64 << 20))
                    except (EOFError, OSError, ValueError):
                        break
                    state.hear(event)
                    on_event(event)
                elif child.sentinel in ready:
                    break
        finally:
            if state.end is not None:
                child.join(5)
            _kill(child)
        printed = _tail(output)
    if state.end and state.end["event"] == "unable":
        raise Unable(state.end["sentence"])
    if state.end:
        record = TrainingRecord(**state.end["record"])
    else:
        epochs = plan.epochs or EPOCHS[digits.name]
        record = TrainingRecord(digits.name, plan.seed, epochs, state.device)
        record.seconds = round(time.monotonic() - state.started, 2)
        record.outcome = "timed out" if hung else "crashed"
        record.sentence = state.hang() if hung else _died(child.exitcode, state)
    record.printed = printed
    return record


class Watch:
    """What is known of a training from outside, and whether it is late."""

    def __init__(self, stall: float, limit: float):
        self.stall, self.limit = stall, limit
        self.device, self.end = "", None
        self.start()

    def start(self) -> None:
        """A process with the code begins."""
        self.started = self.heard = time.monotonic()
        self.phase, self.batch = "the start", ""

    def hear(self, event: dict) -> None:
        self.heard = time.monotonic()
        if event["event"] == "phase":
            self.phase, self.batch = event["what"], ""
        elif event["event"] == "batch":
            self.batch = f", batch {event['done']}"
        elif event["event"] == "device":
            self.device = event["device"]
        elif event["event"] in ("record", "unable"):
            self.end = event

    def late(self) -> bool:
        now = time.monotonic()
        return now - self.heard > self.stall or now - self.started > self.limit

    def where(self) -> str:
        """What was under way."""
        return f"in {self.phase}{self.batch}"

    def too_long(self) -> str:
        """That it went beyond the limit, in words."""
        return f"Not done after {self.limit:g} s ({self.where()}), so stopped."

    def hang(self) -> str:
        """Why it is late, in words."""
        if time.monotonic() - self.started > self.limit:
            return self.too_long()
        return (
            f"Nothing happened for {self.stall:g} s {self.where()}, so the training was stopped. "
            "Is there a loop that never ends?"
        )


def _child(writer, plan: Plan, digits, output: Path) -> None:
    """The child process: prints go to a file, events to the pipe, and nothing else comes out."""
    if hasattr(os, "setsid"):
        os.setsid()  # ended together with the worker processes of its loaders
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the command
    descriptor = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    sys.stdout, sys.stderr = (
        os.fdopen(number, "w", buffering=1, encoding="utf-8", errors="replace", closefd=False)
        for number in (1, 2)
    )
    os.environ["MPLBACKEND"] = "Agg"

    def say(event: dict) -> None:
        writer.send_bytes(json.dumps(event).encode())

    import torch

    if plan.threads:
        torch.set_num_threads(plan.threads)
    if digits is None:
        from grader import mnist

        digits = mnist.load(plan.data)
    with contextlib.suppress(Unable):
        run_check(plan, digits, say)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def _device(name: str | None):
    """The device asked for, else the accelerator that torch finds, else the CPU."""
    import torch

    if name is None:
        found = torch.accelerator.is_available()
        return torch.accelerator.current_accelerator() if found else torch.device("cpu")
    try:
        device = torch.device(name)
        torch.zeros(1, device=device).item()
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        text = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise Unable(f"--device {name}: this machine cannot train there ({text}).") from None
    return device


def device_name(device) -> str:
    """A device in words."""
    import torch

    if device.type == "cuda":
        return f"{device} ({torch.cuda.get_device_name(device)})"
    if device.type == "cpu":
        return f"cpu ({torch.get_num_threads()} threads)"
    return f"{device} ({sys.platform})"


def _can_fork() -> bool:
    """Fork where nothing forbids it: Metal and an initialised CUDA do not survive one."""
    torch = sys.modules.get("torch")
    return sys.platform == "linux" and not (torch and torch.cuda.is_initialized())


def _died(code: int | None, state: Watch) -> str:
    if code is not None and code < 0:
        name = signal.Signals(-code).name
        why = " It may have run out of memory." if name == "SIGKILL" else ""
        return f"The training process was ended by {name} {state.where()}.{why}"
    where = state.where()
    return f"The training process ended {where}, with exit status {code} and without a word."


def _kill(child) -> None:
    """End the child and, where there are process groups, everything that it started."""
    if hasattr(os, "killpg"):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)
    if child.exitcode is None:
        child.kill()
    child.join()


def _tail(output: Path) -> str:
    """The end of what the learner's code printed."""
    try:
        with open(output, "rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - _PRINTED))
            return file.read().decode("utf-8", "replace")
    except FileNotFoundError:
        return ""
