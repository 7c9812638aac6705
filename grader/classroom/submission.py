"""From a notebook that someone handed in to one that can be graded, and to its answers.

Cells are known by their `grade_id`. What a student did to the cells around the answers, copied,
deleted, edited or retyped them, is put right here, so that nbgrader's own steps find what they
expect. Nothing is run.
"""

from __future__ import annotations

import ast
import builtins
import re
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from grader import build, notebooks
from grader.classroom.regular import regular, why
from grader.classroom.released import QUESTION, WORDS, Known, given, released
from grader.classroom.trimmed import Unusable
from grader.course import Exercise

if TYPE_CHECKING:  # nbformat takes a second to import
    from nbformat.notebooknode import NotebookNode

_KEPT = ("kernelspec", "kata")  # of a notebook's own metadata
_NOT_PYTHON = (SyntaxError, ValueError, RecursionError, MemoryError)
# In the place of an answer that is no Python: it crashes when it is called, and says why.
_RAISES = "def {}(*args, **kwargs):\n    raise SyntaxError({!r})"
# A line of IPython's own, without space around it: a magic, a command for the system, a question.
# No two parts of it match the same letters in a row: a line may have a million of them.
_IPYTHON = re.compile(r"[%!?]|[\w.\[\], ]+=\s*[%!]|[^#'\"]*\?$")
_DEFINITIONS = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
_MAKERS = {"dict", "set", "list", "tuple", "range", "float", "int", "frozenset", "len"}


class NotGraded(Exception):
    """A submission that can't be graded; the sentence says why."""


@dataclass
class Answer:
    """The code of a submission, and what is wrong with cells that are not Python."""

    source: str
    broken: dict[str, str] = field(default_factory=dict)  # task: sentence


def read(content: bytes, most: int = notebooks.TEXT) -> dict:
    """A notebook's plain data, without outputs; `NotGraded` when it is no notebook."""
    try:
        book = notebooks.read(content, most)
    except notebooks.NotANotebook as error:
        raise NotGraded(f"the file {error}") from None
    kept = {name: book["metadata"].get(name) for name in _KEPT}
    metadata = {name: value for name, value in kept.items() if isinstance(value, dict)}
    return book | {"cells": _with_own_ids(book["cells"]), "metadata": metadata}


def content_of(path: Path) -> bytes:
    """The bytes of a notebook's file; `NotGraded` when it cannot be read, or is no file."""
    try:
        with regular(str(path), None) as file:
            return file.read(notebooks.BIGGEST + 1)
    except (OSError, Unusable) as error:
        raise NotGraded(f"the notebook file {why(error).rstrip('.')}") from None


def find(path: Path) -> Path:
    """The notebook itself, or, when it was renamed, the only other one beside it."""
    if path.is_file():
        return path
    others = [other for other in path.parent.glob("[!.]*.ipynb") if other.is_file()]
    return others[0] if len(others) == 1 else path


def mend(cells: list, known: Iterable[Known], stem: str, tasks: Iterable[str]) -> list:
    """The cells of a submission with every cell of the release among them, once and in place.

    `NotGraded` when none of them is there: then it is the notebook of something else.
    """
    from nbformat.v4 import new_code_cell, new_markdown_cell

    known = _in_order(known, stem, tasks)
    by_id = {one.grade_id: one for one in known}
    cell_ids = {build.cell_id(name): name for name in by_id}
    claimed: dict[str, list[tuple[int, NotebookNode]]] = {}
    foreign = False
    for cell in cells:
        marked = cell.metadata.pop("nbgrader", {}).get("grade_id")
        foreign |= isinstance(marked, str) and marked not in by_id
        by_its_id = cell_ids.get(cell.get("id"))
        grade_id, surely = _recognised(cell, marked, by_its_id, by_id, stem, tasks)
        if grade_id:
            claimed.setdefault(grade_id, []).append((surely, cell))
    sure = any(surely for copies in claimed.values() for surely, _ in copies)
    if cells and not sure and (foreign or not claimed):
        raise NotGraded("this is the notebook of another assignment: no cell of this one is in it")

    mended, after = list(cells), -1
    for one in known:
        copies = claimed.get(one.grade_id)
        chosen = _meant(one, copies) if copies else None
        if chosen is None:
            make = new_code_cell if one.cell_type == "code" else new_markdown_cell
            chosen = make(one.source, id=build.cell_id(one.grade_id))
            mended.insert(after + 1, chosen)
        _retype(chosen, one)
        after = next(place for place, cell in enumerate(mended) if cell is chosen)
    return _with_own_ids(mended)


