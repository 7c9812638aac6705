# %% [markdown]
# # 03 · Backward: reading the slope off a graph
#
# The slope of f at x says how fast f(x) changes when x does. For f(x) = x² it is 2x: at x = 3 a
# small step of 0.01 to the right raises f by about 0.06.
#
# PyTorch finds slopes without being told the rule. While f runs on a tracked tensor, every
# operation leaves a note of what it was given. `backward()` on the result walks these notes from
# the end to the start, multiplies the slope of each operation by what arrived from behind it (the
# chain rule), and leaves the product at the leaf, in `.grad`:
#
# ```text
#   forward     x = 3 ──▶ square ──▶ 9 ──▶ times 5 ──▶ 45
#   backward   30   ◀── 2·3 = 6 ◀── 5  ◀──    5    ◀── 1
# ```
#
# Two things to keep in mind. Only *leaves*, tensors that you made and no operation produced, keep
# a `.grad`. And `backward()` *adds* to what `.grad` already holds; it never replaces it.

# %%
import torch

# %% [markdown]
# ## `slope`
# The smallest use of autograd: one number in, one slope out.


# %%
def slope(f, x):
    """Return the derivative of f at x, as a Python float.

    f: a function from a scalar tensor to a scalar tensor.  x: a number.

    >>> slope(lambda x: x**2, 3.0)
    6.0
    """
    # YOUR CODE HERE
    raise NotImplementedError()


# %% [markdown]
# ## `gradient`
# The same for many numbers at once. When x has several elements and f(x) is still one number, the
# gradient holds one slope for each element of x: how fast f changes when that element alone does.
#
# The caller's tensor may be tracked already and may hold a gradient from earlier work. A helper
# that is asked for a gradient should leave both alone.


# %%
def gradient(f, x):
    """Return the gradient of f at x, a tensor shaped like x, untracked.

    f: a function from a tensor shaped like x to a scalar tensor.
    x: a float tensor of any shape, tracked or not. It is left as it was, its `.grad` too.

    >>> gradient(lambda x: (x**2).sum(), torch.tensor([1.0, -2.0]))
    tensor([ 2., -4.])
    """
    # YOUR CODE HERE
    raise NotImplementedError()


# %% [markdown]
# ## `vector_jacobian`
# When f gives several numbers, there is no single slope: every output has one for every input, a
# table called the Jacobian J, with J[i, j] = ∂f(x)ᵢ / ∂xⱼ. Backward never builds this table. It is
# given a weight for each output, the *upstream gradient* v, and computes v·J in one pass. That is
# what `backward` does at every operation inside a network: v is what arrived from behind.


# %%
def vector_jacobian(f, x, v):
    """Return v·J, where J is the Jacobian of f at x; a tensor shaped like x, untracked.

    f: a function from a tensor shaped like x to a tensor shaped like v.
    x: a float tensor of any shape, tracked or not. It is left as it was, its `.grad` too.
    v: a float tensor, a weight for each element of f(x).

    >>> x, v = torch.tensor([1.0, 2.0]), torch.tensor([1.0, 10.0])
    >>> vector_jacobian(lambda x: x**2, x, v)
    tensor([ 2., 40.])
    """
    # YOUR CODE HERE
    raise NotImplementedError()


# %% [markdown]
# ## `numeric_gradient`
# How would you check autograd? With the definition of the slope: move one element of x a little to
# each side and see how far f moves.
#
# $$\frac{\partial f}{\partial x_j} \approx
#   \frac{f(x + \varepsilon e_j) - f(x - \varepsilon e_j)}{2 \varepsilon}$$
#
# Stepping to both sides (the *central* difference) leaves an error that shrinks with ε²; stepping
# to one side only leaves one that shrinks with ε. It takes two calls of f for every element of x,
# which is why nobody trains a network this way, and why everybody tests gradients this way.


# %%
def numeric_gradient(f, x, eps):
    """Return the gradient of f at x by central differences; shaped and typed like x, untracked.

    f: a function from a tensor shaped like x to a scalar tensor.
    x: a float tensor of any shape, tracked or not. It is left as it was.
    eps: the step to each side, a positive number.

    >>> x = torch.tensor([1.0, -2.0], dtype=torch.float64)
    >>> numeric_gradient(lambda x: (x**2).sum(), x, 1e-3)
    tensor([ 2.0000, -4.0000], dtype=torch.float64)
    """
    # YOUR CODE HERE
    raise NotImplementedError()


# %% [markdown]
# ## `chain_rule`
# What backward does at every node, once by hand. When y = f(g(x)), a small change of x is scaled
# by the slope of g at x, and then by the slope of f *at the place where g(x) landed*:
#
# $$\frac{dy}{dx} = f'(g(x)) \cdot g'(x)$$


# %%
def chain_rule(df, g, dg, x):
    """Return the derivative of f(g(x)) at x, as a Python float, without autograd.

    df: the derivative of f.  g: the inner function.  dg: the derivative of g.  All three are
    functions from a number to a number.  x: a number.

    For f(u) = u³ and g(x) = x², so that f(g(x)) = x⁶:

    >>> chain_rule(lambda u: 3 * u**2, lambda x: x**2, lambda x: 2 * x, 2.0)
    192.0
    """
    # YOUR CODE HERE
    raise NotImplementedError()


# %% [markdown]
# ## In your own words
#
# Somebody measures a slope with a step h of 0.1, is not content, and takes 0.0000001 in float32.
# Why can the smaller step give the worse slope, and why does `backward()` not have to choose?
