"""One tensor as bytes: its dtype, shape and values, checked before anything is made of them."""

from __future__ import annotations

import ctypes
import math

import torch

from grader.boundary.frames import BLOBS, Broken

DTYPES = {
    str(one).removeprefix("torch."): one
    for one in (
        *(torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.complex64),
        *(torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.bool),
    )
}
_NAMES = {one: name for name, one in DTYPES.items()}
_DIMENSIONS = 16
_DENSE = torch.contiguous_format


def pack(tensor: torch.Tensor, blobs: list) -> list:
    """Dtype, shape, device and bytes of a tensor."""
    name = _NAMES.get(tensor.dtype)
    if name is None or tensor.layout != torch.strided:
        raise TypeError(f"a tensor of {tensor.dtype} with layout {tensor.layout} cannot be graded")
    if tensor.is_meta:
        return [name, list(tensor.shape), "meta", None]
    if tensor.nbytes > BLOBS:
        raise TypeError(f"a tensor of {tensor.numel()} numbers is too large to be graded")
    blobs.append(content(tensor))
    return [name, list(tensor.shape), "cpu", len(blobs) - 1]


def content(tensor: torch.Tensor) -> bytes:
    """The bytes of a tensor's values, in order; none of a meta tensor."""
    size = tensor.nbytes
    if not size or tensor.is_meta:
        return b""
    # (`numpy()` would have the tensor refuse `resize_` from then on.)
    as_they_are = tensor.is_contiguous() and tensor.is_cpu
    as_they_are = as_they_are and not tensor.is_conj() and not tensor.is_neg()
    place = tensor.data_ptr() if as_they_are else 0  # torch's own tensors of zeros have none
    if not place:
        tensor = tensor.detach().resolve_conj().resolve_neg().cpu().clone(memory_format=_DENSE)
        place = tensor.data_ptr()
    return ctypes.string_at(place, size)


def unpack(told, blobs: list) -> torch.Tensor:
    """The tensor that `pack` described; `Broken` when its parts do not fit together."""
    if not isinstance(told, list) or len(told) != 4:
        raise Broken("no tensor")
    name, shape, device, place = told
    sizes = sizes_of(shape)
    dtype = DTYPES.get(name) if isinstance(name, str) else None
    if dtype is None:
        raise Broken("a dtype that is not known")
    if device == "meta":
        return torch.empty(sizes, dtype=dtype, device="meta")
    if type(place) is not int or not 0 <= place < len(blobs):
        raise Broken("a tensor without its bytes")
    raw, count = blobs[place], math.prod(sizes)
    if count * dtype.itemsize != len(raw):
        raise Broken("a tensor whose bytes do not fit its shape")
    if not count:
        return torch.empty(sizes, dtype=dtype)
    if dtype == torch.bool:  # a byte that is neither 0 nor 1 would be a bool like no other
        return torch.frombuffer(raw, dtype=torch.uint8).reshape(sizes).ne(0)
    return torch.frombuffer(raw, dtype=dtype).reshape(sizes).clone()  # no view of anything


def sizes_of(shape) -> list[int]:
    """A shape that the other side told; `Broken` when it is none."""
    if not isinstance(shape, list) or len(shape) > _DIMENSIONS:
        raise Broken("no shape")
    for size in shape:
        if type(size) is not int or not 0 <= size <= BLOBS:
            raise Broken("no shape")
    if math.prod(shape) > BLOBS:
        raise Broken("a tensor that is too large")
    return shape
