# %% [markdown]
# # 11 · Data loaders: from items to batches
#
# A dataset answers one question: what is item number i? Training asks a different one: give me
# the next 128 items, in a new order, slightly different from last time, as one float tensor on the
# accelerator. The **data loader** stands between the two. Work happens at two places on the way:
#
# ```
#   dataset            item transforms              collate           batch transform
#   (x, y)  ───────▶   pad to 34, crop 28   ─────▶  128 items,  ────▶ to the device, to float,
#   uint8 (1,28,28)    one image at a time          one tensor        normalised, all at once
# ```
#
# **On the item** goes what differs from image to image. A 28 × 28 digit gets three black pixels on
# every side, which makes 34 × 34, and a window of 28 × 28 is cut out at random. The window has
# 34 − 28 + 1 = 7 places to stand in each direction, so one image becomes 7 · 7 = 49, each shifted
# by up to three pixels. The network can't learn the digits by heart, since they rarely come back
# the same. Items stay `uint8`: a byte a pixel is quick to copy.
#
# **On the batch** goes what is the same for all: arithmetic on one large tensor costs far less than
# on 128 small ones, and on an accelerator nearly nothing. Bytes become floats and are normalised:
#
# $$x \mapsto \frac{x / 255 - \mathrm{mean}}{\mathrm{std}}$$
#
# with the mean and standard deviation of the *training* pixels. For MNIST they are about 0.13 and
# 0.31, so black (0) becomes (0 − 0.13) / 0.31 ≈ −0.42, and white (255) becomes
# (1 − 0.13) / 0.31 ≈ 2.8. Inputs that are spread around zero with a size near one are what the
# usual first weights and learning rates are made for.
#
# Validation answers "how good is it?", so it must be the same question every time: no random crop,
# no shuffling, nothing left out. It is normalised with the numbers of the training set, since the
# network has seen its inputs on that scale only, and since validation data stands for data that
# nobody has seen yet.

# %%
import matplotlib.pyplot as plt
import torch
from torch.utils.data import DataLoader, default_collate
from torchvision.transforms import v2

# %% [markdown]
# ## `item_transforms`
# `torchvision.transforms.v2` has a class for each of the two moves and one to put them in a row;
# its transforms work on tensors and on Pillow images alike.
#
# You may also write the crop with plain tensor operations. Measured on one core, through a data
# loader: 37 µs an image with `v2`, 11 µs with padding and slicing by hand. An epoch of 60,000
# images spends 2.2 s or 0.7 s on it, little beside the training itself. Exercise 13 shows what
# shifting a whole batch at once brings.


# %%
def item_transforms():
    """Return a callable that makes a randomly shifted copy of one image.

    The callable takes a uint8 tensor (1, 28, 28), pads it with zeros to (1, 34, 34) and returns
    one of the 49 windows (1, 28, 28), still uint8. Each call draws a new window, all of them
    equally likely.

    >>> item_transforms()(torch.zeros(1, 28, 28, dtype=torch.uint8)).shape
    torch.Size([1, 28, 28])
    """
    ### BEGIN HINTS
    # Idea: two steps in a row, first make the picture larger on all four sides, then cut a random
    #   piece of the old size out of it. What you return is a thing to call, not a picture.
    # Tool: `v2.Pad`, `v2.RandomCrop` and `v2.Compose`; or `torch.nn.functional.pad`,
    #   `torch.randint` and slicing in a function of your own.
    # Nearly there: 34 is 28 with three more on either side. Compose a pad of three with a random
    #   crop of 28, in this order, and return the composition without calling it.
    ### END HINTS
    ### BEGIN SOLUTION
    return v2.Compose([v2.Pad(3), v2.RandomCrop(28)])
    ### END SOLUTION


# %% [markdown]
# ## `mean_std`
# Two numbers for the whole set: the mean and the standard deviation over all pixels of all images.
# The mean of the images' own deviations is a different number. Two images, one all black and one
# all white, deviate by 0 each, but their pixels taken together have a deviation of 0.5.


