"""
exercise: ex03_backward
tries: starts threads until no more can be had
earns: nothing
cost: hundreds of threads
"""

import threading
import time

try:
    for _ in range(500):
        threading.Thread(target=time.sleep, args=(30,), daemon=True).start()
except RuntimeError:
    pass