def gather(cells: list, exercise: Exercise, guarded: bool = False) -> Answer:
    """The Python file that a submission amounts to.

    From each cell come imports, definitions and constants: what a notebook also calls, prints or
    trains is not part of an answer. `guarded` keeps one cell's failing definition from the others.
    """
    first, pieces, broken = ["from contextlib import suppress"], [], {}
    imported: set[str] = set()
    tasks = {task.name for task in exercise.tasks}
    answers = _answers(cells, exercise)
    for source in given(exercise):
        tree = ast.parse(source)
        imported |= _imported(tree.body)
        pieces += _pieces(tree, source, imported, False)[1]
    for cell in cells:
        meta = cell.metadata.get("nbgrader", {})
        if cell.cell_type != "code" or meta.get("locked"):
            continue
        task = meta.get("grade_id", "").removeprefix(f"{exercise.stem}-")
        try:
            source, tree = _parsed(cell.source)
            tree.body = [
                node
                for node in tree.body
                if not isinstance(node, _DEFINITIONS) or answers.get(node.name, cell) is cell
            ]
            names = imported | _imported(tree.body)
            futures, own = _pieces(tree, source, names, guarded)
        except _NOT_PYTHON as error:
            line = f" in line {error.lineno}" if isinstance(error, SyntaxError) else ""
            said = getattr(error, "msg", None) or error
            if meta.get("solution"):
                broken[task] = f"The cell has a {type(error).__name__}{line}: {said}"
                pieces += [_RAISES.format(task, broken[task])] if task in tasks else []
            continue
        imported = names
        first[:0] = [line for line in futures if line not in first]
        pieces += own
    return Answer("\n".join(first) + "\n\n\n" + "\n\n\n".join(pieces) + "\n", broken)


def _answers(cells: list, exercise: Exercise) -> dict[str, NotebookNode]:
    """The cell that each task's answer stands in: its own, and where that is the untouched stub,
    the last of the others that defines it. So cells may be merged; an experiment does not count."""
    stubs = _dumps(released(exercise))
    found: dict[str, NotebookNode] = {}
    own: set[str] = set()
    for cell in cells:
        meta = cell.metadata.get("nbgrader", {})
        if cell.cell_type != "code" or meta.get("locked"):
            continue
        task = meta.get("grade_id", "").removeprefix(f"{exercise.stem}-")
        answer = meta.get("solution") and task in stubs
        try:
            defined = _definitions(_parsed(cell.source)[1])
        except _NOT_PYTHON:
            if answer:
                found[task] = cell
                own.add(task)
            continue
        for name in stubs.keys() & defined.keys():
            if name == task and answer and defined[name] != stubs[name]:
                found[name] = cell
                own.add(name)
            elif name not in own and (defined[name] != stubs[name] or name not in found):
                found[name] = cell
    return found


def _dumps(known: Iterable[Known]) -> dict[str, str]:
    """The tasks' stubs, as `_definitions` has them."""
    code = (one.source for one in known if one.solution and one.cell_type == "code")
    return {name: text for source in code for name, text in _definitions(ast.parse(source)).items()}


def _definitions(tree: ast.Module) -> dict[str, str]:
    """What a cell defines: the last definition of each name, without comments and line breaks."""
    return {node.name: ast.dump(node) for node in tree.body if isinstance(node, _DEFINITIONS)}


def _recognised(
    cell,
    marked: object,
    by_its_id: str | None,
    by_id: dict[str, Known],
    stem: str,
    tasks: Iterable[str],
) -> tuple[str | None, int]:
    """Which cell of the release this is, and how surely: 2 by grade_id, 1 by cell id, 0 by text."""
    if isinstance(marked, str) and marked in by_id:
        return marked, 2
    if by_its_id:
        return by_its_id, 1
    for name, one in by_id.items():
        if one.locked and cell.source.strip() == one.source.strip():
            return name, 0
    if cell.cell_type == "code":
        try:
            tree = _parsed(cell.source)[1]
        except _NOT_PYTHON:
            return None, 0
        own = [f"{stem}-{name}" for name in tasks if name in _definitions(tree)]
        return next((name for name in own if name in by_id), None), 0
    return None, 0


