"""Answers to exercise 03 in other words."""

import torch

from grader.tests.spelling import right, spelled, unlike


@spelled("slope", "slope_as_a_tensor")
def by_autograd_grad(f, x):
    t = torch.tensor(x, dtype=torch.float32).requires_grad_()
    return torch.autograd.grad(f(t), t)[0]


@spelled("slope", "value_for_slope")
def the_result(f, x):
    t = torch.tensor(float(x), requires_grad=True)
    y = f(t)
    y.backward()
    return y.item()


@spelled("slope", "untracked_leaf")
def without_requires_grad(f, x):
    point = torch.as_tensor(float(x))
    y = f(point)
    y.backward()
    return float(point.grad)


@spelled("gradient", "summed_gradient")
def adds_them(f, x):
    mine = torch.clone(x.detach()).requires_grad_(True)
    (g,) = torch.autograd.grad(f(mine), (mine,))
    total = 0
    for one in g.flatten():
        total = total + one
    return total


@spelled("gradient", "normalised_gradient")
def unit_length(f, x):
    mine = x.detach().clone()
    mine.requires_grad = True
    y = f(mine)
    y.backward()
    length = (mine.grad * mine.grad).sum().sqrt()
    return mine.grad / length


@spelled("vector_jacobian", "upstream_of_ones")
def all_count_the_same(f, x, v):
    mine = x.detach().clone().requires_grad_(True)
    out = f(mine)
    out.backward(gradient=torch.ones_like(out))
    return mine.grad


@spelled("vector_jacobian", "mean_for_sum")
def averaged(f, x, v):
    mine = x.detach().clone().requires_grad_(True)
    weighted = torch.mul(v, f(mine))
    loss = weighted.sum() / weighted.numel()
    return torch.autograd.grad(loss, mine)[0]


@spelled("numeric_gradient", "divided_by_one_step")
def forgot_the_two(f, x, eps):
    base = x.detach().clone().flatten()
    slopes = []
    for k in range(len(base)):
        right_side, left_side = base.clone(), base.clone()
        right_side[k] = right_side[k] + eps
        left_side[k] = left_side[k] - eps
        rise = f(right_side.reshape(x.shape)) - f(left_side.reshape(x.shape))
        slopes.append(float(rise) / eps)
    return torch.tensor(slopes, dtype=x.dtype).reshape(x.shape)


@spelled("chain_rule", "inner_slope_forgotten")
def only_outer(df, g, dg, x):
    u = g(x)
    return df(u) * 1.0


@spelled("chain_rule", "slopes_added")
def plus(df, g, dg, x):
    inner = dg(x)
    outer = df(g(x))
    return sum((outer, inner))


@right("gradient")
def functional(f, x):
    return torch.autograd.functional.jacobian(f, x.detach())


@right("chain_rule")
def in_steps(df, g, dg, x):
    u = g(x)
    outer, inner = df(u), dg(x)
    return float(outer) * float(inner)


@unlike("slope")
def half_of_it(f, x):
    t = torch.tensor(float(x), requires_grad=True)
    f(t).backward()
    return t.grad.item() / 2 + 0.125


@unlike("chain_rule")
def minus(df, g, dg, x):
    return float(df(g(x)) - 2 * dg(x))
