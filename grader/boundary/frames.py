"""Messages on a socket: a JSON head and blobs of bytes, both within limits.

What arrives is plain data and nothing else: no pickle, no code. Every size is checked before
anything of that size is read or made.
"""

from __future__ import annotations

import json
import re
import socket
import struct

HEAD = 4 << 20  # bytes of JSON in one message
BLOBS = 64 << 20  # bytes of tensors and files in one message
COUNT = 4096  # blobs in one message
_STEERING = re.compile(r"[^\t\n\x20-\x7e\xa0-\ud7ff\ue000-\U0010ffff]")  # and half characters
_SIZES = struct.Struct("!II")  # bytes of the head, number of blobs


class Broken(Exception):
    """The other side did not keep to the protocol, or is gone."""


class Gone(Broken):
    """The other side has ended, or has closed its end."""


def send(sock: socket.socket, head: object, blobs: list) -> None:
    """Send one message; `Broken` when it is larger than a message may be or nobody listens."""
    text = json.dumps(head, allow_nan=False, separators=(",", ":")).encode("ascii")
    sizes = [len(blob) for blob in blobs]
    if len(text) > HEAD or len(sizes) > COUNT or sum(sizes) > BLOBS:
        raise TooLarge(f"{(len(text) + sum(sizes)) / 1e6:.0f} MB in one value")
    try:
        sock.sendall(b"".join([_SIZES.pack(len(text), len(sizes)), _lengths(sizes), text, *blobs]))
    except OSError as error:
        raise Gone(f"nobody listens: {error.strerror}") from None


class TooLarge(Exception):
    """A value that is larger than may cross."""


def receive(sock: socket.socket) -> tuple[object, list[bytearray], int]:
    """The next message and its bytes; `Broken` when it ends early, is too large or is none."""
    size, count = _SIZES.unpack(_exactly(sock, _SIZES.size))
    if size > HEAD or count > COUNT:
        raise Broken("a message that is too large")
    rest = _exactly(sock, 4 * count + size)
    sizes, text = struct.unpack_from(f"!{count}I", rest), rest[4 * count :]
    if sum(sizes) > BLOBS:
        raise Broken("a message that is too large")
    try:
        head = json.loads(text.decode("ascii"), parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise Broken(f"a message that is not JSON: {type(error).__name__}") from None
    return head, [_exactly(sock, one) for one in sizes], size + sum(sizes)


def printable(text: str, most: int) -> str:
    """A text for people to read: whole characters, and none that steers a terminal."""
    return _STEERING.sub("\N{REPLACEMENT CHARACTER}", text[:most])


def _lengths(sizes: list[int]) -> bytes:
    return struct.pack(f"!{len(sizes)}I", *sizes)


def _exactly(sock: socket.socket, size: int) -> bytearray:
    found = bytearray(size)
    view, filled = memoryview(found), 0
    while filled < size:
        try:
            read = sock.recv_into(view[filled:])
        except OSError as error:
            raise Gone(f"the connection failed: {error.strerror}") from None
        if not read:
            raise Gone("the process ended")
        filled += read
    return found


def _refuse(name: str):
    raise ValueError(f"{name} is no JSON")
