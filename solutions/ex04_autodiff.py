# %% [markdown]
# # 04 · Autodiff: build the engine yourself
#
# In exercise 03 `backward()` read every slope off a graph. Here you build that graph and that
# `backward()` for plain numbers, in about fifty lines. Nothing of torch is needed.
#
# Each operation knows two things: its result, and how fast the result changes with each of its
# inputs. Take $c = a \cdot b$ and $e = c + a$ at $a = 2$, $b = -3$. Every arrow carries its slope:
#
# ```
#            ×1
#      ┌────────────────────────┐
#      │                        ▼
#    a = 2 ──×(-3)──▶ c = -6 ──×1──▶ e = -4
#                       ▲
#    b = -3 ────×2──────┘
# ```
#
# The derivative of $e$ by $a$ is a sum over the paths from $a$ to $e$; along a path the slopes
# multiply. Two paths leave $a$: $1$ and $(-3) \cdot 1$, so $\partial e / \partial a = -2$. One
# leaves $b$: $2 \cdot 1 = 2$.
#
# The number of paths can be astronomical, so nobody walks them one by one. Going backwards from
# $e$, each node collects the gradients that arrive from everything computed from it, and only when
# its own sum is complete passes it on, times the slope of each arrow. Every arrow is used once.
# That is reverse mode, and it is all that `backward()` does.

# %%
import math

# %% [markdown]
# ## `local_slopes`
# First the arrows. Seen alone, an operation such as $a \cdot b$ has one slope for each operand:
# how fast the result moves when that operand moves and the other one stays.


# %%
def local_slopes(op, a, b):
    """Return (slope by a, slope by b) of the operation `a op b`, a tuple of two numbers.

    op: "+", "-", "*" or "/"; anything else is a ValueError.  a, b: numbers; b may be 0, but
    for "/".

    >>> local_slopes("*", 3.0, 2.0)
    (2.0, 3.0)
    """
    ### BEGIN HINTS
    # Idea: hold one operand fixed, so that it is a constant, and differentiate by the other.
    # Tool: sum, product and quotient rule on paper; an `if` for each operation here.
    # Nearly there: the quotient is a times one over b: write down the derivative of one over b,
    #   and mind its sign. Divide only when the operation asked for is a division.
    ### END HINTS
    ### BEGIN SOLUTION
    if op == "+":
        return 1.0, 1.0
    if op == "-":
        return 1.0, -1.0
    if op == "*":
        return b, a
    if op == "/":
        return 1 / b, -a / b**2
    raise ValueError(f"op must be one of + - * /, not {op!r}")
    ### END SOLUTION


# %% [markdown]
# ## `topological_order`
# Next the order. A node may pass its gradient on only when everything computed from it has
# delivered. So we need the nodes in a row where each stands after its parents, which are the
# nodes that it was computed from; `backward()` then walks that row from its end.
#
# In the picture above, `a, b, c, e` and `b, a, c, e` are both right; in `a, c, b, e` the node `c`
# stands before its parent `b`.


# %%
def topological_order(root, parents_of):
    """Return a list of root and all nodes it depends on, each once, each after all its parents.

    root: a node, which can be anything hashable.  parents_of(node): the nodes that node was
    computed from, empty for a leaf; a parent may be named twice, as in a * a.  Graphs have some
    hundreds of nodes, no circles, and far more paths than nodes: look at each node once.

    >>> graph = {"e": ["c", "a"], "c": ["a", "b"], "a": [], "b": []}
    >>> topological_order("e", graph.get)
    ['a', 'b', 'c', 'e']
    """
    ### BEGIN HINTS
    # Idea: a node may enter the list once all its parents stand in it.
    # Tool: a depth-first walk: an inner function that calls itself, and a set of the nodes seen.
    # Nearly there: to visit a node, leave if it was seen; remember it; visit its parents; and only
    #   then put the node itself at the end of the list. Begin with the root.
    ### END HINTS
    ### BEGIN SOLUTION
    order, seen = [], set()

    def visit(node):
        if node not in seen:
            seen.add(node)
            for parent in parents_of(node):
                visit(parent)
            order.append(node)

    visit(root)
    return order
    ### END SOLUTION


# %% [markdown]
# ## `Value`
# Now the engine: a number that remembers. `__init__` is given. Every operation returns a *new*
# `Value` that holds the result, its parents and the slope by each of them, in the same order.
# `a + b` makes Python call `a.__add__(b)`; in `2 + a` the number does not know what to do, so
# Python calls `a.__radd__(2)`. Two of these reflected methods are given.
#
# If you know a different way to keep the graph (a closure for each operation, say), take it: the
# tests look at `.data`, `.grad` and the operations only.


