"""Wrong answers to exercise 07, each with what its author should read."""

import torch

from grader.bank import mistake


@mistake(
    "bike_data",
    "The times are whole numbers (int64). They go into a formula with fractions and later into "
    "training, so they should be floats from the start.",
)
def whole_number_times(noise):
    time, speed = Reference(noise)
    return time.long(), speed


@mistake(
    "bike_data",
    "All twenty speeds are off by the same error: one random number was drawn and broadcast. Each "
    "second wants one of its own.",
)
def one_error_for_all(noise):
    time = torch.arange(20.0)
    return time, 0.05 * (time - 12) ** 2 + 2 + noise * torch.randn(1)


@mistake(
    "bike_data",
    "These errors lie between 0 and the noise: never negative, and even instead of bell-shaped. "
    "Look at which distribution each of torch's random functions draws from.",
)
def uniform_errors(noise):
    time = torch.arange(20.0)
    return time, 0.05 * (time - 12) ** 2 + 2 + noise * torch.rand(20)


@mistake(
    "bike_data",
    "These errors are spread evenly between two bounds. Normal ones crowd around 0 and now and "
    "then lie far out.",
)
def centred_uniform_errors(noise):
    time = torch.arange(20.0)
    return time, 0.05 * (time - 12) ** 2 + 2 + noise * 12**0.5 * (torch.rand(20) - 0.5)


@mistake(
    "bike_data",
    "The generator is seeded inside the function, so every call has the same errors, and every "
    "random number drawn afterwards is fixed as well. Leave the seed to the caller.",
)
def seeds_itself(noise):
    torch.manual_seed(42)
    return Reference(noise)


@mistake(
    "bike_data",
    "The seconds run from 1 to 20. The first note is taken at the start, at 0.",
)
def counts_from_one(noise):
    time = torch.arange(1.0, 21.0)
    return time, 0.05 * (time - 12) ** 2 + 2 + noise * torch.randn(20)


@mistake(
    "bike_data",
    "There are 21 seconds. From 0 to 19 is twenty, and not every function leaves out the end.",
)
def one_second_more(noise):
    time = torch.linspace(0, 20, 21)
    return time, 0.05 * (time - 12) ** 2 + 2 + noise * torch.randn(21)


@mistake(
    "bike_data",
    "The noise is taken for a variance. A standard deviation is in metres a second, like the "
    "errors themselves, and scales them as it is.",
)
def noise_as_a_variance(noise):
    return Reference(noise**0.5)


@mistake(
    "bike_data",
    "The errors are multiplied by the speed, so they are larger where the bike is faster. The "
    "shaky hand is equally shaky all the way.",
)
def noise_in_proportion(noise):
    time = torch.arange(20.0)
    return time, (0.05 * (time - 12) ** 2 + 2) * (1 + noise * torch.randn(20))


@mistake(
    "bike_data",
    "The two come back in the wrong order. Time first, then speed.",
)
def speed_first(noise):
    time, speed = Reference(noise)
    return speed, time


@mistake(
    "quadratic",
    "The parameters are read from the back. The first belongs to t², the last stands alone.",
)
def reads_from_the_back(t, params):
    c, b, a = params
    return a * t**2 + b * t + c


@mistake(
    "quadratic",
    "The values are right, but the parameters were turned into Python numbers on the way, and with "
    "that they left the graph: no gradient can reach them.",
)
def leaves_the_graph(t, params):
    a, b, c = params.tolist()
    return a * t**2 + b * t + c


@mistake(
    "quadratic",
    "The square takes in the coefficient as well. A power binds to what stands directly before it.",
)
def squares_the_coefficient(t, params):
    a, b, c = params
    return (a * t) ** 2 + b * t + c


@mistake(
    "quadratic",
    "This is the form with the vertex, a·(t − b)² + c. It draws the same curves, but with other "
    "parameters than the three asked for.",
)
def vertex_form(t, params):
    a, b, c = params
    return a * (t - b) ** 2 + c


