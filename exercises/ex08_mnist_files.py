# %% [markdown]
# # 08 · MNIST files: from four files to a baseline
#
# MNIST is 70,000 handwritten digits, each 28 × 28 pixels, and the class of each: 60,000 to train
# on, 10,000 to be judged by. Yann LeCun, Corinna Cortes and Christopher Burges published it as four
# files in a format of their own, IDX. A file starts with a short header, and everything after it
# is the numbers themselves, row by row, without a gap. The training images begin like this:
#
#     byte   0  1  2  3   4  5  6  7   8  9 10 11  12 13 14 15  16 17 …
#     hex   00 00 08 03  00 00 ea 60  00 00 00 1c  00 00 00 1c  00 00 …
#           ───── ── ──  ───────────  ───────────  ───────────  ───────
#           zeros │  │      60000         28           28        pixels
#                 │  └ how many sizes follow: 3 for images, 1 for labels
#                 └ the kind of number: 8 for unsigned bytes
#
# Each size takes four bytes, the largest part first ("big-endian"): `00 00 ea 60` is
# 0 · 256³ + 0 · 256² + 234 · 256 + 96 = 60,000. Most processors keep numbers the other way round;
# read like that, the same four bytes are 1,625,948,160. A reader that checks what it reads notices.
#
# In this exercise the files become pictures in folders, one folder for each digit, which is how
# image data mostly arrives:
#
#     train/3/7.png   train/3/10.png   train/7/15.png   …
#
# Then the pictures become a tensor again, and a first rule tells threes from sevens. It learns
# nothing, and that is its use: it is the number to beat in exercise 09.

# %%
import gzip
import hashlib
import math
import zlib
from pathlib import Path

import numpy as np
import torch
from PIL import Image

# %% [markdown]
# ## `read_idx`
# MNIST usually travels compressed, as `train-images-idx3-ubyte.gz`, but names lie: files get
# renamed, and some browsers unpack without a word. Every gzip file starts with the two bytes
# `1f 8b`, an IDX file of bytes with `00 00 08`, so the content itself says what it is.
#
# A download that broke off leaves a file that starts well and ends too early. If the reader is
# silent about it, the mistake shows an hour later as an accuracy that is a little too low. So it
# compares: header and sizes state how many bytes there should be.


# %%
def read_idx(path):
    """Return what an IDX file of unsigned bytes holds, with the sizes that its header states.

    path: a Path, the file gzip-compressed or not, whatever its name.
    Result: uint8, (N, height, width) for images, (N,) for labels; any sizes, not only MNIST's.
    ValueError that names the file, if it is not IDX of bytes, damaged, too short or too long.

    >>> path.write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 3, 5, 0, 4]))
    11
    >>> read_idx(path)
    tensor([5, 0, 4], dtype=torch.uint8)
    """
    # YOUR CODE HERE
    raise NotImplementedError()


# %% [markdown]
# ## `file_md5`
# A file can have the right length and the wrong content. A checksum boils all bytes down to a short
# text; change one bit anywhere and the text is another. Whoever publishes a file publishes its sum,
# and whoever fetched the file compares.


# %%
def file_md5(path):
    """Return the MD5 sum of the file's bytes, as they lie on the disk.

    path: a Path; the file may be large.  Result: a str of 32 hexadecimal digits, in lower case.

    >>> path.write_bytes(b"abc")
    3
    >>> file_md5(path)
    '900150983cd24fb0d6963f7d28e17f72'
    """
    # YOUR CODE HERE
    raise NotImplementedError()


# %% [markdown]
# ## `export_png_tree`
# PNG keeps every pixel as it is (JPEG does not), a greyscale picture as one byte a pixel. The label
# goes into the path: that way it can't get lost, and any file browser shows the data set.


# %%
def export_png_tree(images, labels, root, split):
    """Write each image as an 8-bit greyscale file root/split/label/index.png; return how many.

    images: uint8 (N, height, width).  labels: int64 (N,).  root: a Path.  split: a str.
    The index is the image's place in images. Folders are made where they are missing; files that
    are there already stay, or are overwritten if they have the same name.

    >>> export_png_tree(images, torch.tensor([7, 3]), Path("digits"), "train")
    2

    makes digits/train/7/0.png and digits/train/3/1.png.
    """
    # YOUR CODE HERE
    raise NotImplementedError()


