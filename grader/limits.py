"""Limits on a learner's code while it runs in the test process: time, and memory where it works.

pytest-timeout sets the timers; the handler here ends a test with an exception of ours, so that a
loop without an end becomes a sentence. What a signal can't end, the engine ends from outside.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

MEMORY = 4 << 30  # bytes that one test may take beyond what the process already has
JUDGE_MEMORY = 2 << 30  # the same for a judge whose code under test is elsewhere, in all its tests
_REPEAT = 0.25  # seconds between alarms, for code that swallows the first
_GIVE_UP = 12  # alarms swallowed before the process itself is ended

CAN_ALARM = hasattr(signal, "SIGALRM")


class TimedOut(BaseException):
    """Out of time; not an `Exception`, so that a bare `except Exception` does not swallow it."""

    def __init__(self, seconds: float):
        super().__init__(f"no answer after {seconds:g} s")
        self.seconds = seconds


_interruptible = _caught = False


@contextmanager
def interruptible(caught: bool = False) -> Iterator[None]:
    """A stretch in which the learner's code runs: only there does a timer raise, so that pytest's
    own bookkeeping is never cut in two. With `caught`, who opens it catches what is raised."""
    global _interruptible, _caught
    _interruptible, _caught = True, caught
    try:
        yield
    finally:
        _interruptible = _caught = False


def start_timer(seconds: float, end: Callable[[TimedOut], None] | None = None) -> None:
    """Raise `TimedOut` in the main thread after `seconds`, again and again until stopped.

    It waits for an `interruptible` stretch. Where it would be nobody's to catch, `end` is called
    in its place, if there is one, and ends the process.
    """
    swallowed = 0

    def ring(signum, frame):
        nonlocal swallowed
        if not _interruptible:
            return
        if end is not None and not _caught:
            signal.setitimer(signal.ITIMER_REAL, 0)
            end(TimedOut(seconds))
        swallowed += 1
        if swallowed > _GIVE_UP:
            os.write(2, b"\nThis code catches every exception in a loop without an end: stopped.\n")
            os._exit(1)
        raise TimedOut(seconds)

    signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds, _REPEAT)


def stop_timer() -> None:
    """Stop what `start_timer` started."""
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """`TimedOut` when what runs inside takes longer; no limit where there are no alarms."""
    if not CAN_ALARM:
        yield
        return
    start_timer(max(seconds, 0.001))
    try:
        yield
    finally:
        stop_timer()


@contextmanager
def memory_limit(extra: int = MEMORY) -> Iterator[None]:
    """Let the process take `extra` bytes more and no further, on Linux; elsewhere no limit.

    RLIMIT_DATA counts private writable memory, allocated or not, so that a huge request fails at
    once with an error, where the system would grant it and end the process later.
    """
    if sys.platform != "linux":
        yield
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    limit_memory(extra)
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def limit_memory(extra: int) -> None:
    """The same without an end, for a process that will do nothing else."""
    if sys.platform != "linux":
        return
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    limit = _data_bytes() + extra
    if hard != resource.RLIM_INFINITY:
        limit = min(limit, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))


def _data_bytes() -> int:
    with open("/proc/self/statm", "rb") as file:  # before every test, so the quick one of two ways
        return int(file.read().split()[5]) * os.sysconf("SC_PAGESIZE")
