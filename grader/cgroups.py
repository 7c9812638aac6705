"""Control groups for the workers: a limit on the memory and the processes of all of one's own.

A group may have only one master (the rule of systemd's `Delegate=`), so groups are made below our
own only where it is the root of its hierarchy, or was handed to this user.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

WANTED = ("memory", "pids")
_MOUNTS = Path("/sys/fs/cgroup")
_OURS = "gradkata-"


class Groups:
    """A folder per hierarchy, for the groups of the workers of one sandbox."""

    def __init__(self, mounts: Path = _MOUNTS, table: Path = Path("/proc/self/cgroup")):
        self.mounts, self.table = mounts, table
        self.folders: list[Path] = []
        self.has: list[str] = []
        self.absent: dict[str, str] = {}  # controllers, and why

    def make(self) -> list[int]:
        """Inheritable descriptors of the folders made; what could not be had is in `absent`."""
        try:
            lines = self.table.read_text().splitlines()
        except OSError:
            self.absent = dict.fromkeys(WANTED, "no control groups here")
            return []
        own = {line.split(":", 2)[1]: line.split(":", 2)[2] for line in lines}
        for wanted in WANTED:
            try:
                self._take(wanted, own)
            except OSError as error:
                self.absent[wanted] = str(error.strerror or error)
        return [os.open(folder, os.O_RDONLY | os.O_DIRECTORY) for folder in self.folders]

    def _take(self, controller: str, own: dict[str, str]) -> None:
        # Version 1 has a hierarchy for each list of controllers, version 2 one without a list.
        lists = [listed for listed in own if controller in listed.split(",")]
        top = self.mounts / controller if lists else self.mounts
        handed_down = bool(lists)
        path = own[lists[0]] if lists else own.get("", "")
        if not handed_down and not (top / "cgroup.controllers").is_file():
            raise OSError("no control group has this controller")
        parent = top / path.lstrip("/")
        if path != "/" and not _delegated(parent):
            raise OSError(f"the group {path} belongs to another program")
        if not handed_down:
            (parent / "cgroup.subtree_control").write_text(f"+{controller}")
        folder = parent / f"{_OURS}{os.getpid()}"
        _sweep(parent)
        folder.mkdir(exist_ok=True)
        if folder not in self.folders:
            self.folders.append(folder)
        if not handed_down:
            (folder / "cgroup.subtree_control").write_text(f"+{controller}")
        self.has.append(controller)

    def close(self) -> None:
        for folder in self.folders:
            _remove(folder)


def _delegated(folder: Path) -> bool:
    """Whether systemd, or whoever made the group, left it to us."""
    with suppress(OSError, AttributeError):
        for name in ("user.delegate", "trusted.delegate"):
            with suppress(OSError):
                if os.getxattr(folder, name) == b"1":
                    return True
        return os.geteuid() != 0 and folder.stat().st_uid == os.geteuid()
    return False


def _sweep(parent: Path) -> None:
    """Remove what a sandbox left that was killed."""
    for folder in parent.glob(f"{_OURS}*"):
        number = folder.name.removeprefix(_OURS)
        if number.isdigit() and not Path(f"/proc/{number}").exists():
            _remove(folder)


def _remove(folder: Path) -> None:
    """Control groups are removed with rmdir alone, the inner ones first."""
    with suppress(OSError):
        for inner in folder.iterdir():
            if inner.is_dir():
                inner.rmdir()
        folder.rmdir()
