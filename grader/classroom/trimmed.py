"""A handed-in file as the bytes that travel: of a notebook only its cells' text and marks."""

from __future__ import annotations

import json

from grader import notebooks
from grader.decoding import Undecodable, decoded

SCRIPT = 2 << 20  # bytes of a script; an exercise has 10 KB
NOTEBOOK = notebooks.BIGGEST  # bytes of a notebook with outputs


class Unusable(Exception):
    """A file that cannot be graded; what follows its name in a sentence."""


def trimmed(name: str, content: bytes) -> bytes:
    """A script as it is; a notebook without outputs, so that running it again changes nothing.

    `Unusable` when it is empty, too large, no text in its encoding, or no notebook.
    """
    if not content.strip():
        raise Unusable("is empty: the upload broke off, or the wrong file was handed in.")
    if name.casefold().endswith(".ipynb"):
        return _cells(content)
    if len(content) > SCRIPT:
        raise Unusable(f"has more than {SCRIPT >> 20} MB of code: hand in the exercise's alone.")
    try:
        decoded(content)
    except Undecodable as error:
        raise Unusable(str(error)) from None
    return content


def _cells(content: bytes) -> bytes:
    try:
        book = notebooks.read(content)
    except notebooks.NotANotebook as error:
        raise Unusable(f"{error}.") from None
    for cell in book["cells"]:
        cell.pop("attachments", None)
        grade_id = cell["metadata"].pop("nbgrader", {}).get("grade_id")
        if isinstance(grade_id, str):
            cell["metadata"]["nbgrader"] = {"grade_id": grade_id[:_LONGEST]}
        cell["id"] = cell["id"][:_LONGEST]
    return json.dumps(book | {"metadata": {}}).encode("ascii")


_LONGEST = 200  # characters of a cell's name; ours have fewer
