"""Keys from a terminal, one at a time, or from lines where standard input is no terminal."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator

from grader.learner.events import Key, NoMoreKeys, Quit

try:
    import termios
    import tty
except ImportError:  # no such terminals on this system: lines it is
    termios = tty = None

ENTER = "\n"


class Keyboard:
    """Tells of keys while it is open; leaves the terminal as it was."""

    def __init__(self, tell: Callable[[object], None]):
        self._tell = tell
        self._fd = _descriptor()
        self._before = None
        self.single = self._fd is not None and _in_front(self._fd)

    def __enter__(self) -> Keyboard:
        if self.single:
            self._before = termios.tcgetattr(self._fd)
            tty.setcbreak(self._fd, termios.TCSANOW)
            signal.signal(signal.SIGCONT, self._back)
        if self._fd is not None and (self.single or not os.isatty(self._fd)):
            threading.Thread(target=self._read, daemon=True).start()
        return self

    def __exit__(self, *exc) -> None:
        if self._before is not None:
            signal.signal(signal.SIGCONT, signal.SIG_DFL)
            if _in_front(self._fd):
                termios.tcsetattr(self._fd, termios.TCSANOW, self._before)

    def _back(self, signum, frame) -> None:
        """After Ctrl-Z and fg the shell has put its own settings in place."""
        if _in_front(self._fd):
            tty.setcbreak(self._fd, termios.TCSANOW)

    def _read(self) -> None:
        rest = b""
        while True:
            data = b""
            with contextlib.suppress(OSError):  # the terminal is gone
                data = os.read(self._fd, 1024)
            if not data:
                return self._tell(NoMoreKeys())
            if self.single:
                keys = "" if data.startswith(b"\x1b") else data.decode("utf-8", "ignore")
            else:
                *lines, rest = (rest + data).split(b"\n")
                keys = [line.strip().decode("utf-8", "ignore")[:1] or ENTER for line in lines]
            for key in keys:
                self._tell(Key(ENTER if key == "\r" else key.lower()))


@contextlib.contextmanager
def ending(tell: Callable[[object], None]) -> Iterator[None]:
    """Signals that ask for an end become an event, so that nothing is cut in two."""
    names = [name for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {name: signal.getsignal(getattr(signal, name)) for name in names}
    for name in names:
        signal.signal(getattr(signal, name), lambda *_: tell(Quit()))
    try:
        yield
    finally:
        for name, handler in before.items():
            signal.signal(getattr(signal, name), handler)


def _descriptor() -> int | None:
    try:
        return sys.stdin.fileno()
    except (AttributeError, OSError, ValueError):  # no standard input at all
        return None


def _in_front(fd: int) -> bool:
    """Is it a terminal, and ours to read? A job in the background may not touch it."""
    if termios is None or not os.isatty(fd):
        return False
    try:
        return os.tcgetpgrp(fd) == os.getpgrp()
    except OSError:
        return False
