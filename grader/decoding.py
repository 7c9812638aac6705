"""Source files as text, read as Python reads them: byte order mark, coding line, ends of lines."""

from __future__ import annotations

import codecs
import io
import re
import tokenize

_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)  # UTF-32's begin like these
_NO_SOURCE = ("idna", "punycode", "undefined")  # of host names: slow on long texts, and no source
HALF = re.compile("[\ud800-\udfff]")  # half characters, which some codecs make
_SAVE = "Save it as UTF-8."


class Undecodable(ValueError):
    """Bytes that are no program's text; what follows the file's name in a sentence."""


def decoded(content: bytes) -> str:
    """The text of a Python file, as `tokenize.open` would give it: its lines end in line feeds.

    `Undecodable` when its coding line names no encoding, or its bytes are none of that encoding.
    """
    if content.startswith(_UTF16):
        raise Undecodable(f"is not text in utf-8, but in UTF-16. {_SAVE}")
    encoding = _encoding(content)
    try:
        text = io.TextIOWrapper(io.BytesIO(content), encoding).read()
    except UnicodeDecodeError as error:
        raise Undecodable(_broken(error, encoding)) from None
    except Exception as error:  # a codec says in its own way that it cannot
        raise Undecodable(f"is not text in {encoding} ({type(error).__name__}). {_SAVE}") from None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise Undecodable(f"is no text: a NUL byte at line {line}. {_SAVE}")
    if HALF.search(text):
        raise Undecodable(f"has half characters in {encoding}. {_SAVE}")
    return text


def with_line_feeds(text: str) -> str:
    """A text whose lines end in line feeds, whatever system it was written on."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _encoding(content: bytes) -> str:
    """The encoding that the byte order mark or the first two lines name; UTF-8 else."""
    lines = io.BytesIO(content.replace(b"\r\n", b"\n").replace(b"\r", b"\n"))
    try:
        encoding, _ = tokenize.detect_encoding(lines.readline)
    except SyntaxError as error:
        try:
            content.decode("utf-8")
        except UnicodeDecodeError as broken:
            raise Undecodable(_broken(broken, "utf-8")) from None
        raise Undecodable(f"cannot be decoded: {error.msg}. {_SAVE}") from None
    if codecs.lookup(encoding).name in _NO_SOURCE:
        raise Undecodable(f"has a coding line for {encoding}, which is for host names. {_SAVE}")
    return encoding


def _broken(error: UnicodeDecodeError, encoding: str) -> str:
    line = len(re.findall(rb"\r\n|\r|\n", error.object[: error.start])) + 1
    byte = f"byte 0x{error.object[error.start]:02x} at line {line}"
    return f"is not text in {encoding}: {byte}. {_SAVE}"
