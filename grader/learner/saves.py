"""Saved files: hears of them, and waits until one holds still before it is judged."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable
from pathlib import Path

from grader import reading
from grader.learner.events import Saved, Trouble
from grader.reading import ReadingError

ROOMS = ("exercises", "tests", "solutions", "grader")
_STEP = 5  # milliseconds between two looks; a batch ends when one of them finds nothing new
_CALM = 0.01  # seconds that a file has to stay as it is before it is judged
_LONG_CALM = 0.12  # the same for one that is empty or gone, and when a save has cancelled a run


class Watcher:
    """A thread that tells of saves; polls where file events do not work."""

    def __init__(self, root: Path, tell: Callable[[object], None], poll: bool):
        self._folders = [root / room for room in ROOMS if (root / room).is_dir()]
        self._tell, self._poll = tell, poll
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Watcher:
        self._thread.start()
        return self

    def __exit__(self, *exc) -> None:
        self._stop.set()
        self._thread.join(2)

    def _watch(self) -> None:
        ways = [True] if self._poll else [None, True]  # None: file events, where there are any
        for number, polling in enumerate(ways, 1):
            try:
                return self._hear(polling)
            except Exception as error:  # out of watches, a file system without events
                instead = "polling instead" if number < len(ways) else "r runs it"
                self._tell(Trouble(f"Saves can't be watched here ({error}): {instead}."))

    def _hear(self, polling: bool | None) -> None:
        import watchfiles

        for changes in watchfiles.watch(
            *self._folders,
            watch_filter=lambda _, path: _ours(Path(path)),
            debounce=50,
            step=_STEP,
            stop_event=self._stop,
            raise_interrupt=False,
            force_polling=polling,
            poll_delay_ms=150,
        ):
            self._tell(Saved(frozenset(Path(path) for _, path in changes)))


class Settling:
    """Files that were saved and are not judged yet, and what those looked like that were."""

    def __init__(self):
        self._waiting: dict[Path, tuple[str, float, float]] = {}  # state, calm, due
        self._judged: dict[Path, str] = {}

    def add(self, path: Path, hurried: bool = False) -> bool:
        """A file was saved; False when it is still what was judged last."""
        state = state_of(path)
        if path not in self._waiting and self._judged.get(path) == state:
            return False
        calm = _LONG_CALM if hurried or not state or _empty(path) else _CALM
        calm = max(calm, self._waiting.pop(path, ("", 0.0, 0.0))[1])
        self._waiting[path] = (state, calm, time.monotonic() + calm)
        return True

    def again(self, path: Path, calm: float = 0.0, last: bool = False) -> None:
        """Judge a file whether it has changed or not; next, or `last` of all that wait."""
        self._waiting.pop(path, None)
        row = {path: (state_of(path), calm, time.monotonic() + calm)}
        self._waiting = row | self._waiting if last else self._waiting | row

    def take(self) -> Path | None:
        """The file that was saved last, if it has held still; from now on it counts as judged."""
        if not self._waiting:
            return None
        path, (state, calm, due) = next(reversed(self._waiting.items()))
        now = time.monotonic()
        if now < due:
            return None
        current = state_of(path)
        if current != state:
            self._waiting[path] = (current, calm, now + calm)
            return None
        del self._waiting[path]
        self._judged[path] = current
        return path

    def patience(self) -> float | None:
        """Seconds until the next file may have held still long enough; None when none waits."""
        if not self._waiting:
            return None
        _, _, due = next(reversed(self._waiting.values()))
        return max(0.001, due - time.monotonic())

    def unchanged(self, path: Path) -> bool:
        """Is a file still what was judged?"""
        return self._judged.get(path) == state_of(path)


def state_of(path: Path) -> str:
    """A short text that differs when a file does, or was written anew; empty when it is gone."""
    try:
        found = path.stat()
        digest = hashlib.sha256(reading.content(path)).hexdigest()
    except (OSError, ReadingError):
        return ""
    return f"{found.st_mtime_ns} {found.st_ino} {digest}"


def _empty(path: Path) -> bool:
    try:
        return path.stat().st_size == 0
    except OSError:
        return True


def _ours(path: Path) -> bool:
    if "__pycache__" in path.parts or path.name.startswith("."):
        return False
    return path.suffix == ".py" or (path.suffix == ".ipynb" and path.parent.name == "exercises")
