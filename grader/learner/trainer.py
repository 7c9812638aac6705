"""The training check as a process beside the watch, which q can stop."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from grader.learner.events import Trained


class Trainer:
    """At most one `kata train` under way; a `Trained` follows when it has ended."""

    def __init__(self, root: Path, tell: Callable[[object], None]):
        self._root, self._tell = root, tell
        self._process: subprocess.Popen | None = None

    @property
    def busy(self) -> bool:
        return self._process is not None

    def start(self) -> None:
        command = [sys.executable, "-m", "grader", "train"]
        process = subprocess.Popen(
            command, cwd=self._root, stdin=subprocess.DEVNULL, start_new_session=True
        )
        self._process = process
        threading.Thread(target=lambda: self._tell(Trained(process.wait())), daemon=True).start()

    def ended(self) -> None:
        """Its `Trained` has been heard."""
        self._process = None

    def stop(self) -> bool:
        """End it, when it is under way; was it?"""
        if self._process is None:
            return False
        self._process.send_signal(signal.SIGINT)  # it ends the process that trains, too
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
        return True
