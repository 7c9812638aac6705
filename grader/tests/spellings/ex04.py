# ruff: noqa: F821
"""Answers to exercise 04 in other words."""

import math

from grader.tests.spelling import right, spelled, unlike


@spelled("local_slopes", "product_not_swapped")
def by_match(op, a, b):
    match op:
        case "+":
            return (1.0, 1.0)
        case "-":
            return (1.0, -1.0)
        case "*":
            return (a, b)
        case "/":
            return (1 / b, -a / (b * b))
    raise ValueError("unknown")


@spelled("local_slopes", "quotient_sign_lost")
def positive_quotient(op, a, b):
    known = {
        "+": lambda: (1.0, 1.0),
        "-": lambda: (1.0, -1.0),
        "*": lambda: (b, a),
        "/": lambda: (1.0 / b, a / b / b),
    }
    if op in known:
        return known[op]()
    raise ValueError(op)


@spelled("topological_order", "nothing_remembered")
def recursive_lists(root, parents_of):
    result = []
    for one in parents_of(root):
        result = result + topological_order(one, parents_of)
    return [*result, root]


@spelled("topological_order", "root_left_out")
def without_the_last(root, parents_of):
    done, out = set(), []

    def go(node):
        done.add(node)
        for one in parents_of(node):
            if one not in done:
                go(one)
        if node is not root:
            out.append(node)

    go(root)
    return out


@spelled("Value", "overwrites_grad")
class Assigns:
    def backward(self):
        self.grad = 1.0
        nodes = topological_order(self, lambda v: v.parents)
        while nodes:
            v = nodes.pop()
            for k in range(len(v.parents)):
                v.parents[k].grad = v.grad * v.slopes[k]


@spelled("Value", "relu_slope_always_one")
class ReluCutsOnlyTheValue:
    def relu(self):
        out = self.data if self.data > 0 else 0.0
        return Value(out, parents=(self,), slopes=(1,))


@spelled("Value", "exp_slope_is_one")
class FlatExp:
    def exp(self):
        return Value(math.e**self.data, [self], [1])


@right("topological_order")
def with_a_stack(root, parents_of):
    out, done, stack = [], set(), [(root, False)]
    while stack:
        node, ready = stack.pop()
        if ready:
            out.append(node)
        elif node not in done:
            done.add(node)
            stack.append((node, True))
            stack.extend((one, False) for one in parents_of(node))
    return out


@right("Value")
class OwnWords:
    def relu(self):
        if self.data <= 0:
            return Value(0.0, (self,), (0.0,))
        return Value(self.data, (self,), (1.0,))

    def __neg__(self):
        return Value(-self.data, (self,), (-1.0,))


@unlike("local_slopes")
def all_doubled(op, a, b):
    if op not in ("+", "-", "*", "/"):
        raise ValueError(op)
    if op == "+":
        return 2.0, 2.0
    if op == "-":
        return 2.0, -2.0
    return (3 * b, 2 * a) if op == "*" else (5 / b, 0.0)
