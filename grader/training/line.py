"""Messages between the check and a trainee in a worker: plain data and tensors, nothing else.

Requests go one way, answers the other, with events before an answer. No object of one side can be
named by the other, and nothing is called but the methods of `grader.training.trainee.Trainee`.
"""

from __future__ import annotations

import socket

import torch

from grader.boundary.frames import Broken, receive, send
from grader.boundary.values import Bare, Codec

_MOST = 1 << 30  # bytes that one side takes for one training; the full MNIST sends 0.2 GB


class Line:
    """One end of it."""

    def __init__(self, sock: socket.socket):
        self._socket, self._received = sock, 0
        self._codec = Codec(None, _NoObjects())

    def send(self, kind: str, number: int, body: object) -> None:
        """`number` is that of the request; `TooLarge` or `TypeError` for what can't be sent."""
        blobs: list = []
        told = self._codec.encode(_bare(body), blobs)
        send(self._socket, {"kind": kind, "number": number, "body": told}, blobs)

    def receive(self) -> tuple[str, int, object]:
        """The next message; `Broken` when there is none or it is not one."""
        try:
            head, blobs, size = receive(self._socket)
        except MemoryError:
            raise Broken("a message that is too large") from None
        self._received += size
        if self._received > _MOST:
            raise Broken("too many bytes for one training")
        match head:
            case {"kind": str(kind), "number": int(number), "body": body}:
                return kind, number, self._codec.decode(body, blobs)
        raise Broken("no message")


class _NoObjects:
    """The objects that both sides know: none."""

    def refer(self, thing: object) -> None:
        return None

    def export(self, thing: object, blobs: list):
        raise TypeError(f"a {type(thing).__name__} is no plain data")

    def find(self, number):
        raise Broken("no plain data")

    known = find

    def take(self, told: dict, blobs: list):
        raise Broken("no plain data")


def _bare(thing: object) -> object:
    """The same data, of whose tensors only the values cross."""
    if isinstance(thing, torch.Tensor):
        return Bare(thing)
    if isinstance(thing, dict):
        return {key: _bare(value) for key, value in thing.items()}
    return [_bare(one) for one in thing] if isinstance(thing, list | tuple) else thing
