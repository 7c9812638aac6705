"""The one reader of notebooks: bytes become plain cells, whichever version of the format they are.

Versions 1 to 3 are read as nbformat upgrades them; of version 4 every minor one. nbformat itself
is not used: it takes a second to import, and trusts what a notebook says of itself.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from grader.decoding import HALF, with_line_feeds

BIGGEST = 128 << 20  # bytes of a file: its outputs are dropped, but have to be read
TEXT = 2 << 20  # characters of all cells together; an exercise has 10,000
CELLS = 10_000
_DENSEST = 4_000_000  # marks of JSON: each may make a Python object of a hundred bytes
_NEWEST = 4
_OLD_KINDS = {"heading": "markdown", "html": "markdown", "text": "markdown"}


class NotANotebook(ValueError):
    """Bytes that cannot be read as a notebook; what follows "the file" in a sentence, no stop."""


def read(content: bytes, most: int = TEXT) -> dict:
    """A notebook of format 4.5 without outputs; cells that are none become raw ones.

    `NotANotebook` when it is too large, no JSON, no notebook, or of a format yet unknown.
    """
    if len(content) > BIGGEST:
        raise NotANotebook(f"is too large: {len(content) / 1e6:.0f} MB. Clear its outputs")
    if not content.strip():
        raise NotANotebook("is empty: the upload broke off, or the wrong file was handed in")
    if sum(content.count(mark) for mark in (b",", b":", b"[", b"{")) > _DENSEST:
        raise NotANotebook("holds too much data: clear its outputs")
    try:
        data = json.loads(content)
    except (ValueError, RecursionError, MemoryError):
        raise NotANotebook("is not a notebook: it is not valid JSON") from None
    if not isinstance(data, dict):
        raise NotANotebook("is not a notebook: it has no list of cells")
    cells = [_plain(cell) for cell in _cells(data)]
    if len(cells) > CELLS:
        raise NotANotebook(f"has more than {CELLS:,} cells: hand in the exercise's alone")
    if sum(len(cell["source"]) for cell in cells) > most:
        raise NotANotebook(f"has more than {most >> 20} MB of text: hand in the exercise's alone")
    metadata = data.get("metadata")
    return nothing() | {"cells": cells, "metadata": metadata if isinstance(metadata, dict) else {}}


def nothing() -> dict:
    """A notebook without cells."""
    return {"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


def code_cells(content: bytes) -> list[str]:
    """The text of a notebook's code cells, in order; `NotANotebook` as in `read`."""
    return [cell["source"] for cell in read(content)["cells"] if cell["cell_type"] == "code"]


def _cells(data: dict) -> Iterator[dict]:
    """The cells of a notebook of any format, as those of format 4."""
    major = data.get("nbformat", _NEWEST)
    major = major if type(major) is int else _NEWEST
    if major > _NEWEST:
        raise NotANotebook(f"is a notebook of a newer format than {_NEWEST}: save it in that one")
    cells = data.get("cells")
    if major in (2, 3) or (cells is None and "worksheets" in data):
        sheets = data.get("worksheets")
        if not isinstance(sheets, list):
            raise NotANotebook("is not a notebook: it has no worksheets")
        lists = [sheet.get("cells") for sheet in sheets if isinstance(sheet, dict)]
        cells = [cell for listed in lists if isinstance(listed, list) for cell in listed]
    if not isinstance(cells, list):
        raise NotANotebook("is not a notebook: it has no list of cells")
    dicts = (cell for cell in cells if isinstance(cell, dict))
    return dicts if major == _NEWEST else (_upgraded(cell, major) for cell in dicts)


def _upgraded(cell: dict, major: int) -> dict:
    """A cell of format 1, 2 or 3 as one of format 4."""
    kind = cell.get("cell_type")
    text = next((cell[key] for key in ("input", "code", "text", "source") if key in cell), "")
    if isinstance(text, list):  # of lines, which some versions kept without their ends
        lines = [line for line in text if isinstance(line, str)]
        ended = major > 2 and bool(lines) and lines[0].endswith("\n")
        text = ("" if ended else "\n").join(lines)
    if kind == "heading" and isinstance(text, str):
        level = cell.get("level", 1)
        hashes = "#" * (level if type(level) is int and 1 <= level <= 6 else 1)
        text = f"{hashes} {' '.join(text.splitlines())}"
    kind = _OLD_KINDS.get(kind, kind) if isinstance(kind, str) else kind
    return {"cell_type": kind, "source": text, "metadata": cell.get("metadata")}


def _plain(cell: dict) -> dict:
    """A cell with nothing but what grading needs, and of the types that nbformat asks for."""
    source = cell.get("source", "")
    if isinstance(source, list):
        source = "".join(part for part in source if isinstance(part, str))
    kind, meta = cell.get("cell_type"), cell.get("metadata")
    plain = {
        "cell_type": kind if kind in ("code", "markdown", "raw") else "raw",
        "source": with_line_feeds(_whole(source)) if isinstance(source, str) else "",
        "metadata": {},
        "id": _whole(cell["id"]) if isinstance(cell.get("id"), str) else "",
    }
    if isinstance(meta, dict) and isinstance(meta.get("nbgrader"), dict):
        plain["metadata"]["nbgrader"] = meta["nbgrader"]
    if kind != "code" and _is_whole(cell.get("attachments")):
        plain["attachments"] = cell["attachments"]
    return plain | ({"outputs": [], "execution_count": None} if kind == "code" else {})


def _whole(text: str) -> str:
    """A text without the half characters that JSON can spell, and no file can hold."""
    return HALF.sub("\ufffd", text)


def _is_whole(attachments: object) -> bool:
    """Are these attachments that can be written down again?"""
    try:
        text = json.dumps(attachments, ensure_ascii=False)
    except RecursionError:
        return False
    return isinstance(attachments, dict) and not HALF.search(text)