# %%
def mean_std(dataset):
    """Return the mean and standard deviation of all pixels of a dataset as two Python floats.

    dataset: (x, y) pairs with x uint8 (1, 28, 28), a sequence with a length.  Pixels count on the
    scale 0..1.  Dividing by n or by n − 1 in the deviation is up to you.

    >>> black, white = torch.zeros(1, 28, 28).byte(), torch.full((1, 28, 28), 255).byte()
    >>> mean_std([(black, 0), (white, 1), (white, 2), (white, 3)])
    (0.75, 0.43...)
    """
    ### BEGIN HINTS
    # Idea: bring all pixels together first, then ask once. The labels have no part in it.
    # Tool: `torch.stack`, `Tensor.mean`, `Tensor.std`, `Tensor.item`.
    # Nearly there: collect the x of every item in a list, stack it into one tensor, bring it to
    #   the scale 0..1, and take mean and deviation of the whole tensor as plain numbers.
    ### END HINTS
    ### BEGIN SOLUTION
    pixels = torch.stack([x for x, _ in dataset]) / 255
    return pixels.mean().item(), pixels.std().item()
    ### END SOLUTION


# %% [markdown]
# ## `BatchTransform`
# An object that remembers two numbers and is called like a function. It says nothing about a
# device: arithmetic on a tensor stays where the tensor is, and that is all it takes to run on any.


# %%
class BatchTransform:
    """Turn a batch of bytes into normalised floats, on the batch's own device.

    mean, std: floats on the scale 0..1.

    >>> to_floats = BatchTransform(0.5, 0.25)
    >>> to_floats(torch.tensor([0, 51, 255], dtype=torch.uint8))
    tensor([-2.0000, -1.2000,  2.0000])
    """

    ### BEGIN HINTS
    # Idea: the two numbers are kept when the object is made and used when it is called. Scale
    #   first, normalise after: mean and std belong to the scale 0..1.
    # Tool: `isinstance` tells a pair from a tensor; a uint8 tensor divided by a number is float32.
    # Nearly there: when a pair comes in, treat its first half as you would treat a lone batch and
    #   put the labels beside the result. For a lone batch, divide by 255, subtract the mean, divide
    #   by the deviation.
    ### END HINTS

    def __init__(self, mean, std):
        ### BEGIN SOLUTION
        self.mean, self.std = mean, std
        ### END SOLUTION

    def __call__(self, batch):
        """Return (x / 255 − mean) / std as float32 for a uint8 tensor x of any shape.

        For a pair (xb, yb), tuple or list, return the pair of that and the labels as they are.
        """
        ### BEGIN SOLUTION
        if isinstance(batch, torch.Tensor):
            return (batch / 255 - self.mean) / self.std
        xb, yb = batch
        return self(xb), yb
        ### END SOLUTION


# %% [markdown]
# ## `make_dataloaders`
# Now the parts come together. `DataLoader` draws the order, fetches the items, and hands each list
# of 128 items to its `collate_fn`, whose answer is the batch. The usual one, `default_collate`,
# stacks the images and makes an int64 tensor of the labels. A `collate_fn` of your own can do more:
# it sees the items before they are stacked, and the batch afterwards.
#
# Where should the batch go? To the device that the caller names; when none is named, to the
# accelerator if this machine has one, else to the CPU. Code that asks runs everywhere; code that
# says `"cuda"` runs on some machines.


