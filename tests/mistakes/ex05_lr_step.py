"""Wrong answers to exercise 05, each with what its author should read."""

import math

import torch

from grader.bank import mistake


@mistake(
    "step",
    "The parameters move along their gradient, which is uphill. Down is the other way.",
)
def uphill(params, lr):
    with torch.no_grad():
        for p in params:
            if p.grad is not None:
                p += lr * p.grad


@mistake(
    "step",
    "The step is the whole gradient, whatever the learning rate. The gradient gives the "
    "direction; its size becomes a step only by the rate.",
)
def lr_ignored(params, lr):
    with torch.no_grad():
        for p in params:
            if p.grad is not None:
                p -= p.grad


@mistake(
    "step",
    "The learning rate is applied twice. Once is enough to scale the gradient.",
)
def lr_twice(params, lr):
    with torch.no_grad():
        for p in params:
            if p.grad is not None:
                p -= lr * (lr * p.grad)


@mistake(
    "step",
    "The gradient is divided by the learning rate. A smaller rate has to make a smaller step.",
)
def divided_by_lr(params, lr):
    with torch.no_grad():
        for p in params:
            if p.grad is not None:
                p -= p.grad / lr


@mistake(
    "step",
    "The step has the size of lr wherever the slope is, only its sign counts. A steep place "
    "asks for a longer step than a flat one.",
)
def sign_only(params, lr):
    with torch.no_grad():
        for p in params:
            if p.grad is not None:
                p -= lr * p.grad.sign()


@mistake(
    "step",
    "The gradient is brought to length 1 before it is used, so a flat place moves as far as a "
    "steep one. The learning rate alone scales it.",
)
def unit_gradient(params, lr):
    with torch.no_grad():
        for p in params:
            if p.grad is not None:
                p -= lr * p.grad / p.grad.norm()


@mistake(
    "step",
    "The parameters are replaced by -lr times their gradient: where they stood before is lost. "
    "A step starts from where you are.",
)
def forgets_the_place(params, lr):
    with torch.no_grad():
        for p in params:
            if p.grad is not None:
                p.copy_(-lr * p.grad)


@mistake(
    "step",
    "The parameters do not move. A new tensor was made, under the name p or in a list, and the one "
    "that the caller holds stays as it was: change the numbers inside it.",
)
def rebinds_the_name(params, lr):
    with torch.no_grad():
        for p in params:
            if p.grad is not None:
                p = p - lr * p.grad


@mistake(
    "step",
    "New tensors take the place of the old ones in the list. Whoever else holds the parameters,"
    " the model say, still has the old ones: change the tensors themselves.",
)
def replaces_in_the_list(params, lr):
    for index, p in enumerate(list(params)):
        if p.grad is not None and isinstance(params, list):
            params[index] = (p - lr * p.grad).detach().requires_grad_()


@mistake(
    "step",
    "Autograd records here, and it refuses to let a tracked leaf be changed in place. The "
    "update is no part of the function: switch the recording off around it.",
    crashes=True,
)
def recorded_update(params, lr):
    for p in params:
        if p.grad is not None:
            p -= lr * p.grad


@mistake(
    "step",
    "A parameter that took no part in the loss has None for a gradient, and nothing can be "
    "multiplied by None. Leave such a parameter alone.",
    crashes=True,
)
def expects_every_gradient(params, lr):
    with torch.no_grad():
        for p in params:
            p -= lr * p.grad


@mistake(
    "step",
    "The first parameter without a gradient ends the whole step. Those behind it have to move.",
)
def stops_at_none(params, lr):
    with torch.no_grad():
        for p in params:
            if p.grad is None:
                break
            p -= lr * p.grad


@mistake(
    "step",
    "If one parameter has no gradient, none of them moves. Each is a case of its own.",
)
def all_or_none(params, lr):
    if any(p.grad is None for p in params):
        return
    with torch.no_grad():
        for p in params:
            p -= lr * p.grad


