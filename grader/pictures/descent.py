"""Exercises 5 to 7: what steps do, at three rates, with gradients left lying, and in a fit."""

from __future__ import annotations

from grader.pictures import Picture, style

_CURVATURE = 1.0  # of the parabola of exercise 5


def ex05(ex) -> Picture:
    """Paths of the learner's `descend` on a parabola, below, near and above its stable rate."""
    import torch

    bound = ex.largest_stable_lr(_CURVATURE)
    figure = style.figure(11, 4)
    figure.suptitle(f"Descent on ½x², whose largest stable learning rate is {bound:g}")
    found = []
    for axes, share in zip(figure.subplots(1, 3, sharey=True), (0.001, 0.3, 1.04), strict=True):
        rate = share * bound
        path = ex.descend(lambda x: _CURVATURE / 2 * x**2, 4.0, rate, 12)
        heights = [_CURVATURE / 2 * x**2 for x in path]
        word = ex.diagnose_lr(heights)
        reach = 1.1 * max(abs(x) for x in path)
        ground = torch.linspace(-reach, reach, 200)
        axes.plot(ground, _CURVATURE / 2 * ground**2, color=style.GREY, linewidth=1)
        axes.plot(path, heights, "o-", color=style.BLUE, markersize=4)
        axes.plot(path[0], heights[0], "D", color=style.ORANGE, label="start")
        axes.set(title=f"lr = {rate:g}: {word}", xlabel="x")
        style.plain(axes)
        found.append(f"at {rate:g} it ends at {path[-1]:.3g}, {word}")
    axes.legend(frameon=False)
    return Picture(figure, f"Twelve steps from x = 4 at three learning rates: {'; '.join(found)}.")


def ex06(ex) -> Picture:
    """The same descent twice: gradients cleared by the learner's `zero_grads`, and left lying."""
    cleared = _steps(ex.zero_grads)
    piled_up = _steps(lambda params: None)
    figure = style.figure(9, 4.5)
    axes = figure.subplots()
    axes.plot(cleared, "o-", color=style.BLUE, label="cleared before each step")
    axes.plot(piled_up, "s--", color=style.ORANGE, label="left lying: gradients add up")
    axes.axhline(0, color=style.GREY, linewidth=1)
    axes.set(title="Descent on x² from x = 4, learning rate 0.1", xlabel="step", ylabel="x")
    axes.legend(frameon=False)
    style.plain(axes)
    ends = f"{cleared[-1]:.3g} with cleared gradients and {piled_up[-1]:.3g} without"
    return Picture(figure, f"Thirty steps of descent on x² from 4 end at {ends}.")


def _steps(clear) -> list[float]:
    import torch

    p = torch.tensor(4.0, requires_grad=True)
    path = [p.item()]
    for _ in range(30):
        clear([p])
        (p**2).backward()
        with torch.no_grad():
            p -= 0.1 * p.grad
        path.append(p.item())
    return path


def ex07(ex) -> Picture:
    """The learner's `apply_step`, from a random curve to the one that fits."""
    import torch

    torch.manual_seed(7)
    seconds, speed = ex.bike_data(noise=0.5)
    time = seconds / 10
    params = torch.randn(3).requires_grad_()
    shown, losses, last = {}, [], 600
    for number in range(last + 1):
        before = params.detach().clone()
        guesses = ex.apply_step(params, time, speed, 0.1)
        losses.append(ex.mse(guesses, speed).item())
        if number in (0, 5, 50, last):
            shown[number] = ex.quadratic(time, before)
    figure = style.figure(11, 4.5)
    left, right = figure.subplots(1, 2)
    left.plot(seconds, speed, "o", color="black", label="measured")
    for (number, curve), line in zip(shown.items(), (":", "-.", "--", "-"), strict=True):
        colour = style.BLUE if number == last else style.GREY
        left.plot(seconds, curve.detach(), line, color=colour, label=f"after {number} steps")
    left.set(title="The fit, step by step", xlabel="seconds", ylabel="speed")
    left.legend(frameon=False)
    right.plot(losses, color=style.BLUE)
    right.set(title="Loss", xlabel="step", ylabel="mean squared error", yscale="log")
    for axes in (left, right):
        style.plain(axes)
    alt = f"Twenty measured speeds and a curve that nears them: the loss falls from {losses[0]:.3g}"
    return Picture(figure, f"{alt} to {losses[-1]:.3g} in {last} steps.")
