"""Where the code under test comes from, and how it is loaded.

What is missing or does not import becomes a `CannotLoad` with a sentence for the learner.
"""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType

from grader import loading, reading
from grader.bank import Entry
from grader.course import CourseError, Exercise, shown, solutions
from grader.decoding import Undecodable, decoded
from grader.loading import CannotLoad
from grader.notebooks import NotANotebook, code_cells
from grader.reading import kind_of, why
from grader.report import Verdict


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

    @classmethod
    def asked(cls, text: str | Path, root: Path | None = None, label: str = "--target: ") -> Target:
        """What `--target` names, as `parse` finds it.

        Raises `CourseError` where that is no folder, and no script or notebook that can be read.
        """
        if not str(text):
            raise CourseError(f"{label}it names nothing. Leave it out, or give a folder or file.")
        path = Path(text)
        if root is not None and not os.path.lexists(path):
            path = root / path
        named = shown(path)
        try:
            target = cls.parse(text, root)
            kind = kind_of(os.stat(target.path).st_mode)
        except (OSError, ValueError, RuntimeError) as error:  # pathlib's word on a link in a circle
            error = OSError(errno.ELOOP, "") if isinstance(error, RuntimeError) else error
            if isinstance(error, FileNotFoundError):
                raise CourseError(
                    f"{label}there is no {named}. Give exercises, solutions, or a folder, "
                    "file or notebook that is there."
                ) from None
            raise CourseError(f"{label}{named} {why(error)}.") from None
        if kind == "a file":
            if target.path.suffix not in (".py", ".ipynb"):
                raise CourseError(
                    f"{label}{named} is no script and no notebook: give a file "
                    "that ends in .py or .ipynb, or a folder of them."
                )
        elif kind != "a folder":
            raise CourseError(
                f"{label}{named} is {kind}. Give a folder, or a file that ends in .py or .ipynb."
            )
        return target

    @classmethod
    def named(cls, names: list[str], text: str, course) -> tuple[Target, tuple[Exercise, ...]]:
        """What words like `ex03`, or the path of one file from elsewhere, ask to be run.

        Raises `CourseError` where such a path is not alone, or names no exercise.
        """
        files = [name for name in names if is_elsewhere(Path(name), course.root)]
        if not files:
            return cls.asked(text, course.root), course.select(names)
        file = files[0]
        if len(names) > 1 or text != "exercises":
            raise CourseError(
                f"{shown(Path(file))} lies outside {shown(course.root / 'exercises')}: name it "
                "alone, or give its folder with --target and the exercises by their names."
            )
        target = cls.asked(file, label="")
        return target, course.select([target.path.stem])

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

    def source(self, stem: str) -> str:
        """The source of exercise `stem`, and below it what takes the place of a task."""
        text = read_source(self.file(stem))
        return f"{text}\n\n{self.swap.text}" if self.swap else text

    def load(self, stem: str) -> ModuleType:
        """Run the file of exercise `stem` as a module of that name and return it."""
        path = self.file(stem)
        module = loading.load(read_source(path), str(path), shown(path), stem)
        if self.swap is not None:
            self.swap.swap_into(module.__dict__)
        return module


def is_elsewhere(path: Path, root: Path) -> bool:
    """Is this the path of a script or notebook that is none of the course's in `root`?"""
    if path.suffix not in (".py", ".ipynb") or not (len(path.parts) > 1 or os.path.exists(path)):
        return False
    real = os.path.realpath(path)
    if os.path.dirname(real) == os.path.realpath(root / "tests"):
        return False
    return real != os.path.realpath(Target(root / "exercises").file(path.stem))


def read_source(path: Path) -> str:
    """The Python source of a script or of a notebook's code cells; `CannotLoad` if there is none.

    A script is decoded as Python decodes it, a notebook is read as for grading.
    """
    again = f"`kata reset {path.stem.split('_')[0]}` writes a fresh one."
    try:
        content = reading.content(path)
        text = _cells(content) if path.suffix == ".ipynb" and content else decoded(content)
    except reading.ReadingError as error:
        if not error.missing:
            raise CannotLoad(str(error)) from None
        raise CannotLoad(f"{shown(path)} is not there. {again}", Verdict.NOT_ATTEMPTED) from None
    except Undecodable as error:
        raise CannotLoad(f"{shown(path)} {error}") from None
    except NotANotebook as error:
        raise CannotLoad(f"{shown(path)} {error}. Open it in Jupyter and save it again.") from None
    if not content.strip() or not text.strip():
        raise CannotLoad(f"{shown(path)} is empty. {again}", Verdict.NOT_ATTEMPTED)
    return text


def missing(module: ModuleType, name: str) -> str:
    """A sentence about a name that the learner's file does not define."""
    path = Path(module.__file__ or module.__name__)
    return loading.missing(read_source(path), shown(path), name)


def _cells(content: bytes) -> str:
    """A notebook's code cells as one text, without IPython's magics."""
    lines = "\n\n".join(code_cells(content)).split("\n")
    return "\n".join(line for line in lines if not line.lstrip().startswith(("%", "!"))) + "\n"
