"""A handed-in file as the bytes that travel: of a notebook only its cells' text and marks."""

from __future__ import annotations

import json

SCRIPT = 2 << 20  # bytes of a script, and of a notebook without outputs: an exercise has 10 KB
# Bytes of a notebook with outputs. Pictures make a few MB; and what JSON makes of hostile bytes
# can take thirty times their size in memory, so this is less than what is read for nbgrader.
NOTEBOOK = 16 << 20
_KEPT = ("id", "cell_type", "source", "metadata")


class Unusable(Exception):
    """A file that cannot be graded; what follows its name in a sentence."""


def trimmed(name: str, content: bytes) -> bytes:
    """A script as it is; a notebook without outputs, so that running it again changes nothing.

    `Unusable` when it is empty or too large; a small file that is no notebook stays as it is, for
    its grading to say so.
    """
    if not content.strip():
        raise Unusable("is empty: the upload broke off, or the wrong file was handed in.")
    if name.casefold().endswith(".ipynb"):
        content = _cells(content)
    if len(content) > SCRIPT:
        raise Unusable(f"has more than {SCRIPT >> 20} MB of code: hand in the exercise's alone.")
    return content


def _cells(content: bytes) -> bytes:
    try:
        book = json.loads(content)
        cells = [
            {key: cell[key] for key in _KEPT if key in cell}
            | ({"outputs": [], "execution_count": None} if cell.get("cell_type") == "code" else {})
            for cell in book["cells"]
        ]
        kept = {key: book[key] for key in ("metadata", "nbformat", "nbformat_minor") if key in book}
        return json.dumps(kept | {"cells": cells}).encode("ascii")
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, MemoryError):
        return content