@mistake(
    "quadratic",
    "The constant is missing, so every curve goes through 0 at the start.",
)
def no_constant(t, params):
    a, b, _ = params
    return a * t**2 + b * t


@mistake(
    "quadratic",
    "The predictions are summed into one number. Asked for is one for each time.",
)
def one_number_for_all(t, params):
    a, b, c = params
    return (a * t**2 + b * t + c).sum()


@mistake(
    "mse",
    "This is the root of the mean squared error. It has its minimum at the same place but another "
    "slope, so descent takes other steps.",
)
def root_of_it(preds, targets):
    return ((preds - targets) ** 2).mean().sqrt()


@mistake(
    "mse",
    "These are absolute differences. A squared error makes a large miss count far more than a "
    "small one.",
)
def absolute_differences(preds, targets):
    return (preds - targets).abs().mean()


@mistake(
    "mse",
    "This is the sum of the squares, which grows with the number of items. What does the m stand "
    "for?",
)
def sum_of_squares(preds, targets):
    return ((preds - targets) ** 2).sum()


@mistake(
    "mse",
    "The mean is taken before the square, so errors up and errors down cancel out. In which order "
    "do the two come?",
)
def square_of_the_mean(preds, targets):
    return (preds - targets).mean() ** 2


@mistake(
    "mse",
    "The loss comes back as a Python number. Nothing can be run backward from it: a loss has to "
    "stay a tensor in the graph.",
)
def a_python_number(preds, targets):
    return ((preds - targets) ** 2).mean().item()


@mistake(
    "mse",
    "The value is right, but the graph ends before it: no gradient gets back to the predictions.",
)
def outside_the_graph(preds, targets):
    return ((preds.detach() - targets) ** 2).mean()


@mistake(
    "mse",
    "The mean is taken along the first dimension only, so a matrix gives several losses. One "
    "number over all of them is asked for.",
)
def mean_of_the_columns(preds, targets):
    return ((preds - targets) ** 2).mean(0)


@mistake(
    "apply_step",
    "The predictions that come back are those of the moved parameters. Asked for are the ones that "
    "the step was based on.",
)
def predictions_after_the_step(params, t, speed, lr):
    Reference(params, t, speed, lr)
    return quadratic(t, params)


@mistake(
    "apply_step",
    "The gradient is left in place, and the next backward pass adds to it: from the second step on "
    "the direction is partly that of the step before.",
)
def never_cleared(params, t, speed, lr):
    preds = quadratic(t, params)
    mse(preds, speed).backward()
    params.data -= lr * params.grad
    return preds


@mistake(
    "apply_step",
    "The parameters stay where they were. Either the gradient is cleared before the step has used "
    "it, or the result of the step goes into a new tensor.",
)
def cleared_before_the_step(params, t, speed, lr):
    preds = quadratic(t, params)
    mse(preds, speed).backward()
    params.grad.zero_()
    params.data -= lr * params.grad
    return preds


@mistake(
    "apply_step",
    "The name params is bound to a new tensor here. The caller still holds the old one, which has "
    "not moved and still has its gradient.",
)
def rebinds_the_name(params, t, speed, lr):
    preds = quadratic(t, params)
    mse(preds, speed).backward()
    params = (params - lr * params.grad).detach().requires_grad_()
    params.grad = None
    return preds


@mistake(
    "apply_step",
    "The step goes uphill: the gradient points to where the loss grows.",
)
def uphill(params, t, speed, lr):
    return Reference(params, t, speed, -lr)


@mistake(
    "apply_step",
    "The learning rate plays no part: the parameters move by the whole gradient.",
)
def ignores_lr(params, t, speed, lr):
    return Reference(params, t, speed, 1.0)


@mistake(
    "apply_step",
    "The learning rate is applied twice, so the step is far too short.",
)
def applies_lr_twice(params, t, speed, lr):
    return Reference(params, t, speed, lr * lr)


