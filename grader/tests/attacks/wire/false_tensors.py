"""
exercise: ex01_tensors
tries: tensors whose dtype, shape, device and bytes do not go together
earns: nothing
with: wire
"""

PACKED = [
    ["float32", [10**9, 10**9], "cpu", 0],
    ["float32", [-1], "cpu", 0],
    ["float32", [2], "cuda", 0],
    ["object", [1], "cpu", 0],
    ["float64", [3], "cpu", 0],
    ["float32", [1] * 65, "cpu", 0],
    ["float32", [2**26], "meta", None],
    ["bool", [16], "cpu", 0],
    ["float32", [True, 4], "cpu", 0],
    ["float32", "22", "cpu", 0],
    [["float32"], [4], "cpu", 0],
    ["float32", [4], "cpu", False],
]


def false(head, blobs):
    if "a" in head and wire_asked()[1] == "call":
        PACKED.append(PACKED.pop(0))
        told = {"i": 1_000_002 + 2 * len(blobs), "r": False, "k": "leaf", "v": PACKED[0]}
        return head | {"body": ["n", told]}, [b"\x07" * 16, *blobs]
    return head, blobs


wire_hook(false)
