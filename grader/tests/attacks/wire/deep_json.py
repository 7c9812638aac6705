"""
exercise: ex03_backward
tries: JSON nested a million lists deep, numbers with a million digits, and no JSON at all
earns: nothing
with: wire
"""

HEADS = [
    b"[" * 1_000_000,
    b'{"a":' * 200_000,
    b"9" * 1_000_000,
    b'{"a":NaN}',
    b"\xff\xfe{}",
    b"",
    b'"' + b"\\u0000" * 100_000 + b'"',
]


def answer(name, *args, **kwargs):
    HEADS.append(HEADS.pop(0))
    wire_raw(wire_frame(HEADS[0]))
    return 0.5