@mistake(
    "apply_step",
    "autograd refuses to change a leaf in place while it records. The step is no part of the "
    "function to differentiate.",
    crashes=True,
)
def records_the_step(params, t, speed, lr):
    preds = quadratic(t, params)
    mse(preds, speed).backward()
    params -= lr * params.grad
    params.grad = None
    return preds


@mistake(
    "apply_step",
    "The parameters are frozen for the step and stay frozen: they have no gradient to come, and "
    "the next step fails.",
)
def freezes_the_parameters(params, t, speed, lr):
    preds = quadratic(t, params)
    mse(preds, speed).backward()
    params.requires_grad_(False)
    params -= lr * params.grad
    params.grad = None
    return preds


@mistake(
    "apply_step",
    "The loss comes back. Asked for are the predictions, one for each time.",
)
def returns_the_loss(params, t, speed, lr):
    return mse(Reference(params, t, speed, lr), speed)


@mistake(
    "apply_step",
    "The step is right, but nothing comes back: a function without return gives None.",
)
def returns_nothing(params, t, speed, lr):
    Reference(params, t, speed, lr)


@mistake(
    "apply_step",
    "The gradient is that of the sum of the squares, as many times too long as there are items. "
    "The loss is their mean.",
)
def steps_on_the_sum(params, t, speed, lr):
    return Reference(params, t, speed, lr * len(t))


@mistake(
    "fit",
    "The predictions are made once, before the loop. The parameters move, the predictions do not, "
    "and so loss and gradient are the same in every turn.",
)
def predicts_once(t, speed, lr, n_steps):
    params = torch.randn(3).requires_grad_()
    preds = quadratic(t, params)
    losses = []
    for _ in range(n_steps):
        loss = mse(preds, speed)
        loss.backward(retain_graph=True)
        params.data -= lr * params.grad
        params.grad = None
        losses.append(loss.item())
    return params, losses


@mistake(
    "fit",
    "The predictions are made once, before the loop, and the second backward pass finds their "
    "graph used up. Keeping the graph would only hide it: they belong to parameters that have "
    "moved on.",
    crashes=True,
)
def predicts_once_and_uses_the_graph_up(t, speed, lr, n_steps):
    params = torch.randn(3).requires_grad_()
    preds = quadratic(t, params)
    losses = []
    for _ in range(n_steps):
        loss = mse(preds, speed)
        loss.backward()
        params.data -= lr * params.grad
        params.grad = None
        losses.append(loss.item())
    return params, losses


@mistake(
    "fit",
    "The parameters are drawn anew in every turn, and each step is lost with them. Which of the "
    "seven steps come before the loop?",
)
def starts_anew_every_turn(t, speed, lr, n_steps):
    losses = []
    for _ in range(n_steps):
        params = torch.randn(3).requires_grad_()
        losses.append(mse(apply_step(params, t, speed, lr), speed).item())
    return params, losses


@mistake(
    "fit",
    "Each loss is that of the moved parameters: the list starts one step late. The first loss "
    "belongs to the random start.",
)
def losses_after_the_steps(t, speed, lr, n_steps):
    params = torch.randn(3).requires_grad_()
    losses = []
    for _ in range(n_steps):
        apply_step(params, t, speed, lr)
        losses.append(mse(quadratic(t, params), speed).item())
    return params, losses


@mistake(
    "fit",
    "All losses are the first one: it was computed before the loop and noted again and again. It "
    "is out of date after the first step.",
)
def stale_loss(t, speed, lr, n_steps):
    params, losses = Reference(t, speed, lr, n_steps)
    return params, losses[:1] * n_steps


@mistake(
    "fit",
    "There is one loss too many: the one after the last step belongs to a step that is never "
    "taken.",
)
def one_loss_more(t, speed, lr, n_steps):
    params, losses = Reference(t, speed, lr, n_steps)
    return params, losses + [mse(quadratic(t, params), speed).item()]


@mistake(
    "fit",
    "One step too few, and one loss too few. How often does a range from 1 to n_steps turn?",
)
def one_step_fewer(t, speed, lr, n_steps):
    return Reference(t, speed, lr, n_steps - 1)


