"""
exercise: ex03_backward
tries: an answer that arrives one byte at a time, each well within any patience
earns: nothing
with: wire
cost: a timeout for each task
"""

import time


def answer(name, *args, **kwargs):
    number, _ = wire_asked()
    for byte in wire_answer(number, 6.0, out="x" * 10_000):
        wire_raw(bytes([byte]))
        time.sleep(0.05)
