"""Grades one notebook ahead: the next one's answers run while nbgrader writes down the last one's.

What is expected may not come, or come changed: then it is graded anew, and the guess is dropped.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from dataclasses import dataclass, field


@dataclass
class Ahead:
    """Work in the order in which it was begun, in one thread: the engine takes one at a time.

    The thread is never waited for, so that Ctrl-C ends a command at once; and it never ends, since
    a sandbox dies with the thread that started it.
    """

    _waiting: queue.SimpleQueue = field(default_factory=queue.SimpleQueue)
    _begun: dict[Hashable, Future] = field(default_factory=dict)
    _thread: threading.Thread | None = None

    def begin(self, key: Hashable, work: Callable[[], object]) -> None:
        """Have some work done, unless that is under way; `key` tells it from any other."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, daemon=True)
            self._thread.start()
        if key not in self._begun:
            self._begun[key] = Future()
            self._waiting.put((self._begun[key], work))

    def result(self, key: Hashable):
        """What became of the work that was begun under `key`; whatever it raised is raised here."""
        return self._begun.pop(key).result()

    def drop_all_but(self, *keys: Hashable) -> None:
        """Nobody will ask for the others: what has not started never will."""
        for key in self._begun.keys() - set(keys):
            self._begun.pop(key).cancel()

    def _work(self) -> None:
        while True:
            future, work = self._waiting.get()
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(work())
            except BaseException as error:  # for whoever asks for the result
                future.set_exception(error)
