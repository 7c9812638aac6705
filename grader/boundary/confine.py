"""The layers that a worker puts between itself and the rest before it runs a learner's code.

Each layer is one function. A layer that cannot be had raises `NoLayer`: the zygote finds that out
with a trial worker and names it; a worker that lacks a layer which the trial had never starts.
"""

from __future__ import annotations

import errno
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from grader.boundary import landlock, linux, seccomp

try:
    import resource
except ImportError:  # Windows
    resource = None

# In the order in which a worker enters them. The zygote makes "pid" when it forks.
LAYERS = (
    "cgroup",
    "pid",
    "user namespace",
    "net",
    "mount",
    "other user",
    "privileges",
    "landlock",
    "seccomp",
    "limits",  # last: the layers before it open files
)
_STACK = 64 << 20  # bytes; the stack is not part of what RLIMIT_DATA counts
_FIRST_USER = 1_900_000_000  # far above any user that a system hands out
_USERS = 100_000_000


class NoLayer(Exception):
    def __init__(self, layer: str, reason: object):
        super().__init__(f"no {layer}: {reason}")
        self.layer, self.reason = layer, str(reason)


@dataclass(frozen=True)
class Cell:
    """What one worker needs to lock itself in."""

    number: int  # of the worker, from 1
    layers: frozenset[str]
    limits: dict[str, float]  # the fields of `sandbox.Limits`
    data: int  # bytes of writable memory that the zygote has
    readable: tuple[str, ...]  # files and folders
    hidden: tuple[str, ...]  # folders below them that are not
    folder: str  # its temporary one
    groups: tuple[int, ...] = ()  # descriptors of the control groups to make one below

    @property
    def user(self) -> int:
        """A user of its own, so that the limit on processes counts only this worker's."""
        if "other user" in self.layers:
            return _FIRST_USER + self.number % _USERS
        return os.getuid()

    @property
    def counts_alone(self) -> bool:
        """Whether the kernel counts this worker's processes apart from everyone else's."""
        return not self.layers.isdisjoint({"other user", "user namespace"})

    @property
    def group(self) -> int:
        return self.user if "other user" in self.layers else os.getgid()


