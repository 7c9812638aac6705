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
    ### BEGIN HINTS
    # Idea: the header says how long the file has to be, so what it says can be checked before
    #   it is believed. A gzip file that was cut short fails while it is unpacked.
    # Tool: path.read_bytes, gzip.decompress, int.from_bytes, math.prod, torch.frombuffer.
    # Nearly there: read all bytes; unpack them if they start as gzip does, and turn each error of
    #   that (EOFError, OSError, zlib.error) into a ValueError; take the number of sizes from the
    #   fourth byte and each size from four more, big end first; compare the first three bytes
    #   and the length; give what follows the header its shape.
    ### END HINTS
    ### BEGIN SOLUTION
    content = path.read_bytes()
    if content[:2] == b"\x1f\x8b":
        try:
            content = gzip.decompress(content)
        except (EOFError, OSError, zlib.error) as error:
            raise ValueError(f"{path} is not a whole gzip file: {error}") from error
    start = 4 + 4 * int.from_bytes(content[3:4], "big")
    sizes = [int.from_bytes(content[i : i + 4], "big") for i in range(4, start, 4)]
    if content[:3] != b"\0\0\x08" or len(content) != start + math.prod(sizes):
        raise ValueError(f"{path} is not a whole IDX file of bytes")
    return torch.frombuffer(bytearray(content), dtype=torch.uint8, offset=start).reshape(sizes)
    ### END SOLUTION


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
    ### BEGIN HINTS
    # Idea: the sum is taken over bytes, so nothing may be decoded or translated on the way.
    # Tool: hashlib.file_digest, or hashlib.md5 and its update method.
    # Nearly there: open the file for reading in binary, hand it over, ask for the hex digest.
    ### END HINTS
    ### BEGIN SOLUTION
    with path.open("rb") as file:
        return hashlib.file_digest(file, "md5").hexdigest()
    ### END SOLUTION


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
    ### BEGIN HINTS
    # Idea: each image and its label together make one path and one file.
    # Tool: enumerate, the methods mkdir of a Path, item and numpy of a tensor, Image.fromarray.
    # Nearly there: go through the images, counting; look up the label as a Python number; make its
    #   folder and those above it, without complaint if they are there; save the image in it.
    ### END HINTS
    ### BEGIN SOLUTION
    for index, image in enumerate(images):
        folder = root / split / str(labels[index].item())
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image.numpy()).save(folder / f"{index}.png")
    return len(images)
    ### END SOLUTION


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
    ### BEGIN HINTS
    # Idea: one call finds them, at any depth; their order is up to you.
    # Tool: the method rglob of a Path, and sorted.
    # Nearly there: ask for every name that ends in .png below root, and sort what comes.
    ### END HINTS
    ### BEGIN SOLUTION
    return sorted(root.rglob("*.png"))
    ### END SOLUTION


# %% [markdown]
# ## `label_of`


# %%
def label_of(path):
    """Return the digit of an image: the name of the folder it lies in, as an int.

    >>> label_of(Path("digits/train/7/0.png"))
    7
    """
    ### BEGIN HINTS
    # Idea: the folder right above the file is its label; other parts of the path may look like
    #   numbers too.
    # Tool: the attributes parent and name of a Path.
    # Nearly there: go up one level from the file, take that folder's own name, make it an int.
    ### END HINTS
    ### BEGIN SOLUTION
    return int(path.parent.name)
    ### END SOLUTION


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
    ### BEGIN HINTS
    # Idea: open, collect, stack, scale.
    # Tool: Image.open, np.array, torch.from_numpy, torch.stack.
    # Nearly there: make a uint8 tensor of each opened image, stack them in the order given, and
    #   divide by what a white pixel holds; division makes float32 of uint8.
    ### END HINTS
    ### BEGIN SOLUTION
    images = [torch.from_numpy(np.array(Image.open(path))) for path in paths]
    return torch.stack(images) / 255
    ### END SOLUTION


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
    ### BEGIN HINTS
    # Idea: two distances an image, and a comparison between them.
    # Tool: broadcasting, abs, mean over two dimensions at once.
    # Nearly there: subtract a mean from the whole stack, take absolute values, average over
    #   height and width but not over the images; do it for both means and compare with <.
    ### END HINTS
    ### BEGIN SOLUTION
    to_three = (images - mean3).abs().mean((1, 2))
    to_seven = (images - mean7).abs().mean((1, 2))
    return to_three < to_seven
    ### END SOLUTION


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
#
# ### BEGIN MARK SCHEME
# Half of the points for each, in whatever words:
#
# 1. it is a baseline: a model has to beat it to be worth its effort.
# 2. it is a check too: a trained model that does worse than this has a mistake in it, in its data
# or in its loop.
# ### END MARK SCHEME