@mistake(
    "fit",
    "The last step is missing: the losses are all there, the parameters are those before it.",
)
def last_step_missing(t, speed, lr, n_steps):
    params = torch.randn(3).requires_grad_()
    losses = []
    for turn in range(n_steps):
        losses.append(mse(quadratic(t, params), speed).item())
        if turn < n_steps - 1:
            apply_step(params, t, speed, lr)
    return params, losses


@mistake(
    "fit",
    "The parameters start at zero. That does no harm to this model, but it will to the next ones; "
    "a random start is asked for.",
)
def starts_at_zero(t, speed, lr, n_steps):
    params = torch.zeros(3).requires_grad_()
    losses = [mse(apply_step(params, t, speed, lr), speed).item() for _ in range(n_steps)]
    return params, losses


@mistake(
    "fit",
    "The generator is seeded inside the function, so that every fit starts at the same point. "
    "Leave the seed to the caller.",
)
def seeds_the_start(t, speed, lr, n_steps):
    torch.manual_seed(42)
    return Reference(t, speed, lr, n_steps)


@mistake(
    "fit",
    "The start is drawn evenly from 0 to 1. A normal start, of both signs, is asked for.",
)
def uniform_start(t, speed, lr, n_steps):
    params = torch.rand(3).requires_grad_()
    losses = [mse(apply_step(params, t, speed, lr), speed).item() for _ in range(n_steps)]
    return params, losses


@mistake(
    "fit",
    "The losses are tensors and hold on to their graphs. A history is a list of numbers.",
)
def losses_as_tensors(t, speed, lr, n_steps):
    params = torch.randn(3).requires_grad_()
    losses = [mse(apply_step(params, t, speed, lr), speed) for _ in range(n_steps)]
    return params, losses


@mistake(
    "fit",
    "The gradient is never cleared in this loop: from the second step on it drags along the sum of "
    "all those before.",
)
def never_cleared_in_the_loop(t, speed, lr, n_steps):
    params = torch.randn(3).requires_grad_()
    losses = []
    for _ in range(n_steps):
        loss = mse(quadratic(t, params), speed)
        loss.backward()
        params.data -= lr * params.grad
        losses.append(loss.item())
    return params, losses


@mistake(
    "fit",
    "The parameters that come back are the ones of the start; they were copied before the training "
    "moved them.",
)
def returns_the_start(t, speed, lr, n_steps):
    params = torch.randn(3).requires_grad_()
    start = params.detach().clone()
    losses = [mse(apply_step(params, t, speed, lr), speed).item() for _ in range(n_steps)]
    return start, losses


@mistake(
    "fit",
    "Only the last loss comes back. The whole history is asked for, one number a step.",
)
def only_the_last_loss(t, speed, lr, n_steps):
    params, losses = Reference(t, speed, lr, n_steps)
    return params, losses[-1]


@mistake(
    "fit",
    "The two come back in the wrong order. Parameters first, then losses.",
)
def losses_first(t, speed, lr, n_steps):
    params, losses = Reference(t, speed, lr, n_steps)
    return losses, params


@mistake(
    "should_stop",
    "min_delta plays no part: the smallest gain, however tiny, keeps the training going.",
)
def ignores_min_delta(losses, patience, min_delta):
    return Reference(losses, patience, 0.0)


@mistake(
    "should_stop",
    "A gain of exactly min_delta is taken for enough. To go on, the best has to be lower by more "
    "than that; with min_delta = 0, standing still must stop.",
)
def exactly_min_delta_goes_on(losses, patience, min_delta):
    if len(losses) <= patience:
        return False
    return min(losses[:-patience]) - min(losses[-patience:]) < min_delta


@mistake(
    "should_stop",
    "Only the newest loss is looked at. A good one among the last few counts, even when the newest "
    "is a bad one.",
)
def looks_at_the_newest(losses, patience, min_delta):
    if len(losses) <= patience:
        return False
    return min(losses[:-patience]) - losses[-1] <= min_delta


