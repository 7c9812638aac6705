"""
exercise: ex03_backward
tries: exceptions with the names and bases of those that end processes or mean "not a failure"
earns: nothing
with: wire
"""

BASES = ["KeyboardInterrupt", "SystemExit", "GeneratorExit", "BaseExceptionGroup", "Wrong"]
BASES += ["StopIteration", "UnicodeDecodeError", "NotImplementedError", "__import__", "Warning"]


def told(head, blobs):
    if "a" in head and wire_asked()[1] == "call":
        BASES.append(BASES.pop(0))
        line = [1, "raise NotImplementedError"]
        error = {"name": BASES[0], "bases": [BASES[0]], "args": [0], "text": "passed"}
        return head | {"raised": error | {"line": line, "raiser": "slope"}}, blobs
    return head, blobs


wire_hook(told)
