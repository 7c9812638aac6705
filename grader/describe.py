"""Values in words: what a learner's function was given and what it gave back."""

from __future__ import annotations

import math
import re
from pathlib import PurePath

_SHOWN = 8  # numbers of a tensor or items of a list shown in full
_WIDTH = 150  # characters of one described value
_LOOKED_AT = 20_000  # characters of a text in which paths are looked for
# Bounded, since what it searches may be a learner's, to make it slow.
_TMP = re.compile(
    r"(?<![^\s'\"])[^\s'\"]{0,300}?pytest-of-[^/\s'\"]{1,99}/pytest-\d{1,9}/[^/\s'\"]+"
)
# Where something lies in memory; shorter numbers in base 16 are somebody's own.
_ADDRESS = re.compile(r"(?<= at )0x[0-9a-f]+|\b0x[0-9a-f]{9,16}\b")
_DRAWN = re.compile(r"[^\s'\"]{0,100}/tmp[a-z0-9_]{8}\b")  # a folder that tempfile has named


def number(value: float) -> str:
    """A number with five significant digits: `6.0`, `0.33333`, `nan`, `-inf`."""
    if isinstance(value, bool | int):
        return str(value)
    if not math.isfinite(value):
        return str(value)
    text = f"{value:.5g}"
    return text if any(mark in text for mark in ".en") else text + ".0"


def without_tmp(text: str) -> str:
    """A text with `tmp` for a test's own folder, whose name pytest numbers anew in each run."""
    return _TMP.sub("tmp", text[:_LOOKED_AT]) + text[_LOOKED_AT:]


def steady(text: str) -> str:
    """A text without what is another in each run: where a thing lies in memory, folders' names."""
    text = without_tmp(text)
    start = _DRAWN.sub("tmp", text[:_LOOKED_AT])
    return _ADDRESS.sub("0x…", start + text[_LOOKED_AT:])


def value(thing: object) -> str:
    """What a thing is, in a line: type, shape, dtype, device, requires_grad, value."""
    import torch

    if isinstance(thing, torch.Tensor):
        return _tensor(thing)
    if thing is None or isinstance(thing, bool):
        return str(thing)
    if isinstance(thing, int | float) and type(thing) in (int, float):
        return f"{type(thing).__name__} {number(thing)}"
    if isinstance(thing, str | bytes):
        return _cut(without_tmp(f"{type(thing).__name__} {thing!r}"))
    if isinstance(thing, list | tuple):
        return _cut(f"{type(thing).__name__} of {len(thing)}: {_items(thing)}")
    if isinstance(thing, set | frozenset):
        items = sorted(map(argument, thing))  # their own order is another in each process
        return _cut(f"{type(thing).__name__} of {len(thing)}: {{{', '.join(items[:_SHOWN])}}}")
    if isinstance(thing, torch.Size | torch.dtype | torch.device):
        return str(thing)
    if hasattr(type(thing), "kata_described"):
        return _cut(thing.kata_described())
    return _cut(f"{type(thing).__name__} {_repr(thing)}")


def argument(thing: object) -> str:
    """A thing as it would stand in a call: short, values only where they are few."""
    import torch

    if isinstance(thing, torch.Tensor):
        if thing.numel() <= 4 and thing.device.type != "meta":
            return f"tensor({_nested(thing)})"
        return f"{_dtype(thing)}{tuple(thing.shape)}".replace(",)", ")")
    if isinstance(thing, bool) or thing is None:
        return str(thing)
    if isinstance(thing, int | float):
        return number(thing)
    if isinstance(thing, str | bytes | PurePath):
        text = _path(thing) if isinstance(thing, PurePath) else thing
        return repr(text) if len(text) <= 30 else repr(text[:27]) + "…"
    if isinstance(thing, list | tuple):
        inner = ", ".join(argument(item) for item in thing[:3]) + (", …" if len(thing) > 3 else "")
        return f"[{inner}]" if isinstance(thing, list) else f"({inner})"
    return getattr(thing, "__name__", None) or type(thing).__name__


def call(name: str, args: tuple, kwargs: dict) -> str:
    """A call as the learner would write it: `slope(square, 3.0)`."""
    parts = [argument(arg) for arg in args]
    parts += [f"{key}={argument(arg)}" for key, arg in kwargs.items()]
    return _cut(f"{name}({', '.join(parts)})")


def _path(path: PurePath) -> str:
    return "/".join(PurePath(without_tmp(str(path))).parts[-3:])


def _tensor(tensor) -> str:
    facts = [f"shape {tuple(tensor.shape)}", _dtype(tensor)]
    if tensor.device.type != "cpu":
        facts.append(str(tensor.device))
    if tensor.requires_grad:
        facts.append("requires_grad" + ("" if tensor.is_leaf else ", not a leaf"))
    if tensor.device.type == "meta":
        return f"tensor · {' · '.join(facts)}"
    return f"tensor({_nested(tensor)}) · {' · '.join(facts)}"


def _nested(tensor) -> str:
    flat = tensor.detach().flatten()
    if flat.numel() > _SHOWN:
        first = ", ".join(number(item) for item in flat[: _SHOWN - 2].tolist())
        wide = flat.cpu().double()
        return f"[{first}, …] mean {number(wide.mean().item())} max {number(wide.max().item())}"
    return _items(tensor.detach().tolist()) if tensor.dim() else number(tensor.item())


def _items(items) -> str:
    shown = [
        _items(item)
        if isinstance(item, list | tuple)
        else number(item)
        if isinstance(item, int | float)
        else argument(item)
        for item in items[:_SHOWN]
    ]
    return "[" + ", ".join(shown) + (", …" if len(items) > _SHOWN else "") + "]"


def _dtype(tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")


def _repr(thing: object) -> str:
    if callable(thing) and hasattr(thing, "__name__"):
        return thing.__name__
    try:
        return re.sub(r" at 0x[0-9a-fA-F]+", "", without_tmp(" ".join(repr(thing).split())))
    except Exception as error:  # a learner's own __repr__
        return f"(its repr raised {type(error).__name__})"


def _cut(text: str) -> str:
    return text if len(text) <= _WIDTH else text[: _WIDTH - 1] + "…"