# %% [markdown]
# ## `image_paths`
# A file system lists a folder in whatever order suits it, another one on another machine. Sorted,
# item 17 is the same picture everywhere, and a run can be repeated.


# %%
def image_paths(root):
    """Return the sorted list of the Paths of all .png files below root, at any depth.

    >>> image_paths(Path("digits"))
    [Path('digits/train/3/1.png'), Path('digits/train/7/0.png')]
    """
    # YOUR CODE HERE
    raise NotImplementedError()


# %% [markdown]
# ## `label_of`


# %%
def label_of(path):
    """Return the digit of an image: the name of the folder it lies in, as an int.

    >>> label_of(Path("digits/train/7/0.png"))
    7
    """
    # YOUR CODE HERE
    raise NotImplementedError()


# %% [markdown]
# ## `load_stack`
# The way back. A byte is 0 to 255; the mathematics from here on wants fractions, 0.0 for the
# paper and 1.0 for the ink.


# %%
def load_stack(paths):
    """Return greyscale images as one tensor, in the order of paths.

    paths: a list of N Paths of 28 × 28 PNG files.  Result: float32 (N, 28, 28) in 0..1.

    >>> load_stack(image_paths(Path("digits"))).shape
    torch.Size([2, 28, 28])
    """
    # YOUR CODE HERE
    raise NotImplementedError()


# %% [markdown]
# ## `is_three`
# The mean of all threes is a blurred three, the mean of all sevens a blurred seven. An image is
# called a three if it lies nearer to the first. The distance here is the mean absolute difference
# of the pixels (l1), as `distances` in exercise 01 took it:
#
# | pixels of an image | of mean3       | of mean7       | to mean3 | to mean7 | a three? |
# |--------------------|----------------|----------------|---------:|---------:|----------|
# | 0.0, 1.0, 0.0      | 0.2, 0.8, 0.0  | 0.5, 0.5, 0.1  |     0.13 |     0.37 | yes      |


# %%
def is_three(images, mean3, mean7):
    """Say for each image whether it is nearer to mean3 than to mean7, by l1 distance.

    images: float32 (N, 28, 28).  mean3, mean7: float32 (28, 28).  Result: bool (N,).

    >>> is_three(torch.stack([mean3, mean7]), mean3, mean7)
    tensor([ True, False])
    """
    # YOUR CODE HERE
    raise NotImplementedError()


# %% [markdown]
# ## Try it
# When everything above passes, this takes the four files of MNIST that come with the course, writes
# their threes and sevens as images, and measures the rule on those that went into neither mean.
# About 95% of them come out right. That is the baseline: a model that learns should do better.

# %%
if __name__ == "__main__":
    from tempfile import TemporaryDirectory

    from grader.mnist import SHIPPED

    with TemporaryDirectory() as tree:
        for part, split in [("train", "train"), ("t10k", "valid")]:
            pixels = read_idx(SHIPPED / f"MNIST/raw/{part}-images-idx3-ubyte.gz")
            digits = read_idx(SHIPPED / f"MNIST/raw/{part}-labels-idx1-ubyte.gz").long()
            chosen = (digits == 3) | (digits == 7)
            export_png_tree(pixels[chosen], digits[chosen], Path(tree), split)
        threes, sevens = (load_stack(image_paths(Path(tree, "train", name))) for name in "37")
        found = image_paths(Path(tree, "valid"))
        answers = is_three(load_stack(found), threes.mean(0), sevens.mean(0))
        truth = torch.tensor([label_of(path) == 3 for path in found])
        print(f"{len(found)} images, {(answers == truth).float().mean():.1%} right")

# %% [markdown]
# ## In your own words
#
# The rule with the two mean images learns nothing and is right nearly every time. What is it good
# for, once you have a model that does learn?
