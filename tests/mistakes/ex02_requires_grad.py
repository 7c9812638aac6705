"""Wrong answers to exercise 02, each with what its author should read."""

import copy

import torch

from grader.bank import mistake

# track


@mistake(
    "track",
    "The tensor is right, but nothing tracks it: its requires_grad is False. Ask for tracking "
    "when you make it, or right after. (A misspelt attribute, such as require_grad, is set "
    "without an error and does nothing.)",
)
def not_tracked(value):
    return torch.tensor(float(value))


@mistake(
    "track",
    "A Python int makes a tensor of whole numbers, and torch does not track those: they cannot "
    "change by a little. Turn the value into a fractional number first.",
    crashes=True,
)
def tracks_an_integer(value):
    return torch.tensor(value, requires_grad=True)


@mistake(
    "track",
    "Whole numbers are left untracked here, to avoid the error. They should be turned into "
    "fractional numbers and tracked like the others.",
)
def leaves_integers_out(value):
    t = torch.tensor(value)
    return t.requires_grad_() if t.is_floating_point() else t


@mistake(
    "track",
    "The tensor was tracked first and computed with afterwards, so what comes back is a result, "
    "not the leaf. Its gradient would go to the leaf that nobody holds any more.",
)
def result_of_a_leaf(value):
    return torch.tensor(float(value)).requires_grad_() * 1.0


@mistake(
    "track",
    "What comes back is a Python float. It has no requires_grad and no .grad; a tensor is asked "
    "for.",
)
def python_float(value):
    return float(value)


@mistake(
    "track",
    "The shape is (1,), a row of one number. The brackets around the value make the difference: a "
    "number alone has the shape ().",
)
def row_of_one(value):
    return torch.tensor([float(value)], requires_grad=True)


@mistake(
    "track",
    "The dtype is float64. Torch makes float32 of a Python float by itself; that is what "
    "parameters are kept in.",
)
def double_precision(value):
    return torch.tensor(value, dtype=torch.float64, requires_grad=True)


@mistake(
    "track",
    "The fraction is lost on the way: the value is made a whole number before it becomes a tensor.",
)
def cuts_the_fraction(value):
    return torch.tensor(float(int(value)), requires_grad=True)


@mistake(
    "track",
    "The tensor holds 8.0 whatever is passed in. That is right for the example only; use the "
    "argument.",
)
def always_eight(value):
    return torch.tensor(8.0, requires_grad=True)


# init_params


@mistake(
    "init_params",
    "What comes back is not a leaf: tracking was switched on before the multiplication, and the "
    "product is a result. No gradient will ever arrive in it. Look again at the order.",
)
def multiplied_after_tracking(size, std=1.0):
    return torch.randn(size).requires_grad_() * std


@mistake(
    "init_params",
    "A tracked leaf must not be changed in place while torch records, so this is an error. Finish "
    "the values first and track them last.",
    crashes=True,
)
def scaled_in_place(size, std=1.0):
    return torch.randn(size, requires_grad=True).mul_(std)


@mistake(
    "init_params",
    "The values are drawn and scaled, but not tracked: no gradient will arrive in them.",
)
def not_tracked_params(size, std=1.0):
    return torch.randn(size) * std


@mistake(
    "init_params",
    "`std` makes no difference here: the values always have a standard deviation of 1.",
)
def std_ignored(size, std=1.0):
    return torch.randn(size, requires_grad=True)


@mistake(
    "init_params",
    "The values are scaled by the square root of std, as if it were a variance. The standard "
    "deviation is itself the factor.",
)
def std_as_variance(size, std=1.0):
    return (torch.randn(size) * std**0.5).requires_grad_()


@mistake(
    "init_params",
    "The values are scaled by the square of std, as for a variance. The standard deviation is "
    "itself the factor.",
)
def std_squared(size, std=1.0):
    return (torch.randn(size) * std**2).requires_grad_()


@mistake(
    "init_params",
    "`std` is added to the values, which moves them all to one side. The spread is changed by a "
    "factor.",
)
def std_added(size, std=1.0):
    return (torch.randn(size) + std).requires_grad_()


@mistake(
    "init_params",
    "The values are divided by std: the larger it is, the closer they lie together. It should be "
    "the other way round.",
)
def divided_by_std(size, std=1.0):
    return (torch.randn(size) / std).requires_grad_()


@mistake(
    "init_params",
    "`rand` draws evenly between 0 and 1, all positive. The normal distribution around 0 has one "
    "more letter.",
)
def uniform_values(size, std=1.0):
    return (torch.rand(size) * std).requires_grad_()


@mistake(
    "init_params",
    "These values lie evenly between −std and std. A normal distribution crowds around 0 and has "
    "tails beyond.",
)
def uniform_around_zero(size, std=1.0):
    return ((torch.rand(size) * 2 - 1) * std).requires_grad_()


