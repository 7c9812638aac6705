"""The judge's end: the learner's module as tests see it, with its code in another process.

A test calls what `Remote` gives it like functions of its own process. What comes back is made again
here from plain data; what can't be is a `RemoteObject`, which is used by calling its methods and by
iterating over it. Nothing of the worker's is believed but as the data it is.
"""

from __future__ import annotations

import copy
import secrets
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from torch import nn

from grader import limits
from grader.boundary import repeat
from grader.boundary.faults import Ended, origin
from grader.boundary.folder import Allowance, Folder
from grader.boundary.frames import Broken, Gone, TooLarge, printable
from grader.boundary.link import Link
from grader.boundary.values import KNOWN_TYPES, STANDARD
from grader.loading import CannotLoad
from grader.report import Verdict

_SENTENCE = 2000  # characters
# What a worker may say of a file that it could not load: never that it passed.
_NOT_LOADED = (Verdict.CRASHED, Verdict.NOT_ATTEMPTED)
_LAST_WORDS = 0.5  # seconds for the sandbox to say how a worker ended


class Remote:
    """The module of an exercise, loaded in a worker.

    `worker()` starts one: an object with `socket`, `close()` and `wait(seconds)`, how it ended. A
    worker that is lost is replaced when the next test begins.
    """

    def __init__(
        self,
        worker: Callable,
        source: str,
        path: str,
        shown: str,
        stem: str,
        parts=(),
        show: Callable[[str], object] = lambda text: sys.stdout.write(text),
    ):
        self._start, self._show = worker, show
        self._about = [source, path, shown, stem, [list(part) for part in parts]]
        self._worker, self._link = None, None
        self._folder: Folder | None = None
        self._allowance = Allowance()
        self._files: Callable[[], Path | None] = lambda: None
        self._objects = Objects(self)
        self._asked: list[str] = []  # the names that the test under way has asked for
        self._found: dict[str, RemoteCallable] = {}
        self._open()

    def _open(self) -> None:
        self._worker = self._start()
        self._link = Link(self._worker.socket, self._objects, self._serve, judge=True)
        self._link.show = self._show
        self._load()

    def _load(self) -> None:
        self._found = {}
        try:
            found = self.ask("load", *self._about)
        except BaseException:
            self.close()  # nobody else would
            raise
        match found:
            case None:
                return
            case [str(sentence), str(verdict)] if verdict in _NOT_LOADED:
                self.close()
                raise CannotLoad(printable(sentence, _SENTENCE), Verdict(verdict))
        raise self._lost(Broken("no answer to load"))

    def begin(self, seed: int, files: Callable[[], Path | None]) -> None:
        """A test begins; `files()` is the folder that it shares with the learner's code, if any."""
        self._asked, likely = [], self._asked  # the next test asks for about the same
        with limits.interruptible():
            if self._worker is None:
                self._open()
            self._link.begin()
            self._folder, self._files = None, files
            self._link.codec.folder = files
            found = self.ask("begin", seed, likely)
        if not isinstance(found, dict):
            raise self._lost(Broken("no answer to begin"))
        self._found = {name: one for name, one in found.items() if name in likely}

    def close(self) -> None:
        """End the worker and whatever it has started."""
        worker, self._worker = self._worker, None  # first: a timer may interrupt what follows
        if worker is not None:
            worker.close()

    def ask(self, op: str, *args):
        """Ask the worker; `Ended` when it does not answer as it should."""
        if self._worker is None:
            raise Ended("the process with the code had ended")
        try:
            return self._link.ask(op, *args)
        except Broken as error:
            raise self._lost(error) from None
        except TooLarge as error:
            raise TypeError(f"what the test hands over is too large: {error}") from None
        except BaseException as error:
            if not isinstance(error, Exception) and origin(error) is None:
                self.close()  # out of time: an answer would come too late
            raise

    def _lost(self, error: Broken) -> Ended:
        # One that goes on is not waited for: it is ended here, for what it said.
        gone = self._worker and isinstance(error, Gone)
        how = self._worker.wait(_LAST_WORDS) if gone else None
        self.close()
        return Ended(f"the process with the code ended: {how or error}")

    def use(self, op: str, *args):
        """Ask for what runs the learner's code, with the files that a test has written."""
        self._send_files()
        result = self.ask(op, *args)
        if self._folder is not None:
            try:
                self._folder.apply(self.ask("written"))
            except (Broken, OSError) as error:
                raise self._lost(Broken(str(error))) from None
        return result

    def _send_files(self) -> None:
        path = self._files()
        if path is None:
            return
        if self._folder is None:
            self._folder = Folder(path, self._allowance)
            self.ask("files", self._folder.changes())
            return
        changes = self._folder.changes()
        if changes:
            self.ask("files", changes)

    def find(self, name: str):
        """A function or class of the module; `CannotLoad` where it has none of that name."""
        if name not in self._asked:
            self._asked.append(name)
        if isinstance(self._found.get(name), RemoteCallable):
            return self._found[name]
        found = self.ask("name", name)
        if isinstance(found, list) and len(found) == 1:
            self._found[name] = found[0]
            return found[0]
        sentence = found if isinstance(found, str) else f"there is no {name}"
        raise CannotLoad(printable(sentence, _SENTENCE), Verdict.NOT_ATTEMPTED)

    def make(self, standard):
        """A standard class or function, to be used on the side of the learner's code."""
        if standard not in STANDARD.values():
            raise ValueError(f"{standard} is not among the standard things that can be made there")
        return lambda *args, **kwargs: self.use("call", standard, list(args), kwargs)

    # What the worker may ask for

    def _serve(self, op: str, *args):
        match op, *args:
            case "pull", ident, torch.Tensor() as upstream, list(names), bool(private):
                return self._link.gradients(ident, upstream, names, private)
            case "call", thing, list(args), dict(kwargs) if self._objects.allows(thing, "call"):
                return thing(*args, **kwargs)
            case "iterate", thing if self._objects.allows(thing, "iterate"):
                return iter(thing)
            case "next", thing if self._objects.allows(thing, "next"):
                return next(([one] for one in thing), [])
            case "len", thing if self._objects.allows(thing, "len"):
                return len(thing)
            case "item", thing, key if self._objects.allows(thing, "len"):
                return thing[key]
            case "train", thing, bool(mode) if self._objects.allows(thing, op):
                thing.train(mode)
                return None
            case "copy", thing if self._objects.allows(thing, op):
                return copy.deepcopy(thing)
            case "zero_grad", thing, bool(to_none) if self._objects.allows(thing, op):
                return thing.zero_grad(to_none)
            case "step", thing, [*groups] if self._objects.allows(thing, op):
                for group, told in zip(thing.param_groups, groups, strict=True):
                    rates = {k: v for k, v in told.items() if isinstance(group.get(k), float)}
                    group.update(rates)
                thing.step()
                return None
        raise Broken(f"a request that no code under test makes: {op[:40]}")


