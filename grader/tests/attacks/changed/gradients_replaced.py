"""
exercise: ex05_lr_step
tries: instead of a step, makes the gradients zero so that where it stands is where to go
earns: nothing
"""


def step(params, lr):
    for p in params:
        if p.grad is not None:
            p.grad.zero_()
            p.grad = None
