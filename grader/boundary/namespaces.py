"""The zygote leaves the namespaces it was started in, where bubblewrap has not done that."""

from __future__ import annotations

import errno
import os
import socket
import tempfile
from collections.abc import Callable, Iterable
from functools import partial

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
    """Leave the namespaces; `OSError`, and nothing has changed, where that is not allowed."""
    ways = [partial(_own_users, flags)]
    if os.getuid() == 0:  # that of a container may lack the right, and yet have users of its own
        ways.insert(0, partial(linux.unshare, flags))
    for way in ways:
        failed = _tried(way)
        if not failed:
            return way()
    raise OSError(failed, f"unshare: {os.strerror(failed)}")


def _own_users(flags: int) -> None:
    uid, gid = os.getuid(), os.getgid()
    linux.unshare(linux.NEW_USER | flags)
    linux.map_own_user(uid, gid)


def _tried(way: Callable[[], None]) -> int:
    """The number of the error that `way` ends in, tried in a child: half of it would leave this
    process without a user. 0 where it works."""
    child = os.fork()
    if child == 0:
        failed = errno.EPERM
        try:
            way()
            failed = 0
        except OSError as error:
            failed = error.errno or failed
        finally:
            os._exit(failed)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


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
