"""
exercise: ex03_backward
tries: prints 100 MB, past Python's own standard output too
earns: nothing
cost: output
"""

import os

for _ in range(100):
    print("x" * 1_000_000)
    for descriptor in (1, 2):
        os.write(descriptor, b"x" * 1_000_000)
