"""What a child of a stage does: the runs of its request, and then it ends."""

from __future__ import annotations

import itertools
import os
import signal
import sys
from functools import partial
from pathlib import Path

from grader.wire import send

PICTURE_SECONDS = 30.0


def serve(exercise, request: dict, pipe: int, session) -> None:
    """Run the tests of a request, and say on `pipe` what happens, as it happens."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the command decides what Ctrl-C ends
    session.items = _wanted(session.items, request.get("tests"))
    if request.get("picture"):
        return _paint(exercise, request, pipe)
    for number, seed, swap in list(request["runs"]):
        _run(exercise, request | {"run": number, "seed": seed, "swap": swap}, pipe, session)


def workers(trusted: bool):
    """What starts a worker for the code under test, where it is to run apart from the tests.

    The course's own code, `trusted`, needs no sandbox, and is kept out of the one that others are
    in: its worker is forked from the process of its tests.
    """
    from grader.engine import WORKERS

    control = os.environ.get(WORKERS)
    if control is None:
        return None
    if trusted:
        from grader.boundary.trusted import TrustedWorker

        return TrustedWorker
    from grader.worker import fork_worker

    return partial(fork_worker, int(control))


def _paint(exercise, request: dict, pipe: int) -> None:
    from grader.pictures.paint import paint
    from grader.target import Target

    send(pipe, {"event": "start", "test": None, "seconds": PICTURE_SECONDS})
    target = Target(Path(request["target"]))
    problem, alt = paint(exercise, target, Path(request["picture"]), PICTURE_SECONDS)
    send(pipe, {"event": "picture", "problem": problem, "alt": alt})


def _run(exercise, request: dict, pipe: int, session) -> None:
    from _pytest.main import pytest_runtestloop

    from grader import bank, limits
    from grader.run import RUN, Run, mark, name
    from grader.target import Target

    loaded = len(sys.modules)  # a set of them would touch, and so copy, a page for each name
    target = Target(Path(request["target"]))
    if request["swap"]:
        target = target.with_swap(bank.find(exercise, *request["swap"]))
    tests = [
        (mark(item).args[0], mark(item).kwargs["points"], name(item))
        for item in session.items
        if mark(item)
    ]
    run = session.config.stash[RUN] = Run(
        root=exercise.root,
        target=target,
        seed=request["seed"],
        diagnose=request["diagnose"],
        seconds_per_test=request["seconds_per_test"],
        tell=lambda event: send(pipe, event),
        worker=workers(request["trusted"]),
        late=set(request["late"]),
    )
    if run.worker is not None and not request["trusted"]:
        limits.limit_memory(limits.JUDGE_MEMORY)
    send(pipe, {"event": "collected", "tests": tests})
    pytest_runtestloop(session)
    if run.worker is None:
        new = list(itertools.islice(reversed(sys.modules), len(sys.modules) - loaded))
        send(pipe, {"event": "imported", "modules": _library_modules(new[::-1])})
    send(pipe, {"event": "done"})
    run.close()  # which nobody waits for


def _wanted(items: list, tests: list[str] | None) -> list:
    """The items that a request names; all of them when it names none."""
    from grader.run import name

    if not tests:
        return items
    names, classes = tuple(tests), tuple(f"{one}::" for one in tests)
    return [item for item in items if name(item) in names or name(item).startswith(classes)]


def _library_modules(names: list[str]) -> list[str]:
    """Those that belong to an installed library, in the order of their import."""
    folders = (
        str(Path(sys.modules["torch"].__file__).parent.parent),
        str(Path(os.__file__).parent),
    )
    found = []
    for name in names:
        file = getattr(sys.modules.get(name), "__file__", None) or ""
        if file.startswith(folders):
            found.append(name)
    return found
