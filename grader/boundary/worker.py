"""The worker's end: runs the learner's code, and knows nothing of tests and solutions.

What the judge sends stands here as an object that behaves like it and asks the judge for whatever
it does. Nothing in this process is trusted by anyone.
"""

from __future__ import annotations

import io
import os
import socket
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import nn

from grader import loading
from grader.boundary import repeat
from grader.boundary.folder import Folder
from grader.boundary.frames import Broken
from grader.boundary.link import PRINTED, Link
from grader.boundary.values import KNOWN_TYPES
from grader.draw import seed_everything

_TEXT = 400


def warm() -> None:
    """What the first run would have to wait for."""
    x = torch.zeros(2, 2, requires_grad=True)
    torch.nn.functional.cross_entropy(x @ x, torch.tensor([0, 1])).backward()
    torch.manual_seed(0)


def serve(sock: socket.socket) -> None:
    """Run a learner's code for the judge on the other end, until that end is closed."""
    worker = Worker(sock)
    try:
        worker.link.serve_forever()
    except Broken:
        os._exit(0)


class Worker:
    """Answers what the judge asks of the learner's module."""

    def __init__(self, sock: socket.socket):
        self.objects = Objects()
        self.link = self.objects.link = Link(sock, self.objects, self.serve, judge=False)
        self.link.fault = self._fault
        self.link.printed = Printed.install()
        self._module, self._source, self._shown = None, "", ""
        self._files: tuple[str, ...] = ()
        self._folder: Folder | None = None

    def serve(self, op: str, *args):
        """One request."""
        return getattr(self, f"do_{op}")(*args)

    def do_begin(self, seed: int, names: list) -> dict:
        """A test begins: nothing is left of the one before. The functions of some names."""
        self.link.begin()
        self._folder = None
        seed_everything(seed)
        torch.set_num_threads(1)
        torch.set_grad_enabled(True)
        torch.set_default_dtype(torch.float32)
        found = {name: getattr(self._module, name, None) for name in names}
        return {name: one for name, one in found.items() if callable(one)}

    def do_load(self, source, path, shown, stem, parts) -> list | None:
        """Run the learner's file; a sentence and a verdict where that does not work."""
        self._files = (path, *dict.fromkeys(name for _, name in parts))
        seed_everything(0)  # a fork has drawn a state of its own
        try:
            module = loading.load(source, path, shown, stem)
        except loading.CannotLoad as error:
            return [error.sentence, error.verdict.value]
        loading.swap(module.__dict__, parts)
        self._module, self._source, self._shown = module, source, shown
        return None

    def do_name(self, name):
        """A function or class of the module, in a list; the sentence that there is none."""
        if not hasattr(self._module, name):
            return loading.missing(self._source, self._shown, name)
        return [getattr(self._module, name)]

    def do_call(self, function, args, kwargs):
        return function(*args, **kwargs)

    def do_repeat(self, function, times, args):
        return repeat.together(repeat.values(function, times, args))

    def do_method(self, thing, name, args, kwargs):
        return getattr(thing, name)(*args, **kwargs)

    def do_get(self, thing, name):
        """An attribute, in a list; True for a method, which is called with its object."""
        found = getattr(thing, name)
        own = getattr(found, "__self__", None) is thing and callable(found)
        return True if own else [found]

    def do_set(self, thing, name, value):
        setattr(thing, name, value)

    def do_operate(self, thing, name, args):
        import operator

        if name.startswith("r"):
            return getattr(operator, name[1:])(args[0], thing)
        return getattr(operator, name)(thing, *args)

    def do_len(self, thing) -> int:
        return len(thing)

    def do_item(self, thing, key):
        return thing[key]

    def do_iterate(self, thing):
        return Walk(iter(thing))

    def do_next(self, walk) -> list:
        """The next item in a list, and an empty list after the last."""
        return next(([one] for one in walk.iterator), [])

    def do_pull(self, ident, upstream, names, private):
        return self.link.gradients(ident, upstream, names, private)

    def do_files(self, changes) -> None:
        """The test has written files."""
        if self._folder is None:
            self._folder = Folder(Path(tempfile.mkdtemp()))
            self.link.codec.folder = lambda: self._folder.path
        self._folder.apply(changes)

    def do_written(self) -> list:
        """What the learner's code has done to the files."""
        return self._folder.changes()

    def _fault(self, error: BaseException):
        trace, raiser = error.__traceback__, ""
        while trace is not None:
            raiser = trace.tb_frame.f_code.co_qualname.partition(".")[0]
            trace = trace.tb_next
        return loading.line_in(error, *self._files), raiser


