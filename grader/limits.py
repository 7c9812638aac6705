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


LONGEST = 10  # times its limit that a test may take on the clock, for want of a core
_LEAST = 0.02  # seconds of waiting for a core that are worth another look
_watched: Callable[[], int | None] | None = None  # says who runs the code for this process
_interruptible = _caught = False


def watch(pid: Callable[[], int | None]) -> None:
    """Count what this process waits for as well: `pid()` says which, once that is known."""
    global _watched
    _watched = pid


def waited(pid: int | None) -> float:
    """Seconds that a process was ready to run and had no core; 0 where that is not known."""
    if pid is None or sys.platform != "linux":
        return 0.0
    try:
        with open(f"/proc/{pid}/schedstat", "rb") as file:
            return int(file.read().split()[1]) / 1e9
    except (OSError, ValueError, IndexError):
        return 0.0


class Patience:
    """What a deadline is put off by: the time that others had the cores, and no more than so much.

    So a verdict does not depend on what else the machine has to do.
    """

    def __init__(self, seconds: float, *pids: int | None):
        self._pids, self._most = pids, seconds * (LONGEST - 1)
        self._before = {pid: waited(pid) for pid in pids}
        self._granted = 0.0

    @classmethod
    def of_new(cls, seconds: float, pid: int) -> Patience:
        """Of a process that has begun within the time."""
        made = cls(seconds, pid)
        made._before[pid] = 0.0
        return made

    def more(self) -> float:
        """Seconds to add now; 0 when the time is up."""
        lost = sum(max(0.0, waited(pid) - self._before[pid]) for pid in self._pids)
        added = min(lost, self._most) - self._granted
        if added < _LEAST:
            return 0.0
        self._granted += added
        return added


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


def start_timer(
    seconds: float,
    end: Callable[[TimedOut], None] | None = None,
    longer: Callable[[float], None] = lambda seconds: None,
) -> None:
    """Raise `TimedOut` in the main thread after `seconds`, again and again until stopped.

    It waits for an `interruptible` stretch, and longer by what the code has waited for a core;
    `longer` hears of that. Where it would be nobody's to catch, `end` is called
    in its place, if there is one, and ends the process.
    """
    swallowed = 0
    patience = Patience(seconds, os.getpid())
    there: dict[int, Patience] = {}
    started = _watched() if _watched else None
    if started is not None:
        there[started] = Patience(seconds, started)

    def ring(signum, frame):
        nonlocal swallowed
        if not _interruptible:
            return
        if not swallowed:
            pid = _watched() if _watched else None
            if pid is not None and pid not in there:  # begun since: all of its waiting counts
                there[pid] = Patience.of_new(seconds, pid)
            more = patience.more() + (there[pid].more() if pid is not None else 0.0)
            if more:
                longer(more)
                signal.setitimer(signal.ITIMER_REAL, more, _REPEAT)
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
