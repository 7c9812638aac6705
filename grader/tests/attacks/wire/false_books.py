"""
exercise: ex03_backward
tries: lies about which tensors are gone, changed, loose or replaced, and about lists
earns: nothing
with: wire
"""

LIES = [
    {"gone": [*range(-5, 50)]},
    {"loose": [*range(50)], "gone": [None, True, 1.5, [], {}]},
    {"sync": [{"i": n, "v": ["float32", [], "meta", None], "r": True} for n in range(1, 9)]},
    {"sync": [{"i": n, "detached": True, "g": None} for n in range(1, 9)]},
    {"sync": [{"i": 1, "g": ["int64", [0], "cpu", 0]}, {"i": None}, {}]},
    {"sync": "all", "lists": {}},
    {"lists": [[n, ["l", 1, 2]] for n in range(9)]},
    {"lists": [[-1, ["l"]], [0, ["d"]]]},
    {"random": 99},
    {"random": -1},
    {"grad": 0, "inference": 1},
    {"out": None},
    {"raised": True},
    {"raised": {"name": 1}},
]


def lie(head, blobs):
    if "a" in head and wire_asked()[1] == "call":
        LIES.append(LIES.pop(0))
        return head | LIES[0], blobs
    return head, blobs


wire_hook(lie)
