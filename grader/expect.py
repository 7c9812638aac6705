"""What a test says about an answer: every comparison fails closed and explains itself.

No comparison broadcasts, converts or forgives a type: a scalar never passes for a vector, nan
never passes for a number, a tensor never passes for a float.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from grader import describe
from grader.report import Wrong

# Relative tolerances by dtype, wide enough for another order of the same operations on some
# thousands of numbers, narrow enough that no different formula passes on drawn inputs.
_RTOL = {torch.float64: 1e-7, torch.float32: 1e-4, torch.float16: 1e-2, torch.bfloat16: 2e-2}
# What rounding leaves where numbers around 1 cancel: some tens of the dtype's own step.
_ATOL = {torch.float64: 1e-9, torch.float32: 3e-6, torch.float16: 1e-2, torch.bfloat16: 5e-2}
_FLOAT_RTOL = 1e-4  # a Python float that most likely passed through float32
_MISSING = object()


def close(got, want, what: str | None = None, rtol: float | None = None, atol: float | None = None):
    """`got` is `want` up to rounding: same kind, shape, dtype and device, and near in value."""
    if isinstance(want, torch.Tensor):
        _close_tensor(got, want, what, rtol, atol)
    elif isinstance(want, list | tuple):
        _container(got, want, what)
        for index, (one, other) in enumerate(zip(got, want, strict=True)):
            close(one, other, f"{what or 'result'}[{index}]", rtol, atol)
    elif isinstance(want, float):
        if isinstance(got, bool) or not isinstance(got, int | float):
            _fail(got, want, what, "a Python float is asked for")
        bound = max((rtol or _FLOAT_RTOL) * abs(want), atol if atol is not None else 1e-6)
        if not (got == want or abs(got - want) <= bound):
            _fail(got, want, what)
    else:
        equal(got, want, what)


def equal(got, want, what: str | None = None):
    """`got` is exactly `want`, in type as well as in value."""
    if isinstance(want, torch.Tensor):
        _same_kind(got, want, what)
        if want.device.type != "meta" and not torch.equal(got, want):
            _fail(got, want, what)
    elif isinstance(want, list | tuple) and not isinstance(want, torch.Size):
        _container(got, want, what)
        for index, (one, other) in enumerate(zip(got, want, strict=True)):
            equal(one, other, f"{what or 'result'}[{index}]")
    elif type(got) is not type(want) or got != want:
        _fail(got, want, what)


def tensor(
    got,
    what: str | None = None,
    *,
    shape=None,
    dtype=None,
    device=None,
    requires_grad: bool | None = None,
    is_leaf: bool | None = None,
):
    """`got` is a tensor with the properties that are given, whatever its values."""
    if not isinstance(got, torch.Tensor):
        _fail_text(got, "a tensor", what)
    if shape is not None and tuple(got.shape) != tuple(shape):
        _fail_text(got, f"a tensor of shape {tuple(shape)}", what)
    if dtype is not None and got.dtype != dtype:
        _fail_text(got, f"a tensor of dtype {str(dtype).removeprefix('torch.')}", what)
    if device is not None and got.device.type != torch.device(device).type:
        _fail_text(got, f"a tensor on {device}", what, f"it is on {got.device}")
    if requires_grad is not None and got.requires_grad != requires_grad:
        _fail_text(got, f"a tensor with requires_grad={requires_grad}", what)
    if is_leaf is not None and got.is_leaf != is_leaf:
        _fail_text(got, f"a tensor with is_leaf={is_leaf}", what, f"its is_leaf is {got.is_leaf}")


def instance(got, types, what: str | None = None):
    """`got` is of one of the types; True and False do not pass for int."""
    types = types if isinstance(types, tuple) else (types,)
    if not isinstance(got, types) or (isinstance(got, bool) and bool not in types):
        _fail_text(got, "a value of type " + " or ".join(kind.__name__ for kind in types), what)


def unpack(got, count: int, what: str | None = None) -> tuple:
    """The items of a tuple or list of `count`, for a test to look at one by one."""
    if not isinstance(got, tuple | list) or len(got) != count:
        _fail_text(got, f"{what or 'a tuple'}, {count} items", None)
    return tuple(got)


def that(condition, expected: str, got=_MISSING, what: str | None = None):
    """`condition` is True; `expected` says in words what it stands for."""
    if isinstance(condition, torch.Tensor):
        condition = condition.numel() == 1 and condition.item()
    if condition is not True:
        returned = "" if got is _MISSING else got if isinstance(got, str) else describe.value(got)
        raise Wrong(returned, expected, what)


@contextmanager
def raises(error: type[Exception], mentions: str | None = None) -> Iterator[None]:
    """What runs inside raises `error`, with a message that holds `mentions`."""
    wanted = error.__name__ + (f" that mentions {mentions!r}" if mentions else "")
    try:
        yield
    except NotImplementedError:
        raise
    except error as raised:
        if mentions is not None and str(mentions) not in str(raised):
            text = f"{type(raised).__name__}: {raised}"
            raise Wrong(describe.value(text), wanted, "the message") from None
    except Exception as raised:
        raise Wrong(f"{type(raised).__name__}: {raised}", wanted, "raised") from None
    else:
        raise Wrong("nothing was raised", wanted, "raised")


@contextmanager
def unchanged(*things) -> Iterator[None]:
    """The tensors in `things` keep value, `.grad`, requires_grad, leafhood and dtype."""
    tensors = list(_tensors(things))
    before = [_state(one) for one in tensors]
    yield
    after = list(_tensors(things))
    if len(after) != len(tensors) or any(a is not b for a, b in zip(after, tensors, strict=True)):
        raise Wrong("other items", "the same tensors as before the call", "the argument's items")
    for one, state in zip(tensors, before, strict=True):
        _compare_state(one, state)


def named(name: str):
    """Give a callable the name that failure texts show."""

    def rename(function):
        function.__name__ = name
        return function

    return rename


class Spy:
    """A callable that records what it was called with and what it gave back."""

    def __init__(self, function, name: str):
        self._function, self.__name__ = function, name
        self.calls: list[tuple] = []
        self.results: list = []

    def __call__(self, *args, **kwargs):
        self.calls.append(args + tuple(kwargs.values()))
        result = self._function(*args, **kwargs)
        self.results.append(result)
        return result


def spy(function, name: str = "f") -> Spy:
    """Wrap `function` so that a test can ask how often, and with what, it was called."""
    return Spy(function, name)


def _close_tensor(got, want, what, rtol, atol):
    _same_kind(got, want, what)
    if want.device.type == "meta" or want.numel() == 0:
        return
    if not want.dtype.is_floating_point:
        if not torch.equal(got, want):
            _fail(got, want, what)
        return
    one, other = got.detach().cpu().double(), want.detach().cpu().double()
    rtol = _RTOL[want.dtype] if rtol is None else rtol
    # Sums may cancel, so what is near zero is measured against the largest value around it.
    scale = other.abs().max().clamp(max=1e6).item()
    atol = rtol * 0.1 * scale + _ATOL[want.dtype] if atol is None else atol
    differs = ~((one - other).abs() <= atol + rtol * other.abs())
    differs &= ~(one.isinf() & (one == other))
    if differs.any():
        place = tuple(differs.nonzero()[0].tolist())
        note = ""
        if differs.dim():
            pair = describe.number(one[place].item()), describe.number(other[place].item())
            at = ", ".join(map(str, place))
            note = f"{int(differs.sum())} of {differs.numel()} values differ, the first at "
            note += f"[{at}]: {pair[0]}, not {pair[1]}"
        _fail(got, want, what, note)


def _same_kind(got, want, what):
    # A subclass of the libraries' own (a Parameter, torchvision's Image) is a tensor as well; one
    # of the learner's own could answer to comparisons as it likes.
    known = f"{type(got).__module__}.".startswith(("torch.", "torchvision."))
    if not isinstance(got, torch.Tensor) or not known:
        _fail(got, want, what, "a tensor is asked for")
    if got.shape != want.shape:
        _fail(got, want, what, f"the shape is {tuple(got.shape)}, not {tuple(want.shape)}")
    if got.dtype != want.dtype:
        _fail(got, want, what, f"the dtype is {got.dtype}, not {want.dtype}".replace("torch.", ""))
    if got.device.type != want.device.type:
        _fail(got, want, what, f"the device is {got.device}, not {want.device}")


def _container(got, want, what):
    kind = list if isinstance(want, list) else tuple
    if not isinstance(got, kind) or len(got) != len(want):
        _fail(got, want, what, f"a {kind.__name__} of {len(want)} is asked for")


def _fail(got, want, what, note=""):
    raise Wrong(describe.value(got), describe.value(want), what, note)


def _fail_text(got, expected, what, note=""):
    raise Wrong(describe.value(got), expected, what, note)


def _tensors(things):
    for thing in things:
        if isinstance(thing, torch.Tensor):
            yield thing
        elif isinstance(thing, dict):
            yield from _tensors(thing.values())
        elif isinstance(thing, list | tuple):
            yield from _tensors(thing)


def _state(one: torch.Tensor) -> dict:
    keeps = one.is_leaf or one.retains_grad  # torch warns about a look at any other
    grad = one.grad.detach().clone() if keeps and one.grad is not None else None
    return {
        "value": one.detach().clone(),
        ".grad": grad,
        "requires_grad": one.requires_grad,
        "is_leaf": one.is_leaf,
    }


def _compare_state(one: torch.Tensor, before: dict):
    after = _state(one)
    for key, old in before.items():
        new = after[key]
        same = (
            isinstance(new, torch.Tensor)
            and new.dtype == old.dtype
            and new.shape == old.shape
            and bool(torch.allclose(new, old, rtol=0, atol=0, equal_nan=True))
            if isinstance(old, torch.Tensor)
            else new is old or (isinstance(old, bool) and new == old)
        )
        if not same:
            what = "the argument" if key == "value" else f"the argument's {key}"
            raise Wrong(describe.value(new), f"{describe.value(old)}, as before the call", what)
