"""Tensors that live on both sides of a boundary, and gradients through it.

A tensor that crosses gets a number under which both sides know it: one side's own, the other's
import of it. Whatever is observable of a leaf (value, shape, dtype, requires_grad, `.grad`) is
brought up to date with every message. A result with a history is imported as a node of the
importer's own graph, whose backward asks the exporter for the vector-Jacobian product.
"""

from __future__ import annotations

import contextlib
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache

import torch
from torch import nn
from torch.autograd.graph import GradientEdge

from grader.boundary.frames import Broken
from grader.boundary.packing import content, pack, sizes_of, unpack

_CROSSING = 512 << 20  # bytes of tensors that may cross each way, one test's
_TENSORS = 50_000
_SMALL = 10_000  # elements


@dataclass(slots=True)
class Entry:
    """A tensor that the other side knows, and its state when it was last told of it."""

    ident: int
    own: bool
    ref: Callable[[], torch.Tensor | None]
    value: bytes = b""  # where values are compared
    count: tuple = ()
    grad: bytes = b""
    grad_itself: torch.Tensor | None = None
    grad_count: tuple | None = None
    requires_grad: bool = False
    leaf: bool = True
    scattered: bool = False  # over there its values do not lie side by side
    wanted: dict[int, object] = field(default_factory=dict)  # what gradients lead to, by number
    private: list[torch.Tensor] = field(default_factory=list)  # leaves the other side knows not


class Imported(torch.autograd.Function):
    """A node of this side's graph that stands for a result of the other side."""

    @staticmethod
    def forward(ctx, tensors, ident, box, saved, *inputs):
        ctx.tensors, ctx.ident, ctx.keep = tensors, ident, box["keep"]
        ctx.known = box["known"]
        result = box.pop("value")
        if saved:
            ctx.save_for_backward(torch.empty(0))
        return result

    @staticmethod
    def backward(ctx, upstream):
        _ = ctx.saved_tensors  # a second backward raises what it raises for any other node
        needed = ctx.needs_input_grad[4:]
        names = [name for name, need in zip(ctx.known, needed, strict=False) if need]
        private = len(needed) > len(ctx.known) and needed[-1]
        found = iter(ctx.tensors.pull(ctx.ident, upstream, names, private))
        grads = [next(found) if need else None for need in needed[: len(ctx.known)]]
        return None, None, None, None, *grads, *[None] * (len(needed) - len(ctx.known))


class Keep:
    """As long as an import or its node is there, the exporter keeps the graph."""

    def __init__(self, tensors: Tensors, ident: int):
        self._tensors, self.ident = weakref.ref(tensors), ident

    def __del__(self):
        tensors = self._tensors()
        if tensors is not None:
            tensors.gone(self.ident)


