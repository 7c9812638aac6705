# %% [markdown]
# # 02 · requires_grad: which numbers does torch keep an eye on?
#
# Learning changes numbers a little at a time, each in the direction that helps. To know the
# direction, torch writes down every operation that a **tracked** tensor goes through. What it
# writes down is called the graph, and it grows while your code runs:
#
#     x = torch.tensor(8.0).requires_grad_()     x     leaf: made by you, not computed
#     y = x**2                                   └─ pow ──▶ y      y.grad_fn is <PowBackward0>
#     z = y + 1                                             └─ add ──▶ z
#
# Three attributes say where a tensor stands:
#
# | tensor | `requires_grad` | `is_leaf` | `grad_fn` |
# |---|---|---|---|
# | plain data, `torch.tensor(8.0)` | False | True | None |
# | a parameter, `x` above | True | True | None |
# | a result, `y` above | True | False | `PowBackward0` |
#
# Gradients are delivered to tracked **leaves** only, in the attribute `.grad`. A parameter that is
# not a leaf never gets one, and no error says so: that is the mistake to know from this exercise.
# Whatever is computed from a tracked tensor is tracked too, so the second half is about the way
# out: values without the graph behind them.

# %%
import torch

# %%
if __name__ == "__main__":  # try it: what does each line say about x, y and z?
    x = torch.tensor(8.0).requires_grad_()
    y = x**2
    z = y + 1
    for t in (x, y, z):
        print(t, t.requires_grad, t.is_leaf, t.grad_fn)

# %% [markdown]
# ## `track`
# Tracking is for numbers that can change by a little, so it needs a dtype with fractions: a tensor
# of whole numbers refuses it.


# %%
def track(value):
    """Return a number as a tracked float32 leaf of shape ().

    value: a Python int or float.

    >>> track(8)
    tensor(8., requires_grad=True)
    """
    ### BEGIN HINTS
    # Idea: make a tensor of fractional numbers first, whatever was passed in, then have it tracked.
    # Tool: `torch.tensor` with its arguments `dtype` and `requires_grad`, or the method
    #   `requires_grad_`; the trailing underscore means "in place".
    # Nearly there: turn the value into a Python float, a tensor made of that is float32; ask for
    #   tracking in the same call.
    ### END HINTS
    ### BEGIN SOLUTION
    return torch.tensor(float(value), requires_grad=True)
    ### END SOLUTION


# %% [markdown]
# ## `init_params`
# Before the first step a model's parameters are drawn at random, from a normal distribution around
# 0. `std` is its standard deviation: about two thirds of the values lie between −std and std.
#
# Mind the order. Tracking starts when you ask for it, and what comes after is recorded:
#
#     w = tracked leaf          w * 0.1 is a result. The leaf is lost, and with it the gradient.


# %%
def init_params(size, std=1.0):
    """Return random parameters: a tracked float32 leaf, normal with mean 0, new at each call.

    size: an int, or a tuple of ints.  std: the standard deviation.

    >>> w = init_params((784, 1), std=0.1)
    >>> w.shape, w.is_leaf, w.requires_grad
    (torch.Size([784, 1]), True, True)
    """
    ### BEGIN HINTS
    # Idea: finish the computation of the values first; ask for tracking at the very end.
    # Tool: `torch.randn` has mean 0 and standard deviation 1, and takes an int or a tuple;
    #   `requires_grad_` switches tracking on in place and returns the tensor.
    # Nearly there: draw, multiply by std, put that product in parentheses, and make it a leaf with
    #   the method above.
    ### END HINTS
    ### BEGIN SOLUTION
    return (torch.randn(size) * std).requires_grad_()
    ### END SOLUTION


# %% [markdown]
# ## `is_trainable_leaf`
# Will a gradient ever arrive here? Look at the table above once more: plain data counts as a leaf
# too, and results are tracked too. Only a parameter is both.


