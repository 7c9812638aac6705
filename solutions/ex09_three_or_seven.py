# %% [markdown]
# # 09 · Three or seven: the seven steps on real pixels
#
# In exercise 08 a digit was called a three when it lay nearer to the mean three than to the
# mean seven. Nothing was learned there. Here something is: one weight for each of the 784 pixels
# and one bias, found by the seven steps of exercise 07.
#
# ```text
#     images ──flatten──▶ (N, 784) ──@ weights + bias──▶ raw outputs (N, 1) ──sigmoid──▶ 0..1
# ```
#
# What is new is the loss. We care about accuracy, but accuracy cannot be the loss: nudge a weight
# by a thousandth and no answer flips, so its slope is zero almost everywhere and no step
# follows from it. The loss has to move whenever a prediction gets a little better or worse. So
# each raw output is squeezed into 0..1, and the loss is how far that is from the target, 1 for a
# three and 0 for a seven:
#
# | raw output | sigmoid | target | distance | answer   |
# |-----------:|--------:|-------:|---------:|----------|
# |        2.0 |    0.88 |      1 |     0.12 | right    |
# |        0.1 |    0.52 |      1 |     0.48 | right    |
# |       -0.1 |    0.48 |      1 |     0.52 | wrong    |
# |       -2.0 |    0.12 |      0 |     0.12 | right    |
#
# The second row and the third are almost the same for the loss and opposite for the accuracy. The
# loss is what the machine follows; the accuracy is what people read.

# %%
import torch

# %% [markdown]
# ## `init_params`
# You wrote this one in exercise 02; here it makes the 784 weights and the bias.


# %%
def init_params(size, std=1.0):
    """Return a trainable leaf of normal random numbers with mean 0 and standard deviation std.

    size: an int or a tuple of ints.  Result: float32, of that size, requires_grad=True.

    >>> init_params((784, 1)).shape
    torch.Size([784, 1])
    """
    ### BEGIN HINTS
    # Idea: what gradients are kept for is a leaf: a tensor that no recorded operation produced.
    # Tool: torch.randn and the method requires_grad_.
    # Nearly there: draw, scale by std, and switch tracking on as the very last thing.
    ### END HINTS
    ### BEGIN SOLUTION
    return (torch.randn(size) * std).requires_grad_()
    ### END SOLUTION


# %% [markdown]
# ## `linear1`
# One number per image: every pixel votes with its own weight, and the bias shifts the sum. All
# images of a batch at once are one matrix product:
#
# ```text
#     (N, 784) @ (784, 1) = (N, 1)
# ```


# %%
def linear1(xb, weights, bias):
    """Return the raw outputs of a linear model, one row an image, inside the graph.

    xb: (N, n_pixels).  weights: (n_pixels, 1).  bias: (1,).  Result: (N, 1).

    >>> linear1(torch.tensor([[1.0, 2.0]]), torch.tensor([[10.0], [1.0]]), torch.tensor([0.5]))
    tensor([[12.5000]])
    """
    ### BEGIN HINTS
    # Idea: multiply each pixel by its weight, add the products up, add the bias.
    # Tool: the operator @ is the matrix product; + stretches a bias of one number over all rows.
    # Nearly there: the batch stands on the left of the product, so that a row stays an image.
    ### END HINTS
    ### BEGIN SOLUTION
    return xb @ weights + bias
    ### END SOLUTION


# %% [markdown]
# ## `sigmoid`
#
# $$\sigma(x) = \frac{1}{1 + e^{-x}}$$
#
# ```text
#      1 ┤                  ········
#        │             ···
#     .5 ┤           ·
#        │       ···
#      0 ┤········
#        └──────────┬──────────────
#                   0            x
# ```
#
# Smooth, rising, never flat to the last: there is always a slope to follow, but far out it is very
# small. Keep that in mind for the last task.


# %%
def sigmoid(x):
    """Return 1 / (1 + e^-x) for every element of x, inside the graph.

    x: a float tensor of any shape, values from -30 to 30.  Result: same shape and dtype.

    >>> sigmoid(torch.tensor([0.0, 30.0]))
    tensor([0.5000, 1.0000])
    """
    ### BEGIN HINTS
    # Idea: the formula, element by element; tensors do that by themselves.
    # Tool: torch.exp.
    # Nearly there: mind the minus sign in the exponent and the brackets in the denominator.
    ### END HINTS
    ### BEGIN SOLUTION
    return 1 / (1 + torch.exp(-x))
    ### END SOLUTION


# %% [markdown]
# ## `mnist_loss`
# The table above as a function. The model gives raw outputs; squeezing them is the loss's work.


