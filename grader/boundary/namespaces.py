"""The zygote leaves the namespaces it was started in, where bubblewrap has not done that."""

from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Iterable

from grader.boundary import linux, root

_HIDDEN = 4096  # bytes of the empty file system over a folder of the course


def leave(layers: frozenset[str], config: dict, held: Iterable[socket.socket]) -> str:
    """Leave what `layers` name, for new ones; why there is no root of one's own, "" if there is.

    Where processes get a namespace of their own, this goes on in a child, its first process; the
    parent closes what it `held`, waits, and ends as that child does.
    """
    kinds = {"mount": linux.NEW_MOUNT, "net": linux.NEW_NET | linux.NEW_IPC, "pid": linux.NEW_PID}
    flags = sum(flag for name, flag in kinds.items() if name in layers)
    try:
        _unshare(flags)
        if "pid" in layers:
            _be_first(held)
        return _own_files(layers, config)
    except OSError as error:
        return str(error)


def _unshare(flags: int) -> None:
    uid, gid = os.getuid(), os.getgid()
    if uid == 0:
        try:
            return linux.unshare(flags)
        except OSError:
            pass  # the root of a container may lack the right, and yet may have users of its own
    linux.unshare(linux.NEW_USER | flags)
    return linux.map_own_user(uid, gid)


def _be_first(held: Iterable[socket.socket]) -> None:
    child = os.fork()
    if child:
        for end in held:
            end.close()
        os._exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) & 0xFF)
    linux.die_with_parent()


def _own_files(layers: frozenset[str], config: dict) -> str:
    """A root of its own, or else mounts that hide the course; why not the root."""
    if "mount" not in layers:
        return "it needs mounts of its own"
    linux.own_mounts()
    reason = "switched off"
    if "root" in layers:
        try:
            root.enter(**config["root"], proc="pid" in layers)
        except OSError as error:
            reason = str(error)
        else:
            os.environ.update(dict.fromkeys(("HOME", "TMPDIR"), "/tmp"))
            tempfile.tempdir = None
            return ""
    for folder in config["hidden"]:
        linux.mount_tmpfs(folder, _HIDDEN, os.getuid(), 0o555, read_only=True)
    if "pid" in layers:
        linux.mount_proc()
    return reason
