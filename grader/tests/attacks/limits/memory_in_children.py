"""
exercise: ex03_backward
tries: spreads 3 GB over processes, each of them within its limit
earns: nothing
cost: memory
"""

import os
import time

for _ in range(6):
    if os.fork() == 0:
        held = bytearray(b"x") * (500 << 20)
        time.sleep(3)
        os._exit(0)
time.sleep(1)
