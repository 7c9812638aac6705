"""The statements of a source with the comments that belong to them, to be told apart and moved."""

from __future__ import annotations

import ast
from collections import Counter
from dataclasses import dataclass

FUNCTION = ast.FunctionDef | ast.AsyncFunctionDef
IMPORT = ast.Import | ast.ImportFrom
_NAMED = FUNCTION | ast.ClassDef


@dataclass(frozen=True)
class Item:
    """A statement, or some that share a line, with its comments: lines[start:end] of its file."""

    key: str
    name: str
    node: ast.stmt
    start: int
    end: int
    lines: tuple[str, ...]

    def same(self, other: Item | None) -> bool:
        """Do both say the same, but for spaces at the ends of lines?"""
        bare = [[line.rstrip() for line in one.lines] for one in (self, other or self)]
        return other is not None and bare[0] == bare[1]


@dataclass
class Block:
    """The statements of a file or of a class, in order, by key."""

    items: dict[str, Item]
    prefix: str = ""  # Value. in the class of that name

    @property
    def gap(self) -> list[str]:
        """The empty lines between two of them."""
        return [""] if self.prefix else ["", ""]


def of_file(text: str) -> Block:
    """The statements of a whole file."""
    lines = text.split("\n")  # as Python counts them; str.splitlines knows more line ends
    return Block(_items(ast.parse(text).body, lines, 0))


def of_class(item: Item, prefix: str) -> Block:
    """The statements of a class; `prefix` names the classes around it."""
    lines = [""] * item.start + list(item.lines)
    top = item.node.body[0].lineno - 1
    return Block(_items(item.node.body, lines, top), f"{prefix}{item.name}.")


def _items(nodes: list[ast.stmt], lines: list[str], top: int) -> dict[str, Item]:
    items: dict[str, Item] = {}
    seen: Counter[str] = Counter()
    for together in _rows(nodes):
        node = together[0]
        start = _start(node, lines, top)
        top = end = _end(together[-1], lines)
        own = tuple(lines[start:end])
        bare = lines[node.lineno - 1 : end]
        key = _key(node) if len(together) == 1 else " ".join(bare)
        seen[key] += 1
        name = node.name if isinstance(node, _NAMED) else bare[0].strip()
        items[f"{key} {seen[key]}"] = Item(key + f" {seen[key]}", name, node, start, end, own)
    return items


def _rows(nodes: list[ast.stmt]) -> list[list[ast.stmt]]:
    """The statements; those that share a line together."""
    rows: list[list[ast.stmt]] = []
    for node in nodes:
        if rows and node.lineno <= rows[-1][-1].end_lineno:
            rows[-1].append(node)
        else:
            rows.append([node])
    return rows


def _key(node: ast.stmt) -> str:
    """What tells that two statements of two texts are the same one, maybe changed."""
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            return f"def {node.name}"
        case ast.Assign(targets=targets):
            return "= " + ", ".join(map(ast.unparse, targets))
        case ast.AnnAssign(target=target):
            return "= " + ast.unparse(target)
        case ast.If(test=test):
            return "if " + ast.unparse(test)
        case ast.Expr(value=ast.Constant(value=str())):
            return "docstring"
    return ast.unparse(node)


def _start(node: ast.stmt, lines: list[str], top: int) -> int:
    """The statement's first line: its decorators and the comment right above belong to it."""
    decorators = getattr(node, "decorator_list", [])
    start = at = min([node.lineno, *(one.lineno for one in decorators)]) - 1
    while at > top and lines[at - 1].strip().startswith("#"):
        if lines[at - 1].startswith("# %%"):  # a cell begins; in a lesson's, none of it is theirs
            return start if "[markdown]" in lines[at - 1] else at
        at -= 1
    return at


def _end(node: ast.stmt, lines: list[str]) -> int:
    """The line after the statement's last; comments at the end of a body belong to it."""
    end = node.end_lineno
    if not hasattr(node, "body"):
        return end
    for number in range(end, len(lines)):
        line = lines[number]
        deep = len(line) - len(line.lstrip()) > node.col_offset
        if line.strip() and not (deep and line.lstrip().startswith("#")):
            break
        if line.strip():
            end = number + 1
    return end


def defines(item: Item) -> set[str]:
    """The names that a statement gives to its file or class."""
    node = item.node
    if isinstance(node, _NAMED):
        return {node.name}
    if isinstance(node, IMPORT):
        return {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
    names = (part for part in ast.walk(node) if isinstance(part, ast.Name))
    return {part.id for part in names if isinstance(part.ctx, ast.Store)}


def mentions(items: list[Item]) -> set[str]:
    """Every name and attribute that statements use."""
    parts = [part for item in items for part in ast.walk(item.node)]
    names = {part.id for part in parts if isinstance(part, ast.Name)}
    return names | {part.attr for part in parts if isinstance(part, ast.Attribute)}
