"""What crosses the boundary at once: calls in a row, and the functions that the next test needs."""

import pytest
import torch

from grader.boundary import frames
from grader.boundary.link import Link
from grader.recorder import Ex, last_call, repeated
from grader.tests.apart import GOOD, Forked, frame, remote


@pytest.fixture
def sent(monkeypatch):
    """The names of the requests that are sent."""
    found, ask = [], Link.ask
    monkeypatch.setattr(
        Link, "ask", lambda link, op, *args: found.append(op) or ask(link, op, *args)
    )
    return found


def test_calls_in_a_row_cross_together(sent):
    source = """
import torch
calls = []
def uneven(n): calls.append(n); return torch.zeros(len(calls)), [len(calls), "x"]
def same(x): x += 1; return x
def draw(): return torch.rand(2, 3)
def third(n): calls.append(n); return 1 / (len(calls) - 5)
"""
    found = remote(source)
    ex = Ex(found)
    uneven = repeated(ex.uneven, 3, 7)
    assert [one[0].shape for one in uneven] == [(1,), (2,), (3,)]
    assert [one[1] for one in uneven] == [[1, "x"], [2, "x"], [3, "x"]]
    x = torch.zeros(2)
    assert [one.tolist() for one in repeated(ex.same, 3, x)] == [[1, 1], [2, 2], [3, 3]]
    assert x.tolist() == [3, 3]  # like any argument that is changed in place
    torch.manual_seed(5)
    drawn = repeated(ex.draw, 4)
    torch.manual_seed(5)
    assert torch.equal(torch.stack(drawn), torch.stack([torch.rand(2, 3) for _ in range(4)]))
    assert last_call(ex) == "draw()"
    found.begin(1, lambda: None)
    with pytest.raises(ZeroDivisionError):
        repeated(ex.third, 3, 1)
    assert sent.count("repeat") == 4 and "call" not in sent
    found.close()


@pytest.mark.parametrize("answer", [["l", 1], ["l"], 5, ["v", ["float32", [], "cpu", 0]]])
def test_as_many_results_as_calls(answer):
    def serve(sock):
        thing = {"i": 1, "class": 0, "type": "function", "name": "f", "text": "", "callable": True}
        answers = None, ["d"], ["l", ["o", thing | {"is": []}]], answer
        for body in answers:
            head, *_ = frames.receive(sock)
            sock.sendall(frame(GOOD | {"a": head["q"], "body": body}, [bytes(4)]))

    found = remote("", lambda: Forked(serve))
    with pytest.raises(TypeError, match="not the results of 2 calls"):
        repeated(found.find("f"), 2)
    found.close()


def test_a_name_asked_for_before_comes_with_the_next_test(sent):
    found = remote("K = 3\ndef f(): return 1\ndef change(): global f; f = None\n")
    sent.clear()
    assert (found.find("f")(), found.find("f")(), found.find("K")) == (1, 1, 3)
    assert sent == ["name", "call", "call", "name"]
    found.begin(2, lambda: None)
    assert (found.find("f")(), found.find("K")) == (1, 3)
    assert sent[4:] == ["begin", "call", "name"]
    found.find("change")()
    found.begin(3, lambda: None)
    assert found.find("f") is None
    found.close()


@pytest.mark.parametrize(
    "make", [lambda x: x[::2], lambda x: x.t(), lambda x: x[:, 1:3], lambda x: x[:1].expand(6, 4)]
)
def test_parts_of_what_lies_scattered_are_copies(make):
    found = remote("def parts(f, x):\n    for part in x.split(2): f(part)\n    return x[1:]")
    x, parts = make(torch.arange(24.0).reshape(6, 4)), []
    rest = found.find("parts")(parts.append, x)
    assert torch.equal(torch.cat(parts), x) and torch.equal(rest, x[1:])
    found.close()


def test_a_tensor_that_comes_to_lie_scattered_has_copies_for_parts():
    source = """
kept = []
def turn(x): kept.append(x); x.data = x.data.t()
def total(row): return row.sum()
"""
    found = remote(source)
    x = torch.arange(4.0).reshape(2, 2)
    found.find("turn")(x)
    assert found.find("total")(x[1]).item() == 4
    found.close()
