"""
exercise: ex03_backward
tries: becomes root, mounts, makes namespaces and loads kernel code
earns: nothing
"""

import ctypes
import os

LIBC = ctypes.CDLL(None, use_errno=True)
DONE = []
for call in (os.setuid, os.setgid):
    try:
        call(0)
        DONE.append(call.__name__)
    except OSError:
        continue
for flags in (0x10000000, 0x20000, 0x40000000):
    if LIBC.unshare(flags) == 0:
        DONE.append(f"unshare {flags:x}")
if LIBC.mount(b"none", b"/tmp", b"tmpfs", 0, None) == 0:
    DONE.append("mount")


def answer(name, *args, **kwargs):
    raise RuntimeError(f"done: {DONE}")
