"""Exercise 04, autodiff: a reverse-mode engine for single numbers, in three parts.

The slopes of one operation; a row of nodes in which each stands after its parents; and a class
`Value` whose `backward()` agrees with torch on every graph: reused nodes, long chains, numbers on
either side. What happens at a second `backward()` and the slope of relu at 0 are left open.
"""

import pytest
import torch

from grader import expect
from grader.recorder import beside


@pytest.mark.task("local_slopes", points=2)
class TestLocalSlopes:
    """How fast a op b moves with a, and with b."""

    def test_example(self, ex):
        check_slopes(ex.local_slopes("*", 3.0, 2.0), 2.0, 3.0)

    def test_drawn_products(self, ex, rng):
        a, b = rng.number(1, 3), rng.number(-3, -1)
        check_slopes(ex.local_slopes("*", a, b), b, a)

    def test_drawn_sums_and_differences(self, ex, rng):
        a, b = rng.number(1, 3), rng.number(-3, -1)
        check_slopes(ex.local_slopes("+", a, b), 1.0, 1.0)
        check_slopes(ex.local_slopes("-", a, b), 1.0, -1.0)

    def test_drawn_quotients(self, ex, rng):
        a, b = rng.number(2, 3), rng.number(0.4, 0.8)
        check_slopes(ex.local_slopes("/", a, b), 1 / b, -a / (b * b))
        check_slopes(ex.local_slopes("/", a, -b), -1 / b, -a / (b * b))

    def test_second_operand_zero(self, ex):
        check_slopes(ex.local_slopes("+", 3.0, 0.0), 1.0, 1.0)
        check_slopes(ex.local_slopes("-", 3.0, 0.0), 1.0, -1.0)
        check_slopes(ex.local_slopes("*", 3.0, 0.0), 0.0, 3.0)

    def test_unknown_operation(self, ex):
        with expect.raises(ValueError):
            ex.local_slopes("%", 3.0, 2.0)


@pytest.mark.task("topological_order", points=3)
class TestTopologicalOrder:
    """Each node once, after all its parents; any such order is right."""

    def test_example(self, ex):
        graph = {"e": ["c", "a"], "c": ["a", "b"], "a": [], "b": []}
        check_order(ex.topological_order("e", parents_in(graph)), "e", graph)

    def test_drawn_graphs(self, ex, rng):
        for _ in range(5):
            graph = draw_parents(rng)
            root = rows(graph)[-1]
            check_order(ex.topological_order(root, parents_in(graph)), root, graph)

    def test_drawn_root_within_a_graph(self, ex, rng):
        # What is computed from the root is no part of the answer.
        graph = draw_parents(rng)
        root = rows(graph)[-3]
        check_order(ex.topological_order(root, parents_in(graph)), root, graph)

    def test_long_and_short_way(self, ex):
        # Level by level from the root, x comes too early: it is a parent of the root as well as
        # a grandparent. The mirror image follows, for a walk that takes the parents from the end.
        for first, second in (("x", "y"), ("y", "x")):
            graph = {"out": [first, second], "y": ["z"], "z": ["x"], "x": []}
            check_order(ex.topological_order("out", parents_in(graph)), "out", graph)

    def test_parent_named_twice(self, ex):
        graph = {"square": ["a", "a"], "a": []}
        check_order(ex.topological_order("square", parents_in(graph)), "square", graph)

    def test_leaf(self, ex):
        check_order(ex.topological_order("a", parents_in({"a": []})), "a", {"a": []})

    def test_second_call(self, ex):
        graph = {"e": ["c", "a"], "c": ["a", "b"], "a": [], "b": []}
        ex.topological_order("e", parents_in(graph))
        check_order(ex.topological_order("c", parents_in(graph)), "c", graph)

    def test_numbers_as_nodes(self, ex):
        # 0 is a node like any other.
        graph = {2: (1, 0), 1: (0,), 0: ()}
        check_order(ex.topological_order(2, parents_in(graph)), 2, graph)

    def test_far_more_paths_than_nodes(self, ex):
        # 25 nodes, but 2**12 paths from the root to the leaf. Whoever asks for the parents of each
        # node again and again on every path needs thousands of questions.
        graph = {"0a": [], "0b": []}
        for level in range(1, 12):
            for side in "ab":
                graph[f"{level}{side}"] = [f"{level - 1}a", f"{level - 1}b"]
        graph["top"] = ["11a", "11b"]
        parents_of = parents_in(graph)
        check_order(ex.topological_order("top", parents_of), "top", graph)
        asked = len(parents_of.calls)
        expect.that(
            asked <= 2500,
            "each node visited once, not once for each path that leads to it",
            got=f"{asked} questions for the parents of {len(graph)} nodes",
            what="calls of parents_of",
        )

    def test_chain_of_hundreds(self, ex):
        graph = {0: []} | {node: [node - 1] for node in range(1, 300)}
        check_order(ex.topological_order(299, parents_in(graph)), 299, graph)


