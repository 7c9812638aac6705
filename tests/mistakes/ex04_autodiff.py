"""Wrong answers to exercise 04, each with what its author should read."""

import math

from grader.bank import mistake


@mistake(
    "local_slopes",
    "For a product each slope is the operand itself here. Which of the two is the constant factor "
    "when the other one moves?",
)
def product_not_swapped(op, a, b):
    if op == "*":
        return a, b
    return Reference(op, a, b)


@mistake(
    "local_slopes",
    "The slope of a quotient by its second operand comes out positive. When the divisor of a "
    "positive number grows, which way does the result go?",
)
def quotient_sign_lost(op, a, b):
    if op == "/":
        return 1 / b, a / b**2
    return Reference(op, a, b)


@mistake(
    "local_slopes",
    "The slope of a quotient by its second operand does not hold the first operand here. The "
    "constant factor a stays when one over b is differentiated.",
)
def quotient_without_the_numerator(op, a, b):
    if op == "/":
        return 1 / b, -1 / b**2
    return Reference(op, a, b)


@mistake(
    "local_slopes",
    "The slope of a quotient by its second operand is divided by b once only. Differentiate one "
    "over b again: which power of b stands below the line?",
)
def quotient_not_squared(op, a, b):
    if op == "/":
        return 1 / b, -a / b
    return Reference(op, a, b)


@mistake(
    "local_slopes",
    "A quotient is given the slopes of a product with the divisor's place taken by b. By the first "
    "operand it is a / b = a · (1 / b): what is the constant factor?",
)
def quotient_like_a_product(op, a, b):
    if op == "/":
        return b, -a / b**2
    return Reference(op, a, b)


@mistake(
    "local_slopes",
    "A difference has the slopes of a sum here. What does a - b do when b grows?",
)
def difference_like_a_sum(op, a, b):
    if op in ("+", "-"):
        return 1.0, 1.0
    return Reference(op, a, b)


@mistake(
    "local_slopes",
    "The two slopes stand in each other's place: the slope by a comes first, then the slope by b.",
)
def slopes_swapped(op, a, b):
    by_a, by_b = Reference(op, a, b)
    return by_b, by_a


@mistake(
    "local_slopes",
    "A sum is given its operands as slopes. When a moves by a little and b stays, by how much does "
    "a + b move?",
)
def sum_gives_its_operands(op, a, b):
    if op == "+":
        return a, b
    return Reference(op, a, b)


@mistake(
    "local_slopes",
    "One number comes back for two operands. The result can move differently with a and with b, so "
    "each has a slope of its own.",
)
def one_slope_only(op, a, b):
    return Reference(op, a, b)[0]


@mistake(
    "local_slopes",
    "The result of the operation comes back. What is asked for is how fast that result moves with "
    "each operand.",
)
def result_not_slopes(op, a, b):
    if op == "+":
        return a + b
    if op == "-":
        return a - b
    if op == "*":
        return a * b
    if op == "/":
        return a / b
    raise ValueError(op)


@mistake(
    "local_slopes",
    "An operation that is not known gets slopes, or None, without a word. Say so with a "
    "ValueError: a wrong gradient is harder to find than an error.",
)
def unknown_operation_let_through(op, a, b):
    if op == "+":
        return 1.0, 1.0
    if op == "-":
        return 1.0, -1.0
    if op == "*":
        return b, a
    if op == "/":
        return 1 / b, -a / b**2


@mistake(
    "local_slopes",
    "All four answers are worked out before one is chosen, and with b = 0 the division among them "
    "fails even for a sum. Divide only when a division is asked for.",
    crashes=True,
)
def table_divides_always(op, a, b):
    table = {"+": (1.0, 1.0), "-": (1.0, -1.0), "*": (b, a), "/": (1 / b, -a / b**2)}
    if op not in table:
        raise ValueError(op)
    return table[op]


@mistake(
    "local_slopes",
    "These slopes are rises measured over a small step, so they are a little off. The exact ones "
    "follow from the rules for sums, products and quotients.",
)
def slopes_measured(op, a, b):
    rules = {
        "+": lambda x, y: x + y,
        "-": lambda x, y: x - y,
        "*": lambda x, y: x * y,
        "/": lambda x, y: x / y,
    }
    if op not in rules:
        raise ValueError(op)
    f, h = rules[op], 1e-2
    return (f(a + h, b) - f(a, b)) / h, (f(a, b + h) - f(a, b)) / h


