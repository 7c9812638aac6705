"""
exercise: ex03_backward
tries: never finishes loading
earns: nothing
cost: a timeout
"""

import time

while True:
    time.sleep(1)
