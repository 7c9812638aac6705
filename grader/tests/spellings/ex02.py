"""Answers to exercise 02 in other words."""

import torch

from grader.tests.spelling import right, spelled, unlike


@spelled("track", "row_of_one")
def in_a_list(value):
    t = torch.tensor([value], dtype=torch.float32)
    t.requires_grad = True
    return t


@spelled("track", "not_tracked")
def misspelt(value):
    t = torch.tensor(value, dtype=torch.float32)
    t.require_grad = True
    return t


@spelled("track", "double_precision")
def doubled(value):
    t = torch.tensor(value).double()
    t.requires_grad_(True)
    return t


@spelled("init_params", "std_ignored")
def plain_normal(size, std=1.0):
    w = torch.randn(size)
    w.requires_grad = True
    return w


@spelled("init_params", "not_tracked_params")
def drawn_only(size, std=1.0):
    shape = (size,) if isinstance(size, int) else tuple(size)
    return std * torch.randn(shape)


@spelled("is_trainable_leaf", "one_of_two")
def any_of_them(t):
    if t.requires_grad:
        return True
    return t.is_leaf


@spelled("is_trainable_leaf", "leaf_is_enough")
def no_history(t):
    return t.grad_fn is None


@spelled("freeze", "only_the_first")
def returns_in_the_loop(params):
    for weight in params:
        weight.requires_grad = False
        return params


@spelled("freeze", "rebinds_the_name")
def list_of_detached(params):
    params = [weight.detach() for weight in params]
    return params


@spelled("detached_copy", "shares_memory")
def data_of_it(t):
    return t.data


@spelled("detached_copy", "clone_in_the_graph")
def times_one(t):
    duplicate = torch.clone(t)
    return duplicate


@spelled("predict_without_graph", "detaches_too_late")
def cut_afterwards(f, x):
    out = f(x)
    out = out.detach()
    return out


@spelled("predict_without_graph", "records_as_always")
def line_of_its_own(f, x):
    torch.no_grad()
    y = f(x)
    return y


@right("predict_without_graph")
def decorated(f, x):
    @torch.no_grad()
    def quietly(value):
        return f(value)

    return quietly(x)


@right("track")
def in_two_steps(value):
    t = torch.zeros(())
    t += value
    return t.requires_grad_(True)


@unlike("detached_copy")
def shifted(t):
    return t.detach().clone() + 1


@unlike("init_params")
def shifted_mean(size, std=1.0):
    return (torch.randn(size) * std + 4 * std).requires_grad_()