@mistake(
    "topological_order",
    "The root comes first and the leaves last. Here every node has to stand after its parents; "
    "when may a node enter the list?",
)
def root_first(root, parents_of):
    order, seen = [], set()

    def visit(node):
        if node not in seen:
            seen.add(node)
            order.append(node)
            for parent in parents_of(node):
                visit(parent)

    visit(root)
    return order


@mistake(
    "topological_order",
    "The right order comes back reversed, from the root to the leaves. The list asked for has the "
    "leaves first; backward() turns it around itself.",
)
def already_reversed(root, parents_of):
    return Reference(root, parents_of)[::-1]


@mistake(
    "topological_order",
    "The nodes are listed as a walk from the root first meets them, turned around at the end. A "
    "node that is met early may still be a parent of one met later; it has to wait for its own "
    "parents, not for its turn.",
)
def first_meeting_turned_around(root, parents_of):
    order, seen = [], set()

    def visit(node):
        if node not in seen:
            seen.add(node)
            order.append(node)
            for parent in parents_of(node):
                visit(parent)

    visit(root)
    return order[::-1]


@mistake(
    "topological_order",
    "The nodes are listed by their shortest distance from the root, level by level. A node reached "
    "by a short and a long way then stands after one that is computed from it.",
)
def level_by_level(root, parents_of):
    order, seen = [root], {root}
    for node in order:
        for parent in parents_of(node):
            if parent not in seen:
                seen.add(parent)
                order.append(parent)
    return order[::-1]


@mistake(
    "topological_order",
    "A node that is used twice is listed twice. Remember which nodes were visited, and pass them "
    "by the next time.",
)
def nothing_remembered(root, parents_of):
    order = []

    def visit(node):
        for parent in parents_of(node):
            visit(parent)
        order.append(node)

    visit(root)
    return order


@mistake(
    "topological_order",
    "The list is right, but the walk goes down every path again and drops repeated nodes only at "
    "the end. The number of paths doubles with each layer: leave a visited node at once.",
)
def every_path_walked(root, parents_of):
    order = []

    def visit(node):
        for parent in parents_of(node):
            visit(parent)
        if node not in order:
            order.append(node)

    visit(root)
    return order


@mistake(
    "topological_order",
    "The root is missing from the list. It depends on all the others, so it is the last.",
)
def root_left_out(root, parents_of):
    return Reference(root, parents_of)[:-1]


@mistake(
    "topological_order",
    "Only the root and its direct parents are listed. The parents have parents, too.",
)
def one_level_only(root, parents_of):
    order = []
    for parent in parents_of(root):
        if parent not in order:
            order.append(parent)
    return [*order, root]


@mistake(
    "topological_order",
    "Only the nodes without parents are listed, and the root. Every node on the way in between "
    "belongs in the row as well.",
)
def leaves_and_root(root, parents_of):
    order = Reference(root, parents_of)
    return [node for node in order if node == root or not parents_of(node)]


@mistake(
    "topological_order",
    "Only the first parent of each node is followed. A node can be computed from several.",
)
def first_parent_only(root, parents_of):
    order, node = [root], root
    while parents_of(node):
        node = parents_of(node)[0]
        order.append(node)
    return order[::-1]


@mistake(
    "topological_order",
    "A node that counts as false, such as the number 0, is passed over. Ask whether it was seen, "
    "not whether it is true.",
)
def false_nodes_dropped(root, parents_of):
    order, seen = [], set()

    def visit(node):
        if node and node not in seen:
            seen.add(node)
            for parent in parents_of(node):
                visit(parent)
            order.append(node)

    visit(root)
    return order


@mistake(
    "topological_order",
    "The nodes come back as a set, which has no order at all. A list keeps the order in which "
    "they were put in.",
)
def set_not_list(root, parents_of):
    return set(Reference(root, parents_of))


@mistake(
    "Value",
    "Each gradient that arrives overwrites the one before. A value that is used more than once "
    "collects from all its uses: the gradients of all paths add up.",
)
class overwrites_grad(Reference):
    def backward(self):
        self.grad = 1.0
        for node in reversed(topological_order(self, lambda value: value.parents)):
            for parent, slope in zip(node.parents, node.slopes, strict=True):
                parent.grad = slope * node.grad


