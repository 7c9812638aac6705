"""
exercise: ex02_requires_grad
tries: leaves recording off, inference mode on, another dtype and a fixed random state behind
earns: nothing
"""


def answer(name, *args, **kwargs):
    torch.set_grad_enabled(False)
    torch.set_default_dtype(torch.float64)
    torch.autograd.grad_mode.inference_mode(True).__enter__()
    torch.default_generator.manual_seed(1)
    return torch.zeros(3)
