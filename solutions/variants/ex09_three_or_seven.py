"""Right answers to exercise 09, written another way; each passes every test."""

import torch
from torch.utils.data import DataLoader, TensorDataset

from grader.bank import variant


@variant("init_params", "an empty leaf, filled by normal_ before tracking")
def filled_in_place(size, std=1.0):
    size = (size,) if isinstance(size, int) else size
    return torch.empty(size).normal_(0, std).requires_grad_()


@variant("init_params", "an nn.Parameter around the draw")
def parameter(size, std=1.0):
    return torch.nn.Parameter(std * torch.randn(size))


@variant("init_params", "detached and tracked again")
def detached(size, std=1.0):
    params = torch.randn(size, requires_grad=True) * std
    return params.detach().requires_grad_(True)


@variant("linear1", "torch.matmul and torch.add")
def functions(xb, weights, bias):
    return torch.add(bias, torch.matmul(xb, weights))


@variant("linear1", "products summed over the pixels")
def summed(xb, weights, bias):
    return (xb * weights.squeeze(1)).sum(dim=1, keepdim=True) + bias


@variant("linear1", "torch.nn.functional.linear with the weights turned")
def functional(xb, weights, bias):
    return torch.nn.functional.linear(xb, weights.T, bias)


@variant("sigmoid", "the other form of the formula")
def other_form(x):
    return x.exp() / (x.exp() + 1)


@variant("sigmoid", "half a hyperbolic tangent")
def by_tanh(x):
    return 0.5 * (1 + torch.tanh(x / 2))


@variant("sigmoid", "a reciprocal of method calls")
def methods(x):
    return x.neg().exp().add(1).reciprocal()


@variant("mnist_loss", "the absolute difference")
def absolute(predictions, targets):
    return (sigmoid(predictions) - targets).abs().mean()


@variant("mnist_loss", "a sum over a count, with torch's sigmoid")
def weighted(predictions, targets):
    share = torch.sigmoid(predictions)
    return (targets * (1 - share) + (1 - targets) * share).sum() / len(targets)


@variant("mnist_loss", "torch's own l1_loss")
def l1(predictions, targets):
    return torch.nn.functional.l1_loss(predictions.sigmoid(), targets)


@variant("calc_grad", "in one line, the loss returned")
def one_line(xb, yb, model, loss_func):
    loss = loss_func(model(xb), yb)
    loss.backward()
    return loss.item()


@variant("calc_grad", "torch.autograd.backward")
def autograd_backward(xb, yb, model, loss_func):
    torch.autograd.backward([loss_func(model(xb), yb)])


@variant("batch_accuracy", "the sigmoid against a half")
def sigmoid_against_half(preds, targets):
    return ((sigmoid(preds) > 0.5) == targets).float().mean()


@variant("batch_accuracy", "the sigmoid rounded, a count over a count")
def rounded(preds, targets):
    return (preds.sigmoid().round() == targets).sum() / len(targets)


@variant("batch_accuracy", "in double precision, with torch.where")
def double_precision(preds, targets):
    answers = torch.where(preds >= 0, 1.0, 0.0)
    return 1 - (answers - targets).abs().double().mean()


@variant("make_batches", "torch's own loader, read out at once")
def loader(x, y, batch_size):
    return list(DataLoader(TensorDataset(x, y), batch_size=batch_size, shuffle=True))


@variant("make_batches", "shuffled as a whole, then cut by slices")
def slices(x, y, batch_size):
    order = torch.randperm(len(x))
    x, y = x[order], y[order]
    starts = range(0, len(x), batch_size)
    return [(x[i : i + batch_size], y[i : i + batch_size]) for i in starts]


@variant("make_batches", "a zip of splits, made a list")
def zipped(x, y, batch_size):
    order = torch.rand(len(x)).argsort()
    return list(zip(x[order].split(batch_size), y[order].split(batch_size), strict=True))


@variant("train_epoch", "data and zero_, cleared in a loop of its own")
def by_data(model, lr, params, dl):
    for xb, yb in dl:
        calc_grad(xb, yb, model, mnist_loss)
        for p in params:
            p.data -= p.grad * lr
        for p in params:
            p.grad.zero_()


@variant("train_epoch", "cleared first, spelled out without calc_grad")
def cleared_first(model, lr, params, dl):
    for xb, yb in dl:
        for p in params:
            p.grad = None
        loss = mnist_loss(model(xb), yb)
        loss.backward()
        with torch.no_grad():
            for p in params:
                p.sub_(p.grad, alpha=lr)


@variant("train_epoch", "torch's own optimiser")
def sgd(model, lr, params, dl):
    opt = torch.optim.SGD(params, lr=lr)
    for xb, yb in dl:
        opt.zero_grad()
        mnist_loss(model(xb), yb).backward()
        opt.step()


@variant("validate_epoch", "all predictions put together, without a graph")
def together(model, dl):
    with torch.no_grad():
        preds = torch.cat([model(xb) for xb, _ in dl])
    targets = torch.cat([yb for _, yb in dl])
    return batch_accuracy(preds, targets).item()


@variant("validate_epoch", "a list of booleans, rounded to four places")
def booleans(model, dl):
    right = []
    for xb, yb in dl:
        right += ((model(xb) > 0) == yb.bool()).flatten().tolist()
    return round(sum(right) / len(right), 4)


@variant("fit", "validation in batches too, in inference mode")
def validation_in_batches(model, params, train, valid, epochs, lr, batch_size):
    accuracies = []
    for _ in range(epochs):
        train_epoch(model, lr, params, make_batches(train[0], train[1], batch_size))
        with torch.inference_mode():
            accuracies.append(validate_epoch(model, make_batches(*valid, batch_size)))
    return accuracies


@variant("fit", "spelled out, with a while loop")
def spelled_out(model, params, train, valid, epochs, lr, batch_size):
    x, y = train
    accuracies = []
    while len(accuracies) < epochs:
        order = torch.randperm(len(x))
        for start in range(0, len(x), batch_size):
            rows = order[start : start + batch_size]
            train_epoch(model, lr, params, [(x[rows], y[rows])])
        accuracies += [validate_epoch(model, [valid])]
    return accuracies
