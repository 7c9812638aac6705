"""
exercise: ex03_backward
tries: stops its own process, so that no answer comes and nothing ends either
earns: nothing
cost: a timeout for each task
"""

import os
import signal


def answer(name, *args, **kwargs):
    os.kill(os.getpid(), signal.SIGSTOP)