class Walk:
    """An iterator that is under way."""

    def __init__(self, iterator: Iterator):
        self.iterator = iterator


class Printed(io.TextIOBase):
    """Takes what is printed, keeps its end, and hands it over once."""

    def __init__(self):
        self._text = ""

    @classmethod
    def install(cls):
        """In the place of standard output; standard error goes nowhere."""
        found = sys.stdout = cls()
        sys.stderr = io.StringIO()
        return found.take

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self._text = (self._text + text)[-PRINTED:]
        return len(text)

    def take(self) -> str:
        """What was printed since the last time."""
        text, self._text = self._text, ""
        if sys.stderr.tell() > PRINTED:
            sys.stderr = io.StringIO()
        return text


class Objects:
    """The objects that both sides know: own ones by number, and what stands for the judge's."""

    link: Link

    def __init__(self):
        self.clear()

    def clear(self) -> None:
        """Forget them all."""
        self._own: dict[int, object] = {}
        self._numbers: dict[int, int] = {}
        self._theirs: dict[int, object] = {}
        self._classes: dict[type, int] = {}

    def refer(self, thing: object) -> list | None:
        """A reference to an object that both sides know."""
        if isinstance(thing, Theirs):
            return ["O", thing.kata_number]
        number = self._numbers.get(id(thing))
        return None if number is None else ["M", number]

    def export(self, thing: object, blobs: list) -> dict:
        """Describe an object that stays here."""
        number = len(self._own) + 1
        self._own[number], self._numbers[id(thing)] = thing, number
        own = type(thing)
        return {
            "i": number,
            "class": self._classes.setdefault(own, len(self._classes)),
            "type": own.__name__[:80],
            "name": str(getattr(thing, "__name__", ""))[:80],
            "text": _text(thing),
            "callable": callable(thing),
            "is": [name for name, kind in KNOWN_TYPES.items() if isinstance(thing, kind)],
        }

    def find(self, number: int) -> object:
        """An own object."""
        return self._own[number]

    def known(self, number: int) -> object:
        """What stands for one of the judge's."""
        return self._theirs[number]

    def take(self, told: dict, blobs: list) -> object:
        """What stands for an object of the judge."""
        made = MAKERS[told["kind"]](self.link, told, blobs)
        self._theirs[told["i"]] = made
        return made


class Theirs:
    """Stands for an object of the judge."""

    def __init__(self, link: Link, told: dict, blobs: list):
        super().__init__()
        self.kata_link, self.kata_number = link, told["i"]
        if told.get("name"):
            self.__name__ = told["name"]


class Function(Theirs):
    """A function of the test."""

    def __call__(self, *args, **kwargs):
        if any(_transformed(arg) for arg in args):
            return Transformed.apply(self, kwargs, Kept(), *args)
        return self.kata_link.ask("call", self, list(args), kwargs)


class Kept:
    """What a forward pass leaves for the backward pass."""


class Transformed(torch.autograd.Function):
    """A function of the test under `torch.func.grad` and its kin."""

    @staticmethod
    def forward(function, kwargs, kept, *args):
        with torch.enable_grad():
            inputs = [
                arg.detach().requires_grad_() if isinstance(arg, torch.Tensor) else arg
                for arg in args
            ]
            result = function.kata_link.ask("call", function, inputs, kwargs)
        kept.inputs, kept.result = inputs, result
        return result.detach()

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.kept = inputs[2]

    @staticmethod
    def backward(ctx, upstream):
        grads = iter(Back.apply(ctx.kept, upstream))
        inputs = ctx.kept.inputs
        found = [next(grads) if isinstance(one, torch.Tensor) else None for one in inputs]
        return None, None, None, *found


