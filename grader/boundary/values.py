"""Values on their way across a boundary: plain data, and references to what can't be copied.

Every kind has a tag, and whatever has no tag here does not cross. What arrives is checked piece by
piece; exact types are kept, so that True does not become 1 nor a tuple a list.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePath

import torch

from grader.boundary.frames import Broken
from grader.boundary.packing import DTYPES, pack, unpack
from grader.boundary.tensors import Tensors

_DEPTH = 40
_BITS = 4096  # of an int
_EXACT = 1 << 52  # whole numbers below it are the same as JSON, whoever reads it
_TENSORS = (torch.Tensor, torch.nn.Parameter)
_SEQUENCES = {list: "l", tuple: "t"}
_AS_THEY_ARE = (bool, int, float, str)
# Of torch's and Python's own, what a test may name on the other side.
STANDARD = {
    "list": list,
    "sum": sum,
    "torch.sum": torch.sum,
    "torch.Tensor.float": torch.Tensor.float,
    "torch.utils.data.DataLoader": torch.utils.data.DataLoader,
}
# What a worker may say that an object of its own is: `isinstance` then agrees, in the judge.
KNOWN_TYPES = {
    "torch.nn.Module": torch.nn.Module,
    "torch.optim.Optimizer": torch.optim.Optimizer,
    "torch.utils.data.Dataset": torch.utils.data.Dataset,
    "torch.utils.data.DataLoader": torch.utils.data.DataLoader,
}


@dataclass(frozen=True)
class Bare:
    """A tensor of which only the value crosses; the other side's is another tensor."""

    tensor: torch.Tensor


