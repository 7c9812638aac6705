# %% [markdown]
# # 01 · Tensors: a picture is a block of numbers
#
# A tensor is a block of numbers of one kind, laid out along any number of directions. Its **shape**
# says how many numbers lie along each direction, its **dtype** says what kind of number they are.
#
# | data | shape | dtype |
# |---|---|---|
# | one number | `()` | `torch.float32` |
# | one handwritten digit | `(28, 28)` | `torch.uint8`, 0 is black, 255 is white |
# | 128 digits in a batch | `(128, 28, 28)` | `torch.float32`, 0.0 to 1.0 |
# | their labels | `(128,)` | `torch.int64` |
#
# Many mistakes in deep learning code are mistakes of shape or dtype, and the worst of them raise no
# error. So the habit to take from this exercise is: before you write a line, say the shape that
# goes in and the shape that comes out.
#
# The exercise ends with what you need to tell a 3 from a 7 without any learning at all: the average
# picture of each digit, and the distance of an image from it.

# %%
import torch

# %% [markdown]
# ## `describe`
# The three facts to look at first when something is not as you thought.


# %%
def describe(t):
    """Return the tuple (shape, dtype, number of elements) of a tensor.

    The shape is a tuple (`torch.Size` is one), the dtype a `torch.dtype`, the number an int.

    >>> describe(torch.zeros(2, 3))
    (torch.Size([2, 3]), torch.float32, 6)
    """
    # YOUR CODE HERE
    raise NotImplementedError()


# %% [markdown]
# ## `stack_images`
# A file holds a pixel as a whole number from 0 to 255, since that fits one byte. Learning wants
# small numbers with a fractional part, so pixels are brought to the range 0 to 1:
#
# | byte | 0 | 51 | 128 | 255 |
# |---|---|---|---|---|
# | float | 0.0 | 0.2 | 0.502 | 1.0 |
#
# The scale is the same for every image: a faint image stays faint.


# %%
def stack_images(images):
    """Return a list of N images, uint8 (28, 28), as one float32 tensor (N, 28, 28) in 0..1.

    Byte 0 becomes 0.0 and byte 255 becomes 1.0. The list and its images stay as they are.

    >>> stack_images([torch.zeros(28, 28, dtype=torch.uint8)] * 5).shape
    torch.Size([5, 28, 28])
    """
    # YOUR CODE HERE
    raise NotImplementedError()


# %% [markdown]
# ## `flatten_images`
# A linear model reads an image as one long row of 784 numbers: the first line of pixels, then the
# second, and so on. The images themselves stay apart, one a row.
#
#     image 0   1 2 3        1 2 3 4 5 6
#               4 5 6   →
#     image 1   7 8 9        7 8 9 0 1 2
#               0 1 2
#
# Changing the shape never moves a number: it reads the same numbers, in the same order, into other
# rows. Where the *order* has to change (rows into columns, say), a reshape is the wrong tool.


# %%
def flatten_images(batch):
    """Return a batch (N, 28, 28) as (N, 784), one image a row, line by line, in the same dtype.

    >>> flatten_images(torch.zeros(5, 28, 28)).shape
    torch.Size([5, 784])
    """
    # YOUR CODE HERE
    raise NotImplementedError()


# %% [markdown]
# ## `mean_image`
# The average of all 3s is a blurry 3: each of its pixels is the mean of that pixel over all images.
# A reduction such as `sum` or `mean` takes a direction, `dim`: it names the one that *goes away*.
#
# | expression | shape, from `(N, height, width)` |
# |---|---|
# | `stack.sum()` | `()` |
# | `stack.sum(dim=2)` | `(N, height)` |
# | `stack.sum(dim=(1, 2))` | `(N,)` |


# %%
def mean_image(stack):
    """Return the pixel by pixel mean of a float32 stack (N, height, width), as (height, width).

    >>> mean_image(torch.tensor([[[0.0, 2.0, 4.0]], [[2.0, 4.0, 6.0]]]))
    tensor([[1., 3., 5.]])
    """
    # YOUR CODE HERE
    raise NotImplementedError()


# %% [markdown]
# ## `distances`
# How far is each image of a stack from one image? A subtraction of `(N, height, width)` and
# `(height, width)` works without a loop: shapes are lined up **from the right**, and where one of
# them has a 1 or nothing at all, it is repeated to fit. This is called broadcasting.
#
#     stack     N   height   width
#     image     ·   height   width     repeated for each of the N images
#     result    N   height   width
#
# The differences of one image become one number in either of two ways. For the differences
# 3, −4, 0, 0:
#
# * `"l1"`, the mean absolute difference: (3 + 4 + 0 + 0) / 4 = 1.75
# * `"rmse"`, the root of the mean squared difference: √((9 + 16 + 0 + 0) / 4) = 2.5
#
# The second one weighs a few large differences more than many small ones.


# %%
def distances(stack, image, kind):
    """Return the distance of each image in stack from image, a tensor (N,).

    stack: float32 (N, height, width).  image: float32 (height, width).
    kind: "l1" for the mean absolute difference, "rmse" for the root of the mean squared one;
    anything else is a ValueError.

    >>> distances(torch.tensor([[[3.0, -4.0, 0.0, 0.0]]]), torch.zeros(1, 4), "l1")
    tensor([1.7500])
    """
    # YOUR CODE HERE
    raise NotImplementedError()


# %% [markdown]
# ## `to_column`
# A model with one output gives `(N, 1)`, a column; labels come as `(N,)`. To compare the two they
# have to be of one shape first.


# %%
def to_column(labels):
    """Return labels (N,) as a column (N, 1), in the same order and dtype; labels stays (N,).

    >>> to_column(torch.tensor([3, 7, 7]))
    tensor([[3],
            [7],
            [7]])
    """
    # YOUR CODE HERE
    raise NotImplementedError()


# %% [markdown]
# ## `label_errors`
# Broadcasting has a price: shapes that fit by accident raise nothing. Line up a column and a row
# from the right, and each is repeated to fit the other:
#
#     predictions   N   1
#     labels        ·   N
#     result        N   N     every prediction against every label
#
# No error, a number of the right size in the end, and a model that learns nothing.

# %%
if __name__ == "__main__":  # try it: how many numbers should a comparison of three with three give?
    print(torch.tensor([[0.9], [0.1], [0.8]]) - torch.tensor([1, 0, 1]))


# %%
def label_errors(predictions, labels):
    """Return prediction minus label, item by item, as float32 (N, 1).

    predictions: float32 (N, 1).  labels: int64 (N,).

    >>> label_errors(torch.tensor([[0.5], [2.0]]), torch.tensor([1, 0]))
    tensor([[-0.5000],
            [ 2.0000]])
    """
    # YOUR CODE HERE
    raise NotImplementedError()


# %% [markdown]
# ## In your own words
#
# A tensor of shape `(128, 1)` minus one of shape `(128,)` raises no error. What comes out, and why
# is that worse than an error would be?
