"""Messages on a socket: a JSON head and blobs of bytes, both within limits.

What arrives is plain data and nothing else: no pickle, no code. Every size is checked before
anything of that size is read or made.
"""

from __future__ import annotations

import json
import re
import socket
import struct
from collections.abc import Callable

HEAD = 4 << 20  # bytes of JSON in one message
BLOBS = 64 << 20  # bytes of tensors and files in one message
COUNT = 4096  # blobs in one message
_STEERING = re.compile(r"[^\t\n\x20-\x7e\xa0-\ud7ff\ue000-\U0010ffff]")  # and half characters
_SIZES = struct.Struct("!II")  # bytes of the head, number of blobs
_ROOM = 64 << 10  # bytes that are read before it is known what they are
# (`json.dumps` and `json.loads` with arguments make one of these each time.)
_encode = json.JSONEncoder(allow_nan=False, separators=(",", ":")).encode


class Broken(Exception):
    """The other side did not keep to the protocol, or is gone."""


class Gone(Broken):
    """The other side has ended, or has closed its end."""


def send(sock: socket.socket, head: object, blobs: list) -> None:
    """Send one message; `Broken` when it is larger than a message may be or nobody listens."""
    text = _encode(head).encode("ascii")
    sizes = [len(blob) for blob in blobs]
    if len(text) > HEAD or len(sizes) > COUNT or sum(sizes) > BLOBS:
        raise TooLarge(f"{(len(text) + sum(sizes)) / 1e6:.0f} MB in one value")
    lengths = struct.pack(f"!{len(sizes) + 2}I", len(text), len(sizes), *sizes)
    try:
        sock.sendall(b"".join([lengths, text, *blobs]))
    except OSError as error:
        raise Gone(f"nobody listens: {error.strerror}") from None


class TooLarge(Exception):
    """A value that is larger than may cross."""


def receive(sock: socket.socket) -> tuple[object, list[bytearray], int]:
    """The next message and its bytes; `Broken` when it ends early, is too large or is none."""
    return _message(lambda size: _exactly(sock, size))


class Inbox:
    """What arrives at a socket; a small message takes one read."""

    def __init__(self, sock: socket.socket):
        self._socket, self._buffer = sock, bytearray(_ROOM)
        self._start = self._end = 0  # of what has been read and not yet taken

    def receive(self) -> tuple[object, list[bytearray], int]:
        """As the function of that name; nothing else may read from the socket."""
        return _message(self._take)

    def _take(self, size: int) -> bytearray:
        if self._start == self._end and size:
            self._start = self._end = 0
            self._end = _read(self._socket, self._buffer)
        start, self._start = self._start, min(self._start + size, self._end)
        found = self._buffer[start : self._start]
        missing = size - len(found)
        return found + _exactly(self._socket, missing) if missing else found


def _message(take: Callable[[int], bytearray]) -> tuple[object, list[bytearray], int]:
    """A message from its bytes, of which `take(size)` gives the next."""
    size, count = _SIZES.unpack(take(_SIZES.size))
    if size > HEAD or count > COUNT:
        raise Broken("a message that is too large")
    rest = take(4 * count + size)
    sizes, text = struct.unpack_from(f"!{count}I", rest), rest[4 * count :]
    if sum(sizes) > BLOBS:
        raise Broken("a message that is too large")
    try:
        head = _decode(text.decode("ascii"))
    except (ValueError, RecursionError) as error:
        raise Broken(f"a message that is not JSON: {type(error).__name__}") from None
    return head, [take(one) for one in sizes], size + sum(sizes)


def printable(text: str, most: int) -> str:
    """A text for people to read: whole characters, and none that steers a terminal."""
    return _STEERING.sub("\N{REPLACEMENT CHARACTER}", text[:most])


def _exactly(sock: socket.socket, size: int) -> bytearray:
    found = bytearray(size)
    view, filled = memoryview(found), 0
    while filled < size:
        filled += _read(sock, view[filled:])
    return found


def _read(sock: socket.socket, room: bytearray | memoryview) -> int:
    try:
        read = sock.recv_into(room)
    except OSError as error:
        raise Gone(f"the connection failed: {error.strerror}") from None
    if not read:
        raise Gone("the process ended")
    return read


def _refuse(name: str):
    raise ValueError(f"{name} is no JSON")


_decode = json.JSONDecoder(parse_constant=_refuse).decode
