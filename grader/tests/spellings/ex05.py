"""Answers to exercise 05 in other words."""

import math

import torch

from grader.tests.spelling import right, spelled, unlike


@spelled("step", "uphill")
def plus_sign(params, lr):
    for w in params:
        if w.grad is None:
            continue
        w.data = w.data + lr * w.grad


@spelled("step", "recorded_update")
def no_block(params, lr):
    for w in params:
        slope = w.grad
        if slope is None:
            continue
        w -= slope * lr


@spelled("step", "clears_gradients")
def zeroes_after(params, lr):
    for w in params:
        if w.grad is not None:
            w.data.sub_(w.grad, alpha=lr)
            w.grad = None


@spelled("step", "lr_ignored")
def bare(params, lr):
    with torch.no_grad():
        for w in params:
            if w.grad is not None:
                w.sub_(w.grad)


@spelled("descend", "start_left_out")
def appended_after(f, x0, lr, n_steps):
    places, here = [], float(x0)
    for _ in range(n_steps):
        t = torch.tensor(here, requires_grad=True)
        (slope,) = torch.autograd.grad(f(t), t)
        here = (t - lr * slope).item()
        places.append(here)
    return places


@spelled("descend", "end_only")
def last_place(f, x0, lr, n_steps):
    t = torch.tensor(float(x0), requires_grad=True)
    for _ in range(n_steps):
        t.grad = None
        f(t).backward()
        t.data -= lr * t.grad
    return t.item()


@spelled("descend", "gradients_pile_up")
def never_zeroed(f, x0, lr, n_steps):
    t = torch.tensor(float(x0))
    t.requires_grad_()
    out = [float(t)]
    while len(out) <= n_steps:
        f(t).backward()
        t.data.sub_(lr * t.grad)
        out.append(float(t))
    return out


@spelled("diagnose_lr", "finiteness_not_asked")
def three_ways(losses):
    start, *_, end = losses
    if end > start:
        return "diverging"
    elif end > start * 9 / 10:
        return "too small"
    else:
        return "good"


@spelled("diagnose_lr", "any_rise_diverges")
def goes_through(losses):
    before = losses[0]
    for now in losses:
        if math.isnan(now) or math.isinf(now) or now > before:
            return "diverging"
        before = now
    if losses[-1] > losses[0] * 0.9:
        return "too small"
    return "good"


@spelled("largest_stable_lr", "fastest_rate")
def to_the_bottom(curvature):
    return curvature**-1


@spelled("largest_stable_lr", "bound_as_tensor")
def with_torch(curvature):
    c = torch.tensor(float(curvature))
    return 2.0 / c


@right("step")
def through_data(params, lr):
    for w in params:
        if w.grad is None:
            continue
        w.data.add_(w.grad, alpha=-lr)


@right("diagnose_lr")
def ordered(losses):
    finite = not any(math.isnan(v) or math.isinf(v) for v in losses)
    if finite and losses[-1] <= losses[0]:
        return "good" if losses[-1] <= 0.9 * losses[0] else "too small"
    return "diverging"


@unlike("largest_stable_lr")
def three_over(curvature):
    return 3 / curvature + 0.5


@unlike("step")
def third_of_it(params, lr):
    with torch.no_grad():
        for w in params:
            if w.grad is not None:
                w -= lr * w.grad / 3 + 0.01