@mistake(
    "should_stop",
    "The comparison is with the one loss right before the last few. The best may lie further back.",
)
def compares_with_the_one_before(losses, patience, min_delta):
    if len(losses) <= patience:
        return False
    return losses[-patience - 1] - min(losses[-patience:]) <= min_delta


@mistake(
    "should_stop",
    "The best of all losses includes the last few, so they can never be lower than it and the "
    "answer is always to stop. Compare with those before them only.",
)
def best_of_all(losses, patience, min_delta):
    if len(losses) <= patience:
        return False
    return min(losses) - min(losses[-patience:]) <= min_delta


@mistake(
    "should_stop",
    "The cut is one place too early: patience + 1 losses count as the last ones, and the stop "
    "comes one step late.",
)
def one_too_patient(losses, patience, min_delta):
    return Reference(losses, patience + 1, min_delta)


@mistake(
    "should_stop",
    "The cut is one place too late: one loss fewer than patience counts as the last ones, and the "
    "stop comes one step early.",
)
def one_too_impatient(losses, patience, min_delta):
    cut = len(losses) - patience + 1
    if cut < 1:
        return False
    return min(losses[:cut]) - min(losses[cut:], default=float("inf")) <= min_delta


@mistake(
    "should_stop",
    "This waits for a value that should rise, as an accuracy does. The best loss is the lowest.",
)
def higher_is_better(losses, patience, min_delta):
    if len(losses) <= patience:
        return False
    return max(losses[-patience:]) - max(losses[:-patience]) <= min_delta


@mistake(
    "should_stop",
    "The answer is the wrong way round: True while the losses fall, False once they don't.",
)
def the_wrong_way_round(losses, patience, min_delta):
    if len(losses) <= patience:
        return False
    return not Reference(losses, patience, min_delta)


@mistake(
    "should_stop",
    "With too few losses to compare, this stops. A training that has hardly begun should go on.",
)
def stops_before_it_can_compare(losses, patience, min_delta):
    return len(losses) <= patience or Reference(losses, patience, min_delta)


@mistake(
    "should_stop",
    "With no more losses than patience there is nothing before the last few, and the best of "
    "nothing is an error. Deal with that case first.",
    crashes=True,
)
def no_case_for_a_short_list(losses, patience, min_delta):
    return min(losses[:-patience]) - min(losses[-patience:]) <= min_delta


@mistake(
    "should_stop",
    "min_delta is counted on the wrong side: training stops only when the losses have become worse "
    "by it.",
)
def waits_until_it_is_worse(losses, patience, min_delta):
    if len(losses) <= patience:
        return False
    return min(losses[-patience:]) >= min(losses[:-patience]) + min_delta


@mistake(
    "should_stop",
    "min_delta is taken as a share of the loss. It is a difference, in the unit of the losses.",
)
def min_delta_as_a_share(losses, patience, min_delta):
    if len(losses) <= patience:
        return False
    return min(losses[-patience:]) >= min(losses[:-patience]) * (1 - min_delta)


@mistake(
    "should_stop",
    "Each loss is compared with its neighbour. Many small gains can add up to a large one, and a "
    "gain after a bad value may be none.",
)
def compares_neighbours(losses, patience, min_delta):
    if len(losses) <= patience:
        return False
    last = losses[-patience - 1 :]
    return all(last[i] - last[i + 1] <= min_delta for i in range(patience))


@mistake(
    "should_stop",
    "This compares averages, which one bad value can spoil. The best of each part is asked for.",
)
def compares_averages(losses, patience, min_delta):
    if len(losses) <= patience:
        return False
    before, recent = losses[:-patience], losses[-patience:]
    return sum(before) / len(before) - sum(recent) / len(recent) <= min_delta


@mistake(
    "should_stop",
    "The losses are taken out of the caller's list to be looked at, and the history is gone. A "
    "slice leaves the list as it is.",
)
def takes_the_list_apart(losses, patience, min_delta):
    if len(losses) <= patience:
        return False
    recent = [losses.pop() for _ in range(patience)]
    return min(losses) - min(recent) <= min_delta
