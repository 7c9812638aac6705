"""
exercise: ex08_mnist_files
tries: writes files under names that lead out of the folder of the test
earns: nothing
with: wire
"""

NAMES = ["../x.png", "/tmp/x.png", "a/../../x.png", "..", ".", "", "a\0b", "x" * 500, "a//../.."]


def outside(head, blobs):
    if "a" in head and wire_asked()[1] == "written":
        NAMES.append(NAMES.pop(0))
        return head | {"body": ["l", ["l", NAMES[0], ["b", len(blobs)]]]}, [*blobs, b"here"]
    return head, blobs


wire_hook(outside)