@mistake(
    "init_params",
    "All parameters start at 0. Then many of them get equal gradients and stay equal for ever; "
    "draw them at random.",
)
def all_zeros(size, std=1.0):
    return torch.zeros(size, requires_grad=True)


@mistake(
    "init_params",
    "One number is drawn and repeated everywhere. Each parameter should be drawn for itself.",
)
def one_draw_for_all(size, std=1.0):
    return torch.full(
        (size,) if isinstance(size, int) else size, torch.randn(()).item() * std
    ).requires_grad_()


@mistake(
    "init_params",
    "Every call gives the same values, since the seed is set inside the function (and so for the "
    "whole program). Leave the seed to the caller.",
)
def same_draw_every_time(size, std=1.0):
    torch.manual_seed(42)
    return (torch.randn(size) * std).requires_grad_()


@mistake(
    "init_params",
    "The values are float64, twice the memory. Parameters are float32 here, which is torch's own "
    "choice when you do not ask.",
)
def double_precision_params(size, std=1.0):
    return (torch.randn(size, dtype=torch.float64) * std).requires_grad_()


@mistake(
    "init_params",
    "The star unpacks a tuple and fails on an int. `randn` takes either as it is.",
    crashes=True,
)
def star_before_an_int(size, std=1.0):
    return (torch.randn(*size) * std).requires_grad_()


# is_trainable_leaf


@mistake(
    "is_trainable_leaf",
    "Plain data is a leaf too, since it is not the result of anything tracked. A second condition "
    "has to hold.",
)
def leaf_is_enough(t):
    return t.is_leaf


@mistake(
    "is_trainable_leaf",
    "A result of tracked tensors is tracked too, but its gradient is not kept. A second condition "
    "has to hold.",
)
def tracked_is_enough(t):
    return t.requires_grad


@mistake(
    "is_trainable_leaf",
    "One of the two conditions is enough here; it takes both. Which word joins them?",
)
def one_of_two(t):
    return t.is_leaf or t.requires_grad


@mistake(
    "is_trainable_leaf",
    "This asks whether a gradient is there already. The question is whether one can arrive: a new "
    "parameter has none yet, a frozen one may have an old one.",
)
def has_a_gradient(t):
    return t.is_leaf and t.grad is not None


@mistake(
    "is_trainable_leaf",
    "This is True only as long as no gradient has arrived. A parameter stays one with a gradient "
    "in it.",
)
def has_no_gradient_yet(t):
    return t.is_leaf and t.requires_grad and t.grad is None


@mistake(
    "is_trainable_leaf",
    "This asks for the class nn.Parameter. Any tracked leaf is trainable, whatever its class.",
)
def only_the_class_parameter(t):
    return isinstance(t, torch.nn.Parameter)


@mistake(
    "is_trainable_leaf",
    "This is the opposite: True for results. A leaf is a tensor that is not computed from a "
    "tracked one.",
)
def true_for_results(t):
    return t.requires_grad and not t.is_leaf


@mistake(
    "is_trainable_leaf",
    "This returns True where it holds and None where it does not. None looks like False in an "
    "`if`, and it is another answer all the same.",
)
def true_or_none(t):
    if t.is_leaf and t.requires_grad:
        return True


# freeze


@mistake(
    "freeze",
    "The tensors are tracked as before: `detach` returns a new tensor, and whether that gets the "
    "loop's name or a place in the list, the parameters that the model holds have not changed. "
    "Change each tensor itself.",
)
def rebinds_the_name(params):
    for p in params:
        p = p.detach()


@mistake(
    "freeze",
    "`requires_grad_()` without an argument switches tracking on, for those too that were frozen "
    "before. Say False.",
)
def switches_on(params):
    for p in params:
        p.requires_grad_()


@mistake(
    "freeze",
    "Each tensor's tracking is turned round: a tensor that was frozen before is tracked now. Set "
    "it to False, whatever it was.",
)
def turns_round(params):
    for p in params:
        p.requires_grad_(not p.requires_grad)


@mistake(
    "freeze",
    "Only the first tensor is frozen. Does something leave the loop too early, or is there no "
    "loop?",
)
def only_the_first(params):
    params[0].requires_grad_(False)


@mistake(
    "freeze",
    "The last tensor is still tracked. All of the list should be frozen.",
)
def all_but_the_last(params):
    for p in params[:-1]:
        p.requires_grad_(False)


@mistake(
    "freeze",
    "The loop stops at the first tensor that is frozen already, and those behind it stay tracked. "
    "Freezing twice does no harm: no condition is needed.",
)
def stops_at_a_frozen_one(params):
    for p in params:
        if not p.requires_grad:
            break
        p.requires_grad_(False)


@mistake(
    "freeze",
    "Only tensors that have a gradient are frozen. A parameter has none before the first backward "
    "pass, and it can be frozen all the same.",
)
def only_with_a_gradient(params):
    for p in params:
        if p.grad is not None:
            p.requires_grad_(False)


