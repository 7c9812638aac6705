"""A worker, as the zygote that forked it knows it."""

from __future__ import annotations

import os
import signal
import socket
from dataclasses import dataclass

from grader.boundary import confine


@dataclass
class Running:
    """A worker, as the zygote knows it."""

    cell: confine.Cell
    pid: int
    lifeline: socket.socket
    deadline: float  # of time.monotonic
    watch: int  # descriptor that becomes readable at its end; -1 where there is none
    verdict: str | None = None  # why it was killed
    status: int | None = None  # as wait4 gives it, once dead
    used: float = 0.0  # seconds of processor time

    def is_dead(self, wait: bool = False) -> bool:
        """Whether it has ended; its status is taken then."""
        if self.status is None:
            pid, status, usage = os.wait4(self.pid, 0 if wait else os.WNOHANG)
            if pid:
                self.status, self.used = status, usage.ru_utime + usage.ru_stime
        return self.status is not None

    @property
    def ended(self) -> str:
        """How it ended, once dead."""
        if self.verdict:
            return self.verdict
        code = os.waitstatus_to_exitcode(self.status)
        # The kernel ends it at the limit, by a clock that runs up to a third ahead of this one.
        if code == -signal.SIGKILL and self.used > self.cell.limits["cpu_seconds"] / 2:
            return "out of processor time"
        return f"killed by signal {-code}" if code < 0 else f"exit status {code}"