class Back(torch.autograd.Function):
    """The backward pass of one, on tensors without their wrapping."""

    @staticmethod
    def forward(kept, upstream):
        tensors = [one for one in kept.inputs if isinstance(one, torch.Tensor)]
        grads = torch.autograd.grad(kept.result, tensors, upstream, materialize_grads=True)
        return tuple(grads)

    @staticmethod
    def setup_context(ctx, inputs, output):
        pass


def _transformed(thing: object) -> bool:
    return isinstance(thing, torch.Tensor) and torch._C._functorch.is_functorch_wrapped_tensor(
        thing
    )


class Iterable(Theirs):
    """A loader, a dataset or a list-like object of the test."""

    def __iter__(self):
        return self.kata_link.ask("iterate", self)


class Measured(Iterable):
    """One that has a length."""

    def __len__(self):
        return self.kata_link.ask("len", self)


class Sized(Measured):
    """One that has a length and items."""

    def __getitem__(self, key):
        return self.kata_link.ask("item", self, key)


class Walker(Theirs):
    """An iterator of the test."""

    def __iter__(self):
        return self

    def __next__(self):
        found = self.kata_link.ask("next", self)
        if not found:
            raise StopIteration
        return found[0]


class Optimizer(Theirs, torch.optim.Optimizer):
    """An optimiser of the test: the groups of parameters are here, the judge makes the steps."""

    def __init__(self, link: Link, told: dict, blobs: list):
        self.kata_link, self.kata_number = link, told["i"]
        torch.optim.Optimizer.__init__(self, link.codec.decode(told["groups"], blobs), {})

    def step(self):
        groups = [
            {name: value for name, value in group.items() if isinstance(value, float)}
            for group in self.param_groups
        ]
        return self.kata_link.ask("step", self, groups)

    def zero_grad(self, set_to_none=True):
        return self.kata_link.ask("zero_grad", self, set_to_none)


class Module(Theirs, nn.Module):
    """A model of the test with its parameters and buffers; the judge computes what it gives."""

    def __init__(self, link: Link, told: dict, blobs: list):
        nn.Module.__init__(self)
        self.kata_link, self.kata_number = link, told["i"]
        self.kata_inner = told["type"]
        for name, tensor in (*told["parameters"], *told["buffers"]):
            owner, last = self._owner(name)
            found = link.codec.decode(tensor, blobs)
            is_parameter = isinstance(found, nn.Parameter)
            (owner.register_parameter if is_parameter else owner.register_buffer)(last, found)
        nn.Module.train(self, told["training"])

    def _owner(self, name: str) -> tuple[nn.Module, str]:
        *path, last = name.split(".")
        owner = self
        for part in path:
            if part not in owner._modules:
                owner.add_module(part, nn.Module())
            owner = owner._modules[part]
        return owner, last

    def _get_name(self) -> str:
        return self.kata_inner

    def train(self, mode: bool = True):
        nn.Module.train(self, mode)
        self.kata_link.ask("train", self, mode)
        return self

    def __deepcopy__(self, memo):
        return self.kata_link.ask("copy", self)

    def forward(self, *args, **kwargs):
        return self.kata_link.ask("call", self, list(args), kwargs)


MAKERS = {
    "function": Function,
    "iterable": Iterable,
    "measured": Measured,
    "sized": Sized,
    "iterator": Walker,
    "optimizer": Optimizer,
    "module": Module,
}


def _text(thing: object) -> str:
    try:
        return " ".join(repr(thing).split())[:_TEXT]
    except Exception as error:
        return f"(its repr raised {type(error).__name__})"