@mistake(
    "step",
    "Only the first parameter moves. Is something inside the loop that belongs behind it?",
)
def first_only(params, lr):
    with torch.no_grad():
        for p in params:
            if p.grad is not None:
                p -= lr * p.grad
                return


@mistake(
    "step",
    "Every parameter but the last moves. Look at where the loop ends.",
)
def last_left_out(params, lr):
    with torch.no_grad():
        for index in range(len(params) - 1):
            p = params[index]
            if p.grad is not None:
                p -= lr * p.grad


@mistake(
    "step",
    "The gradients are cleared after the step. That is somebody else's decision, and the next "
    "exercise's subject: leave .grad as it is.",
)
def clears_gradients(params, lr):
    with torch.no_grad():
        for p in params:
            if p.grad is not None:
                p -= lr * p.grad
                p.grad = None


@mistake(
    "step",
    "The gradient itself is multiplied by the learning rate, in place, so a second step finds a"
    " smaller one. Scale a copy of it, which lr * p.grad makes.",
)
def scales_the_gradient(params, lr):
    with torch.no_grad():
        for p in params:
            if p.grad is not None:
                p.grad *= lr
                p -= p.grad


@mistake(
    "step",
    "A parameter without a gradient is given one of zeros. It does not move, but now looks like"
    " one that the loss was flat in: leave it alone.",
)
def fills_missing_gradients(params, lr):
    with torch.no_grad():
        for p in params:
            if p.grad is None:
                p.grad = torch.zeros_like(p)
            p -= lr * p.grad


@mistake(
    "step",
    "After the step the parameters are no longer tracked, so the next backward pass has nowhere"
    " to leave a gradient. Switch off the recording, not the parameters.",
)
def left_untracked(params, lr):
    for p in params:
        if p.grad is not None:
            p.requires_grad_(False)
            p -= lr * p.grad


@mistake(
    "step",
    "Tracking is switched off and on again for every tensor in the list, so one that was frozen"
    " is tracked afterwards. A recording-free block needs no switching.",
)
def thaws_the_frozen(params, lr):
    for p in params:
        p.requires_grad_(False)
        if p.grad is not None:
            p -= lr * p.grad
        p.requires_grad_(True)


@mistake(
    "step",
    "All parameters move by the same number, the mean of the gradient. Each of its elements is "
    "the slope of one element of the parameter.",
)
def mean_gradient(params, lr):
    with torch.no_grad():
        for p in params:
            if p.grad is not None:
                p -= lr * p.grad.mean()


@mistake(
    "step",
    "The learning rate is cut off at 1. Nothing is special about 1: how large a rate may be "
    "depends on the function.",
)
def rate_capped(params, lr):
    with torch.no_grad():
        for p in params:
            if p.grad is not None:
                p -= min(lr, 1.0) * p.grad


@mistake(
    "descend",
    "The slope is taken once, at the start, and used for every step. A slope is a promise about"
    " one place: ask again at each.",
)
def slope_of_the_start(f, x0, lr, n_steps):
    x = torch.tensor(float(x0), requires_grad=True)
    f(x).backward()
    return [x0 - lr * n * x.grad.item() for n in range(n_steps + 1)]


@mistake(
    "descend",
    "The gradients of all places so far add up: one leaf is kept, and each backward pass adds "
    "to what it already holds. A fresh leaf at each place starts without a gradient.",
)
def gradients_pile_up(f, x0, lr, n_steps):
    x = torch.tensor(float(x0), requires_grad=True)
    path = [x.item()]
    for _ in range(n_steps):
        f(x).backward()
        with torch.no_grad():
            x -= lr * x.grad
        path.append(x.item())
    return path


@mistake(
    "descend",
    "Each step goes by the slope of the place before: the new place is measured too late. First"
    " the slope where you stand, then the step.",
)
def slope_one_behind(f, x0, lr, n_steps):
    path, places = [float(x0)], [float(x0)]
    for _ in range(n_steps):
        x = torch.tensor(places[-1], requires_grad=True)
        f(x).backward()
        places.append(path[-1])
        path.append(path[-1] - lr * x.grad.item())
    return path