@mistake(
    "Value",
    "A value used twice by one operation, as in a * a, is served once. Each use is an arrow of its "
    "own with a slope of its own, and both count.",
)
class same_operand_served_once(Reference):
    def backward(self):
        self.grad = 1.0
        for node in reversed(topological_order(self, lambda value: value.parents)):
            arrows = dict(zip(node.parents, node.slopes, strict=True))
            for parent, slope in arrows.items():
                parent.grad += slope * node.grad


@mistake(
    "Value",
    "The walk goes depth first and visits each node when it first meets it, so a node can pass on "
    "its gradient before all of it has arrived. Everything computed from a node comes before it.",
)
class passed_on_too_early(Reference):
    def backward(self):
        self.grad, seen = 1.0, set()

        def visit(node):
            if node in seen:
                return
            seen.add(node)
            for parent, slope in zip(node.parents, node.slopes, strict=True):
                parent.grad += slope * node.grad
            for parent in node.parents:
                visit(parent)

        visit(self)


@mistake(
    "Value",
    "The walk goes level by level from the result, so a node reached by a short and a long way "
    "passes on its gradient before the long way has delivered. Use an order that waits for all.",
)
class passed_on_by_level(Reference):
    def backward(self):
        self.grad = 1.0
        nodes, seen = [self], {self}
        for node in nodes:
            for parent, slope in zip(node.parents, node.slopes, strict=True):
                parent.grad += slope * node.grad
                if parent not in seen:
                    seen.add(parent)
                    nodes.append(parent)


@mistake(
    "Value",
    "Only the operands of the last operation get a gradient. Either the walk stops after it, or it "
    "begins at the leaves, which have nothing to pass on yet; it has to go from the result back.",
)
class walks_forward(Reference):
    def backward(self):
        self.grad = 1.0
        for node in topological_order(self, lambda value: value.parents):
            for parent, slope in zip(node.parents, node.slopes, strict=True):
                parent.grad += slope * node.grad


@mistake(
    "Value",
    "A node hands on what it has collected while more is still coming, and at the next delivery "
    "hands on all of it again. Hand it on once, when it is complete.",
)
class handed_on_twice(Reference):
    def backward(self):
        self.grad = 1.0
        stack = [self]
        for _ in range(2000):
            if not stack:
                break
            node = stack.pop()
            for parent, slope in zip(node.parents, node.slopes, strict=True):
                parent.grad += slope * node.grad
                stack.append(parent)


@mistake(
    "Value",
    "Every gradient comes out 0: the walk has nothing to start from. What is the derivative of the "
    "result by itself?",
)
class no_start(Reference):
    def backward(self):
        for node in reversed(topological_order(self, lambda value: value.parents)):
            for parent, slope in zip(node.parents, node.slopes, strict=True):
                parent.grad += slope * node.grad


@mistake(
    "Value",
    "The gradients start from the value of the result, as if that were what moves. The derivative "
    "of the result by itself does not depend on its size.",
)
class starts_from_data(Reference):
    def backward(self):
        self.grad = self.data
        for node in reversed(topological_order(self, lambda value: value.parents)):
            for parent, slope in zip(node.parents, node.slopes, strict=True):
                parent.grad += slope * node.grad


@mistake(
    "Value",
    "Every node in the graph starts with gradient 1. Only the result itself has derivative 1 for "
    "free; the others get what arrives over their arrows.",
)
class starts_everywhere(Reference):
    def backward(self):
        order = topological_order(self, lambda value: value.parents)
        for node in order:
            node.grad = 1.0
        for node in reversed(order):
            for parent, slope in zip(node.parents, node.slopes, strict=True):
                parent.grad += slope * node.grad


@mistake(
    "Value",
    "The slopes of each operation are added up, but not multiplied along the path: the gradient "
    "that a node has received is left out when it passes on.",
)
class chain_rule_left_out(Reference):
    def backward(self):
        self.grad = 1.0
        for node in reversed(topological_order(self, lambda value: value.parents)):
            for parent, slope in zip(node.parents, node.slopes, strict=True):
                parent.grad += slope


@mistake(
    "Value",
    "Along a path the slope is added to the gradient that arrived. Twice as fast of three times as "
    "fast is six times as fast: slopes along a path multiply.",
)
class slopes_added_along(Reference):
    def backward(self):
        self.grad = 1.0
        for node in reversed(topological_order(self, lambda value: value.parents)):
            for parent, slope in zip(node.parents, node.slopes, strict=True):
                parent.grad += slope + node.grad


