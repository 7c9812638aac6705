"""Exercises 3 and 4: what backward walks over, a graph with a slope on every node."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass

from grader.pictures import Picture, style


@dataclass
class Node:
    """A box of the graph: where it lies, and what stands in it."""

    label: str
    parents: list[Hashable]
    leaf: bool


def ex03(ex) -> Picture:
    """torch's graph of a small expression; the slopes at the leaves are the learner's `slope`."""
    import torch

    at = {"a": 2.0, "b": -3.0}

    def expression(a, b):
        return (a * b + a) ** 2

    leaves = {name: torch.tensor(value, requires_grad=True) for name, value in at.items()}
    result = expression(**leaves)
    slopes = {
        "a": ex.slope(lambda a: expression(a, torch.tensor(at["b"])), at["a"]),
        "b": ex.slope(lambda b: expression(torch.tensor(at["a"]), b), at["b"]),
    }
    owner = {id(leaf): name for name, leaf in leaves.items()}

    def describe(step) -> Node:
        leaf = getattr(step, "variable", None)
        if leaf is not None:
            name = owner[id(leaf)]
            return Node(f"{name} = {at[name]:g}\nslope {slopes[name]:g}", [], True)
        name = type(step).__name__.removesuffix("0").removesuffix("Backward")
        return Node(name, [parent for parent, _ in step.next_functions if parent], False)

    words = ", ".join(f"{name} {slope:g}" for name, slope in slopes.items())
    return _picture(
        result.grad_fn,
        describe,
        f"y = (a·b + a)² = {result.item():g}, as torch keeps it",
        f"The graph of y = (a·b + a)² from its leaves a and b to the result; slopes: {words}.",
    )


def ex04(ex) -> Picture:
    """The graph of the learner's own `Value`s, with the gradients that its backward left."""
    a, b = ex.Value(2.0), ex.Value(-3.0)
    result = a * b + a
    result = result * result
    result.backward()
    names = {id(a): "a", id(b): "b", id(result): "y"}

    def describe(value) -> Node:
        name = names.get(id(value), "")
        text = f"{name} = {value.data:g}" if name else f"{value.data:g}"
        return Node(f"{text}\ngrad {value.grad:g}", list(value.parents), not value.parents)

    return _picture(
        result,
        describe,
        "y = (a·b + a)², as your Value keeps it",
        f"The graph of y = (a·b + a)² made of Values: y = {result.data:g}, its gradient by a is "
        f"{a.grad:g} and by b is {b.grad:g}.",
    )


def _picture(root, describe: Callable[[Hashable], Node], title: str, alt: str) -> Picture:
    nodes = _walk(root, describe)
    places = _places(nodes)
    figure = style.figure(9, 4)
    axes = figure.subplots()
    axes.set_title(title)
    axes.set_axis_off()
    for key, node in nodes.items():
        for parent in node.parents:
            arrow = {"arrowstyle": "-|>", "color": style.GREY, "shrinkA": 24, "shrinkB": 30}
            axes.annotate("", places[key], places[parent], arrowprops=arrow)
    for key, node in nodes.items():
        colour = style.BLUE if node.leaf else style.GREY
        box = {"boxstyle": "round,pad=0.5", "facecolor": "white", "edgecolor": colour, "lw": 2}
        axes.text(*places[key], node.label, ha="center", va="center", bbox=box)
    across, down = zip(*places.values(), strict=True)
    axes.set_xlim(min(across) - 0.5, max(across) + 0.5)
    axes.set_ylim(min(down) - 0.6, max(down) + 0.6)
    return Picture(figure, alt)


def _walk(root, describe: Callable[[Hashable], Node]) -> dict[Hashable, Node]:
    """Every node once, parents before what is computed from them."""
    nodes: dict[Hashable, Node] = {}

    def visit(key) -> None:
        if key not in nodes:
            node = describe(key)
            for parent in node.parents:
                visit(parent)
            nodes[key] = node

    visit(root)
    return nodes


def _places(nodes: dict[Hashable, Node]) -> dict[Hashable, tuple[float, float]]:
    """From left to right by the longest way from a leaf, one below the other in a column."""
    column: dict[Hashable, int] = {}
    rows: dict[int, list[Hashable]] = {}
    for key, node in nodes.items():
        column[key] = 1 + max((column[parent] for parent in node.parents), default=-1)
        rows.setdefault(column[key], []).append(key)
    return {
        key: (float(column[key]), (len(keys) - 1) / 2 - row)
        for keys in rows.values()
        for row, key in enumerate(keys)
    }
