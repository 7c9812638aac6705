"""Reads a tar stream once, from front to back, a header at a time.

`tarfile` itself follows sparse maps, and runs slow patterns over whatever length a header claims;
here it only parses single blocks.
"""

from __future__ import annotations

import io
import lzma
import tarfile
from collections.abc import Iterator
from typing import BinaryIO

from grader.classroom.packed import NOT_A_FILE, BadArchive, Budget, Member, Wanted, one, split

_CHUNK = 64 << 10
_LONG_NAME = 16 << 10  # bytes of a header that gives a long name
_RECORDS = 256  # lines of a pax header, which has a handful
_DICTIONARY = 128 << 20  # bytes of memory that an xz stream may ask for; `xz -9` asks for 65 MB


def unpacked_xz(file: BinaryIO) -> io.BufferedReader:
    """What an xz stream holds, within a limit of memory."""
    return io.BufferedReader(_Xz(file), _CHUNK)


class _Xz(io.RawIOBase):
    """An xz stream within a limit of memory, which `lzma.LZMAFile` does not take."""

    def __init__(self, file: BinaryIO):
        self._file = file
        self._stream = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_DICTIONARY)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        data = b""
        while not data and not self._stream.eof:
            packed = self._file.read(_CHUNK) if self._stream.needs_input else b""
            if self._stream.needs_input and not packed:
                raise EOFError("the stream breaks off")
            data = self._stream.decompress(packed, len(buffer))
        buffer[: len(data)] = data
        return len(data)


def members(file, wanted: Wanted, budget: Budget) -> Iterator[Member]:
    """The files of a tar stream, read once from front to back."""
    long_name, odd = "", False
    while any(block := _exactly(file, tarfile.BLOCKSIZE, budget)):
        info = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
        budget.file()
        if info.type == tarfile.GNUTYPE_SPARSE:  # with headers of its own
            raise BadArchive("holds a file with holes: pack it again without --sparse.")
        padded = -(-max(info.size, 0) // tarfile.BLOCKSIZE) * tarfile.BLOCKSIZE
        if info.type in (tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE, tarfile.SOLARIS_XHDTYPE):
            if info.size > _LONG_NAME:
                raise BadArchive("has a header that is too long: pack it again, as .zip.")
            data = _exactly(file, padded, budget)[: info.size]
            if info.type == tarfile.GNUTYPE_LONGNAME:
                long_name = data.rstrip(b"\0").decode("utf-8", "surrogateescape")
            else:
                path, odd = _pax(data)
                long_name = path or long_name
            continue
        if info.type in (tarfile.GNUTYPE_LONGLINK, tarfile.XGLTYPE) or info.isdir():
            _skip(file, padded, budget)
            if info.isdir():
                long_name, odd = "", False
            continue
        parts, problem = split(long_name or info.name)
        if odd or info.type not in (tarfile.REGTYPE, tarfile.AREGTYPE):
            problem = problem or NOT_A_FILE
            padded = 0 if info.islnk() or info.issym() else padded
        left = [padded]

        def read(size=info.size, left=left) -> bytes:
            data = _exactly(file, left[0], budget)
            left[0] = 0
            return data[:size]

        yield one(parts, problem, info.size, wanted, read)
        _skip(file, left[0], budget)
        long_name, odd = "", False


def _pax(data: bytes) -> tuple[str, bool]:
    """The path that a pax header gives, and whether it makes the file anything but a plain one."""
    path, odd, at = "", False, 0
    if data.count(b"\n") > _RECORDS:
        raise ValueError("a header with too many records")
    while at < len(data):
        space = data.index(b" ", at, at + 8)
        size = int(data[at:space])
        if size <= space - at or data[at + size - 1 : at + size] != b"\n":
            raise ValueError("a record without an end")
        key, _, value = data[space + 1 : at + size - 1].partition(b"=")
        if key == b"path":
            path = value.decode("utf-8", "surrogateescape")
        odd |= key == b"size" or key.startswith(b"GNU.sparse")  # sizes that a header cannot say
        at += size
    return path, odd


def _exactly(file, size: int, budget: Budget) -> bytes:
    """So many bytes; an archive that has fewer breaks off: a whole one ends in blocks of zeros."""
    budget.take(size)
    data = file.read(size)
    if len(data) < size:
        raise EOFError("it breaks off")
    return data


def _skip(file, size: int, budget: Budget) -> None:
    while size > 0:
        size -= len(_exactly(file, min(size, _CHUNK), budget))
