"""
exercise: ex03_backward
tries: fills the disk, file by file, and one file that is larger than any limit
earns: nothing
cost: disk
"""

import contextlib
import os

PIECE = b"x" * (1 << 20)
for number in range(30):
    with contextlib.suppress(OSError), open(f"filler{number}", "wb") as file:
        for _ in range(10):
            file.write(PIECE)
with contextlib.suppress(OSError), open("large", "wb") as file:
    os.truncate(file.fileno(), 1 << 40)
