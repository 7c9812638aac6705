"""The bank of known answers: mistakes that must fail and variants that must pass.

An entry is a function or class that takes the place of one task inside a module: it is compiled
into that module's namespace, so that the other tasks of the exercise are in its scope. The name
`Reference` stands for the solution's own implementation, compiled there too.
"""

from __future__ import annotations

import ast
import copy
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Literal

from grader import reading
from grader.course import CourseError, Exercise, definition, parsed, reached_from, shown

REFERENCE = "<reference>"  # the file name of code that an entry takes over from the solution


def mistake(task: str, message: str, crashes: bool = False):
    """Mark a wrong answer to `task`; `message` is what its author should read."""
    del task, message, crashes  # read from the source, where the body is taken from too
    return lambda answer: answer


def variant(task: str, about: str):
    """Mark a right answer to `task` that is written another way; `about` says which."""
    del task, about
    return lambda answer: answer


@dataclass(frozen=True)
class Entry:
    """One known answer."""

    kind: Literal["mistake", "variant", "mutant", "reference", "layered"]
    task: str
    name: str
    message: str
    crashes: bool
    path: Path
    before: ast.Module  # what its code needs: imports, answers to other tasks
    body: ast.Module
    reference: str | None

    def swap_into(self, namespace: dict) -> None:
        """Put this answer in the place of its task."""
        exec(compile(self.before, str(self.path), "exec", dont_inherit=True), namespace)
        if self.reference is not None:
            exec(compile(self.reference, REFERENCE, "exec", dont_inherit=True), namespace)
            namespace["Reference"] = namespace[self.task]
        exec(compile(self.body, str(self.path), "exec", dont_inherit=True), namespace)

    @property
    def text(self) -> str:
        """This answer as a learner could have written it below the other tasks of their file."""
        return "\n\n".join(text for text, _ in self.parts) + "\n"

    @property
    def parts(self) -> list[tuple[str, str]]:
        """The same, piece by piece, each with the name of the file that it is from."""
        own = str(self.path)
        parts = [(ast.unparse(self.before), own)]
        if self.reference is not None:
            parts += [(self.reference, REFERENCE), (f"Reference = {self.task}", REFERENCE)]
        return [*parts, (ast.unparse(self.body), own)]

    def after(self, first: Entry) -> Entry:
        """This answer, with `first` put in place before it."""
        return replace(self, before=_joined(first.before, first.body, self.before))


def mistakes(exercise: Exercise, task: str | None = None) -> tuple[Entry, ...]:
    """The known mistakes of an exercise, or of one of its tasks."""
    return _of_task(read(exercise.mistakes, exercise), task)


def variants(exercise: Exercise, task: str | None = None) -> tuple[Entry, ...]:
    """The known right answers of an exercise, or of one of its tasks."""
    return _of_task(read(exercise.variants, exercise), task)


def mutant(exercise: Exercise, task: str, source: str) -> Entry:
    """A task's reference with something changed in it; it is not kept in the bank."""
    nothing = ast.Module([], [])
    return Entry(
        "mutant", task, source, "", True, exercise.solution, nothing, ast.parse(source), None
    )


def references(exercise: Exercise, tasks: Sequence[str]) -> Entry:
    """The solution's own answers to some tasks and to those that they use, all in one."""
    path, source = exercise.solution, reading.text(exercise.solution)
    used = set().union(*(reached_from(source, task) for task in tasks))
    body = _joined(*(ast.parse(definition(path, task)) for task in sorted(used)))
    imports = _imports(ast.parse(source))
    return Entry("reference", tasks[0], ", ".join(tasks), "", False, path, imports, body, None)


def layered(exercise: Exercise, layers: Sequence[tuple[str, str]]) -> Entry:
    """Mistakes of several tasks in one: pairs of task and mistake, the lowest first."""
    entries = [find(exercise, "mistake", *layer) for layer in layers]
    if len(entries) == 1:
        return entries[0]
    *lower, top = entries
    before = [part for entry in lower for part in _apart(entry).body]
    name = json.dumps([list(layer) for layer in layers])
    return replace(top, kind="layered", name=name, before=_joined(_module(before), top.before))


def _apart(entry: Entry) -> ast.Module:
    """An entry's code with a name of its own for its `Reference`: others may have theirs."""
    own = f"Reference_{entry.task}"
    renamed = _Renamed(own).visit(copy.deepcopy(entry.body))
    if entry.reference is None:
        return _joined(entry.before, renamed)
    reference = ast.parse(f"{entry.reference}\n\n{own} = {entry.task}\n")
    return _joined(entry.before, reference, renamed)


class _Renamed(ast.NodeTransformer):
    """Another name in the place of `Reference`."""

    def __init__(self, name: str):
        self._name = name

    def visit_Name(self, node: ast.Name) -> ast.Name:
        if node.id != "Reference":
            return node
        return ast.copy_location(ast.Name(self._name, node.ctx), node)


def find(exercise: Exercise, kind: str, task: str, name: str) -> Entry:
    """The entry that another process means; a mutant's name is its source, layers are JSON."""
    if kind == "mutant":
        return mutant(exercise, task, name)
    if kind == "layered":
        return layered(exercise, [(of, mistake) for of, mistake in json.loads(name)])
    entries = mistakes(exercise, task) if kind == "mistake" else variants(exercise, task)
    return next(entry for entry in entries if entry.name == name)


@cache
def read(path: Path, exercise: Exercise) -> tuple[Entry, ...]:
    """Every entry of a bank file, in order; a file that is missing holds none."""
    if not path.is_file():
        return ()
    tree = parsed(path)
    imports = _imports(tree)
    entries = []
    for node in tree.body:
        mark = _mark(node)
        if mark:
            answer = node.name
            try:
                entries.append(_entry(node, mark, imports, path, exercise))
            except (ValueError, IndexError, TypeError):
                raise CourseError(
                    f"{shown(path)}: {answer} has a mark that is not like "
                    '`@mistake("slope", "what its author should read")`.'
                ) from None
    return tuple(entries)


def _imports(tree: ast.Module) -> ast.Module:
    nodes = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    return ast.Module(
        [node for node in nodes if getattr(node, "module", None) != "grader.bank"], []
    )


def _module(body: list[ast.stmt]) -> ast.Module:
    return ast.Module(body, [])


def _joined(*modules: ast.Module) -> ast.Module:
    return ast.Module([node for module in modules for node in module.body], [])


def _mark(node: ast.stmt) -> ast.Call | None:
    for decorator in getattr(node, "decorator_list", []):
        if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) in (
            "mistake",
            "variant",
        ):
            return decorator
    return None


def _entry(node, mark: ast.Call, imports, path: Path, exercise: Exercise) -> Entry:
    given = [ast.literal_eval(arg) for arg in mark.args]
    named = {word.arg: ast.literal_eval(word.value) for word in mark.keywords}
    name, task = node.name, given[0]
    node.name = task
    node.decorator_list = [other for other in node.decorator_list if other is not mark]
    uses_reference = any(
        isinstance(part, ast.Name) and part.id == "Reference" for part in ast.walk(node)
    )
    return Entry(
        kind=ast.unparse(mark.func),
        task=task,
        name=name,
        message=given[1],
        crashes=named.get("crashes", False),
        path=path,
        before=imports,
        body=ast.Module([node], []),
        reference=definition(exercise.solution, task) if uses_reference else None,
    )


def _of_task(entries: tuple[Entry, ...], task: str | None) -> tuple[Entry, ...]:
    return tuple(entry for entry in entries if task is None or entry.task == task)