# %%
def is_trainable_leaf(t):
    """Return True if gradients are delivered to t, that is, if it is a tracked leaf; else False.

    >>> is_trainable_leaf(torch.zeros(3).requires_grad_())
    True
    >>> is_trainable_leaf(torch.zeros(3))
    False
    """
    ### BEGIN HINTS
    # Idea: two conditions, and both have to hold.
    # Tool: the two attributes of a tensor that the lesson's table has as columns of True and False.
    # Nearly there: join the two with the word that asks for both, and return the outcome.
    ### END HINTS
    ### BEGIN SOLUTION
    return t.is_leaf and t.requires_grad
    ### END SOLUTION


# %% [markdown]
# ## `freeze`
# To keep a part of a model as it is, take its parameters out of tracking. This acts on the tensors
# themselves: whoever else holds them sees them frozen.


# %%
def freeze(params):
    """Stop tracking every tensor in a list of leaves, in place; their values stay.

    Some may be frozen already. What is returned does not matter.

    >>> w = torch.ones(3).requires_grad_()
    >>> freeze([w])
    >>> w.requires_grad
    False
    """
    ### BEGIN HINTS
    # Idea: go through the list and change each tensor itself; a new name for a new tensor leaves
    #   the old one as it was.
    # Tool: the method `requires_grad_` takes True or False.
    # Nearly there: a loop of one line, which switches tracking off on each parameter.
    ### END HINTS
    ### BEGIN SOLUTION
    for p in params:
        p.requires_grad_(False)
    ### END SOLUTION


# %% [markdown]
# ## `detached_copy`
# To keep yesterday's parameters for comparison you need a copy with a life of its own. Two ties
# have to be cut:
#
# | | cuts the graph | cuts the memory |
# |---|---|---|
# | `t.detach()` | yes | no: change one and the other changes |
# | `t.clone()` | no: the copy is recorded as a result | yes |


# %%
def detached_copy(t):
    """Return an untracked copy of t with memory of its own; t stays as it is.

    Shape, dtype and values are those of t, which may be tracked or not, a leaf or a result.

    >>> w = torch.ones(3).requires_grad_()
    >>> copy = detached_copy(w)
    >>> copy.requires_grad, copy is w
    (False, False)
    """
    ### BEGIN HINTS
    # Idea: each of the two methods in the table cuts one tie.
    # Tool: `detach` and `clone`, one after the other; the order does not matter.
    # Nearly there: call one of them on t and the other on what it returns.
    ### END HINTS
    ### BEGIN SOLUTION
    return t.detach().clone()
    ### END SOLUTION


# %% [markdown]
# ## `predict_without_graph`
# The graph keeps every intermediate value alive, since they are needed to find the gradients. When
# a model only predicts, that is memory and time for nothing. Cutting the result off afterwards is
# too late: by then the graph has been built. Torch can be told not to record in the first place.


# %%
def predict_without_graph(f, x):
    """Return f(x), computed without recording anything while f runs.

    f: a function of one tensor, maybe with tracked parameters of its own.  x: a tensor, tracked or
    not; it stays as it is. After the call, torch records as before.

    >>> w = track(3.0)
    >>> predict_without_graph(lambda x: w * x, torch.tensor([1.0, 2.0]))
    tensor([3., 6.])
    """
    ### BEGIN HINTS
    # Idea: recording is a switch that can be off for a stretch of code, and f has to run inside of
    #   that stretch.
    # Tool: `torch.no_grad()` in a `with` statement.
    # Nearly there: open the block, and call f and return its result inside of it. On the way out
    #   the block sets the switch back by itself.
    ### END HINTS
    ### BEGIN SOLUTION
    with torch.no_grad():
        return f(x)
    ### END SOLUTION


# %% [markdown]
# ## In your own words
#
# A parameter is made with `torch.randn(3).requires_grad_() * 0.1`. Training runs without an error
# and learns nothing. What has happened to the gradients?
#
# ### BEGIN MARK SCHEME
# Half of the points for each, in whatever words:
#
# 1. the product is a result and no leaf; the leaf is the tensor before the multiplication.
# 2. gradients are delivered to leaves only: the parameter's `.grad` stays None, while a tensor that
# nobody holds gets them.
# ### END MARK SCHEME