class Tensors:
    """What both sides know of each other's tensors.

    `first` tells the two sides' numbers apart; `pull(ident, upstream, names, private)` asks the
    other side for gradients. The judge keeps imported parameters for as long as this lives.
    """

    def __init__(self, first: int, pull: Callable, judge: bool):
        self.pull, self._judge = pull, judge
        self._next = first
        self._entries: dict[int, Entry] = {}
        self._numbers: dict[int, int] = {}  # id of a tensor: its number
        self._held: list[torch.Tensor] = []
        self._crossed = {True: 0, False: 0}  # bytes of own tensors, and of the other side's
        self._gone: list[int] = []
        self._loose: list[int] = []
        self._alive: list = []
        self._token = torch.zeros((), requires_grad=True)  # stands for leaves not known here

    # Names of tensors

    def number(self, tensor: torch.Tensor) -> int | None:
        """The number of a tensor that the other side knows; None for one it does not."""
        ident = self._numbers.get(id(tensor))
        entry = self._entries.get(ident)
        if entry is None or entry.ref() is not tensor:
            return None
        if not entry.leaf and not tensor.is_leaf and _imported(tensor) is None and not entry.own:
            return None  # changed in place: it has a history of its own now
        return ident

    def find(self, ident) -> torch.Tensor:
        """The tensor with a number; `Broken` when there is none."""
        entry = self._entries.get(ident) if type(ident) is int else None
        tensor = entry.ref() if entry else None
        if tensor is None:
            raise Broken("a tensor that is not known")
        return tensor

    def gone(self, ident: int) -> None:
        """An import is not used any more; the other side is told with the next message."""
        self._entries.pop(ident, None)
        self._gone.append(ident)

    def news(self, blobs: list, below: int, thorough: bool) -> dict:
        """What a message says of the tensors known before number `below`: nothing, if nothing is.

        Also the numbers that the other side may forget, and those of which only the graph is
        needed. What is not among them stays until `release`: the other side's next message may
        name it.
        """
        changes, alive = self._changes(blobs, below, thorough)
        found = {"sync": changes, "gone": self._gone, "loose": self._loose}
        self._gone, self._loose, self._alive = [], [], alive
        return {name: told for name, told in found.items() if told}

    def hear(self, told: dict, blobs: list) -> None:
        """What the other side's message says of tensors."""
        if "gone" in told or "loose" in told:
            self.drop(told.get("gone", []), told.get("loose", []))
        if "sync" in told:
            self.apply(told["sync"], blobs)

    def release(self) -> None:
        """The other side's message is read: what it did not name may go."""
        self._alive = []

    def drop(self, gone: list, loose: list) -> None:
        """Forget own tensors that the other side does not use any more."""
        for ident in [*gone, *loose]:
            entry = self._entries.get(ident) if type(ident) is int else None
            if entry is not None and entry.own:
                self._numbers.pop(id(entry.ref()), None)
                if ident in gone:
                    del self._entries[ident]

    # Out

    def describe(self, tensor: torch.Tensor, blobs: list) -> dict:
        """A tensor that the other side does not know yet; it does from now on."""
        ident, self._next = self._next, self._next + 2
        leaf = tensor.is_leaf
        told = {"i": ident, "r": tensor.requires_grad}
        told["k"] = "parameter" if isinstance(tensor, nn.Parameter) else "leaf" if leaf else "node"
        if not tensor.is_contiguous():
            told["scattered"] = True
        alias = None if tensor.requires_grad else self._alias(tensor)
        if alias:
            told["s"] = [*alias, str(tensor.dtype), list(tensor.shape), list(tensor.stride())]
        else:
            told["v"] = pack(tensor, blobs)
        entry = Entry(ident, True, lambda: tensor)
        if not leaf:
            saved = self._follow(tensor, entry)
            told |= {"w": list(entry.wanted), "p": bool(entry.private), "saved": saved}
        elif tensor.grad is not None:
            told["g"] = pack(tensor.grad, blobs)
        self._add(entry, tensor)
        return told

    def _alias(self, tensor: torch.Tensor) -> list | None:
        """[number, offset] of a known tensor in whose memory this one lies."""
        if tensor.device.type == "meta" or not tensor.numel():
            return None
        place, start = tensor.untyped_storage().data_ptr(), tensor.data_ptr()
        for entry in self._entries.values():
            other = entry.ref()
            # (Most lie elsewhere, which their addresses show at once.)
            if (
                other is not None
                and 0 <= start - other.data_ptr() < other.nbytes
                and other.dtype == tensor.dtype
                and other.device == tensor.device
                and other.untyped_storage().data_ptr() == place
                and other.is_contiguous()
                and not entry.scattered
            ):
                offset = tensor.storage_offset() - other.storage_offset()
                if offset + _last(tensor.shape, tensor.stride()) < other.numel():
                    return [entry.ident, offset]
        return None

    def _follow(self, tensor: torch.Tensor, entry: Entry) -> bool:
        """Find what a result was computed from: what is known there, and what is not.

        True when its graph can be walked back only once.
        """
        saved, seen, nodes = False, set(), [tensor.grad_fn]
        known = self._known_results()
        while nodes:
            node = nodes.pop()
            if node is None or node in seen:
                continue
            seen.add(node)
            if isinstance(node, Imported._backward_cls) and node.tensors is self:
                entry.wanted[node.ident] = GradientEdge(node, 0)
                saved = True
            elif node in known and node is not tensor.grad_fn:
                ident, output = known[node]
                entry.wanted[ident] = GradientEdge(node, output)
            elif hasattr(node, "variable"):
                ident = self.number(node.variable)
                if ident is not None:
                    entry.wanted[ident] = node.variable
                elif node.variable is not self._token:
                    entry.private.append(node.variable)
            else:
                saved = saved or _saves(type(node))
                nodes += [edge for edge, _ in node.next_functions]
        return saved

    def _known_results(self) -> dict:
        """Nodes of own results that the other side knows: its number and which of its outputs."""
        found = {}
        for entry in self._entries.values():
            if entry.own and not entry.leaf:
                tensor = entry.ref()
                if self._numbers.get(id(tensor)) == entry.ident:
                    found[tensor.grad_fn] = entry.ident, tensor.output_nr
        return found

    def _changes(self, blobs: list, below: int, thorough: bool) -> tuple[list[dict], list]:
        """What has happened to the tensors known before number `below`; imports that are alive.

        Autograd counts changes, but neither those through `.data` nor those through numpy: where
        code may do that, small tensors are compared, and all of them when `thorough`.
        """
        found, alive = [], []
        for entry in list(self._entries.values()):
            tensor = entry.ref()
            if tensor is None or (entry.own and entry.ident >= below):
                continue
            if not entry.own:
                alive.append(tensor)
            if not tensor.is_leaf:
                continue  # a result: nobody changes it but by making another
            counted = self._judge or (not thorough and tensor.numel() > _SMALL)
            told = _changed(entry, tensor, blobs, counted)
            if told:
                found.append({"i": entry.ident} | told)
                self._note(entry, tensor)
        return found, alive

    @property
    def next(self) -> int:
        """The number that the next tensor will get."""
        return self._next

    # In

    def take(self, told: dict, blobs: list) -> torch.Tensor:
        """Import a tensor that the other side has described."""
        ident = told["i"]
        if type(ident) is not int or ident in self._entries or ident % 2 == self._next % 2:
            raise Broken("a tensor's number is taken")
        if len(self._entries) >= _TENSORS:
            raise Broken("too many tensors")
        value = self._aliased(told) if "s" in told else unpack(told["v"], blobs)
        with _usual_mode():
            if told["k"] == "node":
                keep = Keep(self, ident)
                tensor = self._node(told, value, keep)
                tensor.kata_keep = keep
                ref = weakref.ref(tensor, lambda _: self._loose.append(ident))
            else:
                tensor = self._leaf(told, value, blobs)
                ref = weakref.ref(tensor, lambda _: self.gone(ident))
        self._add(Entry(ident, False, ref, scattered=bool(told.get("scattered"))), tensor)
        return tensor

    def _leaf(self, told: dict, value: torch.Tensor, blobs: list) -> torch.Tensor:
        tensor = nn.Parameter(value, False) if told["k"] == "parameter" else value
        if told["r"]:
            with _clear("requires_grad"):
                tensor.requires_grad_()
            if self._judge:
                self._held.append(tensor)
        if "g" in told:
            _set_grad(tensor, unpack(told["g"], blobs), same=False)
        return tensor

    def _node(self, told: dict, value: torch.Tensor, keep: Keep) -> torch.Tensor:
        known = [ident for ident in told["w"] if self._reachable(ident)]
        inputs = [self.find(ident) for ident in known]
        if told["p"] or not inputs:
            inputs.append(self._token)
        box = {"value": value, "keep": keep, "known": known}
        with torch.enable_grad():
            return Imported.apply(self, told["i"], box, bool(told["saved"]), *inputs)

    def _reachable(self, ident) -> bool:
        tensor = self.find(ident)
        return tensor.requires_grad

    def _aliased(self, told: dict) -> torch.Tensor:
        number, offset, dtype, shape, strides = told["s"]
        base, sizes = self.find(number).detach(), sizes_of(shape)
        if (
            not base.is_contiguous()
            or str(base.dtype) != dtype
            or not all(type(one) is int and one >= 0 for one in (offset, *strides))
            or len(strides) != len(sizes)
            or offset + _last(sizes, strides) >= base.numel()
        ):
            raise Broken("a view of something else")
        return base.as_strided(sizes, strides, base.storage_offset() + offset)

    def apply(self, changes: list, blobs: list) -> None:
        """Bring what is known up to date with what has happened on the other side."""
        with _usual_mode(), torch.no_grad(), _clear("a change"):
            for told in changes:
                entry = self._entries.get(told["i"])
                tensor = entry.ref() if entry else None
                if tensor is not None:
                    self._change(entry, tensor, told, blobs)
                # One that has just ended here, the other side is about to hear of.

    def _change(self, entry: Entry, tensor: torch.Tensor, told: dict, blobs: list) -> None:
        if told.get("detached"):
            tensor.detach_()
        if "v" in told:
            _set_value(tensor, unpack(told["v"], blobs), bool(told.get("quiet")))
            entry.scattered = bool(told.get("scattered"))
        if "r" in told:
            tensor.requires_grad_(bool(told["r"]))
        if "g" in told:
            grad = None if told["g"] is None else unpack(told["g"], blobs)
            _set_grad(tensor, grad, bool(told.get("same")))
        self._note(entry, tensor)

    # Gradients

    def answer(self, ident, upstream: torch.Tensor, names: list, private: bool) -> list:
        """The vector-Jacobian products that the other side's `pull` asks for."""
        result, entry = self.find(ident), self._entries[ident]
        if not set(names) <= set(entry.wanted):
            raise Broken("a gradient of something that is not known")
        wanted = [entry.wanted[name] for name in names]
        leaves = entry.private if private else []
        grads = torch.autograd.grad(
            result, [*wanted, *leaves], upstream, retain_graph=True, allow_unused=True
        )
        for leaf, grad in zip(leaves, grads[len(wanted) :], strict=True):
            if grad is not None and leaf.grad is not None:
                with torch.no_grad():
                    leaf.grad += grad
            elif grad is not None:
                leaf.grad = grad
        return list(grads[: len(wanted)])

    def _note(self, entry: Entry, tensor: torch.Tensor) -> None:
        """Remember the state that both sides know of."""
        entry.leaf, entry.requires_grad = tensor.is_leaf, tensor.requires_grad
        if entry.leaf:
            grad = entry.grad_itself = tensor.grad
            entry.count = _count(tensor)
            entry.grad_count = None if grad is None else _count(grad)
            if not self._judge:
                entry.value = content(tensor)
                entry.grad = b"" if grad is None else content(grad)

    def _add(self, entry: Entry, tensor: torch.Tensor) -> None:
        self._note(entry, tensor)
        self._crossed[entry.own] += tensor.numel() * tensor.element_size()
        if self._crossed[entry.own] > _CROSSING:
            raise Broken("too much memory for one test")
        self._entries[entry.ident] = entry
        self._numbers[id(tensor)] = entry.ident


