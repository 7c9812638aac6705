"""A limit of time counts what a process does and sleeps, and not what it waits for a core."""

from __future__ import annotations

import os
import signal
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from grader import limits

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/schedstat").exists() or not hasattr(os, "sched_setaffinity"),
    reason="this kernel does not say what a process waits for a core",
)
RIVALS = 4
LIMIT = 0.5


@contextmanager
def rivals():
    """Processes that want the core that this one is bound to."""
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    pids = []
    try:
        for _ in range(RIVALS):
            pid = os.fork()
            if pid == 0:
                signal.alarm(30)  # whatever becomes of the test
                while True:
                    pass
            pids.append(pid)
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        os.sched_setaffinity(0, cores)


def work(seconds: float) -> None:
    """Use so much processor time."""
    until = time.process_time() + seconds
    while time.process_time() < until:
        pass


def in_time(seconds: float) -> bool:
    """Is so much work done within the limit?"""
    try:
        with limits.time_limit(LIMIT), limits.interruptible():
            work(seconds)
    except limits.TimedOut:
        return False
    return True


@pytest.mark.parametrize("counted", [True, False])
def test_neighbours_take_no_time_from_a_limit(monkeypatch, counted):
    if not counted:
        monkeypatch.setattr(limits, "LONGEST", 1)
    with rivals():
        assert in_time(LIMIT * 0.6) is counted


def test_more_work_than_the_limit_is_too_much_with_neighbours_too():
    with rivals():
        started = time.process_time()
        assert not in_time(LIMIT * 8)
        assert time.process_time() - started < LIMIT * 4


def test_sleep_is_no_waiting_for_a_core():
    started = time.monotonic()
    with pytest.raises(limits.TimedOut), limits.time_limit(0.2), limits.interruptible():
        time.sleep(20)
    assert time.monotonic() - started < 10


def test_it_has_an_end(monkeypatch):
    """However long something waits, a deadline is put off to so many times its length at most."""
    clock = [0.0]
    monkeypatch.setattr(limits, "waited", lambda pid: clock[0])
    patience = limits.Patience(2.0, 1)
    added = 0.0
    for _ in range(100):
        clock[0] += 3.0
        added += patience.more()
    assert added == 2.0 * (limits.LONGEST - 1)
