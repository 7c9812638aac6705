"""
exercise: ex03_backward
tries: says over every socket that it could have inherited how it ended, and asks for workers
earns: nothing
"""

import json
import os
import socket

for descriptor in range(4, 256):
    try:
        other = socket.socket(fileno=os.dup(descriptor))
        other.sendall(json.dumps({"ended": "exit status 0"}).encode() + b"\n")
        socket.send_fds(other, [b"{}"], [3, 3])
    except OSError:
        continue
