"""Reads archives that strangers have made: names and bytes, within limits, nothing ever on disk.

Only what is asked for is kept, every length is checked against what really comes out, and links,
devices and names that lead elsewhere are told, not followed.
"""

from __future__ import annotations

import bz2
import gzip
import stat
import zipfile
from collections.abc import Iterator
from typing import BinaryIO

from grader.classroom import tars
from grader.classroom.packed import NOT_A_FILE, BadArchive, Budget, Member, Wanted, one, split

_AT_ONCE = 4 << 20  # bytes of a zip's list of contents: enough for MEMBERS with long names
_STEPWISE = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # bzip2 and lzma unpack all at once there
_UNREAD = {b"Rar!": "RAR", b"7z\xbc\xaf": "7z"}
_AGAIN = "download or pack it again, as .zip or .tar.gz."
_ENCRYPTED, _UTF8 = 0x1, 0x800  # flags of a zip's member


def members(file: BinaryIO, wanted: Wanted, budget: Budget) -> Iterator[Member]:
    """The files of an archive, in its order, whatever its name says that it is.

    `BadArchive` when it is none that can be read, breaks off, or exceeds its budget; what came
    before stands.
    """
    try:
        head = file.read(6)
        file.seek(0)
        for magic, kind in _UNREAD.items():
            if head.startswith(magic):
                raise BadArchive(f"is a {kind} archive, which is not read here: {_AGAIN}")
        if head[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
            yield from _zip(file, wanted, budget)
        elif head[:2] == b"\x1f\x8b":
            yield from tars.members(gzip.GzipFile(fileobj=file), wanted, budget)
        elif head[:3] == b"BZh":
            yield from tars.members(bz2.BZ2File(file), wanted, budget)
        elif head == b"\xfd7zXZ\x00":
            yield from tars.members(tars.unpacked_xz(file), wanted, budget)
        else:
            yield from tars.members(file, wanted, budget)
    except BadArchive:
        raise
    except Exception as error:  # whatever a parser says of hostile bytes, it means the same
        raise BadArchive(
            f"is broken, or is no archive that can be read here ({type(error).__name__}): {_AGAIN}"
        ) from None


class _Bounded:
    """A file of which no single read is large: so a zip's list of contents cannot be either."""

    def __init__(self, file: BinaryIO):
        self.seek, self.tell, self.seekable = file.seek, file.tell, file.seekable
        self._read = file.read

    def read(self, size: int = -1) -> bytes:
        data = self._read(_AT_ONCE + 1 if size < 0 else min(size, _AT_ONCE + 1))
        if len(data) > _AT_ONCE:
            raise BadArchive("has too long a list of contents: pack only the exercises' own files.")
        return data


def _zip(file: BinaryIO, wanted: Wanted, budget: Budget) -> Iterator[Member]:
    with zipfile.ZipFile(_Bounded(file)) as archive:  # type: ignore[arg-type]
        for info in archive.infolist():
            budget.file()
            if info.is_dir():
                continue
            parts, problem = split(_zip_name(info))
            mode = info.external_attr >> 16
            if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
                problem = problem or NOT_A_FILE
            elif info.flag_bits & _ENCRYPTED:
                problem = problem or "is encrypted: pack it again without a password."
            elif info.compress_type not in _STEPWISE:
                problem = problem or "is packed in a way that is not read here: use plain zip."
            yield _zip_member(archive, info, parts, problem, wanted, budget)


def _zip_member(archive, info, parts, problem, wanted: Wanted, budget: Budget) -> Member:
    def read() -> bytes:
        with archive.open(info) as opened:
            content = opened.read(wanted(parts) + 1)
        budget.take(len(content))
        return content

    try:
        return one(parts, problem, info.file_size, wanted, read)
    except BadArchive:
        raise
    except Exception as error:  # of this member alone: the others have their own headers
        said = f"is broken in its archive ({type(error).__name__}): pack it again."
        return Member(parts, problem=said)


def _zip_name(info: zipfile.ZipInfo) -> str:
    """A name as its writer meant it: many write UTF-8 and do not say so."""
    name = info.orig_filename
    if not info.flag_bits & _UTF8:
        try:
            return name.encode("cp437").decode("utf-8")
        except UnicodeError:
            pass
    return name
