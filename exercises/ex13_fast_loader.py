# %% [markdown]
# # 13 · A fast loader: the whole set as one tensor
#
# For the curious. The loader of exercise 11 handles 60,000 images one by one: fetch, pad, crop,
# collect, stack. Each step is short, but Python takes some 40 µs for them, and an accelerator that
# could train on hundreds of thousands of images a second waits for one core.
#
# MNIST is small: 60,000 · 28 · 28 bytes are 47 MB. So put all of it on the device once, as bytes,
# and let every batch be a few operations on whole tensors:
#
# ```text
#   once        images uint8 (60000, 28, 28)  ─▶ device
#   each batch  128 places of a permutation   ─▶ images[places]         (128, 28, 28)
#               128 tops, 128 lefts           ─▶ windows[n, top, left]  (128, 28, 28)
#               / 255 − mean, / std           ─▶ float32                (128, 1, 28, 28)
# ```
#
# What comes out has the same distribution as before: a new order each epoch, one of 49 windows for
# each image, drawn anew each time. Measured on one core of the same machine:
#
# | loader | per image | images a second |
# |---|---|---|
# | exercise 11, `DataLoader` and `v2` | 40 µs | 25,000 |
# | this one | 3 µs | 330,000 |
#
# On an accelerator the gap is wider, since nothing leaves the device and Python speaks once a
# batch. Two habits keep it that way: draw random numbers *on the device* that uses them, and never
# ask a tensor for a Python number on the way (`.item()` makes the processor wait for the device).

# %%
import torch
import torch.nn.functional as F

# %% [markdown]
# ## Given: measuring and normalising
# As in exercise 11, for one tensor of images. The two numbers stay tensors on the images' device.


# %%
def mean_std(images):
    """Return mean and standard deviation of all pixels of uint8 images, as two scalar tensors."""
    pixels = images / 255
    return pixels.mean(), pixels.std()


def normalise(batch, mean, std):
    """Return uint8 images (N, 28, 28) as normalised float32 (N, 1, 28, 28)."""
    return ((batch / 255 - mean) / std).unsqueeze(1)


# %% [markdown]
# ## `crop_at`
# `padded.unfold(1, h, 1)` slides a window of h rows down the padded images, one row at a time, and
# adds a dimension for what the window sees. Nothing is copied: it is a view that counts the same
# memory in another way. Unfolded in both directions, N padded images become (N, 7, 7, h, w): every
# image at every place. One indexing expression with three index tensors of length N then picks one
# window from each image. (Index tensors of the same length walk side by side: `t[[0, 1], [5, 6]]`
# is `t[0, 5]` and `t[1, 6]`.)


# %%
def crop_at(images, tops, lefts):
    """Return each image's window at its own place in the image padded by 3 zeros on every side.

    images: uint8 (N, h, w).  tops, lefts: int64 (N,) in 0..6, first row and column of the window
    in the padded image (h + 6, w + 6).  Returns uint8 (N, h, w) on the device of the images.

    Place (3, 3) gives the image itself; (0, 0) moves it down and to the right by 3.

    >>> crop_at(torch.tensor([[[7, 8, 9]]]).byte(), torch.tensor([3]), torch.tensor([5]))
    tensor([[[9, 0, 0]]], dtype=torch.uint8)
    """
    # YOUR CODE HERE
    raise NotImplementedError()


# %% [markdown]
# ## `random_crops`
# Now the places are drawn: two numbers for every image.


# %%
def random_crops(images):
    """Return each image's window at a place drawn for it alone, all 49 places equally likely.

    images: uint8 (N, h, w).  Returns the same shape and dtype, on the same device.  Each call draws
    anew.
    """
    # YOUR CODE HERE
    raise NotImplementedError()


# %% [markdown]
# ## `FastLoader`
# A loader is anything that can be iterated over again and again. In Python that is a class whose
# `__iter__` gives a fresh iterator at each call, most easily by being a generator: a function with
# `yield` in it. What it does before its first `yield` happens at the start of each epoch.
#
# A set that is shuffled by copying it (`images = images[order]`) needs its memory twice and moves
# 47 MB at once. Shuffle the *places* instead, eight bytes each, and fetch a batch when it is asked
# for.


# %%
class FastLoader:
    """Iterate over a set held in two tensors, batch by batch, as often as you like.

    images: uint8 (N, h, w); labels: int64 (N,), on one device.
    shuffle: a new order in each epoch, else the order of the set.
    transform: called with the images of each batch, at the moment the batch is asked for; what it
    returns is the batch's xb.  None leaves them as they are.
    """

    def __init__(self, images, labels, batch_size=128, shuffle=False, transform=None):
        # YOUR CODE HERE
        raise NotImplementedError()

    def __len__(self):
        """Return the number of batches in an epoch; a shorter last batch counts."""
        # YOUR CODE HERE
        raise NotImplementedError()

    def __iter__(self):
        """Yield the pairs (xb, yb) of one epoch, every item once, on the device of the set."""
        # YOUR CODE HERE
        raise NotImplementedError()


# %% [markdown]
# ## `make_fast_dataloaders`
# With this, training can use either kind of loader: `kata train --fast` takes this one.


# %%
def make_fast_dataloaders(
    train_images, train_labels, valid_images, valid_labels, batch_size=128, device=None
):
    """Return (train_dl, valid_dl), two loaders whose batches are as those of exercise 11.

    Images: uint8 (N, 28, 28); labels: int64 (N,).  The batches (xb, yb): xb float32
    (N, 1, 28, 28), normalised with mean and std of the training images before any crop; yb int64
    (N,); both on `device`, None meaning the accelerator, or else the CPU.

    train_dl: new order and new crops in each epoch.  valid_dl: in order, not cropped.  Both give
    every item once.
    """
    # YOUR CODE HERE
    raise NotImplementedError()


# %% [markdown]
# ## Try it
# Images a second over the sample of 10,000. Compare with the loader of exercise 11 on your machine.

# %%
if __name__ == "__main__":
    import time

    from grader.mnist import load_sample

    digits = load_sample()
    train_dl, valid_dl = make_fast_dataloaders(
        digits.train_images, digits.train_labels, digits.test_images, digits.test_labels
    )
    start = time.perf_counter()
    seen = sum(len(yb) for xb, yb in train_dl)
    if torch.accelerator.is_available():
        torch.accelerator.synchronize()
    print(f"{seen / (time.perf_counter() - start):,.0f} images a second")

# %% [markdown]
# ## In your own words
#
# The fast loader draws its crops for a whole batch at once. What has to be the same as with the
# loader of exercise 11, what may differ, and how would you convince a doubter?