# %%
class Value:
    """A number that remembers what it was computed from.

    .data: the number, a float.  .grad: a float, 0.0 until backward() of a result fills it.
    Operands of + - * / are Values or plain numbers, on either side; no operation changes them.

    >>> a, b = Value(2.0), Value(-3.0)
    >>> e = a * b + a
    >>> e.backward()
    >>> e.data, a.grad, b.grad
    (-4.0, -2.0, 2.0)
    """

    ### BEGIN HINTS
    # Idea: each operation notes its parents and slopes on the way forward; backward() only has to
    #   multiply and add.
    # Tool: local_slopes and wrap for + and the like, math.exp, topological_order, zip.
    # Nearly there: the gradient of the result by itself is one; start there. Walk the nodes from
    #   the result to the leaves; each gives every parent slope times its own grad, on top of what
    #   that parent already has.
    ### END HINTS

    def __init__(self, data, parents=(), slopes=()):
        self.data = float(data)
        self.grad = 0.0
        self.parents = parents
        self.slopes = slopes

    def __repr__(self):
        return f"Value({self.data}, grad={self.grad})"

    @staticmethod
    def wrap(number):
        """Return number as a Value: itself if it is one, else a new leaf."""
        return number if isinstance(number, Value) else Value(number)

    def __add__(self, other):
        """self + other"""
        ### BEGIN SOLUTION
        other = self.wrap(other)
        slopes = local_slopes("+", self.data, other.data)
        return Value(self.data + other.data, (self, other), slopes)
        ### END SOLUTION

    def __radd__(self, number):
        return self + number

    def __mul__(self, other):
        """self * other"""
        ### BEGIN SOLUTION
        other = self.wrap(other)
        slopes = local_slopes("*", self.data, other.data)
        return Value(self.data * other.data, (self, other), slopes)
        ### END SOLUTION

    def __rmul__(self, number):
        return self * number

    def __neg__(self):
        """-self"""
        ### BEGIN SOLUTION
        return 0 - self
        ### END SOLUTION

    def __sub__(self, other):
        """self - other"""
        ### BEGIN SOLUTION
        other = self.wrap(other)
        slopes = local_slopes("-", self.data, other.data)
        return Value(self.data - other.data, (self, other), slopes)
        ### END SOLUTION

    def __rsub__(self, number):
        """number - self"""
        ### BEGIN SOLUTION
        return self.wrap(number) - self
        ### END SOLUTION

    def __truediv__(self, other):
        """self / other"""
        ### BEGIN SOLUTION
        other = self.wrap(other)
        slopes = local_slopes("/", self.data, other.data)
        return Value(self.data / other.data, (self, other), slopes)
        ### END SOLUTION

    def __rtruediv__(self, number):
        """number / self"""
        ### BEGIN SOLUTION
        return self.wrap(number) / self
        ### END SOLUTION

    def __pow__(self, exponent):
        """self ** exponent, a plain number; where exponent is 2 or more, self may be 0."""
        ### BEGIN SOLUTION
        slope = exponent * self.data ** (exponent - 1)
        return Value(self.data**exponent, (self,), (slope,))
        ### END SOLUTION

    def relu(self):
        """self where it is positive, 0 where it is negative; the slope at 0 itself is up to you."""
        ### BEGIN SOLUTION
        return Value(max(self.data, 0.0), (self,), (float(self.data > 0),))
        ### END SOLUTION

    def exp(self):
        """e to the power of self"""
        ### BEGIN SOLUTION
        result = math.exp(self.data)
        return Value(result, (self,), (result,))
        ### END SOLUTION

    def backward(self):
        """Fill .grad of every Value that self depends on: the derivative of self by it.

        The .grad of self becomes 1.0; Values that self does not depend on keep theirs.
        """
        ### BEGIN SOLUTION
        self.grad = 1.0
        for node in reversed(topological_order(self, lambda value: value.parents)):
            for parent, slope in zip(node.parents, node.slopes, strict=True):
                parent.grad += slope * node.grad
        ### END SOLUTION


# %% [markdown]
# ## Try it
# Newton's square root, differentiated. Ten rounds of $x \leftarrow (x + 2/x)/2$ find $\sqrt 2$, and
# your engine walks back through all of them: the slope should be $1/(2\sqrt 2) \approx 0.35355$.

# %%
if __name__ == "__main__":
    number = Value(2.0)
    root = Value(1.0)
    for _ in range(10):
        root = (root + number / root) / 2
    root.backward()
    print(f"root {root.data:.5f}, slope {number.grad:.5f}")

# %% [markdown]
# ## In your own words
#
# In your engine, why does a node pass its gradient on only after everything that was computed from
# it has done so? Say what would go wrong otherwise, for a value that is used twice.
#
# ### BEGIN MARK SCHEME
# Half of the points for each, in whatever words:
#
# 1. a node's gradient is the sum of what arrives from all of its uses.
# 2. passed on too early, the part that arrives later never reaches the nodes before it (or what
# came first is counted twice).
# ### END MARK SCHEME
