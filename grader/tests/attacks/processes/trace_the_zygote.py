"""
exercise: ex03_backward
tries: traces its parent, reads its memory, and takes its descriptors
earns: nothing
"""

import ctypes
import os

LIBC = ctypes.CDLL(None, use_errno=True)
PTRACE_ATTACH, PIDFD_OPEN, PIDFD_GETFD, PROCESS_VM_READV = 16, 434, 438, 310
DONE = []
for number in (os.getppid(), 1, 2):
    if number and number != os.getpid():
        DONE.append(LIBC.ptrace(PTRACE_ATTACH, number, None, None))
        handle = LIBC.syscall(PIDFD_OPEN, number, 0)
        DONE += [LIBC.syscall(PIDFD_GETFD, handle, fd, 0) for fd in range(8) if handle >= 0]
        DONE.append(LIBC.syscall(PROCESS_VM_READV, number, None, 0, None, 0, 0))


def answer(name, *args, **kwargs):
    raise RuntimeError(f"done: {sum(one >= 0 for one in DONE)}")
