# ruff: noqa: F821
"""Answers to exercise 07 in other words."""

import torch

from grader.tests.spelling import right, spelled, unlike


@spelled("bike_data", "one_error_for_all")
def shared_error(noise):
    seconds = torch.arange(0, 20).float()
    error = torch.randn(()) * noise
    return seconds, (seconds - 12).square() * 0.05 + 2 + error


@spelled("bike_data", "counts_from_one")
def one_to_twenty(noise):
    seconds = torch.tensor([float(s) for s in range(1, 21)])
    speed = 2 + (seconds - 12) ** 2 / 20
    return seconds, speed + torch.randn(20) * noise


@spelled("quadratic", "no_constant")
def two_terms(t, params):
    return t * (params[0] * t + params[1])


@spelled("quadratic", "reads_from_the_back")
def lowest_first(t, params):
    value = 0
    for power in range(3):
        value = value + params[power] * t**power
    return value


@spelled("mse", "root_of_it")
def rooted(preds, targets):
    gap = preds - targets
    return torch.sqrt(torch.mean(gap * gap))


@spelled("mse", "absolute_differences")
def l1_loss(preds, targets):
    return torch.nn.functional.l1_loss(preds, targets)


@spelled("apply_step", "never_cleared")
def keeps_it(params, t, speed, lr):
    guess = quadratic(t, params)
    loss = mse(guess, speed)
    loss.backward()
    with torch.no_grad():
        params.sub_(lr * params.grad)
    return guess


@spelled("apply_step", "returns_the_loss")
def gives_the_loss(params, t, speed, lr):
    loss = mse(quadratic(t, params), speed)
    loss.backward()
    params.data.sub_(params.grad * lr)
    params.grad = None
    return loss


@spelled("fit", "losses_as_tensors")
def history_of_tensors(t, speed, lr, n_steps):
    w = torch.randn(3)
    w.requires_grad = True
    history = []
    for _ in range(n_steps):
        guess = apply_step(w, t, speed, lr)
        history += [mse(guess, speed)]
    return w, history


@spelled("fit", "starts_at_zero")
def from_nothing(t, speed, lr, n_steps):
    w = torch.tensor([0.0, 0.0, 0.0], requires_grad=True)
    history = []
    for _ in range(n_steps):
        history.append(float(mse(apply_step(w, t, speed, lr), speed)))
    return w, history


@spelled("should_stop", "ignores_min_delta")
def any_gain(losses, patience, min_delta):
    older, newer = losses[:-patience], losses[-patience:]
    if not older:
        return False
    return not min(newer) < min(older)


@spelled("should_stop", "the_wrong_way_round")
def goes_on_when_flat(losses, patience, min_delta):
    older, newer = losses[:-patience], losses[-patience:]
    return bool(older) and min(older) - min(newer) > min_delta


@right("fit")
def by_hand(t, speed, lr, n_steps):
    w, history = torch.randn(3).requires_grad_(True), []
    while len(history) < n_steps:
        loss = (quadratic(t, w) - speed).pow(2).mean()
        (g,) = torch.autograd.grad(loss, w)
        with torch.no_grad():
            w -= g * lr
        history.append(loss.item())
    return w, history


@right("should_stop")
def sorted_out(losses, patience, min_delta):
    older = sorted(losses[: len(losses) - patience]) if len(losses) > patience else []
    if not older:
        return False
    return not (older[0] - min(losses[-patience:]) > min_delta)


@unlike("mse")
def shifted(preds, targets):
    return ((preds - targets) ** 2).mean() * 0.7 + 0.3


@unlike("quadratic")
def cubic(t, params):
    a, b, c = params
    return a * t**3 + b * t**2 + c