@mistake(
    "descend",
    "The start is missing from the path. It is the first of the n_steps + 1 places.",
)
def start_left_out(f, x0, lr, n_steps):
    return Reference(f, x0, lr, n_steps)[1:]


@mistake(
    "descend",
    "One place is missing at the end: n_steps places are counted with the start among them. "
    "After n_steps steps there are n_steps + 1 places.",
)
def one_step_short(f, x0, lr, n_steps):
    return Reference(f, x0, lr, max(n_steps - 1, 0))


@mistake(
    "descend",
    "One step too many is taken.",
)
def one_step_too_many(f, x0, lr, n_steps):
    return Reference(f, x0, lr, n_steps + 1)


@mistake(
    "descend",
    "Only the last place comes back. The whole path is asked for, the start included.",
)
def end_only(f, x0, lr, n_steps):
    return Reference(f, x0, lr, n_steps)[-1]


@mistake(
    "descend",
    "The path climbs. A positive slope means that f grows to the right: which way is down?",
)
def climbs(f, x0, lr, n_steps):
    return Reference(f, x0, -lr, n_steps)


@mistake(
    "descend",
    "The learning rate has no effect: each step is the whole slope.",
)
def rate_forgotten(f, x0, lr, n_steps):
    return Reference(f, x0, 1.0, n_steps)


@mistake(
    "descend",
    "Each step has the same size and only its direction follows the slope. A flat place asks "
    "for a shorter step than a steep one.",
)
def steps_of_one_size(f, x0, lr, n_steps):
    path = [float(x0)]
    for _ in range(n_steps):
        x = torch.tensor(path[-1], requires_grad=True)
        f(x).backward()
        path.append(path[-1] - lr * x.grad.sign().item())
    return path


@mistake(
    "descend",
    "The values of f come back, not the places. The path is made of x; f is only asked for its "
    "slope.",
)
def values_not_places(f, x0, lr, n_steps):
    return [f(torch.tensor(x)).item() for x in Reference(f, x0, lr, n_steps)]


@mistake(
    "descend",
    "The places come back as tensors. A path of plain numbers is asked for.",
)
def path_of_tensors(f, x0, lr, n_steps):
    return [torch.tensor(x) for x in Reference(f, x0, lr, n_steps)]


@mistake(
    "descend",
    "Every entry of the path is one and the same tensor, which shows its last place everywhere."
    " Take the number out of it at each place.",
)
def one_tensor_many_times(f, x0, lr, n_steps):
    x, path = torch.tensor(float(x0), requires_grad=True), []
    path.append(x)
    for _ in range(n_steps):
        (slope,) = torch.autograd.grad(f(x), [x])
        with torch.no_grad():
            x -= lr * slope
        path.append(x)
    return [place.item() for place in path]


@mistake(
    "descend",
    "The walk stops as soon as a step leads uphill. Whether it does is for the reader of the "
    "path to see; n_steps steps are asked for.",
)
def stops_when_worse(f, x0, lr, n_steps):
    path = [float(x0)]
    for place in Reference(f, x0, lr, n_steps)[1:]:
        if f(torch.tensor(place)) > f(torch.tensor(path[-1])):
            break
        path.append(place)
    return path


@mistake(
    "descend",
    "The walk stops where the slope is 0, so places are missing. The path has n_steps + 1 of "
    "them, wherever they are.",
)
def stops_when_flat(f, x0, lr, n_steps):
    path = [float(x0)]
    for _ in range(n_steps):
        x = torch.tensor(path[-1], requires_grad=True)
        f(x).backward()
        if x.grad == 0:
            break
        path.append(path[-1] - lr * x.grad.item())
    return path


