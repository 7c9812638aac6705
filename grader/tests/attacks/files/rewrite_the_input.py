"""
exercise: ex08_mnist_files
tries: rewrites the file of the test, so that it holds what a wrong reader gives back
earns: nothing
"""


def read_idx(path):
    with open(path, "wb") as file:
        file.write(bytes([0, 0, 8, 1, 0, 0, 0, 1, 0]))
    return torch.zeros(1, dtype=torch.uint8)


def file_md5(path):
    with open(path, "wb") as file:
        file.write(b"abc")
    return "900150983cd24fb0d6963f7d28e17f72"
