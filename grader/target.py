"""Where the code under test comes from, and how it is loaded.

What is missing or does not import becomes a `CannotLoad` with a sentence for the learner.
"""

from __future__ import annotations

import ast
import difflib
import json
import linecache
import re
import sys
import traceback
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from types import ModuleType

from grader.bank import Entry
from grader.course import shown, solutions
from grader.report import Verdict

_MEMORY = re.compile(r"you tried to allocate (\d+) bytes")


class CannotLoad(Exception):
    """The code under test is not there or does not import; `sentence` says it to the learner."""

    def __init__(self, sentence: str, verdict: Verdict = Verdict.CRASHED):
        super().__init__(sentence)
        self.sentence, self.verdict = sentence, verdict


@dataclass(frozen=True)
class Target:
    """A folder of exercise files, or one file or notebook, maybe with one task replaced."""

    path: Path
    swap: Entry | None = None

    @classmethod
    def parse(cls, text: str | Path, root: Path | None = None) -> Target:
        """`exercises`, `solutions` or any path; names relative to `root` when they are there."""
        path = Path(text)
        if not path.is_absolute() and root is not None and not path.exists():
            path = solutions(root) if str(text) == "solutions" else root / path
        return cls(path.resolve())

    def with_swap(self, entry: Entry | None) -> Target:
        return replace(self, swap=entry)

    def file(self, stem: str) -> Path:
        """The file that holds exercise `stem`."""
        if self.path.suffix in (".py", ".ipynb"):
            return self.path
        notebook = self.path / f"{stem}.ipynb"
        script = self.path / f"{stem}.py"
        return notebook if notebook.is_file() and not script.is_file() else script

    def files(self, stem: str) -> tuple[str, ...]:
        """The names that tracebacks give the learner's code."""
        return (str(self.file(stem)),)

    def load(self, stem: str) -> ModuleType:
        """Run the file of exercise `stem` as a module of that name and return it."""
        path = self.file(stem)
        source = read_source(path)
        module = ModuleType(stem)
        module.__file__ = str(path)
        # Known by name, so that its classes can be found again (worker processes, dataclasses).
        sys.modules[stem] = module
        code = _compile(source, path)
        # For tracebacks: a file that is being edited changes between runs, a notebook is no source.
        lines = source.splitlines(keepends=True)
        linecache.cache[str(path)] = (len(source), None, lines, str(path))
        try:
            exec(code, module.__dict__)
        except NotImplementedError as error:
            raise CannotLoad(f"{shown(path)} {_where(error, path)} is not written yet.") from None
        except KeyboardInterrupt:
            raise
        except SystemExit as error:
            raise CannotLoad(
                f"{shown(path)} ends Python when it is imported: {_where(error, path)} calls "
                "exit. Take that call out; a module that is imported should only define things."
            ) from None
        except Exception as error:
            raise CannotLoad(
                f"{shown(path)} does not import: {_where(error, path)} raises {explain(error)}"
            ) from None
        if self.swap is not None:
            self.swap.swap_into(module.__dict__)
        return module


def read_source(path: Path) -> str:
    """The Python source of a script or of a notebook's code cells."""
    again = f"`kata reset {path.stem.split('_')[0]}` writes a fresh one."
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        raise CannotLoad(f"{shown(path)} is not there. {again}", Verdict.NOT_ATTEMPTED) from None
    except UnicodeDecodeError as error:
        raise CannotLoad(
            f"{shown(path)} is not UTF-8 text (byte {error.start}). Save it as UTF-8."
        ) from None
    except OSError as error:
        raise CannotLoad(f"{shown(path)} cannot be read: {error.strerror}.") from None
    if not text.strip():
        raise CannotLoad(f"{shown(path)} is empty. {again}", Verdict.NOT_ATTEMPTED)
    return _notebook_source(text, path) if path.suffix == ".ipynb" else text


def missing(module: ModuleType, name: str) -> str:
    """A sentence about a name that the learner's file does not define."""
    path = Path(module.__file__ or module.__name__)
    own = defined(read_source(path))
    found = f"It defines {', '.join(own)}." if own else "It defines no function or class."
    near = difflib.get_close_matches(name, own, 1, 0.6)
    near = near or [one for one in own if one.lower() == name.lower()]
    ask = f" Is {near[0]} meant to be {name}?" if near else ""
    return f"{shown(path)} has no {name}. {found}{ask}"


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


def _where(error: BaseException, path: Path) -> str:
    line = line_in(error, str(path))
    return f"line {line[0]} (`{line[1]}`)" if line else "it"


@lru_cache(maxsize=4)  # a diagnosis loads one file many times
def _compile(source: str, path: Path):
    try:
        return compile(source, str(path), "exec", dont_inherit=True)
    except SyntaxError as error:
        lines = traceback.format_exception_only(error)
        caret = "".join(line for line in lines[1:-1]).rstrip("\n")
        raise CannotLoad(
            f"{shown(path)} has a {type(error).__name__} in line {error.lineno}: {error.msg}\n"
            f"{caret}"
        ) from None
    except ValueError as error:  # a null byte
        raise CannotLoad(f"{shown(path)} is not Python source: {error}.") from None


def _notebook_source(text: str, path: Path) -> str:
    try:
        cells = json.loads(text)["cells"]
        sources = [cell["source"] for cell in cells if cell["cell_type"] == "code"]
    except (ValueError, KeyError, TypeError) as error:
        raise CannotLoad(
            f"{shown(path)} is not a Jupyter notebook ({type(error).__name__}: {error}). "
            "Open it in Jupyter and save it again."
        ) from None
    joined = "\n\n".join(s if isinstance(s, str) else "".join(s) for s in sources)
    keep = [line for line in joined.splitlines() if not line.lstrip().startswith(("%", "!"))]
    return "\n".join(keep) + "\n"
