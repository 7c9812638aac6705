"""
exercise: ex03_backward
tries: reads the memory and the files of the other processes through /proc
earns: nothing
"""

import os

SEEN = []
for number in [1, os.getppid(), *range(2, 200)]:
    for name in ("environ", "cmdline", "mem", "maps", "rootCOURSE/solutions/ex03_backward.py"):
        try:
            with open(f"/proc/{number}/{name}", "rb") as file:
                SEEN.append(file.read(64))
        except (OSError, ValueError):
            continue


def answer(name, *args, **kwargs):
    raise RuntimeError(f"{len(SEEN)} files of other processes: {SEEN[:1]}")
