"""
exercise: ex03_backward
tries: fetches the answers, and sends the questions away
earns: nothing
"""

import socket

REACHED = []
for family, place in (
    (socket.AF_INET, ("192.0.2.1", 80)),
    (socket.AF_INET, ("127.0.0.1", 22)),
    (socket.AF_UNIX, "\0abstract"),
    (socket.AF_UNIX, "/var/run/docker.sock"),
):
    try:
        with socket.socket(family, socket.SOCK_STREAM) as one:
            one.settimeout(0.2)
            one.connect(place)
            REACHED.append(place)
    except OSError:
        continue


def answer(name, *args, **kwargs):
    raise RuntimeError(f"reached: {REACHED}")