# %%
def mnist_loss(predictions, targets):
    """Return the mean distance of the sigmoid of the predictions from the targets.

    predictions: raw outputs, float (N, 1).  targets: 1.0 for a three, 0.0 for a seven, (N, 1).
    Result: a scalar tensor inside the graph.

    >>> mnist_loss(torch.tensor([[0.0], [-30.0]]), torch.tensor([[1.0], [0.0]]))
    tensor(0.2500)
    """
    ### BEGIN HINTS
    # Idea: where the target is 1 the distance is what is missing to 1; elsewhere it is all of it.
    # Tool: your sigmoid, torch.where (condition, value if true, value if false), mean.
    # Nearly there: squeeze first, then pick one of two distances per row, then one mean over all.
    ### END HINTS
    ### BEGIN SOLUTION
    predictions = sigmoid(predictions)
    return torch.where(targets == 1, 1 - predictions, predictions).mean()
    ### END SOLUTION


# %% [markdown]
# ## `calc_grad`
# Steps two, three and four for one batch: predict, measure, backward. The step itself and the
# zeroing belong to whoever calls it.


# %%
def calc_grad(xb, yb, model, loss_func):
    """Add the gradient of this batch's loss to the .grad of the model's parameters.

    model: a function from xb to predictions.  loss_func: a function of (predictions, targets)
    that gives a scalar tensor.  Parameters keep their values; what is returned does not matter.

    >>> w = torch.tensor([2.0], requires_grad=True)
    >>> calc_grad(3.0, 5.0, lambda xb: xb * w, lambda preds, yb: (preds - yb).sum())
    >>> w.grad
    tensor([3.])
    """
    ### BEGIN HINTS
    # Idea: the parameters are hidden in the model; the backward pass finds them through the graph.
    # Tool: model and loss_func are functions; a loss has the method backward.
    # Nearly there: one forward pass, one loss with the predictions first, one backward pass.
    ### END HINTS
    ### BEGIN SOLUTION
    preds = model(xb)
    loss = loss_func(preds, yb)
    loss.backward()
    ### END SOLUTION


# %% [markdown]
# ## `batch_accuracy`
# For people. A raw output above 0 is the same as a sigmoid above 0.5: the model says "three".


# %%
def batch_accuracy(preds, targets):
    """Return the share of right answers as a scalar tensor.

    preds: raw outputs, float (N, 1), "three" where above 0.  targets: 1.0 or 0.0, (N, 1).

    >>> batch_accuracy(torch.tensor([[0.2], [-3.0]]), torch.tensor([[1.0], [1.0]]))
    tensor(0.5000)
    """
    ### BEGIN HINTS
    # Idea: turn outputs into answers, compare with the targets, take the mean of the agreement.
    # Tool: comparisons give booleans; float turns them into numbers that have a mean.
    # Nearly there: ask which side of the boundary each raw output is on; where is the boundary?
    ### END HINTS
    ### BEGIN SOLUTION
    correct = (preds > 0) == (targets == 1)
    return correct.float().mean()
    ### END SOLUTION


# %% [markdown]
# ## `make_batches`
# The digits come sorted: all the threes, then all the sevens. Batches cut from that teach "say
# three" for half an epoch and "say seven" for the other half. So every epoch deals the cards anew.


# %%
def make_batches(x, y, batch_size):
    """Return a list of batches (xb, yb) that holds every item once, in a fresh random order.

    x: (N, ...).  y: (N, ...).  Row i of x belongs to row i of y, before and after.
    Every batch has batch_size rows; the last has what is left over.

    >>> [len(xb) for xb, yb in make_batches(torch.zeros(5, 784), torch.zeros(5, 1), 2)]
    [2, 2, 1]
    """
    ### BEGIN HINTS
    # Idea: shuffle row numbers, not rows; one order serves both x and y.
    # Tool: torch.randperm gives a random order of 0..N-1, and split cuts it into pieces.
    # Nearly there: for each piece of the order, index x with it and index y with it.
    ### END HINTS
    ### BEGIN SOLUTION
    order = torch.randperm(len(x))
    return [(x[rows], y[rows]) for rows in order.split(batch_size)]
    ### END SOLUTION


# %% [markdown]
# ## `train_epoch`
# Once through the data: a gradient, a step and a clean slate for each batch.


