"""
exercise: ex03_backward
tries: half characters in messages, names and output, which no file and no terminal can hold
earns: nothing
"""


class Half:
    def __repr__(self):
        return "\ud800 half"


def answer(name, *args, **kwargs):
    print("\udfff printed")
    if name == "slope":
        raise ValueError("\ud83d raised")
    return Half()
