"""
exercise: ex08_mnist_files
tries: has the judge write files without end in its own folder, new ones with every answer
earns: nothing
with: wire
cost: some hundred MB on the disk of the judge
"""

count = 0


def fill(head, blobs):
    global count
    if "a" in head and wire_asked()[1] == "written":
        count += 1
        names = [["l", f"{count}/{number}", ["b", len(blobs)]] for number in range(4)]
        return head | {"body": ["l", *names]}, [*blobs, bytes(12 << 20)]
    return head, blobs


wire_hook(fill)
