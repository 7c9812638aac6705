"""
exercise: ex03_backward
tries: sends each answer twice, and the right answer to the next example before it is asked
earns: nothing
with: wire
"""


def twice(head, blobs):
    if "a" in head:
        wire_raw(wire_answer(head["a"] + 1, 6.0))
        wire_raw(wire_answer(head["a"], 6.0))
    return head, blobs


wire_hook(twice)
