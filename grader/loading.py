"""Running a learner's source as a module, and saying in a sentence why it does not run.

Used where the code under test is loaded: in the process of its tests, and in the worker that is
apart from them.
"""

from __future__ import annotations

import ast
import difflib
import linecache
import re
import sys
import traceback
from collections.abc import Iterable
from functools import lru_cache
from types import ModuleType

from grader.report import Verdict

_MEMORY = re.compile(r"you tried to allocate (\d+) bytes")


class CannotLoad(Exception):
    """The code under test is not there or does not import; `sentence` says it to the learner."""

    def __init__(self, sentence: str, verdict: Verdict = Verdict.CRASHED):
        super().__init__(sentence)
        self.sentence, self.verdict = sentence, verdict


def load(source: str, path: str, shown: str, stem: str) -> ModuleType:
    """Run a source as the module of exercise `stem`; `shown` is what its author calls the file."""
    module = ModuleType(stem)
    module.__file__ = path
    # Known by name, so that its classes can be found again (worker processes, dataclasses).
    sys.modules[stem] = module
    code = _compile(source, path, shown)
    # For tracebacks: a file that is being edited changes between runs, a notebook is no source.
    linecache.cache[path] = (len(source), None, source.splitlines(keepends=True), path)
    try:
        exec(code, module.__dict__)
    except NotImplementedError as error:
        raise CannotLoad(f"{shown} {_where(error, path)} is not written yet.") from None
    except KeyboardInterrupt:
        raise
    except SystemExit as error:
        raise CannotLoad(
            f"{shown} ends Python when it is imported: {_where(error, path)} calls "
            "exit. Take that call out; a module that is imported should only define things."
        ) from None
    except Exception as error:
        raise CannotLoad(
            f"{shown} does not import: {_where(error, path)} raises {explain(error)}"
        ) from None
    return module


def swap(namespace: dict, parts: Iterable[tuple[str, str]]) -> None:
    """Run more code in a module, pairs of text and file name: another answer to a task."""
    for text, name in parts:
        exec(compile(text, name, "exec", dont_inherit=True), namespace)


def missing(source: str, shown: str, name: str) -> str:
    """A sentence about a name that the learner's file does not define."""
    own = defined(source)
    found = f"It defines {', '.join(own)}." if own else "It defines no function or class."
    near = difflib.get_close_matches(name, own, 1, 0.6)
    near = near or [one for one in own if one.lower() == name.lower()]
    ask = f" Is {near[0]} meant to be {name}?" if near else ""
    return f"{shown} has no {name}. {found}{ask}"


def defined(source: str) -> list[str]:
    """The functions and classes that a source defines at its top level, in order."""
    kinds = ast.FunctionDef | ast.ClassDef
    return [node.name for node in ast.parse(source).body if isinstance(node, kinds)]


def brief(error: BaseException) -> str:
    """Type and message of an exception, without torch's C++ trace."""
    message = str(error).partition("Exception raised from")[0].strip()
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    text = " ".join(lines[:3])
    text = text if len(text) <= 300 else text[:299] + "…"
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def line_in(error: BaseException, *files: str) -> tuple[int, str] | None:
    """The innermost line of the files that an exception passed through: number and text."""
    found, trace = None, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename in files:
            found = trace.tb_frame.f_code.co_filename, trace.tb_lineno
        trace = trace.tb_next
    return (found[1], linecache.getline(*found).strip()) if found else None


def explain(error: BaseException) -> str:
    """An exception in a line; what torch says about memory in plainer words."""
    asked = _MEMORY.search(str(error))
    if asked:
        return f"out of memory: this asks for {int(asked[1]) / 1e9:.1f} GB at once"
    if isinstance(error, MemoryError):
        return "out of memory: a test may take 4 GB"
    return brief(error)


def _where(error: BaseException, path: str) -> str:
    line = line_in(error, path)
    return f"line {line[0]} (`{line[1]}`)" if line else "it"


@lru_cache(maxsize=4)  # a diagnosis loads one file many times
def _compile(source: str, path: str, shown: str):
    try:
        return compile(source, path, "exec", dont_inherit=True)
    except SyntaxError as error:
        lines = traceback.format_exception_only(error)
        caret = "".join(line for line in lines[1:-1]).rstrip("\n")
        raise CannotLoad(
            f"{shown} has a {type(error).__name__} in line {error.lineno}: {error.msg}\n{caret}"
        ) from None
    except ValueError as error:  # a null byte
        raise CannotLoad(f"{shown} is not Python source: {error}.") from None
    except (RecursionError, MemoryError):
        raise CannotLoad(
            f"{shown} is nested too deeply for Python to read. Give the parts of what it writes in "
            "one expression names of their own."
        ) from None
