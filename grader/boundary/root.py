"""A root of one's own where bubblewrap is not: what a worker may read, and nothing else exists.

The zygote enters it in its own mount namespace, before it imports anything. What is not shown is
not there, under any name: no file, no folder, no socket.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress

from grader.boundary import linux

_DEVICES = ("null", "zero", "full", "random", "urandom")
_SMALL = 1 << 20  # bytes of the root's own file system: folders, links and mount points


def enter(
    place: str,
    system: Iterable[str],
    mounts: Iterable[tuple[str, bool]],
    code: str,
    size: int,
    proc: bool,
) -> None:
    """Make the new root at the folder `place`, and go there for good.

    `system` are the folders of the system, links among them; `mounts` further paths, outermost
    first, each with whether it is shown or hidden; `code` is shown too. `size` in bytes is that of
    /tmp, `proc` says whether this process may have a /proc of its own namespace. `OSError` where
    the kernel does not allow it, before anything has changed for this process.
    """
    linux.mount_tmpfs(place, _SMALL, os.getuid(), 0o755)
    try:
        _fill(place, system, [*mounts, (code, True)], size, proc)
        linux.pivot_root(place)
    except BaseException:
        os.chdir("/")
        with suppress(OSError):
            linux.unmount(place)
        raise


def _fill(place: str, system, mounts, size: int, proc: bool) -> None:
    for folder, bytes_, mode in (("/tmp", size, 0o1777), ("/dev", _SMALL, 0o755)):
        os.mkdir(place + folder)
        linux.mount_tmpfs(place + folder, bytes_, os.getuid(), mode)
    for folder in ("/dev/shm", "/proc", "/mnt"):
        os.mkdir(place + folder, 0o755)
    for path in system:
        if os.path.islink(path):
            os.symlink(os.readlink(path), place + path)
        elif os.path.isdir(path):
            _show(place, path)
    for path, shown in mounts:
        if shown:
            _show(place, path)
        else:
            linux.mount_tmpfs(_folder(place + path), _SMALL, os.getuid(), 0o755)
    for path in (path for path, shown in mounts if not shown):
        linux.make_read_only(place + path)
    for name in _DEVICES:
        _show(place, f"/dev/{name}", devices=True)
    if proc:
        with suppress(OSError):  # none to have inside some containers: the watch misses it
            linux.mount_proc(place + "/proc")
    _lock(place)


def _show(place: str, path: str, devices: bool = False) -> None:
    """`path`, or what the link of this name leads to, read-only."""
    source = os.path.realpath(path)
    if not os.path.exists(source):
        return
    if os.path.isdir(source):
        target = _folder(place + path)
    else:
        target = place + path
        _folder(os.path.dirname(target))
        with suppress(FileExistsError):
            os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o444))
    linux.bind(source, target)
    if not devices:
        linux.make_read_only(target)


def _folder(path: str) -> str:
    os.makedirs(path, 0o755, exist_ok=True)
    return path


def _lock(place: str) -> None:
    """The root's own file system takes no more files; what is mounted on it stays as it is."""
    linux.make_read_only(place, devices=True, recursive=False)