# %%
def make_dataloaders(train, valid, batch_size=128, device=None):
    """Return (train_dl, valid_dl), two iterables with a length that give batches (xb, yb).

    train, valid: datasets of (uint8 tensor (1, 28, 28), int).
    xb: float32 (N, 1, 28, 28), normalised with mean and std of the training images as they are in
    the dataset.  yb: int64 (N,).  Both on `device`; None means the accelerator, or else the CPU.

    train_dl: new order and new crops in each epoch, every item once (a short last batch may be
    dropped).  valid_dl: every item, in order, not cropped.
    """
    ### BEGIN HINTS
    # Idea: both loaders share the way from a list of items to a finished batch; the training one
    #   has a random crop before it and a new order every epoch. The crop must be drawn each time an
    #   item is asked for.
    # Tool: `DataLoader` with its `shuffle` and `collate_fn`, `default_collate`, `Tensor.to`,
    #   `torch.accelerator.current_accelerator` with its `check_available` (None when there is no
    #   accelerator); and all that you wrote above.
    # Nearly there: measure the training set and make one batch transform. Write a function that
    #   collates a list of items, moves both tensors and transforms the pair; write a second one
    #   that crops the x of every item and hands on to the first. One loader shuffles and uses the
    #   second, the other uses the first.
    ### END HINTS
    ### BEGIN SOLUTION
    device = device or torch.accelerator.current_accelerator(check_available=True) or "cpu"
    shift, to_floats = item_transforms(), BatchTransform(*mean_std(train))

    def plain(items):
        return to_floats([t.to(device) for t in default_collate(items)])

    def shifted(items):
        return plain([(shift(x), y) for x, y in items])

    train_dl = DataLoader(train, batch_size, shuffle=True, collate_fn=shifted)
    return train_dl, DataLoader(valid, batch_size, collate_fn=plain)
    ### END SOLUTION


# %% [markdown]
# ## `show_batch`
# Look at a batch before you train on it. A wrong label, a lost crop or a picture lying on its side
# shows at once to the eye, and hides for hours in a loss curve.


# %%
def show_batch(batch):
    """Return a matplotlib Figure: a grid of the batch's first 9 images, each titled by its label.

    batch: (xb, yb) with xb float (N, 1, 28, 28), on any device, and yb int64 (N,).  The axes follow
    the order of the batch; a title reads like "7".  A batch of fewer than 9 shows them all, and
    what is left of the grid stays without picture and title.
    """
    ### BEGIN HINTS
    # Idea: walk over the axes and count along; the count picks image and label while there are any.
    # Tool: `plt.subplots`, `Axes.imshow`, `Axes.set_title`, `enumerate` over `axes.flat`,
    #   `Tensor.cpu`, `Tensor.item`.
    # Nearly there: make a three by three grid. On each axes, if the batch still has an image, draw
    #   its one channel in greys and set its label's number as the title. matplotlib reads from the
    #   CPU only. Return the figure.
    ### END HINTS
    ### BEGIN SOLUTION
    xb, yb = batch
    no_ticks = {"xticks": [], "yticks": []}
    fig, axes = plt.subplots(3, 3, layout="constrained", subplot_kw=no_ticks)
    for i, ax in enumerate(axes.flat):
        if i < len(xb):
            ax.imshow(xb[i, 0].cpu(), cmap="gray")
            ax.set_title(yb[i].item())
    return fig
    ### END SOLUTION


# %% [markdown]
# ## Try it
# The first nine digits of a shuffled, shifted batch. Run the cell again: other digits, other
# shifts.

# %%
if __name__ == "__main__":
    from grader.mnist import load_sample

    digits = load_sample()
    train = list(zip(digits.train_images.unsqueeze(1), digits.train_labels.tolist(), strict=True))
    valid = list(zip(digits.test_images.unsqueeze(1), digits.test_labels.tolist(), strict=True))
    train_dl, valid_dl = make_dataloaders(train, valid)
    show_batch(next(iter(train_dl)))

# %% [markdown]
# ## In your own words
#
# Training images are cropped at random and shuffled, validation images are not. And yet both are
# normalised with the same two numbers. Give the reason for the difference and for the likeness.
#
# ### BEGIN MARK SCHEME
# Half of the points for each, in whatever words:
#
# 1. random crops and order help training, while validation has to ask the same question every time,
# to be compared between epochs.
# 2. the network knows inputs on the scale of the training set only; numbers from the validation set
# would change that scale, and use data that counts as unseen.
# ### END MARK SCHEME