class Codec:
    """Encodes and decodes values with the tensors and objects that both sides know.

    `objects` has, for what is neither data nor tensor: `export(thing)`, the description of one that
    stays here; `take(described)`, what stands here for one of the other side; `refer(thing)`, a
    reference to one that both know, "O" to the other side's and "M" to one of this side; `find` and
    `known`, what such a reference means to who reads it. Paths below `folder` are told relative to
    it.
    """

    def __init__(self, tensors: Tensors, objects):
        self.tensors, self._objects = tensors, objects
        self.folder: Callable[[], Path | None] = lambda: None
        self.lists: list | None = None  # gathers the lists and dicts of a message, if it is one

    def encode(self, thing: object, blobs: list, depth: int = 0) -> object:
        """Plain JSON for a value; tensors and bytes go into `blobs`."""
        if depth > _DEPTH:
            raise TypeError("lists within lists, too deep to be graded")
        # By exact type first: these are most of what crosses, and none is an object to refer to.
        kind = type(thing)
        if thing is None or kind is bool or kind is str:
            return thing
        if kind in _TENSORS:
            return self._tensor(thing, blobs)
        if kind is int:
            return thing if -_EXACT < thing < _EXACT else _large(thing)
        if kind is float:
            return thing if math.isfinite(thing) else ["f", str(thing)]
        if kind in _SEQUENCES or kind is dict:
            return self._container(thing, blobs, depth + 1)
        return self._other(thing, blobs, depth)

    def _other(self, thing: object, blobs: list, depth: int) -> object:
        known = self._objects.refer(thing)
        if known:
            return known
        if isinstance(thing, float):
            return self.encode(float(thing), blobs)
        if isinstance(thing, int):
            return self.encode(int(thing), blobs)
        if isinstance(thing, str):
            return str(thing)
        if isinstance(thing, torch.Tensor):
            return self._tensor(thing, blobs)
        if _is_container(thing):
            return self._container(thing, blobs, depth + 1)
        return self._single(thing, blobs)

    def _tensor(self, tensor: torch.Tensor, blobs: list) -> list:
        number = self.tensors.number(tensor)
        return ["T", number] if number else ["n", self.tensors.describe(tensor, blobs)]

    def _container(self, thing, blobs: list, depth: int) -> list:
        if isinstance(thing, dict):
            pairs = [[self.encode(one, blobs, depth) for one in pair] for pair in thing.items()]
            told = ["d", *pairs]
        else:
            tag = _SEQUENCES.get(type(thing))
            tag = tag or next(tag for kind, tag in _TAGS.items() if isinstance(thing, kind))
            told = [tag, *[self.encode(one, blobs, depth) for one in thing]]
        self._list(thing)
        return told

    def _list(self, thing) -> None:
        if self.lists is not None and isinstance(thing, list | dict):
            self.lists.append(thing)

    def _single(self, thing: object, blobs: list) -> object:
        if isinstance(thing, Bare):
            return ["v", pack(thing.tensor, blobs)]
        if isinstance(thing, bytes | bytearray):
            blobs.append(bytes(thing))
            return ["b", len(blobs) - 1]
        if isinstance(thing, torch.dtype):
            return ["dtype", str(thing).removeprefix("torch.")]
        if isinstance(thing, torch.device):
            return ["device", thing.type]
        if isinstance(thing, PurePath):
            return ["path", *self._relative(thing)]
        if isinstance(thing, slice):
            return ["slice", thing.start, thing.stop, thing.step]
        if isinstance(thing, range):
            return ["range", thing.start, thing.stop, thing.step]
        if thing is Ellipsis:
            return ["..."]
        for name, standard in STANDARD.items():
            if thing is standard:
                return ["standard", name]
        return ["o", self._objects.export(thing, blobs)]

    def decode(self, told: object, blobs: list, depth: int = 0) -> object:
        """The value that `encode` described; `Broken` for what it never says."""
        kind = type(told)
        if told is None or kind in _AS_THEY_ARE:
            if kind is int and told.bit_length() > _BITS:
                raise Broken("a number that is too large")
            return told
        if kind is not list or not told or depth > _DEPTH:
            raise Broken("no value")
        tag, *rest = told
        if type(tag) is not str:
            raise Broken("no value")
        if tag in _KINDS:
            found = _hashed(_KINDS[tag], [self.decode(one, blobs, depth + 1) for one in rest])
            self._list(found)
            return found
        if tag == "d":
            return self._decode_dict(rest, blobs, depth)
        try:
            if len(rest) == 1:
                return self._decode_one(tag, rest[0], blobs)
            return self._decode_more(tag, rest)
        except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
            raise Broken(f"no value: {type(error).__name__}") from None

    def _decode_dict(self, told: list, blobs: list, depth: int) -> dict:
        if not all(isinstance(pair, list) and len(pair) == 2 for pair in told):
            raise Broken("no dict")
        pairs = [[self.decode(one, blobs, depth + 1) for one in pair] for pair in told]
        found = _hashed(dict, pairs)
        self._list(found)
        return found

    def _decode_one(self, tag: str, told: object, blobs: list) -> object:
        match tag:
            case "T":
                return self.tensors.find(told)
            case "O":
                return self._objects.find(told)
            case "M":
                return self._objects.known(told)
            case "n" if isinstance(told, dict):
                return self.tensors.take(told, blobs)
            case "v":
                return unpack(told, blobs)
            case "o" if isinstance(told, dict):
                return self._objects.take(told, blobs)
            case "b" if isinstance(told, int):
                return bytes(blobs[told])
            case "f" if told in ("nan", "inf", "-inf"):
                return float(told)
            case "i" if isinstance(told, str) and len(told) <= _BITS // 4 + 3:  # the sign and 0x
                return int(told, 16)
            case "dtype":
                return DTYPES[told]
            case "device" if told in ("cpu", "meta"):
                return torch.device(told)
            case "standard":
                return STANDARD[told]
        raise Broken("no value")

    def _decode_more(self, tag: str, rest: list) -> object:
        match tag, *rest:
            case "path", str(text), bool(inside):
                return self._absolute(text, inside)
            case "slice", start, stop, step:
                return slice(*[_whole(one) for one in (start, stop, step)])
            case "range", int(start), int(stop), int(step):
                return range(start, stop, step)
            case ("...",):
                return ...
        raise Broken("no value")

    def _relative(self, path: PurePath) -> tuple[str, bool]:
        folder = self.folder()
        if folder is not None and path.is_relative_to(folder):
            return str(path.relative_to(folder)), True
        return str(path), False

    def _absolute(self, text: str, inside: bool) -> Path:
        folder = self.folder()
        if not inside:
            return Path(text)
        if folder is None or Path(text).is_absolute() or ".." in Path(text).parts:
            raise Broken("a path out of the folder")
        return folder / text


_TAGS = {torch.Size: "size", tuple: "t", list: "l", frozenset: "F", set: "s"}
_KINDS = {"l": list, "t": tuple, "s": set, "F": frozenset, "size": torch.Size}


def _large(value: int) -> list:
    if value.bit_length() >= _BITS:
        raise TypeError("a whole number of a thousand digits and more")
    return ["i", hex(value)]


def _is_container(thing: object) -> bool:
    """Plain data in a container; a class of the learner's own that is a list too is an object."""
    kind = type(thing)
    if not isinstance(thing, (*_TAGS, dict)):
        return False
    return kind.__module__ in ("builtins", "collections", "torch") or hasattr(kind, "_fields")


def _hashed(kind: type, items: list) -> object:
    try:
        return kind(items)
    except (TypeError, ValueError) as error:
        raise Broken(f"no {kind.__name__}: {error}") from None


def _whole(one: object) -> int | None:
    if one is not None and type(one) is not int:
        raise Broken("no slice")
    return one