def _meant(one: Known, copies: list) -> NotebookNode:
    """The copy that counts: as in Python the last one, but an untouched stub is no answer, and a
    cell that only defines the same name comes after the one that was made for it."""
    ranks = [
        (one.solution and cell.source.strip() != one.source.strip(), surely, place)
        for place, (surely, cell) in enumerate(copies)
    ]
    return copies[max(ranks)[-1]][1]


def _retype(cell, one: Known) -> None:
    """Make a cell what the release says it is; only an answer's text is the student's."""
    if cell.cell_type != one.cell_type:
        cell.cell_type = one.cell_type
        for name in ("outputs", "execution_count", "attachments"):
            cell.pop(name, None)
    if one.cell_type == "code":
        cell.outputs, cell.execution_count = [], None
    if one.locked:
        cell.source = one.source
    cell.metadata["nbgrader"] = one.metadata


def _in_order(known: Iterable[Known], stem: str, tasks: Iterable[str]) -> list[Known]:
    """Setup, each task and its check, the question, then what an instructor has added."""
    wanted = [f"{stem}-setup"]
    for task in tasks:
        wanted += [f"{stem}-{task}", f"{stem}-{task}-check"]
    wanted += [f"{stem}-{QUESTION}", f"{stem}-{WORDS}"]
    places = {grade_id: place for place, grade_id in enumerate(wanted)}
    return sorted(known, key=lambda one: places.get(one.grade_id, len(places)))


def _with_own_ids(cells: list) -> list:
    """Every cell with an id that no other has, as nbformat asks for."""
    taken: set[str] = set()
    for place, cell in enumerate(cells):
        if not cell.get("id") or cell["id"] in taken or len(cell["id"]) > 64:
            cell["id"] = build.cell_id(f"cell {place}")
        taken.add(cell["id"])
    return cells


def _parsed(text: str) -> tuple[str, ast.Module]:
    """A cell's Python as IPython takes it: what is its own, and indents the whole, left out."""
    try:
        return text, ast.parse(text)
    except SyntaxError:
        lines = ["" if _IPYTHON.match(line.strip()) else line for line in text.split("\n")]
        stripped = textwrap.dedent("\n".join(lines))
        return stripped, ast.parse(stripped)


def _pieces(tree: ast.Module, source: str, imported: set[str], guarded: bool):
    """The parts of a cell that define something: lines that must come first, and the others."""
    futures, found = [], []
    lines = source.split("\n")
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.module == "__future__":
            futures.append(ast.unparse(node))
        elif isinstance(node, ast.Import | ast.ImportFrom):
            found.append(f"with suppress(Exception):\n    {ast.unparse(node)}")
        elif isinstance(node, _DEFINITIONS):
            start = min([node.lineno, *(one.lineno for one in node.decorator_list)])
            text = "\n".join(lines[start - 1 : node.end_lineno])
            if guarded:
                indented = "\n".join("    " + line for line in text.split("\n"))
                text = f"with suppress(BaseException):\n{indented}"
            found.append(text)
        elif isinstance(node, ast.Assign | ast.AnnAssign) and _constant(node.value, imported):
            found.append(f"with suppress(Exception):\n    {ast.unparse(node)}")
    return futures, found


def _constant(value: ast.expr | None, imported: set[str]) -> bool:
    """Whether a value is made by libraries alone: a cell's own functions are not called."""
    if value is None:
        return False
    for part in ast.walk(value):
        if isinstance(part, ast.Await | ast.Yield | ast.YieldFrom):
            return False
        if isinstance(part, ast.Call):
            root = part.func
            while isinstance(root, ast.Attribute):
                root = root.value
            if not isinstance(root, ast.Name) or root.id not in imported | _MAKERS:
                return False
    return True


def _imported(nodes: Iterable[ast.stmt]) -> set[str]:
    names = set()
    for node in nodes:
        if isinstance(node, ast.Import | ast.ImportFrom):
            names |= {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
    return names - set(dir(builtins))
