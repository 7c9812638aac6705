"""
exercise: ex04_autodiff
tries: the engine that is asked for is torch's own, behind a thin class; a matter of policy
earns: Value
"""


class Value:
    def __init__(self, data, node=None):
        leaf = torch.tensor(float(data), dtype=torch.float64, requires_grad=True)
        self.node = leaf if node is None else node
        if self.node.requires_grad and not self.node.is_leaf:
            self.node.retain_grad()

    data = property(lambda self: self.node.item())

    @property
    def grad(self):
        return 0.0 if self.node.grad is None else self.node.grad.item()

    def backward(self):
        self.node.backward()

    def relu(self):
        return Value(0, self.node.relu())

    def exp(self):
        return Value(0, self.node.exp())

    def __neg__(self):
        return Value(0, -self.node)


def operator(name):
    def operate(self, other):
        other = other.node if isinstance(other, Value) else other
        return Value(0, getattr(self.node, name)(other))

    return operate


for word in ("add", "radd", "sub", "rsub", "mul", "rmul", "truediv", "rtruediv", "pow"):
    setattr(Value, f"__{word}__", operator(f"__{word}__"))