# %%
def train_epoch(model, lr, params, dl):
    """Make one step of gradient descent on mnist_loss for each batch of dl, in order.

    model: a function from xb to raw outputs.  params: a list of the leaves it uses, changed in
    place; their gradients are clean on entry, and several epochs in a row work.
    dl: a list of batches (xb, yb).

    >>> w = torch.tensor([[0.0]], requires_grad=True)
    >>> train_epoch(lambda xb: xb @ w, 2.0, [w], [(torch.tensor([[4.0]]), torch.tensor([[1.0]]))])
    >>> w
    tensor([[2.]], requires_grad=True)
    """
    ### BEGIN HINTS
    # Idea: each batch gets its own gradient and its own step; none may leak into the next.
    # Tool: your calc_grad with your mnist_loss; torch.no_grad for the step.
    # Nearly there: two loops, batches outside and parameters inside; after its step a parameter's
    #   gradient goes.
    ### END HINTS
    ### BEGIN SOLUTION
    for xb, yb in dl:
        calc_grad(xb, yb, model, mnist_loss)
        with torch.no_grad():
            for p in params:
                p -= lr * p.grad
                p.grad = None
    ### END SOLUTION


# %% [markdown]
# ## `validate_epoch`
# How many of all the items are right? A short last batch counts for as many items as it has: with
# 90 of 100 right in one batch and 0 of 4 in the next, the answer is 90 / 104, not 45%.


# %%
def validate_epoch(model, dl):
    """Return the model's accuracy over all items of dl as a Python float.

    dl: a list of batches (xb, yb) of any sizes.  Parameters and their gradients stay as they are.

    >>> validate_epoch(lambda xb: xb, [(torch.tensor([[1.0]]), torch.tensor([[1.0]]))])
    1.0
    """
    ### BEGIN HINTS
    # Idea: the share of a whole is right answers over items; shares of parts do not average to it.
    # Tool: your batch_accuracy, len, item.
    # Nearly there: turn each batch's share back into a count, sum counts and sizes, divide once.
    ### END HINTS
    ### BEGIN SOLUTION
    right, seen = 0.0, 0
    for xb, yb in dl:
        right += batch_accuracy(model(xb), yb).item() * len(xb)
        seen += len(xb)
    return right / seen
    ### END SOLUTION


# %% [markdown]
# ## `fit`
# All of it together. With weights from `init_params((784, 1), std=0.1)`, a rate of 1 and batches of
# 64, ten epochs on the sample's 2,066 threes and sevens get 98% of the 408 unseen ones right, where
# the mean digits of exercise 08 get 95.6% of the same.
#
# Try std=1.0 as well. A sum of some hundred pixels with weights of that size is easily 10 or −10;
# there the sigmoid is flat and the gradient next to nothing. Most draws are still behind after ten
# epochs, and now and then one never gets going and stays near a half. The learning rate sets the
# size of a step, but the slope has to be there first.


# %%
def fit(model, params, train, valid, epochs, lr, batch_size):
    """Train for some epochs; return the list of accuracies on valid, a float after each epoch.

    train and valid: pairs (x, y) of tensors.  Each epoch trains on freshly shuffled batches of
    train and then measures the model on valid.
    """
    ### BEGIN HINTS
    # Idea: an epoch is deal, train, measure; the list is what the measuring gave.
    # Tool: your make_batches, train_epoch and validate_epoch.
    # Nearly there: a loop over epochs with the dealing inside it; valid can be one large batch.
    ### END HINTS
    ### BEGIN SOLUTION
    accuracies = []
    for _ in range(epochs):
        train_epoch(model, lr, params, make_batches(*train, batch_size))
        accuracies.append(validate_epoch(model, [valid]))
    return accuracies
    ### END SOLUTION


# %% [markdown]
# ## Try it
# Threes against sevens on the real sample.

# %%
if __name__ == "__main__":
    from grader.mnist import load_sample

    def threes_and_sevens(images, labels):
        keep = (labels == 3) | (labels == 7)
        return images[keep].flatten(1) / 255, (labels[keep] == 3).float().unsqueeze(1)

    digits = load_sample()
    seen = threes_and_sevens(digits.train_images, digits.train_labels)
    unseen = threes_and_sevens(digits.test_images, digits.test_labels)
    weights, bias = init_params((784, 1), std=0.1), init_params(1)
    print(fit(lambda xb: linear1(xb, weights, bias), [weights, bias], seen, unseen, 10, 1.0, 64))

# %% [markdown]
# ## In your own words
#
# Accuracy is what we care about. Why is it not what the gradient is taken of?
#
# ### BEGIN MARK SCHEME
# Half of the points for each, in whatever words:
#
# 1. a tiny change of a weight flips no answer, so accuracy is flat almost everywhere and its slope
# is zero.
# 2. the loss has to change a little whenever a prediction gets a little better, or no step follows
# from it.
# ### END MARK SCHEME
