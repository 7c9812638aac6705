"""
exercise: ex03_backward
tries: an expression nested so deep that whoever parses it runs out of stack
earns: nothing
"""

import sys

sys.setrecursionlimit(10**6)


def answer(name, *args, **kwargs):
    return eval("(" * 50_000 + "6.0" + ")" * 50_000)
