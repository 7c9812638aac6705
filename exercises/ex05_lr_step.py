# %% [markdown]
# # 05 · The step: direction from the gradient, size from the learning rate
#
# The gradient tells which way is up and how steep it is, right where you stand. To go down, move
# each parameter against its gradient; how far is your choice, and its name is the *learning rate*:
#
# $$p \leftarrow p - \text{lr} \cdot p\text{.grad}$$
#
# Worked numbers: $f(x) = x^2$ from $x = 8$. The slope there is $16$.
#
# ```
#  lr     path                                      what happens
#  0.005  8  7.92  7.84  7.76  7.68 …               right way, far too slowly
#  0.1    8  6.4   5.12  4.10  3.28 …               good
#  0.5    8  0     0     0     0    …               lands at once: luck of a parabola
#  0.9    8 -6.4   5.12 -4.10  3.28 …               jumps across the valley, still shrinks
#  1.0    8 -8     8    -8     8    …               never arrives
#  1.1    8 -9.6  11.52 -13.8 16.6  …               every step is worse
# ```
#
# The gradient is a promise about the place where it was measured. A small step keeps close to that
# place; a large one lands where the promise says nothing any more.

# %%
import math

import torch

# %% [markdown]
# ## `step`
# A parameter is a leaf that others hold on to: the model, the optimiser, you. So it has to be moved
# *in place*, and the move itself is bookkeeping, no part of the function that is being learned:
# autograd must not record it.


# %%
def step(params, lr):
    """Move each parameter against its gradient by lr times that gradient, in place.

    params: a list or tuple of leaf tensors of any shape.  lr: a float.  Afterwards they are the
    same tensors, still leaves, still tracked or not as before, and their .grad is what it was.
    A parameter whose .grad is None stays as it is.

    >>> p = torch.tensor([8.0, 1.0], requires_grad=True)
    >>> (p**2).sum().backward()
    >>> step([p], lr=0.1)
    >>> p
    tensor([6.4000, 0.8000], requires_grad=True)
    """
    # YOUR CODE HERE
    raise NotImplementedError()


# %% [markdown]
# ## `descend`
# Many steps make a path. Each one needs the slope at the place where the path has arrived, not the
# slope at the start. A fresh leaf at each place, as in exercise 03, has no old gradient on it.


# %%
def descend(f, x0, lr, n_steps):
    """Return the path of gradient descent on f, a list of n_steps + 1 floats, x0 first.

    f: a function that takes and returns a scalar tensor.  x0: a number.  Each place is the one
    before, moved against the slope there by lr times that slope.

    >>> descend(lambda x: x**2, 8.0, lr=0.25, n_steps=3)
    [8.0, 4.0, 2.0, 1.0]
    """
    # YOUR CODE HERE
    raise NotImplementedError()


# %% [markdown]
# ## `diagnose_lr`
# With millions of parameters there is no path to look at; there are the losses. They tell enough:
#
# - **diverging**: some loss is not finite, or the last one is above the first;
# - **too small**: otherwise, if the last loss is above 90% of the first;
# - **good**: otherwise. Losses may go up and down on the way; only the ends are compared.


# %%
def diagnose_lr(losses):
    """Return "diverging", "too small" or "good" by the rules above.

    losses: a list of floats, the first positive; some may be inf or nan.

    >>> diagnose_lr([4.0, 2.5, 1.1])
    'good'
    >>> diagnose_lr([4.0, 3.99, 3.98])
    'too small'
    >>> diagnose_lr([4.0, 9.0, 20.3])
    'diverging'
    """
    # YOUR CODE HERE
    raise NotImplementedError()


# %% [markdown]
# ## `largest_stable_lr`
# How large may the rate be? Near its bottom every smooth valley is a parabola,
# $f(x) = \frac{c}{2} (x - m)^2$, whose second derivative, the *curvature*, is $c$ everywhere. Write
# down one step and see what it does to the distance $x - m$: it multiplies it by a number made of
# lr and $c$. Descent closes in on $m$ as long as the size of that number is below 1. In the table
# above $c$ is 2, and 1.0 is the rate at which the path stops shrinking.


# %%
def largest_stable_lr(curvature):
    """Return the bound below which a learning rate lets descent on a parabola close in, a float.

    curvature: the second derivative of the parabola, a number above 0.

    >>> largest_stable_lr(2.0)
    1.0
    """
    # YOUR CODE HERE
    raise NotImplementedError()


# %% [markdown]
# ## Try it
# The table from the top, by your own functions. At 1.0, the bound itself, the losses stand still:
# by losses alone that cannot be told from a rate that is too small.

# %%
if __name__ == "__main__":
    print("largest stable rate:", largest_stable_lr(2.0))
    for lr in (0.005, 0.1, 0.5, 0.9, 1.0, 1.1):
        path = descend(lambda x: x**2, 8.0, lr, n_steps=4)
        verdict = diagnose_lr([x**2 for x in path])
        print(f"lr {lr:<5}", *(f"{x:7.2f}" for x in path), " ", verdict)

# %% [markdown]
# ## In your own words
#
# The loss gets larger with every step. A friend says: the gradient must have the wrong sign. Which
# other cause is there, and with what single experiment do you tell the two apart?
