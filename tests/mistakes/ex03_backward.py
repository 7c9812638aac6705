"""Wrong answers to exercise 03, each with what its author should read."""

import torch

from grader.bank import mistake


@mistake(
    "slope",
    "The slope comes back still wrapped in a tensor; a Python number is asked for. "
    "Look at how a tensor of one element hands out its value.",
)
def slope_as_a_tensor(f, x):
    leaf = torch.tensor(float(x), requires_grad=True)
    f(leaf).backward()
    return leaf.grad


@mistake(
    "slope",
    "This is the value of f at x, not its slope. The slope is what the backward pass leaves "
    "behind, and it is left at the leaf, not in the result.",
)
def value_for_slope(f, x):
    return float(f(torch.tensor(float(x))))


@mistake(
    "slope",
    "This measures how far f moves for a step to one side, which is close to the derivative but "
    "is not it. Let autograd record f and go backward through the record.",
)
def one_sided_slope(f, x):
    h = 0.01
    return float((f(torch.tensor(x + h)) - f(torch.tensor(float(x)))) / h)


@mistake(
    "slope",
    "A whole number makes an integer tensor, and only floating point tensors can be tracked. "
    "Look at the dtype of the leaf when x is an int.",
    crashes=True,
)
def integer_leaf(f, x):
    leaf = torch.tensor(x, requires_grad=True)
    f(leaf).backward()
    return leaf.grad.item()


@mistake(
    "slope",
    "The tensor that f works on is not tracked, so nothing is recorded and there is no way back. "
    "What has to be said about a tensor before its gradient can be asked for?",
    crashes=True,
)
def untracked_leaf(f, x):
    leaf = torch.tensor(float(x))
    f(leaf).backward()
    return leaf.grad.item()


@mistake(
    "slope",
    "The gradient is looked for on the result of f. Only leaves keep a gradient: the result was "
    "made by operations, so its own gradient is not kept.",
    crashes=True,
)
def gradient_of_the_result(f, x):
    leaf = torch.tensor(float(x), requires_grad=True)
    y = f(leaf) * 1
    y.backward()
    return y.grad.item()


@mistake(
    "gradient",
    "The backward pass goes into the caller's own tensor: x ends up tracked, or its gradient "
    "changed. Think about whose leaf the gradient should land in.",
)
def uses_the_callers_tensor(f, x):
    if x.is_leaf:
        x.requires_grad_()
    else:
        x.retain_grad()
    f(x).backward()
    return x.grad


@mistake(
    "gradient",
    "The caller's gradient is wiped out before the backward pass. The answer is right, but what "
    "was in x.grad is lost; work on a tensor of your own.",
)
def wipes_the_callers_gradient(f, x):
    if not x.is_leaf:
        x = x.detach()
    x.grad = None
    x.requires_grad_()
    f(x).backward()
    return x.grad


@mistake(
    "gradient",
    "The copy still hangs on x: clone() alone keeps the history, so the copy of a tracked tensor "
    "is not a leaf and keeps no gradient. What cuts a tensor off from its history?",
    crashes=True,
)
def clone_without_detach(f, x):
    leaf = x.clone().requires_grad_()
    f(leaf).backward()
    return leaf.grad.clone()


@mistake(
    "gradient",
    "All the slopes have been added up into one number. The gradient has one slope for each "
    "element of x, in the shape of x.",
)
def summed_gradient(f, x):
    leaf = x.detach().clone().requires_grad_()
    f(leaf).backward()
    return leaf.grad.sum()


@mistake(
    "gradient",
    "What comes back is itself part of a graph: the gradient was asked for in a way that records "
    "the backward pass too. A gradient to look at should carry no history.",
)
def gradient_with_a_graph(f, x):
    leaf = x.detach().clone().requires_grad_()
    (grad,) = torch.autograd.grad(f(leaf), leaf, create_graph=True)
    return grad + 0 * leaf


@mistake(
    "gradient",
    "The slopes have been scaled to length one. That keeps their direction, but a gradient says "
    "how steep it is, too.",
)
def normalised_gradient(f, x):
    leaf = x.detach().clone().requires_grad_()
    f(leaf).backward()
    return leaf.grad / leaf.grad.norm()


@mistake(
    "vector_jacobian",
    "Every output counts the same here, as if v were all ones. v says how much each output "
    "counts; the backward pass can be told.",
)
def upstream_of_ones(f, x, v):
    leaf = x.detach().clone().requires_grad_()
    f(leaf).sum().backward()
    return leaf.grad


@mistake(
    "vector_jacobian",
    "v is multiplied in after the backward pass. The weights belong to the outputs of f, so they "
    "have to take part on the way back, not at the end.",
    crashes=True,
)
def upstream_after_the_pass(f, x, v):
    leaf = x.detach().clone().requires_grad_()
    f(leaf).sum().backward()
    return v * leaf.grad


