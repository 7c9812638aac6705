"""
exercise: ex03_backward
tries: kills every process that it may send a signal to, its parent first
earns: nothing
"""

import os
import signal


def answer(name, *args, **kwargs):
    for number in (os.getppid(), *range(1, 300), -1):
        if number not in (0, os.getpid()):
            try:
                os.kill(number, signal.SIGKILL)
            except OSError:
                continue
    return 0.5