@pytest.mark.task("Value", points=4)
class TestValue:
    """The same data and gradients as torch, whatever the graph."""

    def test_example(self, ex):
        a, b = ex.Value(2.0), ex.Value(-3.0)
        e = a * b + a
        expect.close(read(e, "data", "a * b + a"), -4.0, what="(a * b + a).data")
        e.backward()
        expect.close(read(a, "grad", "a"), -2.0, what="a.grad after (a * b + a).backward()")
        expect.close(read(b, "grad", "b"), 2.0, what="b.grad after (a * b + a).backward()")

    def test_drawn_sums_and_products(self, ex, rng):
        numbers = [rng.number() for _ in range(3)]
        check(ex, "a + b", lambda a, b, c: a + b, numbers)
        check(ex, "a * b", lambda a, b, c: a * b, numbers)
        check(ex, "(a + b) * c + a", lambda a, b, c: (a + b) * c + a, numbers)

    def test_drawn_differences(self, ex, rng):
        numbers = [rng.number() for _ in range(3)]
        check(ex, "a - b", lambda a, b, c: a - b, numbers)
        check(ex, "-a", lambda a, b, c: -a, numbers)
        check(ex, "-(a - b) * c - b", lambda a, b, c: -(a - b) * c - b, numbers)

    def test_drawn_quotients(self, ex, rng):
        numbers = [rng.number(2, 3), rng.number(-0.8, -0.4), rng.number()]
        check(ex, "a / b", lambda a, b, c: a / b, numbers)
        check(ex, "a * c / b / a", lambda a, b, c: a * c / b / a, numbers)

    def test_drawn_powers(self, ex, rng):
        numbers = [rng.number(1.2, 3), rng.number(-3, -1.2)]
        check(ex, "a ** 3 * b", lambda a, b: a**3 * b, numbers)
        check(ex, "b ** 2 + a", lambda a, b: b**2 + a, numbers)
        check(ex, "a ** 0.5 * b ** -1", lambda a, b: a**0.5 * b**-1, numbers)
        check(ex, "(a * b) ** 3", lambda a, b: (a * b) ** 3, numbers)

    def test_power_of_zero(self, ex):
        check(ex, "a ** 2 + b", lambda a, b: a**2 + b, [0.0, 1.5])

    def test_drawn_relu(self, ex, rng):
        above, below = rng.number(1.2, 3), rng.number(-3, -1.2)
        check(ex, "(a * b).relu()", lambda a, b: (a * b).relu(), [above, 0.25])
        check(ex, "(a * b).relu()", lambda a, b: (a * b).relu(), [below, 0.25])
        check(ex, "a.relu() * b + b.relu()", lambda a, b: a.relu() * b + b.relu(), [above, below])
        check(ex, "a.relu() * b + b.relu()", lambda a, b: a.relu() * b + b.relu(), [below, above])

    def test_drawn_exp(self, ex, rng):
        numbers = [rng.number(0.3, 1.5), rng.number(-1.5, -0.3)]
        check(ex, "a.exp()", lambda a, b: a.exp(), numbers)
        check(ex, "b.exp() * a", lambda a, b: b.exp() * a, numbers)
        check(ex, "(a * b).exp()", lambda a, b: (a * b).exp(), numbers)

    def test_drawn_numbers_on_the_right(self, ex, rng):
        a, k = rng.number(), rng.number(1.2, 3)
        check(ex, f"a + {k}", lambda a: a + k, [a])
        check(ex, f"a - {k}", lambda a: a - k, [a])
        check(ex, f"a * {k}", lambda a: a * k, [a])
        check(ex, f"a / {k}", lambda a: a / k, [a])
        check(ex, "a * 0 - 3", lambda a: a * 0 - 3, [a])

    def test_drawn_numbers_on_the_left(self, ex, rng):
        a, k = rng.number(), rng.number(1.2, 3)
        check(ex, f"{k} + a", lambda a: k + a, [a])
        check(ex, f"{k} - a", lambda a: k - a, [a])
        check(ex, f"{k} * a", lambda a: k * a, [a])
        check(ex, f"{k} / a", lambda a: k / a, [a])
        check(ex, "3 - 0 * a", lambda a: 3 - 0 * a, [a])

    def test_drawn_reused_operands(self, ex, rng):
        # Each use of a value counts, also when both operands are one and the same.
        numbers = [rng.number()]
        check(ex, "a + a", lambda a: a + a, numbers)
        check(ex, "a * a * a", lambda a: a * a * a, numbers)
        check(ex, "a - a / a", lambda a: a - a / a, numbers)

    def test_drawn_order(self, ex, rng):
        # The inner square is reached by a short and a long way: it must have its whole gradient
        # before it passes any of it on, from whichever side the walk begins.
        numbers = [rng.number()]

        def short_first(a):
            inner = a * a
            outer = inner * inner * a
            return inner + outer * inner

        def long_first(a):
            inner = a * a
            outer = a * inner * inner
            return inner * outer + inner

        check(ex, "s + s * s * a * s, where s = a * a", short_first, numbers)
        check(ex, "s * (a * s * s) + s, where s = a * a", long_first, numbers)

    def test_drawn_long_way(self, ex, rng):
        # Level by level, the square passes on its gradient too early; depth first from the left
        # comes to it last.
        numbers = [rng.number()]

        def long_way_left(a):
            inner = a * a
            return inner * 2 * 3 + inner

        check(ex, "s * 2 * 3 + s, where s = a * a", long_way_left, numbers)

    def test_drawn_graphs(self, ex, rng):
        for _ in range(3):
            check_graph(ex, *draw_graph(rng))

    def test_before_backward(self, ex):
        a, b = ex.Value(2.0), ex.Value(3)
        expect.close(read(b, "data", "Value(3)"), 3.0, what="Value(3).data")
        for name, result in (("a + b", a + b), ("a * b", a * b), ("a - b", a - b), ("-a", -a)):
            expect.close(read(result, "grad", name), 0.0, what=f"({name}).grad before backward()")
        expect.close(read(a, "data", "a"), 2.0, what="a.data after a + b, a * b, a - b, -a")
        expect.close(read(b, "data", "b"), 3.0, what="b.data after a + b, a * b, a - b, -a")
        expect.close(read(a, "grad", "a"), 0.0, what="a.grad before backward()")

    def test_backward_of_a_leaf(self, ex):
        a = ex.Value(5.0)
        a.backward()
        expect.close(read(a, "grad", "a"), 1.0, what="a.grad after a.backward()")

    def test_backward_from_an_inner_value(self, ex):
        a, b = ex.Value(2.0), ex.Value(-3.0)
        inner = a * b
        outer = inner * b
        read(inner, "data", "a * b")
        inner.backward()
        where = "after inner.backward(), where inner = a * b, outer = inner * b"
        expect.close(read(inner, "grad", "inner"), 1.0, what=f"inner.grad {where}")
        expect.close(read(a, "grad", "a"), -3.0, what=f"a.grad {where}")
        expect.close(read(b, "grad", "b"), 2.0, what=f"b.grad {where}")
        expect.close(read(outer, "grad", "outer"), 0.0, what=f"outer.grad {where}")

    def test_chain_of_hundreds(self, ex):
        a = ex.Value(2.0)
        total = beside(ex, sum)([a] * 300, a)
        read(total, "data", "a + a + … + a")
        total.backward()
        expect.close(read(a, "grad", "a"), 301.0, what="a.grad after 300 additions of a")

    @pytest.mark.timeout(5)
    def test_far_more_paths_than_nodes(self, ex):
        # 60 doublings: 2**60 paths lead from the result to a. Whoever walks them one by one does
        # not come back; node by node it is a thousandth of a second.
        a = ex.Value(2.0)
        total = a
        for _ in range(60):
            total = total + total
        read(total, "data", "a doubled 60 times")
        total.backward()
        expect.close(read(a, "grad", "a"), 2.0**60, what="a.grad after 60 doublings of a")


