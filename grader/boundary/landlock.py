"""Landlock: a process gives up all files but those named, TCP, and signals to the outside.

The rights of each ABI version are those of the kernel's `linux/landlock.h`.
"""

from __future__ import annotations

import ctypes
import os
import stat
from collections.abc import Iterable

from grader.boundary import linux

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # the same on every architecture
_PATH_BENEATH = 1
_ASK_VERSION = 1

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_TRUNCATE, _IOCTL_DEV = 1 << 14, 1 << 15
_READ = _EXECUTE | _READ_FILE | _READ_DIR
_OF_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL_DEV
# The number of file rights that each version handles; what it doesn't handle, it doesn't deny.
_FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15}
_LATEST_FILE_RIGHTS = 16
_TCP_BIND_AND_CONNECT = 0b11
_ABSTRACT_SOCKETS_AND_SIGNALS = 0b11


class _Ruleset(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint64) for name in ("files", "net", "scoped")]


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _layout_ = "ms"
    _fields_ = [("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32)]


def version() -> int:
    """The ABI version of this kernel; `OSError` where it has no Landlock."""
    linux.require_linux()
    return linux.syscall(_CREATE_RULESET, None, 0, _ASK_VERSION, what="landlock")


def restrict(readable: Iterable[str], writable: Iterable[str], hidden: Iterable[str] = ()) -> int:
    """From here on, and for good, only these paths and what lies below them; absent ones pass.

    Of `hidden` folders below readable ones, names can be listed and nothing can be read.

    Returns the ABI version: below 4, TCP stays open; below 6, abstract sockets and signals do.
    """
    abi = version()
    files = (1 << _FILE_RIGHTS.get(abi, _LATEST_FILE_RIGHTS)) - 1
    ruleset = _Ruleset(files, _TCP_BIND_AND_CONNECT, _ABSTRACT_SOCKETS_AND_SIGNALS)
    size = 8 if abi < 4 else 16 if abi < 6 else 24
    descriptor = linux.syscall(
        _CREATE_RULESET, ctypes.byref(ruleset), ctypes.c_size_t(size), 0, what="landlock ruleset"
    )
    try:
        for path in readable:
            _allow_but(descriptor, path, tuple(hidden), files)
        for path in writable:
            _allow(descriptor, path, files)
        linux.syscall(_RESTRICT_SELF, descriptor, 0, what="landlock restrict")
    finally:
        os.close(descriptor)
    return abi


def _allow_but(ruleset: int, path: str, hidden: tuple[str, ...], files: int) -> None:
    """Reading below `path`, but for what lies below `hidden`: a right can't be taken back, so it
    is given for what lies beside."""
    if path in hidden:
        return
    below = [folder for folder in hidden if folder.startswith(path.rstrip("/") + "/")]
    if not below:
        _allow(ruleset, path, _READ & files)
        return
    _allow(ruleset, path, _READ_DIR & files)
    for entry in os.scandir(path):
        if not entry.is_symlink():  # what it leads to lies elsewhere
            _allow_but(ruleset, entry.path, tuple(below), files)


def _allow(ruleset: int, path: str, rights: int) -> None:
    try:
        parent = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        if not stat.S_ISDIR(os.fstat(parent).st_mode):
            rights &= _OF_FILES
        rule = _PathBeneath(rights, parent)
        linux.syscall(
            _ADD_RULE, ruleset, _PATH_BENEATH, ctypes.byref(rule), 0, what=f"landlock {path}"
        )
    finally:
        os.close(parent)
