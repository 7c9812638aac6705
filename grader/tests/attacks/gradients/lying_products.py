"""
exercise: ex09_three_or_seven
tries: right values with a wrong graph; asked for gradients, it gives other shapes, nan, or others'
earns: nothing
with: wire
"""

GIVEN = [None, ["l"], ["l", ["v", ["float32", [], "meta", None]]], 6.0, ["l", "x", None, 1.0]]


def lie(head, blobs):
    if "a" in head and wire_asked()[1] == "pull":
        GIVEN.append(GIVEN.pop(0))
        return head | {"body": GIVEN[0]}, blobs
    return head, blobs


def linear1(xb, weights, bias):
    return xb * weights[:1].exp() + bias


def sigmoid(x):
    return x.tanh()


wire_hook(lie)
