"""Right answers to exercise 03, written in other ways."""

import torch

from grader.bank import variant


@variant("slope", "torch.autograd.grad in the place of backward")
def slope_by_grad(f, x):
    at = torch.tensor(x, dtype=torch.float32).requires_grad_()
    return torch.autograd.grad(f(at), at)[0].item()


@variant("slope", "double precision")
def slope_in_double(f, x):
    at = torch.tensor(x, dtype=torch.double, requires_grad=True)
    f(at).backward()
    return float(at.grad)


@variant("slope", "torch.func.grad")
def slope_by_func(f, x):
    return torch.func.grad(f)(torch.tensor(float(x))).item()


@variant("gradient", "torch.autograd.grad on a detached copy")
def gradient_by_grad(f, x):
    own = x.clone().detach()
    own.requires_grad = True
    return torch.autograd.grad(f(own), [own])[0]


@variant("gradient", "torch.func.grad")
def gradient_by_func(f, x):
    return torch.func.grad(f)(x.detach())


@variant("gradient", "shares memory with x, which nobody can see")
def gradient_on_shared_memory(f, x):
    own = x.detach()
    own.requires_grad_(True)
    f(own).backward()
    return own.grad.detach()


@variant("vector_jacobian", "a weighted sum, then backward from one number")
def vjp_by_weighted_sum(f, x, v):
    own = x.detach().clone().requires_grad_()
    (v * f(own)).sum().backward()
    return own.grad


@variant("vector_jacobian", "torch.autograd.grad with grad_outputs")
def vjp_by_grad(f, x, v):
    own = x.detach().requires_grad_()
    return torch.autograd.grad(f(own), own, grad_outputs=v)[0]


@variant("vector_jacobian", "torch.func.vjp")
def vjp_by_func(f, x, v):
    _, pull_back = torch.func.vjp(f, x.detach())
    return pull_back(v)[0]


@variant("numeric_gradient", "rows of an identity matrix as steps, under no_grad")
def numeric_gradient_by_eye(f, x, eps):
    with torch.no_grad():
        steps = eps * torch.eye(x.numel(), dtype=x.dtype)
        slopes = [f(x + s.view(x.shape)) - f(x - s.view(x.shape)) for s in steps]
        return torch.stack(slopes).div(2 * eps).view(x.shape)


@variant("numeric_gradient", "one copy, moved up, down and back")
def numeric_gradient_in_place(f, x, eps):
    flat = x.detach().clone().flatten()
    grad = torch.empty_like(flat)
    for j, old in enumerate(flat.tolist()):
        flat[j] = old + eps
        above = f(flat.reshape(x.shape)).item()
        flat[j] = old - eps
        below = f(flat.reshape(x.shape)).item()
        flat[j] = old
        grad[j] = (above - below) / (2 * eps)
    return grad.reshape(x.shape)


@variant("chain_rule", "factors the other way round, in steps")
def chain_rule_in_steps(df, g, dg, x):
    u = g(x)
    return float(dg(x) * df(u))