def _last(sizes, strides) -> int:
    """How far the last element of a view lies behind the first."""
    return sum((n - 1) * step for n, step in zip(sizes, strides, strict=True))


def _imported(tensor: torch.Tensor):
    """The number under which the other side knows this very result; None if it does not."""
    node = tensor.grad_fn
    return node.ident if isinstance(node, Imported._backward_cls) else None


@lru_cache(1000)
def _saves(kind: type) -> bool:
    """Do nodes of a graph of that type keep values, which only one backward pass may use?"""
    return any(name.startswith("_raw_saved") for name in dir(kind))


def _changed(entry: Entry, tensor: torch.Tensor, blobs: list, counted: bool) -> dict:
    """What has happened to a leaf; values are compared unless it is enough that they are counted.

    (Bytes are compared: a NaN is the same as itself, and torch has less to do.)
    """
    told: dict = {}
    if not entry.leaf:
        told["detached"] = True
    if tensor.requires_grad != entry.requires_grad:
        told["r"] = tensor.requires_grad
    count = _count(tensor)
    if count != entry.count or not (counted or content(tensor) == entry.value):
        told |= {"v": pack(tensor, blobs), "quiet": count == entry.count}
        if not tensor.is_contiguous():
            told["scattered"] = True
    grad = tensor.grad
    if grad is None:
        if entry.grad_itself is not None:
            told["g"] = None
        return told
    kept = grad is entry.grad_itself
    same = kept and _count(grad) == entry.grad_count
    if not (same and (counted or content(grad) == entry.grad)):
        told |= {"g": pack(grad, blobs), "same": kept}
    return told


