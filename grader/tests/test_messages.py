"""A message: in how many pieces it arrives, what it may hold, and tensors as bytes."""

import os
import socket
import struct

import pytest
import torch

from grader.boundary import frames
from grader.boundary.faults import Ended
from grader.boundary.packing import pack, unpack
from grader.tests.apart import GOOD, Forked, frame, remote


@pytest.fixture
def ends():
    """Both ends of a connection."""
    ours, theirs = socket.socketpair()
    yield ours, theirs
    ours.close()
    theirs.close()


MESSAGES = [({"q": 1}, []), ([], [b"", b"ab"]), ({"text": "x" * 500}, [b"c" * 90_000, b"d"])]


@pytest.mark.parametrize("piece", [1, 7, 200_000])
def test_a_message_is_the_same_in_pieces_and_with_the_next(ends, piece):
    content = b"".join(frame(*one) for one in MESSAGES)
    child = os.fork()
    if child == 0:
        try:
            for start in range(0, len(content), piece):
                ends[0].sendall(content[start : start + piece])
        finally:
            os._exit(0)
    inbox = frames.Inbox(ends[1])
    found = [inbox.receive()[:2] for _ in MESSAGES]
    os.waitpid(child, 0)
    assert found == [(head, [bytearray(one) for one in blobs]) for head, blobs in MESSAGES]


def test_an_inbox_believes_no_length_and_sees_the_end(ends):
    ends[0].sendall(struct.pack("!III", 2, 1, frames.BLOBS + 1) + b"{}" + bytes(1000))
    with pytest.raises(frames.Broken, match="too large"):
        frames.Inbox(ends[1]).receive()
    ends[0].sendall(frame({"q": 1}, [b"1234"])[:-1])
    ends[0].close()
    with pytest.raises(frames.Gone):
        frames.Inbox(ends[1]).receive()


WRONG = [
    *({"sync": None}, {"gone": {}}, {"loose": 1}, {"lists": "l"}, {"grad": 1}),
    *({"inference": None}, {"out": ["text"]}, {"random": "0"}, {"random": 5}),
    *({"a": 1.0}, {"a": True}, {"more": 1}),
]


@pytest.mark.parametrize("fields", WRONG, ids=str)
def test_a_field_that_no_message_has_ends_the_worker(fields):
    def serve(sock):
        for answer, more in ((None, {}), (["d"], {}), (["l", 1], fields)):
            head, *_ = frames.receive(sock)
            sock.sendall(frame({"a": head["q"], "body": answer} | more))

    ex = remote("", lambda: Forked(serve))
    with pytest.raises(Ended):
        ex.ask("name", "f")
    ex.close()


def test_what_a_message_leaves_out_is_as_usual():
    def serve(sock):
        for fields in ({}, {"body": ["d"]}, {}, GOOD | {"grad": False}):
            head, *_ = frames.receive(sock)
            sock.sendall(frame({"a": head["q"]} | fields))

    ex = remote("", lambda: Forked(serve))
    try:
        torch.set_grad_enabled(False)
        assert ex.ask("name", "f") is None and torch.is_grad_enabled()
        ex.ask("name", "f")
        assert not torch.is_grad_enabled()
    finally:
        torch.set_grad_enabled(True)
        ex.close()


COMPLEX = torch.randn(2, dtype=torch.complex64)
TENSORS = [
    *(torch.randn(3, 4).t(), torch.ones(1).expand(4), torch.arange(10)[::3], torch.tensor(2.0)),
    *(COMPLEX.conj(), COMPLEX.conj().imag, torch._efficientzerotensor((3,))),
    *(torch.ones(3).bfloat16(), torch.tensor([True, False]), torch.empty(2, 0)),
    torch.randn(3, requires_grad=True),
]


@pytest.mark.parametrize("tensor", TENSORS, ids=range(len(TENSORS)))
def test_tensors_of_all_kinds_as_bytes(tensor):
    blobs = []
    packed = pack(tensor, blobs)
    found = unpack(packed, [bytearray(one) for one in blobs])
    assert found.dtype == tensor.dtype and found.shape == tensor.shape
    assert found.tolist() == tensor.clone().tolist() and not found.requires_grad


SOURCE = """
def same(x): return x
def turn(x): x.data = x.data.t()
def negate(x): x.data.neg_()
def grow(x): x.resize_(4)
"""


def test_changes_that_nothing_counts():
    found = remote(SOURCE)
    square, zero, mine = torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.zeros(1), torch.zeros(2)
    found.find("turn")(square)
    assert square.tolist() == [[1, 3], [2, 4]]
    found.find("negate")(zero)
    assert torch.signbit(zero).item()
    found.find("grow")(zero)
    assert zero.shape == (4,)
    found.find("same")(mine)
    assert mine.resize_(5).shape == (5,)  # as before it crossed
    found.close()
