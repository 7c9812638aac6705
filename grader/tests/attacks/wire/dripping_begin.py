"""
exercise: ex03_backward
tries: never says that it is ready for the next test, while no timer interrupts
earns: nothing
with: wire
cost: a timeout for each task
"""

import time


def hang(head, blobs):
    if wire_asked()[1] == "begin":
        time.sleep(1000)
    return head, blobs


wire_hook(hang)
