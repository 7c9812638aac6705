"""
exercise: ex03_backward
tries: ends the process with exit status 0 while the file is loaded
earns: nothing
"""

import os

os._exit(0)
