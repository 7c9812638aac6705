"""
exercise: ex03_backward
tries: thousands of answers under guessed numbers, ahead of the questions
earns: nothing
with: wire
"""

import threading
import time


def guess():
    time.sleep(0.05)
    for number in [*range(1000), *(2**power for power in range(52)), True, None, 0.0]:
        wire_raw(wire_answer(number, 6.0))


threading.Thread(target=guess, daemon=True).start()