@contextmanager
def layer(name: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        raise NoLayer(name, error) from error


def enter(cell: Cell) -> None:
    """Lock this process in, for good; it runs in a child that the zygote just forked."""
    has = cell.layers.__contains__
    steps = {
        "cgroup": _join_groups,
        "user namespace": _own_users,
        "net": lambda _: linux.unshare(linux.NEW_NET | linux.NEW_IPC | linux.NEW_UTS),
        "mount": _own_files,
        "limits": _limit,
        "other user": _become_other,
        "privileges": _drop_privileges,
        "landlock": _lock_files,
        "seccomp": lambda _: seccomp.install(),
    }
    os.setsid()
    for name in LAYERS:
        if name == "landlock":
            _settle(cell)
        if has(name) and name in steps:
            with layer(name):
                steps[name](cell)


def _join_groups(cell: Cell) -> None:
    for parent in cell.groups:
        make_group(parent, cell)


def make_group(parent: int, cell: Cell) -> None:
    """A control group for this process and all it will start, with the limits of one worker.

    The first name is that of version 2, the second that of version 1.
    """
    name = group_name(cell.number)
    os.mkdir(name, dir_fd=parent)
    folder = os.open(name, os.O_RDONLY | os.O_DIRECTORY, dir_fd=parent)
    try:
        memory = cell.data + int(cell.limits["memory"]) + 2 * int(cell.limits["tmp_bytes"])
        for names, value in (
            (("memory.max", "memory.limit_in_bytes"), memory),
            (("memory.swap.max",), 0),
            (("pids.max",), int(cell.limits["processes"])),
            (("cgroup.procs",), 0),  # 0 stands for the writer
        ):
            _write_first(folder, names, value)
    finally:
        os.close(folder)


def group_name(number: int) -> str:
    return f"worker-{number}"


def drop_group(parent: int, cell: Cell) -> None:
    """Remove the group of a dead worker; where that fails, the judge's side sweeps at its end."""
    with suppress(OSError):
        os.rmdir(group_name(cell.number), dir_fd=parent)


def _write_first(folder: int, names: tuple[str, ...], value: int) -> None:
    """Write to the first of these files that the group has; a controller may be elsewhere."""
    for name in names:
        try:
            file = os.open(name, os.O_WRONLY, dir_fd=folder)
        except FileNotFoundError:
            continue
        try:
            os.write(file, str(value).encode())
        finally:
            os.close(file)
        return


def _own_users(cell: Cell) -> None:
    """Without another user: the kernel counts processes apart in each user namespace."""
    uid, gid = os.getuid(), os.getgid()
    linux.set_dumpable(True)  # else its own entry in /proc is not its own
    linux.unshare(linux.NEW_USER)
    linux.map_own_user(uid, gid)


def _own_files(cell: Cell) -> None:
    """Fresh temporary folders, and nothing in /proc."""
    linux.unshare(linux.NEW_MOUNT)
    linux.own_mounts()
    size = int(cell.limits["tmp_bytes"])
    for folder in (cell.folder, "/dev/shm"):
        if os.path.isdir(folder):
            linux.mount_tmpfs(folder, size, cell.user, 0o700)
    linux.mount_tmpfs("/proc", 4096, cell.user, 0o555, read_only=True)


def _limit(cell: Cell) -> None:
    limits = {name: int(value) for name, value in cell.limits.items()}
    wanted = {
        "DATA": cell.data + limits["memory"],
        "CPU": max(1, limits["cpu_seconds"]),
        "FSIZE": limits["file_bytes"],
        "NOFILE": limits["open_files"],
        "NPROC": limits["processes"],
        "STACK": _STACK,
        "CORE": 0,
        "MSGQUEUE": 0,
        "MEMLOCK": 0,
    }
    for name, most in wanted.items():
        kind = getattr(resource, f"RLIMIT_{name}", None)
        if kind is None or (name == "NPROC" and not cell.counts_alone):
            continue
        soft, hard = resource.getrlimit(kind)
        if hard != resource.RLIM_INFINITY:
            most = min(most, hard)
        if name == "STACK" and soft != resource.RLIM_INFINITY:
            resource.setrlimit(kind, (min(soft, most), most))
        else:
            resource.setrlimit(kind, (most, most))


def no_pids(outside: int) -> str | None:
    """Why no process can be forked into a namespace of its own, with `outside` to come back to;
    a child tries it, since a process that can't come back can't fork again."""
    child = os.fork()
    if child == 0:
        failed = errno.EPERM
        try:
            linux.unshare(linux.NEW_PID)
            linux.rejoin(outside, linux.NEW_PID)
            failed = 0
        except OSError as error:
            failed = error.errno or failed
        finally:
            os._exit(failed)
    failed = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return os.strerror(failed) if failed else None


def no_other_user() -> str | None:
    """Why this process can't become another user; None when it may try."""
    if os.geteuid() != 0:
        return "only root can change the user"
    with suppress(OSError):
        for line in Path("/proc/self/uid_map").read_text().splitlines():
            first, _, count = map(int, line.split())
            if first <= _FIRST_USER and first + count >= _FIRST_USER + _USERS:
                return None
        return "this container has too few users"
    return None


def _become_other(cell: Cell) -> None:
    uid = cell.user
    there = [path for path in cell.readable if os.path.exists(path)]
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    for path in there:
        if not os.access(path, os.R_OK):
            raise OSError(f"only its owner may read {path}, and no mount shows it to others")


def _drop_privileges(cell: Cell) -> None:
    linux.require_linux()
    linux.drop_capabilities()
    linux.no_new_privileges()
    linux.die_with_parent()


def _settle(cell: Cell) -> None:
    """Into its own folder, with an environment that names no other."""
    os.chdir(cell.folder)
    for name in ("HOME", "TMPDIR"):
        os.environ[name] = cell.folder
    tempfile.tempdir = None


def _lock_files(cell: Cell) -> None:
    writable = [cell.folder, "/dev/null"]
    if "mount" in cell.layers:
        writable.append("/dev/shm")
    landlock.restrict([*cell.readable, "/dev/urandom", "/dev/random"], writable, cell.hidden)


def make_folder(cell: Cell) -> None:
    """Where a worker has no mounts of its own: a folder on the disk that only its user may enter.

    The zygote makes it, and removes it with `drop_folder`.
    """
    os.mkdir(cell.folder, 0o700)
    os.chown(cell.folder, cell.user, cell.group)


def drop_folder(folder: str) -> None:
    shutil.rmtree(folder, ignore_errors=True)


def data_bytes() -> int:
    """Bytes of writable memory of this process, as RLIMIT_DATA counts them; 0 when not known."""
    if sys.platform != "linux":
        return 0
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmData:"):
            return int(line.split()[1]) << 10
    return 0
