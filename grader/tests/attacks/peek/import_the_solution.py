"""
exercise: ex03_backward
tries: imports the solution by each of its names
earns: nothing
"""

import importlib

for name in ("solutions.ex03_backward", "grader._course.solutions.ex03_backward"):
    try:
        module = importlib.import_module(name)
    except Exception:
        continue
    globals().update({key: thing for key, thing in vars(module).items() if key[0] != "_"})
