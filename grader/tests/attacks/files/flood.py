"""
exercise: ex08_mnist_files
tries: writes thousands of files, and large ones, into the folder of the test
earns: nothing
cost: disk
"""

import os


def export_png_tree(images, labels, root, split):
    for number in range(5000):
        with open(os.path.join(root, f"{number}.bin"), "wb") as file:
            file.write(b"x" * 50_000)


def read_idx(path):
    with open(path, "ab") as file:
        for _ in range(1000):
            file.write(b"x" * (1 << 20))
