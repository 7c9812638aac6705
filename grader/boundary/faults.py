"""Exceptions on their way across a boundary: as data, and made again from builtin types only."""

from __future__ import annotations

import builtins
from dataclasses import dataclass

from grader.boundary.frames import Broken, printable

_TEXT = 2000  # characters of a message
_NAME = 80
_PLAIN = (str, int, float, bool, type(None))


class Ended(Exception):
    """The worker is gone, or was ended because it did not keep to the protocol."""


@dataclass(frozen=True)
class Origin:
    """Where in the learner's file an exception of the other side comes from."""

    line: tuple[int, str] | None  # the innermost of the learner's lines that it passed through
    raiser: str  # the top-level function or class that raised it


def tell(error: BaseException, line: tuple[int, str] | None, raiser: str) -> dict:
    """An exception as plain data."""
    args = [arg[:_TEXT] if isinstance(arg, str) else arg for arg in error.args]
    plain = len(args) <= 3 and all(isinstance(arg, _PLAIN) for arg in args)
    return {
        "name": type(error).__name__[:_NAME],
        "bases": [kind.__name__ for kind in type(error).__mro__ if kind.__module__ == "builtins"],
        "args": [repr(arg) if isinstance(arg, float) else arg for arg in args] if plain else None,
        "text": _text(error),
        "line": [line[0], line[1][:_TEXT]] if line else None,
        "raiser": raiser[:_NAME],
    }


def rebuild(told: object) -> BaseException:
    """An exception like the one that was told of, with its `Origin` as attribute `origin`."""
    match told:
        case {
            "name": str(name),
            "bases": [*bases],
            "args": list() | None as args,
            "text": str(text),
            "line": line,
            "raiser": str(raiser),
        }:
            pass
        case _:
            raise Broken("no exception")
    base = next((known for one in bases if (known := _builtin(one))), Exception)
    given = [printable(one, _TEXT) if isinstance(one, str) else one for one in args or []]
    error = _make(_named(base, name[:_NAME]), given, printable(text, _TEXT))
    found = (line[0], printable(line[1], _TEXT)) if _is_line(line) else None
    error.origin = Origin(found, printable(raiser, _NAME))
    return error


def origin(error: BaseException) -> Origin | None:
    """Where an exception of the other side comes from; None for one of this side."""
    found = error.__dict__.get("origin")
    return found if isinstance(found, Origin) else None


def _builtin(name: object) -> type | None:
    kind = getattr(builtins, name, None) if isinstance(name, str) else None
    known = isinstance(kind, type) and issubclass(kind, Exception | SystemExit)
    return kind if known else None


def _named(base: type, name: str) -> type:
    if name == base.__name__ or not name.isidentifier():
        return base
    return type(name, (base,), {})


def _make(kind: type, args: object, text: str) -> BaseException:
    # UnicodeDecodeError and the like want arguments that are no plain data.
    for given in (args if isinstance(args, list) else [text], [text]):
        if all(isinstance(one, _PLAIN) for one in given):
            try:
                made = kind(*given)
                if str(made) == text:
                    return made
            except Exception:
                continue
    nearest = next(k for k in (OSError, ValueError, SystemExit, Exception) if issubclass(kind, k))
    return _named(nearest, kind.__name__)(text)


def _is_line(line: object) -> bool:
    match line:
        case [int(_), str(_)]:
            return True
    return False


def _text(error: BaseException) -> str:
    try:
        return str(error)[:_TEXT]
    except Exception:  # a learner's own __str__
        return ""