def _count(tensor: torch.Tensor) -> tuple:
    """Another one after each change that autograd counts, or other memory."""
    version = 0 if tensor.is_inference() else tensor._version
    return version, tensor.data_ptr(), tensor.dtype, tensor.shape


def _set_value(tensor: torch.Tensor, value: torch.Tensor, quiet: bool) -> None:
    """New values in the same tensor; `quiet` as through `.data`, which autograd does not see.

    (Nothing is recorded where this is called, and neither in what follows.)
    """
    if tensor.shape != value.shape or tensor.dtype != value.dtype or tensor.is_meta:
        tensor.data = value
    elif quiet:
        tensor.data.copy_(value)
    else:
        tensor.copy_(value)


def _set_grad(tensor: torch.Tensor, grad: torch.Tensor | None, same: bool) -> None:
    old = tensor.grad
    if same and old is not None and grad is not None and old.shape == grad.shape:
        old.copy_(grad)
    else:
        with _clear("a gradient"):
            tensor.grad = grad


def _usual_mode() -> contextlib.AbstractContextManager:
    """Out of the inference mode, whose tensors would be of no use afterwards."""
    inside = torch.is_inference_mode_enabled()
    return torch.inference_mode(False) if inside else contextlib.nullcontext()


@contextlib.contextmanager
def _clear(what: str) -> Iterator[None]:
    """What torch refuses, the other side should not have said."""
    try:
        yield
    except RuntimeError as error:
        raise Broken(f"{what} that torch refuses: {error}") from None