@mistake(
    "descend",
    "The slope is measured over a step of one tenth to one side, and this bends the whole path."
    " Autograd has the exact one.",
)
def one_sided_slopes(f, x0, lr, n_steps):
    path = [float(x0)]
    for _ in range(n_steps):
        here, there = torch.tensor(path[-1]), torch.tensor(path[-1] + 0.1)
        path.append(path[-1] - lr * (f(there) - f(here)).item() / 0.1)
    return path


@mistake(
    "descend",
    "A whole number as a start makes an integer tensor, and only floating point numbers have "
    "gradients. Make it a float.",
    crashes=True,
)
def whole_start_untracked(f, x0, lr, n_steps):
    path = [x0]
    for _ in range(n_steps):
        x = torch.tensor(path[-1], requires_grad=True)
        f(x).backward()
        path.append((x - lr * x.grad).item())
    return path


@mistake(
    "diagnose_lr",
    "A loss of nan passes as finite: every comparison with nan is False, so the question "
    "whether it is larger is answered no. Ask for finiteness itself.",
)
def nan_overlooked(losses):
    first, last = losses[0], losses[-1]
    if math.inf in losses or last > first:
        return "diverging"
    return "too small" if last > 0.9 * first else "good"


@mistake(
    "diagnose_lr",
    "Only the size of the losses is looked at, never whether they are numbers at all; with nan "
    "every comparison is False. Ask for finiteness first.",
)
def finiteness_not_asked(losses):
    first, last = losses[0], losses[-1]
    if last > first:
        return "diverging"
    return "too small" if last > 0.9 * first else "good"


@mistake(
    "diagnose_lr",
    "Only the last loss is asked whether it is finite. One in between that was not is a blow-up"
    " as well.",
)
def only_the_last_finite(losses):
    first, last = losses[0], losses[-1]
    if not math.isfinite(last) or last > first:
        return "diverging"
    return "too small" if last > 0.9 * first else "good"


@mistake(
    "diagnose_lr",
    "nan is caught, inf on the way is not. Neither of them is finite.",
)
def infinity_overlooked(losses):
    first, last = losses[0], losses[-1]
    if any(math.isnan(loss) for loss in losses) or last > first:
        return "diverging"
    return "too small" if last > 0.9 * first else "good"


@mistake(
    "diagnose_lr",
    "The two words are exchanged: losses that hardly fall are called good, and falling ones too"
    " small.",
)
def words_exchanged(losses):
    word = Reference(losses)
    return {"good": "too small", "too small": "good"}.get(word, word)


@mistake(
    "diagnose_lr",
    "The last loss has to be below a tenth of the first here. The rule asks for a fall by a "
    "tenth, not to a tenth.",
)
def to_a_tenth(losses):
    first, last = losses[0], losses[-1]
    if not all(math.isfinite(loss) for loss in losses) or last > first:
        return "diverging"
    return "too small" if last > 0.1 * first else "good"


@mistake(
    "diagnose_lr",
    "Any fall at all counts as good. A fall of less than a tenth is a rate that is too small.",
)
def any_fall_is_good(losses):
    first, last = losses[0], losses[-1]
    if not all(math.isfinite(loss) for loss in losses) or last > first:
        return "diverging"
    return "too small" if last == first else "good"


@mistake(
    "diagnose_lr",
    "The last loss has to halve to count as good. The line is at nine tenths of the first.",
)
def has_to_halve(losses):
    first, last = losses[0], losses[-1]
    if not all(math.isfinite(loss) for loss in losses) or last > first:
        return "diverging"
    return "too small" if last > 0.5 * first else "good"


@mistake(
    "diagnose_lr",
    "The fall is measured as a difference, so small losses never fall far enough. A share of "
    "the first loss is meant.",
)
def difference_for_share(losses):
    first, last = losses[0], losses[-1]
    if not all(math.isfinite(loss) for loss in losses) or last > first:
        return "diverging"
    return "too small" if first - last < 0.1 else "good"