@mistake(
    "Value",
    "The gradients of values in between are cleared or never kept. After backward() every value "
    "that the result depends on holds its derivative, not the leaves alone.",
)
class inner_grads_cleared(Reference):
    def backward(self):
        self.grad = 1.0
        for node in reversed(topological_order(self, lambda value: value.parents)):
            for parent, slope in zip(node.parents, node.slopes, strict=True):
                parent.grad += slope * node.grad
            if node.parents and node is not self:
                node.grad = 0.0


@mistake(
    "Value",
    "The result of backward() keeps .grad at 0. Its derivative by itself is a derivative like any "
    "other; it is where the walk starts.",
)
class own_grad_cleared(Reference):
    def backward(self):
        Reference.backward(self)
        self.grad = 0.0


@mistake(
    "Value",
    "The slope of a power here is exponent times the power itself. When a power is differentiated "
    "its exponent goes down by one.",
)
class power_not_lowered(Reference):
    def __pow__(self, exponent):
        slope = exponent * self.data**exponent
        return Value(self.data**exponent, (self,), (slope,))


@mistake(
    "Value",
    "The slope of a power here is the next lower power alone. The exponent comes down in front of "
    "it as a factor.",
)
class power_without_its_factor(Reference):
    def __pow__(self, exponent):
        slope = self.data ** (exponent - 1)
        return Value(self.data**exponent, (self,), (slope,))


@mistake(
    "Value",
    "The slope of every power is the one of a square, twice the base. It depends on the exponent.",
)
class power_like_a_square(Reference):
    def __pow__(self, exponent):
        return Value(self.data**exponent, (self,), (2 * self.data,))


@mistake(
    "Value",
    "The slope of a power is found by dividing the result by the base, which fails at 0, where x² "
    "has a slope like anywhere else. Write the lower power itself.",
    crashes=True,
)
class power_divides_by_base(Reference):
    def __pow__(self, exponent):
        result = self.data**exponent
        return Value(result, (self,), (exponent * result / self.data,))


@mistake(
    "Value",
    "The power is made by repeated multiplication, which has no way to take half a time or minus "
    "one times. An exponent is any plain number.",
)
class power_by_counting(Reference):
    def __pow__(self, exponent):
        result = Value(1.0)
        for _ in range(int(exponent)):
            result = result * self
        return result


@mistake(
    "Value",
    "A quotient treats its two slopes as if both were one over the divisor. The divisor moves the "
    "result in the other direction, and by more when it is small.",
)
class quotient_slopes_alike(Reference):
    def __truediv__(self, other):
        other = self.wrap(other)
        slopes = 1 / other.data, 1 / other.data
        return Value(self.data / other.data, (self, other), slopes)


@mistake(
    "Value",
    "The slope of a quotient by its divisor comes out with the wrong sign. When the divisor of a "
    "positive number grows, which way does the result go?",
)
class quotient_slope_positive(Reference):
    def __truediv__(self, other):
        other = self.wrap(other)
        slopes = 1 / other.data, self.data / other.data**2
        return Value(self.data / other.data, (self, other), slopes)


