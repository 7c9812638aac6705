"""What is printed reaches any terminal, file or pipe, or a sentence says why not."""

from __future__ import annotations

import codecs
import contextlib
import errno
import os
import sys
from collections.abc import Iterator

from grader.reading import printable, why

_PLAIN = {"✓": "+", "▸": ">", "·": "-", "…": "...", "–": "-", "—": "-", "×": "x", "→": "->"}
_PLAIN |= {"“": '"', "”": '"', "‘": "'", "’": "'"}
_HANDLER = "kata-plain"


def take_any_character() -> None:
    """Have what a terminal's encoding lacks printed as something like it, or as a question mark."""
    codecs.register_error(_HANDLER, _plain)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors=_HANDLER)


@contextlib.contextmanager
def written_out() -> Iterator[None]:
    """What was printed is where it belongs when this ends; `OSError` where it cannot be."""
    try:
        yield
    finally:
        try:
            sys.stdout.flush()
        except OSError:
            _let_go()
            raise


def sentence(error: OSError) -> str:
    """What the system refused, with the file and the way out."""
    if error.filename is None:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return "What was printed could not be written: the disk is full. Free some room."
        return f"{error.strerror or error}."
    return f"{printable(os.fsdecode(error.filename))} {why(error)}."


def _plain(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    encoding = error.encoding
    return "".join(_in(encoding, c) for c in error.object[error.start : error.end]), error.end


def _in(encoding: str, character: str) -> str:
    with contextlib.suppress(UnicodeError, LookupError):
        _PLAIN[character].encode(encoding)
        return _PLAIN[character]
    return "?"


def _let_go() -> None:
    """What is left in the buffer goes nowhere; Python would say so in a traceback at its end."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
