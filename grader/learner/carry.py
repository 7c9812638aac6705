"""A learner's code carried from the stub they were given into the stub of a newer course.

A merge of three texts, statement by statement: what the learner changed or added is theirs and
goes over, all else is the new stub's. Nothing is judged by what it does, only by its source.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from grader.learner.statements import (
    FUNCTION,
    IMPORT,
    Block,
    Item,
    defines,
    mentions,
    of_class,
    of_file,
)

_Lessons = dict[str, tuple[int, list[str]]]


@dataclass
class Carried:
    """The new text, the names of what went over, and of what has no place there any more."""

    text: str
    names: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)


@dataclass
class _Plan:
    """What has to change in the new stub: lines[start:end] become others."""

    edits: list[tuple[int, int, list[str]]] = field(default_factory=list)
    taken: list[Item] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)

    def put(self, start: int, end: int, lines: list[str] | tuple[str, ...]) -> None:
        self.edits.append((start, end, list(lines)))

    def take(self, item: Item, block: Block) -> None:
        self.taken.append(item)
        self.names.append(block.prefix + item.name)

    def apply(self, lines: list[str]) -> str:
        result, at = [], 0
        for start, end, instead in sorted(self.edits, key=lambda edit: edit[:2]):
            result += lines[at:start] + instead
            at = end
        return "\n".join(result + lines[at:])


def carry(old: str, mine: str, new: str) -> Carried:
    """The stub `new` with what `mine` holds beyond the stub `old`.

    Raises SyntaxError or ValueError when `mine` is no Python, or when the two don't go together.
    """
    plan = _Plan()
    _weave(of_file(old), of_file(mine), of_file(new), plan)
    _notes(*map(_lessons, (old, mine, new)), plan)
    text = plan.apply(new.split("\n"))
    ast.parse(text)
    return Carried(text, plan.names, plan.left)


def _weave(old: Block, mine: Block, new: Block, plan: _Plan) -> None:
    """Plan the edits of one block; items keep their order, new ones stand where they stood."""
    waiting: list[Item] = []
    homeless: list[Item] = []  # given once, not given any more
    last = None
    for key, item in mine.items.items():
        place, before = new.items.get(key), old.items.get(key)
        if place is None:
            (waiting if before is None else homeless).append(item)
            continue
        _add(waiting, place, None, new, plan)
        waiting, last = [], place
        if not item.same(before) and not item.same(place):
            _replace(before, item, place, new, plan)
    _add(waiting, None, last, new, plan)
    _house(homeless, old, new, plan)


def _house(homeless: list[Item], old: Block, new: Block, plan: _Plan) -> None:
    """Carry what the course has dropped where the learner's code still uses it."""
    used: list[Item] = []
    while more := [
        item
        for item in homeless
        if item not in used and defines(item) & mentions(plan.taken + used)
    ]:
        used += more
    imports = [item for item in new.items.values() if isinstance(item.node, IMPORT)]
    first = next(iter(new.items.values()), None)
    in_order = [item for item in homeless if item in used]
    _add(in_order, None if imports else first, imports[-1] if imports else None, new, plan)
    homeless = [item for item in homeless if item not in used]
    changed = [item for item in homeless if not item.same(old.items[item.key])]
    plan.left += [new.prefix + item.name for item in changed]


def _notes(old: _Lessons, mine: _Lessons, new: _Lessons, plan: _Plan) -> None:
    """Carry the lines that the learner wrote into a lesson, an answer say, to the lesson's end."""
    for heading, (_, lines) in mine.items():
        if heading not in old:
            continue
        end, now = new.get(heading, (0, []))
        added = [line for line in lines if line not in old[heading][1] and line not in now]
        if added and heading in new:
            plan.put(end, end, ["#", *added])
            plan.names.append(f"notes under {heading!r}")
        elif added:
            plan.left.append(f"notes under {heading!r}")


def _lessons(text: str) -> _Lessons:
    """Of every lesson's cell, by its heading: the line after its last, and its lines of words."""
    lessons: _Lessons = {}
    heading, inside = None, False
    for number, line in enumerate(text.split("\n"), 1):
        if not line.startswith("#") and line.strip() or line.startswith("# %%"):
            heading, inside = None, line.startswith("# %% [markdown]")
        elif inside and heading is None and line.startswith("# #"):
            heading = line.lstrip("# ").strip()
            lessons[heading] = (number, [])
        elif heading and line.strip("# "):
            lessons[heading] = (number, [*lessons[heading][1], line])
    return lessons


def _add(items: list[Item], before: Item | None, after: Item | None, new, plan: _Plan) -> None:
    """Put the learner's own statements in front of one of the new stub's, or behind one."""
    for item in items:
        plan.take(item, new)
        imports = [other for other in new.items.values() if isinstance(other.node, IMPORT)]
        if isinstance(item.node, IMPORT) and imports:
            future = getattr(item.node, "module", None) == "__future__"
            at = imports[0].start if future else imports[-1].end
            plan.put(at, at, item.lines)
        elif before is not None:
            plan.put(before.start, before.start, [*item.lines, *new.gap])
        else:
            at = after.end if after is not None else 0
            plan.put(at, at, [*new.gap, *item.lines])


def _replace(before: Item | None, item: Item, place: Item, new: Block, plan: _Plan) -> None:
    """Put the learner's statement in the place of the new stub's of the same name."""
    three = (before, item, place)
    if before is None or before.same(place):
        pass  # the course has not changed it
    elif all(_is_open(one) for one in three) and _head(before) == _head(item):
        return _weave(*(of_class(one, new.prefix) for one in three), plan)
    elif all(isinstance(one.node, FUNCTION) for one in three):
        parts = [_parts(one) for one in three]
        if all(parts):
            plan.put(place.start, place.end, _three_way(before, item, place, *parts))
            return plan.take(item, new)
    plan.put(place.start, place.end, item.lines)
    plan.take(item, new)


def _three_way(before, item, place, *parts) -> list[str]:
    """A function's head, docstring and body: each the learner's if they changed it."""
    lines = []
    for number, (old, mine, new) in enumerate(zip(*parts, strict=True)):
        theirs = mine != old
        if number == 0 and not _parameters(before.node) <= _parameters(place.node):
            theirs = True  # the body is written with names that the new head does not have
        lines += mine if theirs else new
    return lines


def _parts(item: Item) -> list[list[str]] | None:
    """The lines of a function's head, docstring and body; None without a docstring of its own."""
    if ast.get_docstring(item.node) is None or len(item.node.body) < 2:
        return None
    doc, first = item.node.body[0], item.node.body[1]
    starts = (doc.lineno - 1 - item.start, doc.end_lineno - item.start)
    if starts[0] <= item.node.lineno - 1 - item.start or first.lineno <= doc.end_lineno:
        return None
    lines = list(item.lines)
    return [lines[: starts[0]], lines[starts[0] : starts[1]], lines[starts[1] :]]


def _parameters(node) -> set[str]:
    return {part.arg for part in ast.walk(node.args) if isinstance(part, ast.arg)}


def _is_open(item: Item) -> bool:
    """A class whose statements stand in lines of their own."""
    return isinstance(item.node, ast.ClassDef) and item.node.body[0].lineno > item.node.lineno


def _head(item: Item) -> tuple[str, ...]:
    """The lines of a class above its first statement."""
    return item.lines[: item.node.body[0].lineno - 1 - item.start]