def check_slopes(got, by_a, by_b):
    one, other = expect.unpack(got, 2, what="(slope by a, slope by b)")
    expect.close(one, by_a, what="the slope by a")
    expect.close(other, by_b, what="the slope by b")


def parents_in(graph):
    """The graph as a function, with a name that shows it."""
    return expect.spy(graph.get, name=f"{graph}.get")


def rows(graph):
    """The nodes of a drawn graph, each after its parents."""
    return list(graph)


def draw_parents(rng):
    """A graph of ten nodes with one to three parents each, drawn among those before."""
    names = rng.shuffled("abcdefghij")
    graph = {names[0]: [], names[1]: []}
    for index in range(2, len(names)):
        # The one just before is among the parents: long ways beside short ones.
        others = [names[rng.integer(0, index - 1)] for _ in range(rng.integer(0, 2))]
        graph[names[index]] = rng.shuffled([names[index - 1], *others])
    return graph


def check_order(got, root, graph):
    needed, new = {root}, [root]
    while new:
        new = [parent for node in new for parent in graph[node] if parent not in needed]
        needed.update(new)
    expect.instance(got, list)
    text = f"each of the {len(needed)} nodes that {root!r} depends on, itself included, once"
    expect.that(len(got) == len(needed) and all(node in got for node in needed), text, got=got)
    for node in got:
        for parent in graph[node]:
            early = f"{parent!r} before {node!r}, which is computed from it"
            expect.that(got.index(parent) < got.index(node), early, got=got)


