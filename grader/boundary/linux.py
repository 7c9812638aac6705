"""The system calls that Python does not offer, through ctypes. A failure is an `OSError`."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final

NEW_MOUNT: Final = 0x00020000
NEW_UTS: Final = 0x04000000
NEW_IPC: Final = 0x08000000
NEW_USER: Final = 0x10000000
NEW_PID: Final = 0x20000000
NEW_NET: Final = 0x40000000

_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_CAPBSET_DROP = 24
_PR_SET_NO_NEW_PRIVS = 38
_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL = 47, 4

_MS_RDONLY, _MS_NOSUID, _MS_NODEV, _MS_REC, _MS_PRIVATE = 1, 2, 4, 1 << 14, 1 << 18
_MS_BIND, _MNT_DETACH = 1 << 12, 2
_MOUNT_SETATTR = 442  # the same on every architecture
_AT_FDCWD, _AT_RECURSIVE, _AT_SYMLINK_NOFOLLOW = -100, 0x8000, 0x100
_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}

_HUGE, _MADV_COLLAPSE = 2 << 20, 25  # the bytes of a huge page

_libc = ctypes.CDLL(None, use_errno=True)


def checked(result: int, what: str) -> int:
    """`result`, or the `OSError` that errno names, with `what` was tried."""
    if result == -1:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def syscall(number: int, *arguments: object, what: str) -> int:
    return checked(_libc.syscall(number, *arguments), what)


def prctl(option: int, *arguments: object, what: str) -> int:
    # prctl takes unsigned longs: ctypes would pass a plain int in 32 bits.
    words = [ctypes.c_ulong(word) if isinstance(word, int) else word for word in arguments]
    words += [ctypes.c_ulong(0)] * (4 - len(words))
    return checked(_libc.prctl(option, *words), what)


def require_linux() -> None:
    if sys.platform != "linux":
        raise OSError(f"{sys.platform} has none")


def unshare(flags: int) -> None:
    """Leave the namespaces that `flags` name for new ones."""
    require_linux()
    checked(_libc.unshare(flags), "unshare")


def rejoin(namespace: int, kind: int) -> None:
    """Go back to the namespace that the descriptor `namespace` holds open."""
    checked(_libc.setns(namespace, kind), "setns")


def own_mounts() -> None:
    """From here on, no mount of this process shows outside its namespace, nor the reverse."""
    checked(_libc.mount(None, b"/", None, _MS_REC | _MS_PRIVATE, None), "mount private /")


def mount_tmpfs(folder: str, size: int, uid: int, mode: int, read_only: bool = False) -> None:
    """An empty file system of at most `size` bytes over `folder`, which `uid` owns."""
    gid = os.getgid() if uid == os.getuid() else uid  # one that this user namespace knows
    flags = _MS_NOSUID | _MS_NODEV | (_MS_RDONLY if read_only else 0)
    options = f"size={size},nr_inodes=16k,mode={mode:o},uid={uid},gid={gid}"
    result = _libc.mount(b"tmpfs", os.fsencode(folder), b"tmpfs", flags, options.encode())
    checked(result, f"mount a tmpfs on {folder}")


class _MountAttributes(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint64) for name in ("set", "clear", "propagation", "namespace")]


def bind(source: str, target: str) -> None:
    """Show `source`, and what is mounted below it, at `target` too."""
    words = os.fsencode(source), os.fsencode(target)
    checked(_libc.mount(*words, None, _MS_BIND | _MS_REC, None), f"bind {source}")


def make_read_only(path: str, devices: bool = False, recursive: bool = True) -> None:
    """No writing, no set-user-id programs and, but with `devices`, no devices in what is mounted
    at `path` and, if `recursive`, below it. Linux can since 5.12."""
    flags = _MS_RDONLY | _MS_NOSUID | (0 if devices else _MS_NODEV)  # as MOUNT_ATTR has them
    attributes = _MountAttributes(flags)
    syscall(
        _MOUNT_SETATTR,
        _AT_FDCWD,
        os.fsencode(path),
        _AT_SYMLINK_NOFOLLOW | (_AT_RECURSIVE if recursive else 0),
        ctypes.byref(attributes),
        ctypes.c_size_t(ctypes.sizeof(attributes)),
        what=f"make {path} read-only",
    )


def pivot_root(folder: str) -> None:
    """`folder`, a mount, becomes the root of this namespace; the former one is gone from it."""
    number = _PIVOT_ROOT.get(os.uname().machine)
    if number is None:
        raise OSError(f"pivot_root is not known for {os.uname().machine}")
    os.chdir(folder)
    syscall(number, b".", b".", what="pivot_root")  # the former root now lies on top of the new one
    unmount(".")
    os.chdir("/")


def unmount(path: str) -> None:
    checked(_libc.umount2(os.fsencode(path), _MNT_DETACH), f"unmount {path}")


def mount_proc(folder: str = "/proc") -> None:
    """The processes of this namespace, and no others, in `folder`."""
    flags = _MS_NOSUID | _MS_NODEV
    checked(_libc.mount(b"proc", os.fsencode(folder), b"proc", flags, None), "mount /proc")


def set_dumpable(yes: bool) -> None:
    """Whether others of the same user may trace this process and read its memory."""
    prctl(_PR_SET_DUMPABLE, int(yes), what="prctl dumpable")


def die_with_parent() -> None:
    """SIGKILL for this process when its parent ends; a change of user would undo it."""
    prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), what="prctl parent-death signal")


def no_new_privileges() -> None:
    """No program that this process starts gains rights by set-user-id or file capabilities."""
    prctl(_PR_SET_NO_NEW_PRIVS, 1, what="prctl no new privileges")


class _CapabilityHeader(ctypes.Structure):
    _fields_ = [("version", ctypes.c_uint32), ("pid", ctypes.c_int)]


def drop_capabilities() -> None:
    """Give up every capability, and the way to any."""
    prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL, what="clear ambient capabilities")
    for capability in range(64):
        try:
            prctl(_PR_CAPBSET_DROP, capability, what="drop a capability")
        except OSError:  # past the last one that this kernel knows, or not ours to drop
            break
    header = _CapabilityHeader(0x20080522, 0)
    checked(_libc.capset(ctypes.byref(header), (ctypes.c_uint32 * 6)()), "capset")


def into_huge_pages() -> None:
    """Hold what this process has on its heap in few large pages, where Linux can (from 6.1 on).

    A fork copies the table of them, page by page: it costs half as much then.
    """
    with suppress(OSError):  # no /proc: another system, or hidden from us
        for line in Path("/proc/self/maps").read_text().splitlines():
            span, rights, _, device, _, *name = line.split()
            if rights == "rw-p" and device == "00:00" and name in ([], ["[heap]"]):
                start, end = (int(edge, 16) for edge in span.split("-"))
                start, end = -(-start // _HUGE) * _HUGE, end // _HUGE * _HUGE
                if start < end:
                    size = ctypes.c_size_t(end - start)
                    _libc.madvise(ctypes.c_void_p(start), size, _MADV_COLLAPSE)


def map_own_user(uid: int, gid: int) -> None:
    """In a new user namespace: keep the numbers that this process had outside."""
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{uid} {uid} 1"),
        ("gid_map", f"{gid} {gid} 1"),
    ):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(text)
