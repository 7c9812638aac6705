"""One function called many times in a row: what it gives each time, as values."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch

from grader.boundary.values import Bare


def values(function: Callable, times: int, args: Sequence) -> list:
    """What the calls give, in their order; of tensors copies, which no later call can change."""
    return [_copied(function(*args)) for _ in range(times)]


def together(found: list) -> object:
    """The values as they cross: tensors that are all alike as one."""
    first = found[0] if found else None
    if isinstance(first, torch.Tensor) and all(_alike(one, first) for one in found):
        return Bare(torch.stack(found))
    return [_bare(one) for one in found]


def apart(crossed: object, times: int) -> list:
    """The values again; TypeError when they are not as many as the calls."""
    if isinstance(crossed, torch.Tensor) and crossed.ndim:
        crossed = list(crossed.unbind())
    if not isinstance(crossed, list) or len(crossed) != times:
        raise TypeError(f"not the results of {times} calls")
    return crossed


def _copied(thing: object) -> object:
    if isinstance(thing, torch.Tensor):
        return thing.detach().clone()
    if type(thing) in (tuple, list):
        return type(thing)(_copied(one) for one in thing)
    return thing


def _bare(thing: object) -> object:
    if isinstance(thing, torch.Tensor):
        return Bare(thing)
    if type(thing) in (tuple, list):
        return type(thing)(_bare(one) for one in thing)
    return thing


def _alike(one: object, other: torch.Tensor) -> bool:
    return (
        isinstance(one, torch.Tensor)
        and one.shape == other.shape
        and one.dtype == other.dtype
        and one.device == other.device
        and one.layout == other.layout == torch.strided
    )
