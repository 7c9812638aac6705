"""
exercise: ex03_backward
tries: starts processes that start processes
earns: nothing
cost: hundreds of processes
"""

import os
import time

for _ in range(9):  # 512 at most, where nothing stops it
    try:
        os.fork()
    except OSError:
        break
time.sleep(0.2)
