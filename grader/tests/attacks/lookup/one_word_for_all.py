"""
exercise: ex05_lr_step
tries: knows the three readable cases by heart and says "good" to everything else
earns: nothing
"""

SEEN = {(4.0, 2.5, 1.1): "good", (4.0, 3.99, 3.98): "too small", (4.0, 9.0, 20.3): "diverging"}


def diagnose_lr(losses):
    return SEEN.get(tuple(losses), "good")
