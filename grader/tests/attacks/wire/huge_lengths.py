"""
exercise: ex03_backward
tries: a message that says it is 4 GB long, with millions of parts
earns: nothing
with: wire
"""

import struct


def answer(name, *args, **kwargs):
    if name == "slope":
        wire_raw(struct.pack("!II", 2**32 - 1, 2**32 - 1))
    if name == "gradient":
        wire_raw(struct.pack("!II", 100, 4096) + struct.pack("!4096I", *[2**32 - 1] * 4096))
    return 0.5