MISSING = object()


def read(value, name, text):
    """value.data or value.grad, if what an operation gave back has such a thing."""
    found = getattr(value, name, MISSING)
    expect.that(found is not MISSING, f"a Value, with .{name}", got=value, what=text)
    return found


def check(ex, text, formula, numbers):
    """Work out a formula with Values and with torch: data and all gradients are the same."""
    leaves = [leaf(number) for number in numbers]
    result = formula(*leaves)
    result.backward()
    data = result.item()
    grads = [0.0 if one.grad is None else one.grad.item() for one in leaves]

    at = ", ".join(f"{name} = {number}" for name, number in zip("abc", numbers, strict=False))
    values = [ex.Value(number) for number in numbers]
    got = formula(*values)
    expect.close(read(got, "data", text), data, what=f"({text}).data at {at}")
    got.backward()
    expect.close(read(got, "grad", text), 1.0, what=f"({text}).grad after its backward()")
    for name, value, grad in zip("abc", values, grads, strict=False):
        what = f"{name}.grad after ({text}).backward() at {at}"
        expect.close(read(value, "grad", name), grad, what=what)


def leaf(number):
    return torch.tensor(number, dtype=torch.float64, requires_grad=True)


# The moves of a drawn graph: how each is written, and what it does with two nodes and a number.
MOVES = [
    ("{x} + {y}", lambda x, y, k: x + y),
    ("{x} - {y}", lambda x, y, k: x - y),
    ("{x} * {y}", lambda x, y, k: x * y),
    ("{x} / {y}", lambda x, y, k: x / y),
    ("-{x}", lambda x, y, k: -x),
    ("{x} ** 2", lambda x, y, k: x**2),
    ("{x} ** -1", lambda x, y, k: x**-1),
    ("{x}.exp()", lambda x, y, k: x.exp()),
    ("{x}.relu()", lambda x, y, k: x.relu()),
    ("{k} - {x}", lambda x, y, k: k - x),
    ("{k} / {x}", lambda x, y, k: k / x),
    ("{x} * {k}", lambda x, y, k: x * k),
]


def draw_graph(rng):
    """Two leaves and seven moves, none of which gives a number near 0 or far from it."""
    numbers = [rng.number(0.4, 2), rng.number(-2, -0.4)]
    nodes = [leaf(number) for number in numbers]
    moves = []
    while len(moves) < 7:
        i, j = rng.integer(0, len(nodes) - 1), rng.integer(0, len(nodes) - 1)
        k = rng.number()
        text, move = rng.choice(MOVES)
        node = move(nodes[i], nodes[j], k)
        if 0.1 < abs(node.item()) < 10:
            text = f"x{len(nodes)} = " + text.format(x=f"x{i}", y=f"x{j}", k=k)
            moves.append((text, move, i, j, k))
            nodes.append(node)
    return numbers, moves


def check_graph(ex, numbers, moves):
    """Replay the moves with torch, then with Values; the result is the sum of all nodes."""
    nodes = [leaf(number) for number in numbers]
    for _, move, i, j, k in moves:
        nodes.append(move(nodes[i], nodes[j], k))
        nodes[-1].retain_grad()
    sum(nodes).backward()

    values = [ex.Value(number) for number in numbers]
    texts = [f"x{index} = {number}" for index, number in enumerate(numbers)]
    for text, move, i, j, k in moves:
        values.append(move(values[i], values[j], k))
        texts.append(text)
        name, so_far = f"x{len(values) - 1}", "; ".join(texts)
        got = read(values[-1], "data", name)
        expect.close(got, nodes[len(values) - 1].item(), what=f"{name}.data where {so_far}")
    result = values[0]
    for value in values[1:]:
        result = result + value
    read(result, "data", "the sum of all")
    result.backward()
    for index, (value, node) in enumerate(zip(values, nodes, strict=True)):
        what = f"x{index}.grad after backward() of the sum of all, where {'; '.join(texts)}"
        expect.close(read(value, "grad", f"x{index}"), node.grad.item(), what=what)
