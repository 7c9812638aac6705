"""Right answers to exercise 07, written differently: each must pass."""

import torch
import torch.nn.functional as F

from grader.bank import variant


@variant("bike_data", "a normal distribution around the curve, written out")
def normal_around_the_curve(noise):
    time = torch.arange(0, 20).float()
    return time, torch.normal(0.05 * time**2 - 1.2 * time + 9.2, noise)


@variant("bike_data", "linspace, and noise of the same size as the times; a list of two")
def linspace_and_randn_like(noise):
    seconds = torch.linspace(0, 19, steps=20)
    errors = torch.randn_like(seconds).mul(noise)
    return [seconds, 2 + (seconds - 12).square() / 20 + errors]


@variant("quadratic", "by index, in Horner's form")
def horner(t, params):
    return (params[0] * t + params[1]) * t + params[2]


@variant("quadratic", "as a product of powers and parameters")
def powers_times_parameters(t, params):
    return torch.stack([t**2, t, torch.ones_like(t)], dim=-1) @ params


@variant("mse", "torch's own")
def from_torch(preds, targets):
    return F.mse_loss(preds, targets)


@variant("mse", "sum of squares over their number, targets first")
def sum_over_number(preds, targets):
    error = targets - preds
    return (error * error).sum() / error.numel()


@variant("apply_step", "through .data, cleared with zeros, predictions detached")
def through_data(params, t, speed, lr):
    preds = quadratic(t, params)
    loss = mse(preds, speed)
    loss.backward()
    params.data = params.data - lr * params.grad.data
    params.grad.zero_()
    return preds.detach()


@variant("apply_step", "torch.autograd.grad, so that there is nothing to clear")
def without_grad_attribute(params, t, speed, lr):
    preds = quadratic(t, params)
    (gradient,) = torch.autograd.grad(mse(preds, speed), params)
    with torch.no_grad():
        params.sub_(lr * gradient)
    return preds


@variant("apply_step", "cleared first and last")
def cleared_first_and_last(params, t, speed, lr):
    params.grad = None
    preds = quadratic(t, params)
    mse(preds, speed).backward()
    with torch.no_grad():
        params.add_(params.grad, alpha=-lr)
        params.grad = torch.zeros_like(params)
    return preds


@variant("fit", "the loop written out, parameters returned detached")
def written_out(t, speed, lr, n_steps):
    params = torch.randn(3, requires_grad=True)
    losses = []
    for _ in range(n_steps):
        loss = ((params[0] * t**2 + params[1] * t + params[2] - speed) ** 2).mean()
        loss.backward()
        with torch.no_grad():
            params -= lr * params.grad
            params.grad.zero_()
        losses.append(float(loss))
    return params.detach(), losses


@variant("fit", "the loss noted from predictions made for it, before the step; a list of two")
def loss_before_the_step(t, speed, lr, n_steps):
    params, losses = torch.randn(3), []
    params.requires_grad = True
    while len(losses) < n_steps:
        with torch.no_grad():
            losses += [mse(quadratic(t, params), speed).item()]
        apply_step(params, t, speed, lr)
    return [params, losses]


@variant("should_stop", "as a threshold for the last few")
def as_a_threshold(losses, patience, min_delta):
    before, recent = losses[:-patience], losses[-patience:]
    if not before:
        return False
    return all(loss >= min(before) - min_delta for loss in recent)


@variant("should_stop", "in one pass, with a running best")
def one_pass(losses, patience, min_delta):
    best_before, better = float("inf"), False
    split = len(losses) - patience
    for i, loss in enumerate(losses):
        if i < split:
            best_before = min(best_before, loss)
        elif loss < best_before - min_delta:
            better = True
    return split > 0 and not better
