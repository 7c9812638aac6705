"""Right answers to exercise 05 that are written another way: each must pass."""

import math

import torch

from grader.bank import variant


@variant("step", "through .data")
def through_data(params, lr):
    for p in params:
        if p.grad is not None:
            p.data -= lr * p.grad


@variant("step", "a new tensor as .data")
def new_data(params, lr):
    for p in params:
        if p.grad is None:
            continue
        p.data = p.data - p.grad * lr


@variant("step", "sub_ with alpha, recording off for each parameter")
def with_alpha(params, lr):
    for p in params:
        if p.grad is not None:
            with torch.no_grad():
                p.sub_(p.grad, alpha=lr)


@variant("step", "a detached view of the same memory")
def detached_view(params, lr):
    for p in filter(lambda p: p.grad is not None, params):
        p.detach().add_(p.grad, alpha=-lr)


@variant("step", "copied in, the gradient detached")
def copied_in(params, lr):
    with torch.no_grad():
        for p in params:
            grad = p.grad
            if grad is None:
                pass
            else:
                p.copy_(p - lr * grad.detach())


@variant("step", "tracking switched off and on where there is a gradient")
def switched(params, lr):
    for p in params:
        if p.grad is not None:
            tracked = p.requires_grad
            p.requires_grad_(False)
            p -= lr * p.grad
            p.requires_grad_(tracked)


@variant("descend", "autograd.grad on one leaf, moved in place")
def one_leaf(f, x0, lr, n_steps):
    x = torch.tensor(x0, dtype=torch.float32, requires_grad=True)
    path = [x.item()]
    for _ in range(n_steps):
        (slope,) = torch.autograd.grad(f(x), x)
        with torch.no_grad():
            x -= lr * slope
        path.append(x.item())
    return path


@variant("descend", "double precision, a new leaf by arithmetic")
def in_double(f, x0, lr, n_steps):
    path = [float(x0)]
    while len(path) <= n_steps:
        x = torch.tensor(path[-1], dtype=torch.float64, requires_grad=True)
        f(x).backward()
        path.append(path[-1] - lr * float(x.grad))
    return path


@variant("descend", "one leaf, its gradient dropped before each pass, the path as tensors at first")
def dropped_gradient(f, x0, lr, n_steps):
    x = torch.tensor(float(x0)).requires_grad_()
    places = [x.detach().clone()]
    for _ in range(n_steps):
        x.grad = None
        f(x).backward()
        step([x], lr)
        places.append(x.detach().clone())
    return torch.stack(places).tolist()


@variant("diagnose_lr", "torch's isfinite and a ratio")
def by_ratio(losses):
    if not torch.tensor(losses).isfinite().all():
        return "diverging"
    ratio = losses[-1] / losses[0]
    return "diverging" if ratio > 1 else "too small" if ratio > 0.9 else "good"


@variant("diagnose_lr", "the good case first")
def good_first(losses):
    first, *_, last = losses
    finite = not any(math.isnan(loss) or math.isinf(loss) for loss in losses)
    if finite and (first - last) / first >= 0.1:
        return "good"
    if finite and last <= first:
        return "too small"
    return "diverging"


@variant("largest_stable_lr", "twice the rate that lands at the bottom")
def twice_the_best(curvature):
    best = 1 / curvature
    return best + best


@variant("largest_stable_lr", "a negative power")
def negative_power(curvature):
    return 2.0 * float(curvature) ** -1
