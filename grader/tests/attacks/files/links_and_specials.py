"""
exercise: ex08_mnist_files
tries: puts links to other files, pipes and sockets where pictures should lie
earns: nothing
"""

import os
import socket


def export_png_tree(images, labels, root, split):
    for number, label in enumerate(labels.tolist()):
        folder = os.path.join(root, split, str(label))
        os.makedirs(folder, exist_ok=True)
        path = os.path.join(folder, f"{number}.png")
        if number % 3 == 0:
            os.symlink("/etc/passwd", path)
        elif number % 3 == 1:
            os.mkfifo(path)
        else:
            socket.socket(socket.AF_UNIX).bind(path)
    return len(images)
