"""What a child of a stage does: the runs of its request, and of those that follow if it is kept."""

from __future__ import annotations

import itertools
import os
import signal
import sys
from contextlib import suppress
from functools import partial
from pathlib import Path

from grader.wire import Lines, send

PICTURE_SECONDS = 30.0


def serve(exercise, request: dict, pipe: int, requests: int | None, session, worker) -> None:
    """Run the tests of each request, and say on `pipe` what happens, as it happens."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the command decides what Ctrl-C ends
    spare = Spare(worker) if worker else None
    more = Lines(requests) if requests is not None else None
    items = session.items
    while request is not None:
        session.items = _wanted(items, request.get("tests"))
        _run(exercise, request, pipe, session, spare)
        if more is None or request.get("picture"):  # which the code under test has drawn here
            break
        spare.prepare()
        request = next(iter(more.read()), None)
    if spare:
        spare.close()


class Spare:
    """Starts workers, one of them before it is asked for."""

    def __init__(self, start):
        self._start, self._ready = start, None

    def __call__(self):
        found, self._ready = self._ready, None
        return found if found and found.ended is None else self._start()

    def prepare(self) -> None:
        """Start the next one."""
        from grader.worker import SandboxError

        if self._ready is None:
            with suppress(SandboxError):  # whoever asks for one will be told
                self._ready = self._start()

    def close(self) -> None:
        """End the one that nobody asked for."""
        if self._ready:
            self._ready.close()


def workers():
    """What starts a worker for the code under test, where it is to run apart from the tests."""
    from grader.engine import WORKERS

    control = os.environ.get(WORKERS)
    if control is None:
        return None
    from grader.sandbox import fork_worker

    return partial(fork_worker, int(control))


def _run(exercise, request: dict, pipe: int, session, worker) -> None:
    from _pytest.main import pytest_runtestloop

    from grader import bank
    from grader.run import RUN, Run, mark, name
    from grader.target import Target

    known = len(sys.modules)  # a set of them would touch, and so copy, a page for each name
    target = Target(Path(request["target"]))
    if request["swap"]:
        target = target.with_swap(bank.find(exercise, *request["swap"]))
    if request.get("picture"):
        from grader.pictures.paint import paint

        send(pipe, {"event": "start", "test": None, "seconds": PICTURE_SECONDS})
        problem, alt = paint(exercise, target, Path(request["picture"]), PICTURE_SECONDS)
        return send(pipe, {"event": "picture", "problem": problem, "alt": alt})
    tests = [
        (mark(item).args[0], mark(item).kwargs["points"], name(item))
        for item in session.items
        if mark(item)
    ]
    for _, seed in request["runs"]:
        run = session.config.stash[RUN] = Run(
            root=exercise.root,
            target=target,
            seed=seed,
            diagnose=request["diagnose"],
            seconds_per_test=request["seconds_per_test"],
            tell=lambda event: send(pipe, event),
            worker=worker,
        )
        send(pipe, {"event": "collected", "tests": tests})
        pytest_runtestloop(session)
        new = list(itertools.islice(reversed(sys.modules), len(sys.modules) - known))
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
