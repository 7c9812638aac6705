"""
exercise: ex03_backward
tries: asks the judge question after question instead of answering
earns: nothing
cost: a timeout for each task
"""


def answer(name, f, *args, **kwargs):
    while True:
        try:
            f(torch.ones(2))
        except Exception:
            continue
