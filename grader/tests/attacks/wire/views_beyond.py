"""
exercise: ex01_tensors
tries: results that claim to lie in the memory of the test's tensors, and before and behind it
earns: nothing
with: wire
"""

VIEWS = [
    [2, 1000, "torch.float32", [2], [1]],
    [1, -4, "torch.float32", [2], [1]],
    [1, 0, "torch.float32", [2, 2**25], [2**25, 1]],
    [1, 0, "torch.float32", [2], [-1]],
    [1, 0, "torch.float64", [2], [1]],
    [1, 2**62, "torch.float32", [0], [1]],
    [1, 0, "torch.float32", [2**26], [0]],
    [1, 0, "torch.float32", [2], [10**30]],
    [True, 0, "torch.float32", [2], [1]],
    [3, 0, "torch.float32", [2], [0]],
]


def beyond(head, blobs):
    if "a" in head and wire_asked()[1] == "call":
        VIEWS.append(VIEWS.pop(0))
        told = {"i": 5002, "r": False, "k": "leaf", "s": VIEWS[0]}
        return head | {"body": ["n", told]}, blobs
    return head, blobs


wire_hook(beyond)
