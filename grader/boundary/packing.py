"""One tensor as bytes: its dtype, shape and values, checked before anything is made of them."""

from __future__ import annotations

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
_DIMENSIONS = 16
_DENSE = torch.contiguous_format


def pack(tensor: torch.Tensor, blobs: list) -> list:
    """Dtype, shape, device and bytes of a tensor."""
    plain = tensor.detach()
    name = str(plain.dtype).removeprefix("torch.")
    if name not in DTYPES or plain.layout != torch.strided:
        raise TypeError(f"a tensor of {plain.dtype} with layout {plain.layout} cannot be graded")
    place = None
    if plain.device.type != "meta":
        if plain.numel() * plain.element_size() > BLOBS:
            raise TypeError(f"a tensor of {plain.numel()} numbers is too large to be graded")
        dense = plain.resolve_conj().resolve_neg().cpu().clone(memory_format=_DENSE)
        flat = dense.reshape(-1)
        blobs.append(flat.view(torch.uint8).numpy().tobytes() if flat.numel() else b"")
        place = len(blobs) - 1
    return [name, list(plain.shape), "meta" if place is None else "cpu", place]


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
    if math.prod(sizes) * dtype.itemsize != len(blobs[place]):
        raise Broken("a tensor whose bytes do not fit its shape")
    if not math.prod(sizes):
        return torch.empty(sizes, dtype=dtype)
    content = blobs[place]
    if dtype == torch.bool:  # a byte that is neither 0 nor 1 would be a bool like no other
        return torch.frombuffer(content, dtype=torch.uint8).reshape(sizes).ne(0)
    return torch.frombuffer(content, dtype=dtype).reshape(sizes).clone()  # no view of anything


def sizes_of(shape) -> list[int]:
    """A shape that the other side told; `Broken` when it is none."""
    if not isinstance(shape, list) or len(shape) > _DIMENSIONS:
        raise Broken("no shape")
    if not all(type(size) is int and 0 <= size <= BLOBS for size in shape):
        raise Broken("no shape")
    if math.prod(shape) > BLOBS:
        raise Broken("a tensor that is too large")
    return shape
