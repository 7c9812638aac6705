# %% [markdown]
# # 06 · Zero grad: gradients add up until you clear them
#
# `backward()` does not store a gradient, it **adds** one. In exercise 04 that was a necessity: a
# node that is used twice collects from both uses. PyTorch keeps the rule across calls, so that what
# `.grad` holds is the sum of every backward pass since it was last cleared.
#
# Take $f(x) = x^2$ at $x = 3$, where the slope is 6, and never clear:
#
# | backward pass | slope at 3 | `x.grad` afterwards |
# |--------------:|-----------:|--------------------:|
# |             1 |          6 |                   6 |
# |             2 |          6 |                  12 |
# |             3 |          6 |                  18 |
#
# Used for descent, that sum is a step in a direction which is partly out of date. The loss may
# still fall for a while, so nothing warns you. Hence the rhythm of every training loop:
#
# ```text
#    clear ──▶ loss ──▶ backward ──▶ step ──▶ clear ──▶ loss ──▶ …
# ```
#
# Clearing has one wrong place: between `backward` and the step, where it throws away what the step
# needs. Adding up has one good use, and the last task is about it.

# %%
import torch

# %% [markdown]
# ## `zero_grads`
# A cleared gradient may be `None`, as in a fresh parameter, or a tensor of zeros. Both are right:
# the next `backward()` starts from nothing either way.


# %%
def zero_grads(params):
    """Clear the gradient of every parameter; its value and its tracking stay as they are.

    params: a list of leaf tensors that require grad.  Some may have no gradient yet, and a
    gradient may hold inf or nan.

    >>> p = torch.tensor(3.0, requires_grad=True)
    >>> (p**2).backward()
    >>> zero_grads([p])
    >>> p.grad is None or p.grad.item() == 0
    True
    """
    # YOUR CODE HERE
    raise NotImplementedError()


# %% [markdown]
# ## `gradient_after`
# The table above as a function, for any `f`. It works on a leaf of its own, so that the caller's
# tensor notices nothing.


# %%
def gradient_after(f, x, n):
    """Return what `.grad` of a fresh leaf holds after n backward passes through f, never cleared.

    f: takes a tensor, returns a scalar tensor.  x: a float tensor of any shape, tracked or not;
    it and its `.grad` stay as they are.  n: at least 1.  The result has the shape and dtype of x.

    >>> gradient_after(lambda x: x**2, torch.tensor(3.0), 2)
    tensor(12.)
    """
    # YOUR CODE HERE
    raise NotImplementedError()


# %% [markdown]
# ## `train_step`
# One turn of the rhythm. Whether you clear at the start or at the end is up to you, as long as a
# second call is as right as the first. The parameters come in with clean gradients.


# %%
def train_step(params, loss_fn, lr):
    """Take one step of gradient descent and return the loss before the step, as a Python float.

    params: a list of leaf tensors, moved in place; they stay leaves that require grad.
    loss_fn: called once, as loss_fn(params); returns a scalar tensor.  lr: the learning rate.

    >>> p = torch.tensor(3.0, requires_grad=True)
    >>> train_step([p], lambda params: params[0] ** 2, lr=0.25)
    9.0
    >>> p.item()
    1.5
    """
    # YOUR CODE HERE
    raise NotImplementedError()


# %% [markdown]
# ## `accumulate_step`
# Here adding up is what you want. A batch that does not fit into memory is cut into micro batches.
# Each gets its own backward pass, the gradients add up, and one step follows at the end, the same
# step that the whole batch would have given.
#
# The loss of the whole batch is a mean over items, and a mean of means is not that when the sizes
# differ:
#
# | micro batch | items | mean loss | sum of losses |
# |-------------|------:|----------:|--------------:|
# | first       |     3 |         2 |             6 |
# | last        |     1 |         6 |             6 |
# | **whole**   |     4 |     **3** |            12 |
#
# The mean of 2 and 6 is 4, not 3: it counts the one item of the last micro batch as much as the
# three others together.


# %%
def accumulate_step(params, micro_batches, loss_fn, lr):
    """Take the one descent step that the micro batches, joined into one batch, would give.

    params: a list of leaf tensors with clean gradients, moved in place, once; a second call must
    be as right as the first.  micro_batches: a list of (xb, yb), items along the first dimension,
    as many as you like in each.  loss_fn: called once for each micro batch, as
    loss_fn(params, xb, yb); returns its mean loss over the items, a scalar tensor.

    >>> p = torch.tensor(2.0, requires_grad=True)
    >>> def loss_fn(params, xb, yb):
    ...     return (params[0] * xb - yb).mean()
    >>> xs = torch.tensor([1.0, 2.0, 3.0]), torch.tensor([10.0])
    >>> accumulate_step([p], [(xb, torch.zeros(len(xb))) for xb in xs], loss_fn, lr=0.1)
    >>> p.data  # 2 - 0.1 * (1 + 2 + 3 + 10) / 4
    tensor(1.6000)
    """
    # YOUR CODE HERE
    raise NotImplementedError()


# %% [markdown]
# ## Try it
# Descent on $x^2$ from 3 with a rate of 0.1, once with your `train_step` and once without clearing.
# The gradients left over from the way down carry the second one past the minimum.

# %%
if __name__ == "__main__":
    clean = torch.tensor(3.0, requires_grad=True)
    stale = torch.tensor(3.0, requires_grad=True)
    for turn in range(8):
        train_step([clean], lambda params: params[0] ** 2, lr=0.1)
        (stale**2).backward()
        stale.data -= 0.1 * stale.grad
        print(f"step {turn + 1}: cleared {clean.item():6.3f}   not cleared {stale.item():6.3f}")

# %% [markdown]
# ## In your own words
#
# Gradients are never cleared, and yet the loss falls for the first few steps. Why does it, and why
# can't that be trusted?
