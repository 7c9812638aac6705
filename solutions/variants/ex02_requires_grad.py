"""Right answers to exercise 02, written differently: each must pass."""

import copy

import torch

from grader.bank import variant


@variant("track", "made first, tracked in place afterwards")
def track_in_place(value):
    return torch.tensor(value, dtype=torch.float32).requires_grad_()


@variant("track", "the attribute, set by hand")
def track_by_attribute(value):
    t = torch.tensor(value).float()
    t.requires_grad = True
    return t


@variant("track", "filled, and wrapped as a parameter")
def track_as_parameter(value):
    return torch.nn.Parameter(torch.full((), float(value)))


@variant("init_params", "torch.normal, then tracked")
def params_by_normal(size, std=1.0):
    shape = (size,) if isinstance(size, int) else tuple(size)
    return torch.normal(0.0, std, shape).requires_grad_(True)


@variant("init_params", "a parameter of a module")
def params_as_parameter(size, std=1.0):
    return torch.nn.Parameter(std * torch.randn(size))


@variant("init_params", "a tracked leaf, filled in place while torch does not record")
def params_filled(size, std=1.0):
    params = torch.empty(size, requires_grad=True)
    with torch.no_grad():
        params.normal_(0, std)
    return params


@variant("init_params", "a result, detached and tracked anew")
def params_detached(size, std=1.0):
    scaled = torch.randn(size, requires_grad=True) * std
    return scaled.detach().requires_grad_()


@variant("is_trainable_leaf", "through grad_fn")
def leaf_by_grad_fn(t):
    return t.requires_grad and t.grad_fn is None


@variant("is_trainable_leaf", "an early return")
def leaf_by_early_return(t):
    if not t.requires_grad:
        return False
    return t.is_leaf


@variant("is_trainable_leaf", "all of two")
def leaf_by_all(t):
    return all([t.requires_grad, t.is_leaf])


@variant("freeze", "the attribute, set by hand")
def freeze_by_attribute(params):
    for p in params:
        p.requires_grad = False


@variant("freeze", "detach_ works in place too; the list comes back")
def freeze_by_detach(params):
    for i in range(len(params)):
        params[i].detach_()
    return params


@variant("freeze", "in a comprehension, which comes back")
def freeze_in_a_comprehension(params):
    return [p.requires_grad_(False) for p in params]


@variant("freeze", "only those that are tracked, without recording, the gradient dropped")
def freeze_the_tracked(params):
    with torch.no_grad():
        for p in params:
            if p.requires_grad:
                p.requires_grad_(False)
                p.grad = None


@variant("detached_copy", "the other order")
def copy_clone_first(t):
    return t.clone().detach()


@variant("detached_copy", "cloned while torch does not record")
def copy_without_recording(t):
    with torch.no_grad():
        return t.clone()


@variant("detached_copy", "values copied into a new tensor")
def copy_into_new(t):
    out = torch.empty_like(t)
    with torch.no_grad():
        out.copy_(t)
    return out


@variant("detached_copy", "Python's deepcopy, after detaching")
def copy_deeply(t):
    return copy.deepcopy(t.detach())


@variant("detached_copy", "through NumPy, copied there")
def copy_through_numpy(t):
    return torch.from_numpy(t.detach().cpu().numpy().copy()).to(t.device)


@variant("predict_without_graph", "inference_mode")
def predict_in_inference_mode(f, x):
    with torch.inference_mode():
        return f(x)


@variant("predict_without_graph", "the switch, as a block")
def predict_with_switch(f, x):
    with torch.set_grad_enabled(False):
        result = f(x)
    return result


@variant("predict_without_graph", "no_grad as a decorator")
def predict_decorated(f, x):
    @torch.no_grad()
    def predict():
        return f(x)

    return predict()


@variant("predict_without_graph", "the switch turned and turned back; x detached as well")
def predict_by_hand(f, x):
    before = torch.is_grad_enabled()
    torch.set_grad_enabled(False)
    try:
        return f(x.detach())
    finally:
        torch.set_grad_enabled(before)
