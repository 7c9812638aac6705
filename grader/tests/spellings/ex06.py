# ruff: noqa: F821
"""Answers to exercise 06 in other words."""

import torch

from grader.tests.spelling import right, spelled, unlike


@spelled("zero_grads", "only_the_first")
def stops_after_one(params):
    for w in params:
        w.grad = None
        break


@spelled("zero_grads", "expects_a_gradient")
def method_on_none(params):
    for w in params:
        g = w.grad
        g.zero_()


@spelled("zero_grads", "multiplies_by_zero")
def scaled_away(params):
    for w in params:
        if w.grad is None:
            continue
        w.grad = w.grad * 0.0


@spelled("gradient_after", "cleared_in_between")
def only_one_counts(f, x, n):
    mine = torch.clone(x.detach()).requires_grad_(True)
    for _ in range(n):
        if mine.grad is not None:
            mine.grad.zero_()
        y = f(mine)
        y.backward()
    return mine.grad


@spelled("gradient_after", "one_graph_for_all")
def called_once(f, x, n):
    mine = x.detach().clone()
    mine.requires_grad = True
    out = f(mine)
    while n > 0:
        out.backward()
        n -= 1
    return mine.grad


@spelled("gradient_after", "a_list_of_gradients")
def comprehension(f, x, n):
    def once():
        mine = x.detach().clone().requires_grad_()
        return torch.autograd.grad(f(mine), mine)[0]

    return [once() for _ in range(n)]


@spelled("train_step", "never_cleared")
def nobody_clears(params, loss_fn, lr):
    value = loss_fn(params)
    value.backward()
    for w in params:
        w.data -= w.grad * lr
    return float(value)


@spelled("train_step", "returns_a_tensor")
def graph_and_all(params, loss_fn, lr):
    value = loss_fn(params)
    value.backward()
    for w in params:
        w.data.sub_(lr * w.grad)
        w.grad = None
    return value


@spelled("train_step", "loss_after_the_step")
def asks_again(params, loss_fn, lr):
    for w in params:
        w.grad = None
    loss_fn(params).backward()
    for w in params:
        w.data.sub_(lr * w.grad)
    return float(loss_fn(params))


@spelled("accumulate_step", "sum_of_means")
def adds_losses(params, micro_batches, loss_fn, lr):
    zero_grads(params)
    whole = 0
    for xb, yb in micro_batches:
        whole = whole + loss_fn(params, xb, yb)
    whole.backward()
    for w in params:
        w.data -= lr * w.grad


@spelled("accumulate_step", "mean_of_means")
def mean_over_batches(params, micro_batches, loss_fn, lr):
    for w in params:
        w.grad = None
    losses = [loss_fn(params, *batch) for batch in micro_batches]
    torch.stack(losses).mean().backward()
    with torch.no_grad():
        for w in params:
            w.sub_(w.grad, alpha=lr)


@right("train_step")
def own_gradients(params, loss_fn, lr):
    value = loss_fn(params)
    for w, g in zip(params, torch.autograd.grad(value, params), strict=True):
        w.data.sub_(g, alpha=lr)
    return float(value)


@unlike("train_step")
def half_step(params, loss_fn, lr):
    zero_grads(params)
    value = loss_fn(params)
    value.backward()
    with torch.no_grad():
        for w in params:
            w -= 0.37 * lr * w.grad
    return value.item()


@unlike("gradient_after")
def seven_times(f, x, n):
    mine = x.detach().clone().requires_grad_()
    f(mine).backward()
    return mine.grad * 7.5
