"""
exercise: ex03_backward
tries: takes 3 GB of memory, some of it shared
earns: nothing
cost: memory
"""

import mmap

HELD = []


def answer(name, *args, **kwargs):
    for _ in range(30):
        HELD.append(bytearray(100 << 20))
        shared = mmap.mmap(-1, 50 << 20)
        shared.write(b"x" * (50 << 20))
        HELD.append(shared)
    return 0.5
