"""
exercise: ex03_backward
tries: counts on being root, whose processes no limit of a user counts
earns: nothing
cost: hundreds of processes
"""

import os
import time

CHILDREN = []
try:
    while len(CHILDREN) < 300:
        child = os.fork()
        if child == 0:
            time.sleep(5)
            os._exit(0)
        CHILDREN.append(child)
except OSError:
    pass


def answer(name, *args, **kwargs):
    return float(len(CHILDREN))