@mistake(
    "vector_jacobian",
    "backward() without an argument works only on a single number. Here f gives several; the "
    "pass has to be told how much each of them counts.",
    crashes=True,
)
def backward_of_a_vector(f, x, v):
    leaf = x.detach().clone().requires_grad_()
    f(leaf).backward()
    return leaf.grad


@mistake(
    "vector_jacobian",
    "The gradient lands in the caller's x, on top of what was there. Make a leaf of your own for "
    "it to land in.",
)
def vjp_into_the_caller(f, x, v):
    x.requires_grad_()
    f(x).backward(v)
    return x.grad


@mistake(
    "vector_jacobian",
    "The average of the outputs is taken where their weighted sum is meant, so everything is too "
    "small by the number of outputs.",
)
def mean_for_sum(f, x, v):
    leaf = x.detach().clone().requires_grad_()
    (f(leaf) * v).mean().backward()
    return leaf.grad


@mistake(
    "numeric_gradient",
    "The step goes to one side only. Its error shrinks with eps; the central difference, a step "
    "to each side, is asked for.",
)
def one_sided_difference(f, x, eps):
    start = x.detach()
    grad = torch.zeros_like(start)
    for j in range(start.numel()):
        moved = start.clone()
        moved.view(-1)[j] += eps
        grad.view(-1)[j] = (f(moved) - f(start)).detach() / eps
    return grad


@mistake(
    "numeric_gradient",
    "The two values of f lie 2·eps apart, but the difference is divided by eps: every slope "
    "comes out twice too large. How long is the way from one side to the other?",
)
def divided_by_one_step(f, x, eps):
    start = x.detach()
    grad = torch.zeros_like(start)
    for j in range(start.numel()):
        up, down = start.clone(), start.clone()
        up.view(-1)[j] += eps
        down.view(-1)[j] -= eps
        grad.view(-1)[j] = (f(up) - f(down)).detach() / eps
    return grad


@mistake(
    "numeric_gradient",
    "All elements are moved together, so every place gets the same number, the sum of all "
    "slopes. A partial derivative moves one element and holds the others still.",
)
def all_elements_at_once(f, x, eps):
    start = x.detach()
    slope = (f(start + eps) - f(start - eps)).detach() / (2 * eps)
    return torch.full_like(start, slope.item())


@mistake(
    "numeric_gradient",
    "An element that has been moved is not moved back, so later slopes are taken at another "
    "place. Each element should start from the same x.",
)
def moves_are_kept(f, x, eps):
    start = x.detach().clone()
    grad = torch.zeros_like(start)
    for j in range(start.numel()):
        start.view(-1)[j] += eps
        above = f(start)
        start.view(-1)[j] -= 2 * eps
        grad.view(-1)[j] = (above - f(start)).detach() / (2 * eps)
    return grad


@mistake(
    "numeric_gradient",
    "The caller's own tensor is moved up and down. Even when every move is taken back, rounding "
    "may leave a trace, and a tracked x refuses. Move a copy.",
    crashes=True,
)
def moves_the_callers_tensor(f, x, eps):
    grad = torch.zeros_like(x)
    flat = x.view(-1)
    for j in range(x.numel()):
        flat[j] += eps
        above = f(x)
        flat[j] -= 2 * eps
        grad.view(-1)[j] = (above - f(x)) / (2 * eps)
        flat[j] += eps
    return grad


@mistake(
    "numeric_gradient",
    "The answer is right, but it carries a graph: x is tracked, and so is everything computed "
    "from it. Measuring needs no record.",
)
def measured_with_a_graph(f, x, eps):
    slopes = []
    for j in range(x.numel()):
        step = torch.zeros(x.numel(), dtype=x.dtype)
        step[j] = eps
        step = step.reshape(x.shape)
        slopes.append((f(x + step) - f(x - step)) / (2 * eps))
    return torch.stack(slopes).reshape(x.shape)


@mistake(
    "chain_rule",
    "The outer slope is taken at x. f never sees x: what arrives at f is what g made of it.",
)
def outer_slope_at_x(df, g, dg, x):
    return float(df(x) * dg(x))


@mistake(
    "chain_rule",
    "The slope of the inner function is missing. A change of x is scaled twice, once on its way "
    "through g and once on its way through f.",
)
def inner_slope_forgotten(df, g, dg, x):
    return float(df(g(x)))


@mistake(
    "chain_rule",
    "The two slopes are added. One change is scaled by the first and the outcome by the second: "
    "what do two scalings in a row make?",
)
def slopes_added(df, g, dg, x):
    return float(df(g(x)) + dg(x))


@mistake(
    "chain_rule",
    "The outer slope is taken at the slope of g, not at the value of g. Which number arrives at f?",
)
def outer_slope_at_the_inner_slope(df, g, dg, x):
    return float(df(dg(x)) * dg(x))