@mistake(
    "Value",
    "A quotient is rounded down to a whole number. One slash divides, two slashes round.",
)
class quotient_rounded(Reference):
    def __truediv__(self, other):
        other = self.wrap(other)
        slopes = local_slopes("/", self.data, other.data)
        return Value(self.data // other.data, (self, other), slopes)


@mistake(
    "Value",
    "A difference passes the same gradient to both operands. What does self - other do when other "
    "grows?",
)
class difference_like_a_sum_here(Reference):
    def __sub__(self, other):
        other = self.wrap(other)
        return Value(self.data - other.data, (self, other), (1.0, 1.0))


@mistake(
    "Value",
    "A product gives each factor its own value as slope. Which of the two is the constant when the "
    "other one moves?",
)
class product_not_swapped_here(Reference):
    def __mul__(self, other):
        other = self.wrap(other)
        return Value(self.data * other.data, (self, other), (self.data, other.data))


@mistake(
    "Value",
    "`number - value` comes out as value - number. In __rsub__ the value stands on the right.",
)
class reflected_difference_turned(Reference):
    def __rsub__(self, number):
        return self - number


@mistake(
    "Value",
    "`number / value` comes out as value / number. In __rtruediv__ the value is the divisor.",
)
class reflected_quotient_turned(Reference):
    def __rtruediv__(self, number):
        return self / number


@mistake(
    "Value",
    "`value - number` works, but `number - value` does not: without a __rsub__ that returns a "
    "Value, Python finds nobody who knows how.",
    crashes=True,
)
class reflected_difference_missing(Reference):
    def __rsub__(self, number):
        return NotImplemented


@mistake(
    "Value",
    "The other operand of a sum is taken for a Value, always. A plain number has no .data: turn it "
    "into a Value first.",
    crashes=True,
)
class number_not_wrapped(Reference):
    def __add__(self, other):
        slopes = local_slopes("+", self.data, other.data)
        return Value(self.data + other.data, (self, other), slopes)


@mistake(
    "Value",
    "Negation returns a value without a past, so no gradient flows through it. Its result depends "
    "on self, with a slope.",
)
class negation_cut_off(Reference):
    def __neg__(self):
        return Value(-self.data)


@mistake(
    "Value",
    "Negation changes the value that it is given and returns that very one. It has to make a new "
    "value and leave the old one alone.",
)
class negation_in_place(Reference):
    def __neg__(self):
        self.data = -self.data
        return self


@mistake(
    "Value",
    "A sum is added into its first operand, which is changed and returned. Each operation makes a "
    "new value: the graph needs both.",
)
class sum_in_place(Reference):
    def __add__(self, other):
        other = self.wrap(other)
        self.data += other.data
        return self


@mistake(
    "Value",
    "A product with a plain number returns a bare number, so the graph ends there. The result is a "
    "Value like any other.",
)
class product_returns_number(Reference):
    def __mul__(self, other):
        if isinstance(other, Value):
            return Reference.__mul__(self, other)
        return self.data * other


@mistake(
    "Value",
    "A sum knows its first operand only, so the second one gets no gradient. Both are parents.",
)
class second_operand_forgotten(Reference):
    def __add__(self, other):
        other = self.wrap(other)
        return Value(self.data + other.data, (self,), (1.0,))


@mistake(
    "Value",
    "The value is cut off below 0, but the gradient passes as if nothing had been cut. Where the "
    "result no longer moves, what is its slope?",
)
class relu_slope_always_one(Reference):
    def relu(self):
        return Value(max(self.data, 0.0), (self,), (1.0,))


@mistake(
    "Value",
    "relu passes on the value as the slope. A result that equals self moves as fast as self.",
)
class relu_slope_is_value(Reference):
    def relu(self):
        result = max(self.data, 0.0)
        return Value(result, (self,), (result,))


@mistake(
    "Value",
    "A negative value loses its sign in this relu. It should become 0, not positive.",
)
class relu_like_abs(Reference):
    def relu(self):
        return Value(abs(self.data), (self,), (1.0 if self.data > 0 else -1.0,))


@mistake(
    "Value",
    "This relu lets a little of a negative value through. That is a leaky relu; the plain one "
    "gives 0 there.",
)
class relu_leaks(Reference):
    def relu(self):
        slope = 1.0 if self.data > 0 else 0.01
        return Value(slope * self.data, (self,), (slope,))


@mistake(
    "Value",
    "This relu keeps the negative side and cuts the positive one. Look at the comparison again.",
)
class relu_upside_down(Reference):
    def relu(self):
        return Value(min(self.data, 0.0), (self,), (float(self.data < 0),))


@mistake(
    "Value",
    "The slope of exp is the value that went in. What is special about exp is that its slope at a "
    "place equals something that you have already worked out.",
)
class exp_slope_is_input(Reference):
    def exp(self):
        return Value(math.exp(self.data), (self,), (self.data,))


@mistake(
    "Value",
    "The slope of exp is taken for 1 everywhere, which holds at 0 only. How steep is it elsewhere?",
)
class exp_slope_is_one(Reference):
    def exp(self):
        return Value(math.exp(self.data), (self,), (1.0,))


@mistake(
    "Value",
    "The slope of exp follows the rule for powers of x, with e in the role of the base. Here the "
    "exponent is what moves.",
)
class exp_by_the_power_rule(Reference):
    def exp(self):
        slope = self.data * math.e ** (self.data - 1)
        return Value(math.exp(self.data), (self,), (slope,))
