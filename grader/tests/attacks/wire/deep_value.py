"""
exercise: ex03_backward
tries: a value of lists within lists, with the tags of every kind in every wrong shape
earns: nothing
with: wire
"""

DEEP = 6.0
for _ in range(500):
    DEEP = ["l", DEEP]
BODIES = [
    DEEP,
    [],
    [[]],
    {"a": 1},
    ["d", [1]],
    ["s", ["l"]],
    ["size", "x"],
    ["i", "-" * 2000],
    ["i", "f" * 5000],
    ["T", True],
    ["T", 10**30],
    ["n", {}],
    ["v", ["float32", [2], "cpu", 5]],
    ["b", -1],
    ["dtype", "__class__"],
    ["device", "cuda"],
    ["path", "../../x", True],
    ["range", 0, 10**30, 1],
    ["slice", "a", None, None],
    ["standard", "os.system"],
    ["O", 1],
    ["M", None],
    ["o", {"i": 1}],
    ["F", ["d"]],
    [None],
]


def answer(name, *args, **kwargs):
    BODIES.append(BODIES.pop(0))
    number, _ = wire_asked()
    wire_raw(wire_answer(number, BODIES[0]))
    return 0.5
