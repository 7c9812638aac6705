"""The judge's end of one worker: asked for through a sandbox's `control`, ended by `close`."""

from __future__ import annotations

import json
import os
import socket
import struct
import time
from contextlib import suppress
from dataclasses import asdict, dataclass

_CLOSED = 5.0  # seconds for the zygote to say that a worker is dead
_WORDS = 4096  # bytes of what it says
# Linux: with what a process sends comes its number, as the receiver would have it.
_CREDENTIALS = getattr(socket, "SCM_CREDENTIALS", None)
_NUMBERS = struct.Struct("3i")  # of process, user and group


class SandboxError(Exception):
    """There is no sandbox, or not the one asked for; the text says what is missing."""


@dataclass(frozen=True)
class Limits:
    """What one worker may use."""

    memory: int = 1 << 30  # bytes beyond what the zygote has
    cpu_seconds: float = 60.0  # of one process
    wall_seconds: float = 60.0  # from the fork on; the zygote then kills it
    processes: int = 64  # threads count too
    file_bytes: int = 64 << 20  # of one file
    open_files: int = 128
    tmp_bytes: int = 128 << 20  # of /tmp, and as much again of /dev/shm


def fork_worker(control: int, limits: Limits | None = None) -> Worker:
    """A worker from the sandbox whose `control` this is, with its own limits if given.

    It returns at once; the worker answers some milliseconds later. `SandboxError` when the
    sandbox is gone.
    """
    channel, their_channel = socket.socketpair()
    lifeline, their_lifeline = socket.socketpair()
    if _CREDENTIALS is not None:
        lifeline.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
    message = json.dumps(asdict(limits) if limits else {}).encode()
    sender = socket.socket(fileno=os.dup(control))
    with sender, their_channel, their_lifeline:
        try:
            socket.send_fds(sender, [message], [their_channel.fileno(), their_lifeline.fileno()])
        except OSError as error:
            channel.close()
            lifeline.close()
            raise SandboxError(f"the sandbox is gone ({error.strerror})") from None
    return Worker(channel, lifeline)


class Worker:
    """One run of one submission. `socket` is a stream to it; `close` ends it, whatever it does."""

    def __init__(self, channel: socket.socket, lifeline: socket.socket):
        self.socket, self._lifeline = channel, lifeline
        self._pid: int | None = None
        self._said = b""
        self._ended: str | None = None

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    @property
    def pid(self) -> int | None:
        """Its process as it is numbered here; None where that is not known, or not yet."""
        if self._pid is None and self._ended is None:
            self._listen(0.0)
        return self._pid

    @property
    def ended(self) -> str | None:
        """How it ended: "exit status 3", "killed by signal 9", "out of time", "out of memory",
        "out of processor time", "closed", "not started, …", "the sandbox is gone"; None while it
        runs."""
        if self._ended is None:
            self._listen(0.0)
        return self._ended

    def wait(self, seconds: float) -> str | None:
        """`ended`, after at most so many seconds."""
        if self._ended is None:
            self._listen(seconds)
        return self._ended

    def close(self) -> None:
        """Kill it and everything it has started; they are dead on return, within 5 s."""
        if self._lifeline.fileno() == -1:
            return
        with suppress(OSError):  # a copy in a forked process must not keep the worker alive
            self._lifeline.shutdown(socket.SHUT_WR)
        if self._ended is None:
            self._listen(_CLOSED)
        self._lifeline.close()
        self.socket.close()

    def _hear(self) -> bytes:
        """What the zygote says; the worker begins with an empty line, from which it is known."""
        if _CREDENTIALS is None:
            return self._lifeline.recv(_WORDS)
        said, extras, _, _ = self._lifeline.recvmsg(_WORDS, socket.CMSG_SPACE(_NUMBERS.size))
        for level, kind, data in extras:
            known = level == socket.SOL_SOCKET and kind == _CREDENTIALS
            if known and said[:1] == b"\n" and len(data) >= _NUMBERS.size:
                self._pid = _NUMBERS.unpack_from(data)[0] or None
        return said

    def _listen(self, seconds: float) -> None:
        """Take what the zygote has said within so many seconds."""
        deadline = time.monotonic() + seconds
        while self._lifeline.fileno() != -1:
            self._lifeline.settimeout(max(0.0, deadline - time.monotonic()))
            try:
                said = self._hear()
            except (TimeoutError, BlockingIOError):
                return
            except OSError:
                said = b""
            self._said = (self._said + said).lstrip(b"\n")
            if said == b"\n":
                continue
            if b"\n" in self._said or not said:
                line = self._said.partition(b"\n")[0]
                self._ended = json.loads(line)["ended"] if line else "the sandbox is gone"
                return
