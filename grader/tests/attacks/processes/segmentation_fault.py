"""
exercise: ex03_backward
tries: crashes the interpreter itself
earns: nothing
"""

import ctypes


def answer(name, *args, **kwargs):
    ctypes.string_at(0)
