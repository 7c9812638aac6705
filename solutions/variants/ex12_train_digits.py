"""Right answers to exercise 12, written differently: each must pass."""

import math

import torch
import torch.nn.functional as F
from torch import nn

from grader.bank import variant


@variant("make_model", "a class with a forward, max pooling, no normalisation")
def model_as_a_class():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.first = nn.Conv2d(1, 8, 5, padding=2)
            self.second = nn.Conv2d(8, 16, 5, padding=2)
            self.hidden = nn.Linear(16 * 7 * 7, 64)
            self.last = nn.Linear(64, 10)

        def forward(self, xb):
            xb = F.max_pool2d(F.relu(self.first(xb)), 2)
            xb = F.max_pool2d(F.relu(self.second(xb)), 2)
            return self.last(F.relu(self.hidden(xb.flatten(1))))

    return Net()


@variant("make_model", "convolutions down to one pixel, ten channels, no linear layer")
def convolutions_to_the_end():
    layers, sizes = [], [1, 8, 16, 32, 32]
    for before, after in zip(sizes, sizes[1:], strict=False):
        layers += [nn.Conv2d(before, after, 3, 2, 1), nn.BatchNorm2d(after), nn.ReLU()]
    return nn.Sequential(*layers, nn.Conv2d(32, 10, 3, 2, 1), nn.Flatten())


@variant("make_model", "average pooling, dropout and another bend")
def pooled_and_dropped():
    return nn.Sequential(
        nn.Conv2d(1, 16, 3),
        nn.GELU(),
        nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3),
        nn.GELU(),
        nn.AdaptiveAvgPool2d(4),
        nn.Dropout(0.1),
        nn.Flatten(),
        nn.Linear(512, 10),
    )


@variant("make_model", "lazy layers, which learn their sizes from the first batch")
def lazy_layers():
    return nn.Sequential(
        nn.LazyConv2d(16, 5, 2, 2),
        nn.ReLU(),
        nn.LazyConv2d(32, 3, 2, 1),
        nn.ReLU(),
        nn.Flatten(),
        nn.LazyLinear(10),
    )


@variant("BasicOptim", "through .data, gradients zeroed in place")
class through_data:
    def __init__(self, params, lr):
        self.params = tuple(params)
        self.lr = lr

    def step(self):
        for p in self.params:
            if p.grad is not None:
                p.data = p.data - p.grad * self.lr

    def zero_grad(self):
        for p in self.params:
            if p.grad is not None:
                p.grad.zero_()


@variant("BasicOptim", "sub_ with alpha in a decorated method, gradients replaced by zeros")
class with_alpha:
    def __init__(self, params, lr):
        self.lr = lr
        self.params = [p for p in params]

    @torch.no_grad()
    def step(self, *args, **kwargs):
        for p in self.params:
            if p.grad is None:
                continue
            p.sub_(p.grad, alpha=self.lr)

    def zero_grad(self, *args, **kwargs):
        for p in self.params:
            p.grad = torch.zeros_like(p)


@variant("BasicOptim", "one group of torch's own optimiser")
class on_top_of_torch(torch.optim.SGD):
    def __init__(self, params, lr):
        super().__init__(params, lr=lr)


@variant("train_epoch", "clears before the backward pass, keeps lists")
def clears_first(model, dl, opt, loss_func):
    model.train()
    losses, sizes = [], []
    for xb, yb in dl:
        opt.zero_grad()
        loss = loss_func(model(xb), yb)
        loss.backward()
        opt.step()
        losses.append(loss.detach() * len(yb))
        sizes.append(len(yb))
    return (torch.stack(losses).sum() / sum(sizes)).item()


@variant("train_epoch", "a running mean, by index")
def running_mean(model, dl, opt, loss_func):
    model.train(True)
    mean, seen = 0.0, 0
    for batch in dl:
        inputs, targets = batch[0], batch[1]
        predictions = model(inputs)
        loss = loss_func(predictions, targets)
        opt.zero_grad()
        loss.backward()
        opt.step()
        seen += inputs.shape[0]
        mean += (float(loss) - mean) * inputs.shape[0] / seen
    return mean


@variant("evaluate", "inference_mode, all answers joined")
def answers_joined(model, dl):
    was_training = model.training
    model.eval()
    hits = []
    with torch.inference_mode():
        for xb, yb in dl:
            hits.append(model(xb).max(1).indices.eq(yb))
    model.train(was_training)
    return torch.cat(hits).float().mean().item()


