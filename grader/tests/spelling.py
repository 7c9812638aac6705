"""Answers in the words of somebody else: the test set of the diagnosis.

A file of `spellings/` holds functions and classes that stand in the place of the solution's; their
own names don't matter. A class gives the methods that differ, the rest is the solution's. The files
are read and not imported, and each answer becomes a learner's file of its own.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path

from grader.course import Course, Exercise

FOLDER = Path(__file__).parent / "spellings"


def spelled(task: str, mistake: str):
    """Mark a second spelling of a known mistake."""
    del task, mistake
    return lambda answer: answer


def right(task: str):
    """Mark a right answer."""
    del task
    return lambda answer: answer


def unlike(task: str):
    """Mark a wrong answer that behaves like no known mistake."""
    del task
    return lambda answer: answer


@dataclass(frozen=True)
class Spelling:
    """One answer, and what the diagnosis has to say about it."""

    kind: str
    exercise: Exercise
    task: str
    name: str
    mistake: str | None
    imports: tuple[ast.stmt, ...]
    node: ast.FunctionDef | ast.ClassDef

    def __str__(self) -> str:
        return f"{self.exercise.id}/{self.task}/{self.name}"

    def write(self, folder: Path) -> Path:
        """A learner's file: the solution, in which this answer replaces one task."""
        tree = ast.parse(self.exercise.solution.read_text("utf-8"))
        places = [i for i, node in enumerate(tree.body) if getattr(node, "name", "") == self.task]
        place = places[-1]
        tree.body[place] = _merged(tree.body[place], self.node, self.task)
        tree.body[:0] = self.imports
        path = folder / f"{self.exercise.id}_{self.task}_{self.kind}_{self.name}.py"
        path.write_text(ast.unparse(tree) + "\n", "utf-8")
        return path


def read(course: Course, kind: str) -> list[Spelling]:
    """All answers of a kind."""
    found = []
    for path in sorted(FOLDER.glob("ex*.py")):
        tree = ast.parse(path.read_text("utf-8"), str(path))
        exercise = course.find(path.stem)
        imports = tuple(node for node in tree.body if _is_import(node))
        for node in tree.body:
            for mark in getattr(node, "decorator_list", [])[:1]:
                if mark.func.id == kind:
                    task, *mistake = [ast.literal_eval(word) for word in mark.args]
                    known = mistake[0] if mistake else None
                    found.append(Spelling(kind, exercise, task, node.name, known, imports, node))
    return found


def _is_import(node: ast.stmt) -> bool:
    if isinstance(node, ast.ImportFrom):
        return not (node.module or "").startswith("grader")
    return isinstance(node, ast.Import)


def _merged(old: ast.stmt, new: ast.stmt, task: str) -> ast.stmt:
    new.name, new.decorator_list = task, []
    if isinstance(new, ast.ClassDef) and isinstance(old, ast.ClassDef):
        own = {node.name: node for node in new.body if isinstance(node, ast.FunctionDef)}
        body = [own.pop(getattr(node, "name", ""), node) for node in old.body]
        return ast.ClassDef(task, old.bases, old.keywords, [*body, *own.values()], [])
    return new
