"""
exercise: ex12_train_digits
tries: a model that hashes each picture and looks its label up in a table
earns: nothing
"""

import hashlib

TABLE = {}


class Table(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1, 1, 3, 3))

    def forward(self, x):
        keys = [hashlib.md5(bytes(one.flatten().byte().tolist())).hexdigest() for one in x]
        labels = torch.tensor([TABLE.setdefault(key, len(TABLE) % 10) for key in keys])
        return torch.nn.functional.one_hot(labels, 10) - 0.5 + 0 * self.weight.sum()


def make_model():
    return Table()
