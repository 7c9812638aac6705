# ruff: noqa: F821
"""Answers to exercise 09 in other words."""

import torch

from grader.tests.spelling import right, spelled, unlike


@spelled("linear1", "no_bias")
def product_only(xb, weights, bias):
    return torch.matmul(xb, weights) + 0 * bias.detach()


@spelled("sigmoid", "falling")
def wrong_exponent(x):
    growth = x.exp()
    return 1.0 / (growth + 1.0)


@spelled("sigmoid", "tanh")
def hyperbolic(x):
    up, down = x.clamp(-15, 15).exp(), (-x.clamp(-15, 15)).exp()
    return (up - down) / (up + down)


@spelled("mnist_loss", "no_sigmoid")
def raw(predictions, targets):
    missing = torch.where(targets > 0.5, 1 - predictions, predictions)
    return missing.sum() / missing.numel()


@spelled("mnist_loss", "sum_for_mean")
def total_distance(predictions, targets):
    return (sigmoid(predictions) - targets).abs().sum()


@spelled("calc_grad", "no_backward")
def nothing_runs_back(xb, yb, model, loss_func):
    return loss_func(model(xb), yb).item()


@spelled("batch_accuracy", "error_rate")
def misses(preds, targets):
    says_three = (preds > 0).float()
    return (says_three - targets).abs().mean()


@spelled("batch_accuracy", "python_float")
def number(preds, targets):
    hits = (preds > 0) == targets.bool()
    return float(hits.sum() / hits.numel())


@spelled("make_batches", "drops_the_rest")
def full_ones_only(x, y, batch_size):
    deal = torch.randperm(x.shape[0])
    batches = []
    for k in range(x.shape[0] // batch_size):
        pick = deal[k * batch_size : (k + 1) * batch_size]
        batches.append((x[pick], y[pick]))
    return batches


@spelled("make_batches", "not_shuffled")
def in_order(x, y, batch_size):
    starts = range(0, len(x), batch_size)
    return [(x[s : s + batch_size], y[s : s + batch_size]) for s in starts]


@spelled("train_epoch", "never_zeroed")
def piles_up(model, lr, params, dl):
    for images, labels in dl:
        mnist_loss(model(images), labels).backward()
        with torch.no_grad():
            for w in params:
                w -= w.grad * lr


@spelled("validate_epoch", "mean_of_means")
def mean_over_batches(model, dl):
    total = 0.0
    for images, labels in dl:
        total += float(batch_accuracy(model(images), labels))
    return total / len(dl)


@spelled("validate_epoch", "a_tensor")
def stays_a_tensor(model, dl):
    hits, count = torch.tensor(0.0), 0
    with torch.no_grad():
        for images, labels in dl:
            hits += ((model(images) > 0) == (labels == 1)).sum()
            count += len(labels)
    return hits / count


@right("mnist_loss")
def absolute(predictions, targets):
    return (torch.sigmoid(predictions) - targets).abs().mean()


@right("make_batches")
def by_slices(x, y, batch_size):
    deal = torch.randperm(len(y))
    x, y = x[deal], y[deal]
    starts = range(0, len(y), batch_size)
    return [(x[s : s + batch_size], y[s : s + batch_size]) for s in starts]


@unlike("sigmoid")
def too_steep(x):
    return 1 / (1 + torch.exp(-3.3 * x))


@unlike("batch_accuracy")
def constant(preds, targets):
    return torch.tensor(0.123)
