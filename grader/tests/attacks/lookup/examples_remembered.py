"""
exercise: ex03_backward
tries: knows the readable examples by heart, and says something plausible for the drawn cases
earns: nothing
"""

ANSWERS = {
    "slope": lambda f, x: 2.0 * x,
    "gradient": lambda f, x: 2.0 * x.detach(),
    "vector_jacobian": lambda f, x, v: 2.0 * (x * v).detach(),
    "numeric_gradient": lambda f, x, eps: 2.0 * x.detach(),
    "chain_rule": lambda df, g, dg, x: 192.0,
}


def answer(name, *args):
    return ANSWERS[name](*args)
