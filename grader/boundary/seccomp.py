"""A seccomp filter: system calls that no exercise needs, and memory that no limit counts.

`RLIMIT_DATA` counts neither shared anonymous memory nor mappings that grow downwards, so the
filter refuses both, and every other way to memory outside it. New namespaces, tracing, keys,
io_uring, and sockets of any family but AF_UNIX go too: they are the usual ways into the kernel.
So do locks and watches on files, by which two workers that read the same libraries could talk.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct

from grader.boundary import linux

_PR_SET_SECCOMP, _MODE_FILTER = 22, 2
_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _AND, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x54, 0x06
_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT = 0, 4, 16  # offsets in struct seccomp_data

_SHARED_ANONYMOUS, _GROWS_DOWN = 0x21, 0x100  # of mmap's flags
_NEW_NAMESPACES = 0x7E020000  # of clone's flags
_AF_UNIX = 1

_AUDIT = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_X32 = 0x40000000  # the other numbering of x86_64
# (x86_64, aarch64); from 424 on the numbers are the same.
_REFUSED = {
    "unshare": (272, 97), "setns": (308, 268), "mount": (165, 40), "umount2": (166, 39),
    "pivot_root": (155, 41), "chroot": (161, 51), "ptrace": (101, 117),
    "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "kcmp": (312, 272),
    "add_key": (248, 217), "request_key": (249, 218), "keyctl": (250, 219),
    "bpf": (321, 280), "perf_event_open": (298, 241), "userfaultfd": (323, 282),
    "memfd_create": (319, 279), "shmget": (29, 194), "msgget": (68, 186), "semget": (64, 190),
    "open_by_handle_at": (304, 265), "io_uring_setup": (425, 425), "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427), "open_tree": (428, 428), "move_mount": (429, 429),
    "fsopen": (430, 430), "fsmount": (432, 432), "pidfd_getfd": (438, 438),
    "mount_setattr": (442, 442), "memfd_secret": (447, 447), "flock": (73, 32),
    "inotify_init": (253, 26), "inotify_init1": (294, 26), "fanotify_init": (300, 262),
}  # fmt: skip
_MMAP, _CLONE, _SOCKET, _CLONE3 = (9, 222), (56, 220), (41, 198), 435
# fcntl's locks, F_SETLEASE and F_NOTIFY: with them workers could talk through a file of torch.
_FCNTL, _SHARED_STATES = (72, 25), (6, 7, 37, 38, 1024, 1026)


def install() -> None:
    """From here on, and for good; needs `no_new_privileges`."""
    linux.require_linux()
    machine = os.uname().machine
    if machine not in _AUDIT:
        raise OSError(f"no filter for {machine}")
    program = _program(machine)
    code = ctypes.create_string_buffer(program, len(program))
    header = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(code))
    linux.prctl(
        _PR_SET_SECCOMP,
        _MODE_FILTER,
        ctypes.create_string_buffer(header, len(header)),
        what="seccomp",
    )


def _program(machine: str) -> bytes:
    """The filter in the kernel's classic BPF: every check jumps over a return, or into it."""
    column = list(_AUDIT).index(machine)
    lines = [(_LOAD, 0, 0, _ARCHITECTURE), (_EQUAL, 1, 0, _AUDIT[machine]), _give(_KILL)]
    lines += [(_LOAD, 0, 0, _NUMBER)]
    if machine == "x86_64":
        lines += [(_AT_LEAST, 0, 1, _X32), _refuse(errno.ENOSYS)]
    # Its flags lie in memory, out of the filter's sight; without it, the C library takes clone.
    lines += [(_EQUAL, 0, 1, _CLONE3), _refuse(errno.ENOSYS)]
    for numbers in _REFUSED.values():
        lines += [(_EQUAL, 0, 1, numbers[column]), _refuse(errno.EPERM)]
    shared = [(_AND, 0, 0, _SHARED_ANONYMOUS), (_EQUAL, 0, 1, _SHARED_ANONYMOUS)]
    lines += _on(_MMAP[column], 3, [(_ANY_BIT, 0, 1, _GROWS_DOWN), _refuse(errno.ENOMEM)])
    lines += _on(_MMAP[column], 3, [*shared, _refuse(errno.ENOMEM)])
    for command in _SHARED_STATES:
        lines += _on(_FCNTL[column], 1, [(_EQUAL, 0, 1, command), _refuse(errno.EPERM)])
    lines += _on(_CLONE[column], 0, [(_ANY_BIT, 0, 1, _NEW_NAMESPACES), _refuse(errno.EPERM)])
    lines += _on(_SOCKET[column], 0, [(_EQUAL, 1, 0, _AF_UNIX), _refuse(errno.EACCES)])
    return b"".join(struct.pack("HBBI", *line) for line in [*lines, _give(_ALLOW)])


def _on(number: int, argument: int, then: list[tuple]) -> list[tuple]:
    """`then`, for one system call only, with the low half of one argument loaded."""
    inside = [(_LOAD, 0, 0, _FIRST_ARGUMENT + 8 * argument), *then, (_LOAD, 0, 0, _NUMBER)]
    return [(_EQUAL, 0, len(inside), number), *inside]


def _give(verdict: int) -> tuple:
    return (_RETURN, 0, 0, verdict)


def _refuse(number: int) -> tuple:
    return _give(_ERRNO | number)