@mistake(
    "freeze",
    "Only tensors without a gradient are frozen. What has arrived in `.grad` before makes no "
    "difference.",
)
def only_without_a_gradient(params):
    for p in params:
        if p.grad is None:
            p.requires_grad_(False)


@mistake(
    "freeze",
    "The tensors are frozen, but their values are gone. Freezing keeps a parameter as it is.",
)
def zeroes_the_values(params):
    for p in params:
        p.requires_grad_(False).zero_()


@mistake(
    "freeze",
    "A list has no requires_grad; its tensors have, each for itself. Go through the list.",
    crashes=True,
)
def asks_the_list(params):
    params.requires_grad_(False)


# detached_copy


@mistake(
    "detached_copy",
    "The graph is cut, the memory is shared: change the copy and the original changes with it. "
    "(`.data` is the same in this.) The second tie has to be cut too.",
)
def shares_memory(t):
    return t.detach()


@mistake(
    "detached_copy",
    "The memory is its own, but the copy is a result in the graph of t: it is tracked, and holds "
    "on to t. The second tie has to be cut too.",
)
def clone_in_the_graph(t):
    return t.clone()


@mistake(
    "detached_copy",
    "A copy was made, then tracked again. It is asked for without tracking.",
)
def tracked_again(t):
    return t.detach().clone().requires_grad_(t.requires_grad)


@mistake(
    "detached_copy",
    "`detach_`, with an underscore, works in place: the original itself is taken out of the "
    "graph. Without the underscore the original is left alone.",
)
def detaches_the_original(t):
    return t.detach_().clone()


@mistake(
    "detached_copy",
    "Tracking is switched off on the original as well, and stays off; and a result cannot be "
    "switched off at all. Leave t as it is.",
    crashes=True,
)
def untracks_the_original(t):
    t.requires_grad_(False)
    return t.clone()


@mistake(
    "detached_copy",
    "`deepcopy` copies the tracking along with the values, and refuses a result of the graph.",
    crashes=True,
)
def deep_copy(t):
    return copy.deepcopy(t)


@mistake(
    "detached_copy",
    "The copy is float32 whatever t was. Values that go through Python lists lose their dtype; "
    "torch can copy without leaving tensors.",
)
def through_a_list(t):
    return torch.tensor(t.tolist(), dtype=torch.float32)


@mistake(
    "detached_copy",
    "The shape is lost: the values come back in one row. A copy has the shape of t.",
)
def one_row(t):
    return t.detach().flatten().clone()


@mistake(
    "detached_copy",
    "This is a copy of the shape only: the values are all 0.",
)
def empty_copy(t):
    return torch.zeros_like(t)


# predict_without_graph


@mistake(
    "predict_without_graph",
    "f runs while torch records, as always, and the result holds on to its graph. (Writing "
    "`torch.no_grad()` on a line of its own changes nothing: it has to be entered, in a `with`.)",
)
def records_as_always(f, x):
    return f(x)


@mistake(
    "predict_without_graph",
    "The result is cut off after f has run, when the whole graph has been built and paid for. "
    "Keep torch from recording in the first place.",
)
def detaches_too_late(f, x):
    return f(x).detach()


@mistake(
    "predict_without_graph",
    "x is detached, but f has tracked parameters of its own, and everything computed with them is "
    "recorded. The recording itself has to be off while f runs.",
)
def detaches_x_only(f, x):
    return f(x.detach())


@mistake(
    "predict_without_graph",
    "Recording is switched off and stays off: from now on no parameter of the program can learn. "
    "A `with` block sets the switch back by itself.",
)
def leaves_recording_off(f, x):
    torch.set_grad_enabled(False)
    return f(x)


@mistake(
    "predict_without_graph",
    "Tracking of x is switched off and stays off, while the parameters inside f are recorded as "
    "before. Leave x alone, and switch the recording off instead.",
)
def untracks_x(f, x):
    x.requires_grad_(False)
    return f(x)


@mistake(
    "predict_without_graph",
    "The values are right, but they left torch: a Python list or number came back. f(x) is asked "
    "for as f gives it.",
)
def python_numbers(f, x):
    with torch.no_grad():
        return f(x).tolist()


@mistake(
    "predict_without_graph",
    "The result was computed without a graph and then tracked. A prediction is plain data.",
)
def tracks_the_result(f, x):
    with torch.no_grad():
        return f(x).requires_grad_()


@mistake(
    "predict_without_graph",
    "f runs twice, and the first time everything is recorded. Once is enough, inside the block.",
)
def runs_f_before_the_block(f, x):
    result = f(x)
    with torch.no_grad():
        result = f(x)
    return result


@mistake(
    "predict_without_graph",
    "What is returned is x itself. The result of f is asked for.",
)
def returns_x(f, x):
    with torch.no_grad():
        f(x)
    return x.detach()


@mistake(
    "predict_without_graph",
    "f runs, but nothing comes back: the block ends without a `return`.",
)
def returns_nothing(f, x):
    with torch.no_grad():
        f(x)