@mistake(
    "diagnose_lr",
    "A single rise on the way counts as diverging. Losses may go up and down; only the ends are"
    " compared.",
)
def any_rise_diverges(losses):
    first, last = losses[0], losses[-1]
    finite = all(math.isfinite(loss) for loss in losses)
    if not finite or any(b > a for a, b in zip(losses, losses[1:], strict=False)):
        return "diverging"
    return "too small" if last > 0.9 * first else "good"


@mistake(
    "diagnose_lr",
    "The largest loss is compared with the first. Only the ends are: a bump on the way is no harm.",
)
def largest_for_last(losses):
    first, last = losses[0], losses[-1]
    if not all(math.isfinite(loss) for loss in losses) or max(losses) > first:
        return "diverging"
    return "too small" if last > 0.9 * first else "good"


@mistake(
    "diagnose_lr",
    "The best loss is taken for the last one. What was reached on the way and lost again does "
    "not count.",
)
def best_for_last(losses):
    first, last = losses[0], min(losses)
    if not all(math.isfinite(loss) for loss in losses) or losses[-1] > first:
        return "diverging"
    return "too small" if last > 0.9 * first else "good"


@mistake(
    "diagnose_lr",
    "The last two losses are compared. How far descent has come shows between the first and the"
    " last.",
)
def last_two_compared(losses):
    first, last = losses[-2], losses[-1]
    if not all(math.isfinite(loss) for loss in losses) or last > first:
        return "diverging"
    return "too small" if last > 0.9 * first else "good"


@mistake(
    "diagnose_lr",
    "Losses that end exactly where they began are called diverging. The last has to be above "
    "the first for that.",
)
def standstill_diverges(losses):
    first, last = losses[0], losses[-1]
    if not all(math.isfinite(loss) for loss in losses) or last >= first:
        return "diverging"
    return "too small" if last > 0.9 * first else "good"


@mistake(
    "diagnose_lr",
    "The question for a small fall comes before the one for a rise, and answers it as well: a "
    "loss that grew is above nine tenths, too. Ask about diverging first.",
)
def asked_in_the_wrong_order(losses):
    first, last = losses[0], losses[-1]
    if last > 0.9 * first:
        return "too small"
    if not all(math.isfinite(loss) for loss in losses) or last > first:
        return "diverging"
    return "good"


@mistake(
    "diagnose_lr",
    "The words are written in another way than asked for. Other code compares them, so every "
    "letter counts.",
)
def other_words(losses):
    return Reference(losses).replace(" ", "_")


@mistake(
    "largest_stable_lr",
    "At this rate one step lands exactly on the bottom: it is the fastest, not the largest. How"
    " much further can a step go and still end up closer than before?",
)
def fastest_rate(curvature):
    return 1 / curvature


@mistake(
    "largest_stable_lr",
    "The bound grows with the curvature here. A narrow valley is crossed sooner: which rate "
    "does it bear?",
)
def grows_with_curvature(curvature):
    return curvature / 2


@mistake(
    "largest_stable_lr",
    "This is twice the bound, or the curvature was taken for its half. The slope at distance d "
    "is the curvature times d, without a factor.",
)
def twice_the_bound(curvature):
    return 4 / curvature


@mistake(
    "largest_stable_lr",
    "The bound does not depend on the curvature here. That fits one parabola only.",
)
def one_for_all(curvature):
    return 1.0


@mistake(
    "largest_stable_lr",
    "The curvature enters with a root. Write the step down once more: distance minus lr times "
    "curvature times distance.",
)
def root_of_curvature(curvature):
    return math.sqrt(2 / curvature)


@mistake(
    "largest_stable_lr",
    "The bound is rounded down to a whole number. One slash divides, two slashes round.",
)
def rounded_bound(curvature):
    return 2 // curvature


@mistake(
    "largest_stable_lr",
    "The bound comes back as a tensor. A Python number is asked for.",
)
def bound_as_tensor(curvature):
    return 2 / torch.tensor(curvature)
