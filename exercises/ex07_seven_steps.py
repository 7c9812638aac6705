# %% [markdown]
# # 07 · Seven steps: everything so far, in one loop
#
# Training any model, from three numbers to billions, goes through the same seven steps:
#
# ```text
#  1 initialise ──▶ 2 predict ──▶ 3 loss ──▶ 4 gradient ──▶ 5 step ──▶ 7 stop
#                       ▲                                     │
#                       └────────────── 6 repeat ─────────────┘
# ```
#
# The arrow back is the point. Predictions, loss and gradient belong to the parameters they were
# made from; after a step all three are out of date and have to be made again. The parameters are
# the one thing that lives through the whole loop, and so they are made once, before it.
#
# The model to train is a curve. Someone on a bike stops pedalling before a hill, slows down on the
# way up, and picks up speed again behind the crest. Once a second a shaky hand notes the speed. We
# guess that the curve is a quadratic, $a t^2 + b t + c$, and look for $a$, $b$ and $c$.

# %%
import torch

# %% [markdown]
# ## `bike_data`
# Dummy data first: when you have made the data yourself, you know what the training should find.
# Without the noise, the speed is
#
# $$0.05\,(t - 12)^2 + 2 \quad=\quad 0.05\,t^2 - 1.2\,t + 9.2$$
#
# in metres a second: 9.2 at the start, 2 on the crest after 12 seconds, 4.45 at the end.


# %%
def bike_data(noise):
    """Return (time, speed) of the coasting bike, two float32 tensors of shape (20,).

    time: the seconds 0, 1, … 19.  speed: 0.05 · (time − 12)² + 2, and at every second its own
    random error from a normal distribution with mean 0 and standard deviation `noise`, drawn anew
    in each call.

    >>> time, speed = bike_data(noise=0.0)
    >>> time[:3], speed[:3]
    (tensor([0., 1., 2.]), tensor([9.2000, 8.0500, 7.0000]))
    """
    # YOUR CODE HERE
    raise NotImplementedError()


# %% [markdown]
# ## `quadratic`
# Step 2, the model.


# %%
def quadratic(t, params):
    """Return a·t² + b·t + c for every time in t, as part of the graph.

    t: a float tensor of any shape.  params: a tensor of three numbers, a, b and c in this order.

    >>> quadratic(torch.tensor([0.0, 1.0, 2.0]), torch.tensor([1.0, 2.0, 3.0]))
    tensor([ 3.,  6., 11.])
    """
    # YOUR CODE HERE
    raise NotImplementedError()


# %% [markdown]
# ## `mse`
# Step 3, the loss: the mean squared error. For residuals 1, −1 and 2 it is (1 + 1 + 4) / 3 = 2.


# %%
def mse(preds, targets):
    """Return the mean of the squared differences, a scalar tensor that is part of the graph.

    preds, targets: float tensors of the same shape.

    >>> mse(torch.tensor([1.0, 2.0, 3.0]), torch.tensor([0.0, 3.0, 1.0]))
    tensor(2.)
    """
    # YOUR CODE HERE
    raise NotImplementedError()


# %% [markdown]
# ## `apply_step`
# Steps 2 to 5 in one function, with `mse` as the loss. It hands back the predictions it made on the
# way, and it leaves the place as it found it: the gradient is clean again, `None` or zeros.


# %%
def apply_step(params, t, speed, lr):
    """Take one step of gradient descent on mse(quadratic(t, params), speed).

    params: one leaf tensor of three numbers with a clean gradient.  It moves in place, stays a
    leaf that requires grad, and its gradient is clean afterwards.  t, speed: float tensors of one
    shape.  Returns the predictions made before the step.

    >>> params = torch.tensor([1.0, 0.0, 0.0], requires_grad=True)
    >>> apply_step(params, torch.tensor([0.0, 1, 2]), torch.tensor([1.0, 2, 3]), 0.3).tolist()
    [0.0, 1.0, 4.0]
    >>> params.data
    tensor([ 0.4000, -0.2000,  0.2000])
    """
    # YOUR CODE HERE
    raise NotImplementedError()


# %% [markdown]
# ## `fit`
# Steps 1 and 6 around it. The learning rate has to be small here: by the rule of exercise 05 it
# must stay below 2 / curvature. Along $a$ the curvature is twice the mean of $t^4$, about 56,000,
# and a rate above 0.000035 makes the loss explode. Along $c$ the curvature is 2, so at that same
# rate $c$ hardly moves: the loss falls steeply at first and then crawls. Plain descent often looks
# like that, and it is one reason to scale inputs before training, as the end of this page shows.


# %%
def fit(t, speed, lr, n_steps):
    """Fit a quadratic to the data by gradient descent and return (params, losses).

    The parameters start as torch.randn(3), the only random numbers drawn.  params: the tensor of
    three after n_steps steps.  losses: a list of n_steps Python floats, each the loss before its
    step.  t and speed stay as they are.

    >>> time, speed = bike_data(noise=0.5)
    >>> params, losses = fit(time, speed, lr=1e-5, n_steps=10)
    >>> params.shape, len(losses)
    (torch.Size([3]), 10)
    """
    # YOUR CODE HERE
    raise NotImplementedError()


# %% [markdown]
# ## `should_stop`
# Step 7. A loss does not fall evenly, so one bad value is no reason to stop. The usual rule has
# patience: cut the list before its last `patience` values and compare the best of both parts.
#
# ```text
#    losses     9.0   5.0   4.0   4.5 │ 3.9   4.2       patience = 2
#               └──── best 4.0 ─────┘ │ best 3.9        4.0 − 3.9 = 0.1
#
#    min_delta = 0.05: better by more than that, go on
#    min_delta = 0.25: not better by more than that, stop
# ```


# %%
def should_stop(losses, patience, min_delta):
    """Say whether training has stopped getting anywhere: True to stop, False to go on.

    True if the best (lowest) of the last `patience` losses is not lower than the best of all those
    before them by more than `min_delta`.  False as long as there is none before them.

    losses: a list of floats, the newest last.  patience: an int, at least 1.  min_delta: 0 or more.

    >>> should_stop([9.0, 5.0, 4.0, 4.5, 3.9, 4.2], patience=2, min_delta=0.25)
    True
    >>> should_stop([9.0, 5.0, 4.0, 4.5, 3.9, 4.2], patience=2, min_delta=0.05)
    False
    """
    # YOUR CODE HERE
    raise NotImplementedError()


# %% [markdown]
# ## Try it
# All seven steps, stopping included: first with the time in seconds, then counted in tens of
# seconds, which makes the curvatures more alike and allows a larger rate. The first run crawls
# until the rule or the limit ends it. The second finds the curve: what is left is noise,
# about 0.3² = 0.09.

# %%
if __name__ == "__main__":
    seconds, measured = bike_data(noise=0.3)
    for unit, rate in [(1, 1e-5), (10, 0.1)]:
        abc, history = torch.randn(3).requires_grad_(), []
        while len(history) < 5000 and not should_stop(history, patience=10, min_delta=0.003):
            guesses = apply_step(abc, seconds / unit, measured, rate)
            history.append(mse(guesses, measured).item())
        print(f"time / {unit}: {len(history)} steps, loss {history[0]:.2f} to {history[-1]:.2f}")

# %% [markdown]
# ## In your own words
#
# Which of the seven steps happen once, which happen again and again, and what would you see if the
# parameters were made anew inside the loop?
