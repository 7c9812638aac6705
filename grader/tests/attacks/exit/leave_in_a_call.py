"""
exercise: ex03_backward
tries: ends the process with exit status 0 at the first call
earns: nothing
"""

import os


def answer(name, *args, **kwargs):
    os._exit(0)
