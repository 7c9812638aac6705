"""
exercise: ex03_backward
tries: writes "passed" onto every open descriptor, one of which may lead to the engine
earns: nothing
"""

import contextlib
import json
import os

EVENT = {"event": "done", "id": 1, "status": 0, "late": False}
for descriptor in range(4, 64):
    with contextlib.suppress(OSError):
        os.write(descriptor, json.dumps(EVENT).encode() + b"\n")
