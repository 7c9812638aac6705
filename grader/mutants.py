"""Every small way to spoil a reference body: an AST pass that changes one place at a time.

Ours, and not mutmut's or cosmic-ray's: those change files on disk and drive test runs of their own,
about two seconds a mutant, while these are handed to the warm engine as `grader/mutate.py` says.
"""

from __future__ import annotations

import ast
import os.path
import re
from collections.abc import Iterator
from dataclasses import dataclass

_LONGEST = 90  # characters of a line that are shown whole

_OPERATORS = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.Pow: ast.Mult,
    ast.FloorDiv: ast.Div,
    ast.Mod: ast.FloorDiv,
    ast.MatMult: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.BitXor: ast.BitAnd,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
    ast.And: ast.Or,
    ast.Or: ast.And,
}
_COMPARISONS = {  # the boundary first, then the opposite
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
# Calls around one value that a careless hand leaves out: `float(x)` → `x`.
_WRAPPERS = {"bytearray", "float", "int", "list", "reversed", "set", "sorted", "str", "tuple"}

# What is taken for something else, as a function or as a method.
_NAMES = {
    "all": "any",
    "argmax": "argmin",
    "eval": "train",
    "max": "min",
    "mean": "sum",
    "min": "max",
    "randn": "rand",
    "stack": "cat",
    "train": "eval",
    "zeros": "ones",
    "zeros_like": "ones_like",
}


@dataclass(frozen=True)
class Mutant:
    """One task's reference with one thing changed; `mutation` is `old line → new line`."""

    task: str
    mutation: str
    source: str


def mutants_of(source: str) -> list[Mutant]:
    """Every mutant of the solution regions of a source, in the order of its lines."""
    regions, tree, found = _regions(source), ast.parse(source), []
    modules = {"int"} | {
        alias.asname or alias.name.partition(".")[0]
        for node in tree.body
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    for task in tree.body:
        if not isinstance(task, ast.FunctionDef | ast.ClassDef):
            continue
        original, times = ast.unparse(task), {}
        for changed in dict.fromkeys(_changed(task, regions, modules)):
            if changed == original:
                continue
            mutation = difference(original, changed)
            times[mutation] = times.get(mutation, 0) + 1
            if times[mutation] > 1:  # the same line stands there more than once
                mutation += f" (no. {times[mutation]})"
            found.append(Mutant(task.name, mutation, changed))
    return found


def difference(original: str, changed: str) -> str:
    """The lines in which two sources differ, as `old → new`, cut to what is near the change."""
    old, new = ([line.strip() for line in text.splitlines()] for text in (original, changed))
    start, end = _shared(old, new)
    start -= len(old) == start + end  # only something new: shown with the line before it
    sides = ["; ".join(side[start : len(side) - end]) for side in (old, new)]
    if max(map(len, sides)) > _LONGEST and all(sides):
        start, end = _shared(*sides)
        sides = [_cut(side, start, len(side) - end) for side in sides]
    return " → ".join(side or "(nothing)" for side in sides)


def _regions(source: str) -> set[int]:
    """The numbers of the lines between ### BEGIN SOLUTION and ### END SOLUTION."""
    lines, inside = set(), False
    for number, line in enumerate(source.splitlines(), 1):
        if re.match(r"\s*### (BEGIN|END) SOLUTION", line):
            inside = "BEGIN" in line
        elif inside:
            lines.add(number)
    return lines


def _changed(task: ast.AST, regions: set[int], modules: set[str]) -> Iterator[str]:
    """The task's source with one place changed, for every place and every change."""
    for parent, name, index, node in list(_places(task)):
        if getattr(node, "lineno", None) not in regions:
            continue
        kept = getattr(parent, name)
        for new in _changes(node, parent, task, modules):
            if index is None:
                setattr(parent, name, new)
            else:
                new = new if isinstance(new, list) else [new]
                setattr(parent, name, kept[:index] + new + kept[index + 1 :] or [ast.Pass()])
            yield ast.unparse(task)
            setattr(parent, name, kept)


def _places(parent: ast.AST) -> Iterator[tuple[ast.AST, str, int | None, ast.AST]]:
    """Every node below `parent` and where it hangs; what an error says is no concern of a test."""
    for name, value in ast.iter_fields(parent):
        for index, node in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if isinstance(node, ast.AST):
                yield parent, name, index, node
                if not isinstance(node, ast.Raise):
                    yield from _places(node)


def _changes(
    node: ast.AST, parent: ast.AST, task: ast.AST, modules: set[str]
) -> Iterator[ast.AST | list[ast.AST]]:
    """What to put in the place of a node; a list stands for that many statements."""
    match node:
        case ast.Expr():
            yield []
        case ast.Raise(error, cause):
            yield []
            if isinstance(error, ast.Call):
                other = ast.Call(ast.Name("Exception"), error.args, error.keywords)
                yield ast.Raise(other, cause)
        case ast.Assign(targets, value):
            if all(_is_bound(target, node, task) for target in targets):
                yield []
        case ast.AugAssign(target, op, value):
            yield []
            yield ast.AugAssign(target, _OPERATORS[type(op)](), value)
            yield ast.Assign([target], value, lineno=node.lineno)
        case ast.Return(ast.expr()):
            yield ast.Return(None)
        case ast.With(items, body) if all(item.optional_vars is None for item in items):
            yield body
        case ast.For(target, values, body):
            yield ast.For(target, values, [*body, ast.Break()], [], lineno=node.lineno)
        case ast.Break():
            yield ast.Continue()
        case ast.Continue():
            yield ast.Break()
        case ast.ExceptHandler(ast.Tuple(kinds), name, body):
            for less in _less_one(kinds):
                yield ast.ExceptHandler(ast.Tuple(less, ast.Load()), name, body)
        case ast.BinOp(left, op, right):
            yield ast.BinOp(left, _OPERATORS[type(op)](), right)
            if type(op) in (ast.Sub, ast.Div, ast.Pow, ast.MatMult):
                yield ast.BinOp(right, op, left)
        case ast.BoolOp(op, values):
            yield ast.BoolOp(_OPERATORS[type(op)](), values)
            for less in _less_one(values):
                yield ast.BoolOp(op, less) if len(less) > 1 else less[0]
        case ast.Compare(left, [op], right):
            for other in _COMPARISONS[type(op)]:
                yield ast.Compare(left, [other()], right)
        case ast.UnaryOp(ast.USub(), ast.Constant(value)):
            for other in _constants(-value):
                yield ast.Constant(other)
        case ast.UnaryOp(_, operand):
            yield operand
        case ast.Constant(value):
            inside = isinstance(parent, ast.UnaryOp) and isinstance(parent.op, ast.USub)
            compared = isinstance(parent, ast.Compare) and value is None
            if not (inside or compared):
                yield from map(ast.Constant, _constants(value))
        case ast.Call(function, args, keywords):
            for swapped in _swapped(args):
                yield ast.Call(function, swapped, keywords)
            for less in _less_one(keywords):
                yield ast.Call(function, args, less)
            match function:
                case ast.Attribute(value, name) if name in _NAMES:
                    yield ast.Call(ast.Attribute(value, _NAMES[name]), args, keywords)
                case ast.Name(name) if name in _NAMES:
                    yield ast.Call(ast.Name(_NAMES[name]), args, keywords)
            if len(args) > 3:
                for less in _less_one(args):
                    yield ast.Call(function, less, keywords)
            if isinstance(function, ast.Attribute) and not isinstance(parent, ast.Expr):
                if _root(function) not in modules:  # no link of a chain: `torch.exp(x)`
                    yield function.value
            elif ast.unparse(function) in _WRAPPERS and len(args) == 1:
                yield args[0]
        case ast.List(parts, ast.Load()) if len(parts) > 1:
            for less in _less_one(parts):
                yield ast.List(less, ast.Load())
        case ast.Tuple(parts, ast.Load()) if not isinstance(parent, ast.ExceptHandler):
            for swapped in _swapped(parts):
                yield ast.Tuple(swapped, ast.Load())
        case ast.Slice(lower, upper, step):
            if lower:
                yield ast.Slice(None, upper, step)
            if upper:
                yield ast.Slice(lower, None, step)
    conditions = (getattr(parent, "test", None), *getattr(parent, "ifs", []))
    if node in conditions and not isinstance(node, ast.Compare | ast.UnaryOp):  # theirs are above
        yield ast.UnaryOp(ast.Not(), node)


def _constants(value) -> Iterator:
    match value:
        case bool():
            yield not value
        case int():
            yield from (value + 1, value - 1, *([-value] if value < 0 else []))
        case float():
            yield from (value * 2, -value) if value else (1.0,)
        case str():
            yield value + "x"
        case bytes():
            yield b"x" + value[1:]
        case None:
            yield 0


def _swapped(parts: list) -> Iterator[list]:
    """Two neighbours change places."""
    for i in range(len(parts) - 1):
        if not any(isinstance(part, ast.Starred) for part in parts[i : i + 2]):
            yield [*parts[:i], parts[i + 1], parts[i], *parts[i + 2 :]]


def _less_one(parts: list) -> Iterator[list]:
    for i in range(len(parts)):
        yield parts[:i] + parts[i + 1 :]


def _is_bound(target: ast.expr, statement: ast.stmt, task: ast.AST) -> bool:
    """Whether what is assigned to is there without the assignment: else its loss is no news."""
    match target:
        case ast.Attribute() | ast.Subscript():
            return True
        case ast.Tuple(parts):
            return all(_is_bound(part, statement, task) for part in parts)
    return any(
        isinstance(node, ast.arg) and node.arg == target.id
        or isinstance(node, ast.Name)
        and isinstance(node.ctx, ast.Store)
        and node.id == target.id
        and node.lineno < statement.lineno
        for node in ast.walk(task)
    )  # fmt: skip


def _root(node: ast.expr) -> str | None:
    """The name that a chain of attributes starts from, if it is a chain of attributes."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None


def _shared(one, other) -> tuple[int, int]:
    """How much two sequences share at their start, and, of the rest, at their end."""
    start = len(os.path.commonprefix([one, other]))
    return start, len(os.path.commonprefix([one[start:][::-1], other[start:][::-1]]))


def _cut(line: str, start: int, end: int) -> str:
    near = 25
    left, right = max(0, start - near), min(len(line), end + near)
    return "…" * (left > 0) + line[left:right] + "…" * (right < len(line))
