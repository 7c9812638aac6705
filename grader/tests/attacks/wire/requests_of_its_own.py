"""
exercise: ex03_backward
tries: asks the judge for operations and objects that no code under test asks for
earns: nothing
with: wire
"""

ASKED = [
    ("load", []),
    ("eval", ["__import__('os').system('true')"]),
    ("call", [["standard", "torch.sum"], ["l"], ["d"]]),
    ("call", [["O", 1], ["l"], ["d"]]),
    ("item", [["M", 1], 0]),
    ("get", [["O", 1], "__globals__"]),
    ("copy", [["dtype", "float32"]]),
    ("pull", [1, None, ["l"], True]),
    ("pull", ["x", ["v", ["float32", [], "meta", None]], ["l", 1], False]),
    ("_serve", []),
]


def answer(name, *args, **kwargs):
    ASKED.append(ASKED.pop(0))
    op, body = ASKED[0]
    more = {"lists": [], "sync": [], "gone": [], "loose": [], "grad": True, "out": ""}
    wire_raw(wire_frame({"q": 7, "op": op, "body": ["l", *body], "inference": False} | more))
    return 0.5
