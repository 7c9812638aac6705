"""Comparisons fail closed: nothing that is not the answer passes for it."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from grader import expect
from grader.report import Wrong

ONE = torch.tensor([1.0, 2.0])


@pytest.mark.parametrize(
    ("got", "want"),
    [
        (math.nan, 1.0),
        (math.nan, math.nan),
        (True, 1.0),
        (torch.tensor(1.0), 1.0),
        (None, 1.0),
        ("1.0", 1.0),
        (1.0, ONE),
        ([1.0, 2.0], ONE),
        (ONE.double(), ONE),
        (ONE.unsqueeze(0), ONE),
        (torch.tensor(1.0), torch.ones(2)),
        (torch.tensor([1.0, math.nan]), ONE),
        (torch.tensor([1.0, math.inf]), ONE),
        (torch.tensor([1.0, 2.01]), ONE),
        (torch.zeros(2), ONE),
        (ONE.to("meta"), ONE),
        ((1.0, 2.0), [1.0, 2.0]),
        ([1.0], [1.0, 2.0]),
        ([1.0, 2.1], [1.0, 2.0]),
    ],
)
def test_close_refuses(got, want):
    with pytest.raises(Wrong):
        expect.close(got, want)


@pytest.mark.parametrize(
    ("got", "want"),
    [
        (1.0 + 1e-7, 1.0),
        (1, 1.0),
        (ONE + 1e-6, ONE),
        (torch.nn.Parameter(ONE), ONE),
        ([1.0, 2.0], [1.0, 2.0]),
        (torch.tensor([math.inf]), torch.tensor([math.inf])),
        (torch.empty(0), torch.empty(0)),
    ],
)
def test_close_accepts(got, want):
    expect.close(got, want)


@pytest.mark.parametrize(
    ("got", "want"),
    [
        (True, 1),
        (1.0, 1),
        ([1], (1,)),
        ((1, 2), (1,)),
        (torch.tensor([1]), torch.tensor([1.0])),
        (torch.tensor([[1]]), torch.tensor([1])),
        ("a", "b"),
        (None, 0),
    ],
)
def test_equal_refuses(got, want):
    with pytest.raises(Wrong):
        expect.equal(got, want)


class Liar:
    """Equal to everything."""

    def __eq__(self, other):
        return True

    __hash__ = None


@pytest.mark.parametrize("want", [1, 1.0, ONE, [1], None, "a"])
def test_an_object_that_claims_to_equal_everything_passes_for_nothing(want):
    with pytest.raises(Wrong):
        expect.equal(Liar(), want)
    with pytest.raises(Wrong):
        expect.close(Liar(), want)


@given(st.floats(allow_nan=False, allow_infinity=False, width=32))
def test_a_float_is_close_to_itself_and_not_to_one_a_thousandth_away(x):
    expect.close(x, x)
    far = x + 1e-3 * max(1.0, abs(x))
    with pytest.raises(Wrong):
        expect.close(far, x)


def test_that_takes_nothing_but_true():
    for value in (1, "yes", torch.tensor([True, True]), None, 0.5):
        with pytest.raises(Wrong):
            expect.that(value, "to be true")
    expect.that(torch.tensor(True), "to be true")


def test_raises_sees_the_kind_the_message_and_silence():
    with expect.raises(ValueError, mentions="name"):
        raise ValueError("no such name")
    with pytest.raises(Wrong), expect.raises(ValueError, mentions="name"):
        raise ValueError("no")
    with pytest.raises(Wrong), expect.raises(ValueError):
        raise TypeError("no")
    with pytest.raises(Wrong), expect.raises(ValueError):
        pass
    with pytest.raises(NotImplementedError), expect.raises(RuntimeError):
        raise NotImplementedError  # a stub has not raised what was asked for


@pytest.mark.parametrize(
    "change",
    [
        lambda t: t.data.add_(1),
        lambda t: t.grad.add_(1),
        lambda t: setattr(t, "grad", None),
        lambda t: t.requires_grad_(False),
        lambda t: t.grad.zero_(),
    ],
)
def test_unchanged_sees_every_change(change):
    tensor = torch.ones(3, requires_grad=True)
    tensor.grad = torch.full((3,), 2.0)
    with pytest.raises(Wrong), expect.unchanged([tensor]):
        change(tensor)


def test_unchanged_sees_a_replaced_item():
    tensors = [torch.ones(2)]
    with pytest.raises(Wrong), expect.unchanged(tensors):
        tensors[0] = torch.ones(2)


def test_unchanged_forgives_a_look():
    tensor = torch.ones(3, requires_grad=True)
    with expect.unchanged(tensor, [torch.tensor([math.nan])]):
        (tensor * 2).sum()


def test_a_failure_names_what_came_back_and_what_was_expected():
    with pytest.raises(Wrong) as caught:
        expect.close(torch.tensor([1.0, 5.0]), ONE, what="params.grad")
    error = caught.value
    assert error.what == "params.grad"
    assert error.returned == "tensor([1.0, 5.0]) · shape (2,) · float32"
    assert error.expected == "tensor([1.0, 2.0]) · shape (2,) · float32"
    assert error.note == "1 of 2 values differ, the first at [1]: 5.0, not 2.0"
