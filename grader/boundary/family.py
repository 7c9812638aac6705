"""Processes and what they hold, as /proc shows them."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path


def sees_processes() -> bool:
    try:
        return os.readlink("/proc/self") == str(os.getpid())
    except OSError:
        return False


def private_pages(pid: int) -> int:
    """Pages in memory that no file backs; 0 for a process that is gone."""
    try:
        fields = Path(f"/proc/{pid}/statm").read_text().split()
    except OSError:
        return 0
    return int(fields[1]) - int(fields[2])


def children() -> dict[int, list[int]]:
    """Every process that can be seen, below its parent."""
    below: dict[int, list[int]] = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        with suppress(OSError):
            # The second field, a name in brackets, may hold anything: fields count from its end.
            fields = Path(f"/proc/{name}/stat").read_text().rpartition(")")[2].split()
            below.setdefault(int(fields[1]), []).append(int(name))
    return below


def family(pid: int, below: dict[int, list[int]]) -> list[int]:
    members = [pid]
    for member in members:
        members += below.get(member, [])
    return members
