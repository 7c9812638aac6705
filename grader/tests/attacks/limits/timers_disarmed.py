"""
exercise: ex03_backward
tries: disarms every timer and handler, then waits
earns: nothing
cost: a timeout for each task
"""

import signal
import threading
import time

signal.setitimer(signal.ITIMER_REAL, 0)
for thread in threading.enumerate():
    if isinstance(thread, threading.Timer):
        thread.cancel()
signal.alarm(0)


def answer(name, *args, **kwargs):
    signal.signal(signal.SIGALRM, signal.SIG_IGN)
    signal.setitimer(signal.ITIMER_REAL, 0)
    time.sleep(1000)
