"""Right answers to exercise 06, written differently: each must pass."""

import torch

from grader.bank import variant


@variant("zero_grads", "zeros in place, where there is a gradient")
def zeros_in_place(params):
    for p in params:
        if p.grad is not None:
            p.grad.zero_()


@variant("zero_grads", "a new tensor of zeros for every parameter, also for one without a gradient")
def new_zeros(params):
    for p in params:
        p.grad = torch.zeros_like(p)


@variant("zero_grads", "an optimiser's own zero_grad")
def by_an_optimiser(params):
    torch.optim.SGD(params, lr=0.0).zero_grad(set_to_none=False)


@variant("gradient_after", "one graph, kept for every pass")
def one_graph_retained(f, x, n):
    leaf = x.detach().clone().requires_grad_(True)
    y = f(leaf)
    for _ in range(n):
        y.backward(retain_graph=True)
    return leaf.grad


@variant("gradient_after", "one gradient, n times")
def n_times_one(f, x, n):
    leaf = x.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(f(leaf), leaf)
    return n * gradient


@variant("gradient_after", "one backward pass through the sum of n results")
def one_pass_through_a_sum(f, x, n):
    leaf = x.clone().detach()
    leaf.requires_grad = True
    sum(f(leaf) for _ in range(n)).backward()
    return leaf.grad.clone()


@variant("train_step", "cleared last, moved through .data")
def cleared_last(params, loss_fn, lr):
    loss = loss_fn(params)
    loss.backward()
    for p in params:
        p.data = p.data - lr * p.grad
        p.grad = None
    return float(loss)


@variant("train_step", "cleared with zeros between the loss and its backward pass")
def cleared_after_the_loss(params, loss_fn, lr):
    loss = loss_fn(params)
    for p in params:
        if p.grad is not None:
            p.grad.zero_()
    loss.backward()
    with torch.no_grad():
        for p in params:
            p.sub_(p.grad, alpha=lr)
    return loss.detach().item()


@variant("train_step", "torch.autograd.grad, which leaves .grad alone")
def without_grad_attribute(params, loss_fn, lr):
    loss = loss_fn(params)
    gradients = torch.autograd.grad(loss, params)
    with torch.no_grad():
        for p, gradient in zip(params, gradients, strict=True):
            p.add_(gradient * -lr)
    return loss.item()


@variant("accumulate_step", "one backward pass through the weighted sum")
def one_weighted_sum(params, micro_batches, loss_fn, lr):
    count = sum(yb.shape[0] for _, yb in micro_batches)
    total = sum(loss_fn(params, xb, yb) * yb.shape[0] for xb, yb in micro_batches)
    (total / count).backward()
    for p in params:
        p.data -= lr * p.grad
        p.grad.zero_()


@variant("accumulate_step", "sums over items, divided once in the step")
def divided_in_the_step(params, micro_batches, loss_fn, lr):
    items = 0
    for p in params:
        p.grad = None
    for xb, yb in micro_batches:
        items += len(xb)
        (len(xb) * loss_fn(params, xb, yb)).backward()
    with torch.no_grad():
        for p in params:
            p -= lr / items * p.grad


@variant("accumulate_step", "gradients gathered in a list, the last micro batch first")
def gathered_in_a_list(params, micro_batches, loss_fn, lr):
    gathered = [torch.zeros_like(p) for p in params]
    total = sum(xb.size(0) for xb, _ in micro_batches)
    for xb, yb in reversed(micro_batches):
        gradients = torch.autograd.grad(loss_fn(params, xb, yb), params)
        for sofar, gradient in zip(gathered, gradients, strict=True):
            sofar += gradient * (xb.size(0) / total)
    for p, gradient in zip(params, gathered, strict=True):
        p.data.sub_(lr * gradient)