class Objects:
    """The objects that both sides know: the test's by drawn number, and what stands for others."""

    def __init__(self, remote: Remote):
        self._remote = remote
        self.clear()

    def clear(self) -> None:
        """Forget them all: a reference is good for one test."""
        self._own: dict[int, object] = {}
        self._numbers: dict[int, int] = {}
        self._kinds: dict[int, tuple[str, ...]] = {}
        self._theirs: dict[int, RemoteObject] = {}
        self._methods: dict[int, set[str]] = {}  # of the worker's classes, as far as told

    def refer(self, thing: object) -> list | None:
        """A reference to an object that both sides know."""
        if isinstance(thing, RemoteObject):
            return ["O", object.__getattribute__(thing, "_number")]
        number = self._numbers.get(id(thing))
        return None if number is None else ["M", number]

    def export(self, thing: object, blobs: list) -> dict:
        """Describe an object of the test, which stays here; the worker may do no more with it."""
        kind, allowed = _kind(thing)
        number = secrets.randbits(52)
        self._own[number], self._numbers[id(thing)] = thing, number
        self._kinds[id(thing)] = allowed
        told = {"i": number, "kind": kind, "name": str(getattr(thing, "__name__", ""))[:80]}
        if kind == "module":
            encode = self._remote._link.codec.encode
            told["type"], told["training"] = type(thing).__name__, thing.training
            told["parameters"] = [[n, encode(p, blobs)] for n, p in thing.named_parameters()]
            told["buffers"] = [[n, encode(b, blobs)] for n, b in thing.named_buffers()]
        if kind == "optimizer":
            told["groups"] = self._remote._link.codec.encode(thing.param_groups, blobs)
        return told

    def allows(self, thing: object, what: str) -> bool:
        """May the worker do that with this object of the test?"""
        return id(thing) in self._numbers and what in self._kinds[id(thing)]

    def find(self, number) -> object:
        """An own object."""
        return self._own[number]

    def known(self, number) -> object:
        """What stands for one of the worker's."""
        return self._theirs[number]

    def take(self, told: dict, blobs: list) -> RemoteObject:
        """What stands for an object of the worker."""
        match told:
            case {
                "i": int(number),
                "class": int(own),
                "type": str(kind),
                "name": str(name),
                "text": str(text),
                "callable": bool(calls),
                "is": [*known],
            } if number not in self._theirs:
                made = RemoteCallable if calls else RemoteObject
                kinds = [KNOWN_TYPES[one] for one in known if one in KNOWN_TYPES]
                about = printable(kind, 80), printable(name, 80), printable(text, 400)
                known_methods = self._methods.setdefault(own, set())
                thing = made(self._remote, number, about, known_methods, *kinds[:1])
                self._theirs[number] = thing
                return thing
        raise Broken("no object")