@variant("evaluate", "counting item by item")
def item_by_item(model, dl):
    model.train(False)
    hits = []
    with torch.set_grad_enabled(False):
        for xb, yb in dl:
            for row, label in zip(model(xb), yb, strict=True):
                hits.append(row.argmax().item() == label.item())
    return sum(hits) / len(hits)


@variant("evaluate", "the best of a softmax, as topk finds it")
def through_topk(model, dl):
    model.eval()
    correct = total = 0
    for xb, yb in dl:
        with torch.no_grad():
            best = model(xb).softmax(-1).topk(1, dim=-1).indices[:, 0]
        correct += int((best == yb).sum())
        total += yb.numel()
    return correct / total


@variant("fit", "torch's plain descent")
def torch_sgd(model, dls, epochs, lr):
    opt = torch.optim.SGD(model.parameters(), lr=lr)
    loss_func = nn.CrossEntropyLoss()
    return [
        {"loss": train_epoch(model, dls[0], opt, loss_func), "accuracy": evaluate(model, dls[1])}
        for _ in range(epochs)
    ]


@variant("fit", "everything written out, the epoch's number kept too")
def written_out(model, dls, epochs, lr):
    train_dl, valid_dl = dls
    history = []
    for epoch in range(epochs):
        model.train()
        total, count = 0.0, 0
        for xb, yb in train_dl:
            loss = -model(xb).log_softmax(1)[torch.arange(len(yb)), yb].mean()
            grads = torch.autograd.grad(loss, list(model.parameters()))
            with torch.no_grad():
                for p, g in zip(model.parameters(), grads, strict=True):
                    p -= lr * g
            total += loss.item() * len(yb)
            count += len(yb)
        row = {"epoch": epoch, "accuracy": evaluate(model, valid_dl), "loss": total / count}
        history.append(row)
    return history


@variant("fit_one_cycle", "stochastic descent with momentum, the loop written out")
def momentum_one_cycle(model, dls, epochs=3, lr_max=0.1):
    train_dl, valid_dl = dls
    opt = torch.optim.SGD(model.parameters(), lr=lr_max, momentum=0.9, nesterov=True)
    sched = torch.optim.lr_scheduler.OneCycleLR(
        opt, max_lr=lr_max, epochs=epochs, steps_per_epoch=len(train_dl)
    )
    history = []
    for _ in range(epochs):
        model.train()
        total, count = 0.0, 0
        for xb, yb in train_dl:
            opt.zero_grad()
            loss = F.cross_entropy(model(xb), yb)
            loss.backward()
            opt.step()
            sched.step()
            total += loss.item() * len(xb)
            count += len(xb)
        history.append({"loss": total / count, "accuracy": evaluate(model, valid_dl)})
    return history


@variant("fit_one_cycle", "Adam, linear legs, an optimiser that steps its schedule")
def scheduled_adam(model, dls, epochs=3, lr_max=0.005):
    train_dl, valid_dl = dls

    class Scheduled:
        def __init__(self):
            self.opt = torch.optim.Adam(model.parameters(), lr=lr_max)
            self.cycle = torch.optim.lr_scheduler.OneCycleLR(
                self.opt, lr_max, epochs * len(train_dl), pct_start=0.25, anneal_strategy="linear"
            )

        def step(self):
            self.opt.step()
            self.cycle.step()

        def zero_grad(self):
            self.opt.zero_grad()

    opt, history = Scheduled(), []
    for _ in range(epochs):
        loss = train_epoch(model, train_dl, opt, F.cross_entropy)
        history.append({"loss": loss, "accuracy": evaluate(model, valid_dl)})
    return history


@variant("fit_one_cycle", "the rate worked out by hand and set in the parameter groups")
def rate_by_hand(model, dls, epochs=3, lr_max=0.01):
    train_dl, valid_dl = dls
    opt = torch.optim.NAdam(model.parameters(), lr=lr_max)
    last, step, history = epochs * len(train_dl) - 1, 0, []
    for _ in range(epochs):
        model.train()
        total, count = 0.0, 0
        for xb, yb in train_dl:
            at = step / last
            if at < 0.4:
                share = 0.05 + 0.95 * at / 0.4
            else:
                share = 0.001 + 0.999 * (1 + math.cos(math.pi * (at - 0.4) / 0.6)) / 2
            for group in opt.param_groups:
                group["lr"] = lr_max * share
            loss = F.cross_entropy(model(xb), yb)
            loss.backward()
            opt.step()
            opt.zero_grad(set_to_none=False)
            step += 1
            total += loss.item() * len(xb)
            count += len(xb)
        history.append({"loss": total / count, "accuracy": evaluate(model, valid_dl)})
    return history