def _kind(thing: object) -> tuple[str, tuple[str, ...]]:
    """How an object of the test is told to the worker, and what may be asked of it."""
    if isinstance(thing, nn.Module):
        return "module", ("call", "train", "copy")
    if isinstance(thing, torch.optim.Optimizer):
        return "optimizer", ("step", "zero_grad")
    if isinstance(thing, Iterator):
        return "iterator", ("next",)
    if callable(thing):
        return "function", ("call",)
    sized = hasattr(thing, "__len__") and hasattr(thing, "__getitem__")
    if sized:
        return "sized", ("iterate", "len")
    if hasattr(thing, "__iter__"):
        length = ("len",) if hasattr(thing, "__len__") else ()
        return ("measured" if length else "iterable"), ("iterate", *length)
    raise TypeError(f"a {type(thing).__name__} of the test's cannot be handed over")


class RemoteObject:
    """An object of the learner's, used from here; comparisons are never asked of it."""

    def __init__(
        self,
        remote: Remote,
        number: int,
        about: tuple[str, str, str],
        methods: set[str],
        kind: type | None = None,
    ):
        own = {"_remote": remote, "_number": number, "_about": about, "_kind": kind}
        own["_methods"] = methods  # that its class is known to have
        for name, value in own.items():
            object.__setattr__(self, name, value)

    @property
    def __class__(self):
        """What `isinstance` is told: the torch class that the object is one of, if any."""
        return self._kind or type(self)

    def kata_described(self) -> str:
        """What it is, in its own words."""
        kind, name, text = self._about
        return f"{kind} {name or text}"

    def __getattr__(self, name: str):
        if name == "__name__" and self._about[1]:
            return self._about[1]
        if name.startswith("_"):
            raise AttributeError(name)
        if name in self._methods:
            return Method(self, name)
        found = self._remote.use("get", self, name)
        if found is True:
            self._methods.add(name)
            return Method(self, name)
        if isinstance(found, list) and len(found) == 1:
            return found[0]
        raise AttributeError(name)

    def __setattr__(self, name: str, value):
        self._remote.use("set", self, name, value)

    def __len__(self):
        return self._remote.use("len", self)

    def __getitem__(self, key):
        return self._remote.use("item", self, key)

    def __iter__(self):
        return RemoteIterator(self._remote, self._remote.use("iterate", self))

    def __bool__(self):
        return True


def _operator(name: str):
    def operate(self, *others):
        return self._remote.use("operate", self, name, list(others))

    return operate


for _name in ("add", "sub", "mul", "truediv", "pow"):
    setattr(RemoteObject, f"__{_name}__", _operator(_name))
    setattr(RemoteObject, f"__r{_name}__", _operator(f"r{_name}"))
RemoteObject.__neg__ = _operator("neg")


class RemoteCallable(RemoteObject):
    """One that can be called: a function, a class, a model."""

    def __call__(self, *args, **kwargs):
        return self._remote.use("call", self, list(args), kwargs)

    def kata_repeat(self, times: int, args: tuple) -> list:
        """Call it so many times, all in one crossing."""
        return repeat.apart(self._remote.use("repeat", self, times, list(args)), times)


class Method:
    """A method of an object of the learner's."""

    def __init__(self, thing: RemoteObject, name: str):
        self._thing, self.__name__ = thing, name

    def __call__(self, *args, **kwargs):
        return self._thing._remote.use("method", self._thing, self.__name__, list(args), kwargs)


class RemoteIterator:
    """An iteration over an object of the learner's."""

    def __init__(self, remote: Remote, walk):
        self._remote, self._walk = remote, walk

    def __iter__(self):
        return self

    def __next__(self):
        found = self._remote.use("next", self._walk)
        if not isinstance(found, list) or len(found) > 1:
            raise TypeError("an iteration that gives no items")
        if not found:
            raise StopIteration
        return found[0]
