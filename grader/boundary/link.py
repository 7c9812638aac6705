"""One end of a boundary: requests, answers, and the requests that come while it waits.

Both ends take turns like one process: who waits for an answer serves what the other asks
meanwhile. With every message travel what one process would share: changes of tensors, torch's
random state, whether gradients are recorded, and what was printed.
"""

from __future__ import annotations

import secrets
import socket
from collections.abc import Callable
from contextlib import nullcontext

import torch

from grader.boundary import faults
from grader.boundary.frames import Broken, Inbox, TooLarge, printable, send
from grader.boundary.tensors import Tensors
from grader.boundary.values import Bare, Codec

_NESTED = 40  # requests within requests
_RECEIVED = 1 << 30  # bytes that the judge takes for one test
PRINTED = 20_000  # characters that travel with one message
# What a message may hold, of which types; most of it is left out where there is nothing to tell.
_FIELDS = {
    **{"q": int, "a": int, "op": str, "body": object, "raised": object, "random": int},
    **{"sync": list, "gone": list, "loose": list, "lists": list},
    **{"grad": bool, "inference": bool, "out": str},
}


class Link:
    """One end. `serve(op, **what)` answers what the other side asks."""

    def __init__(self, sock: socket.socket, objects, serve: Callable, judge: bool):
        self._socket, self._objects, self._serve = sock, objects, serve
        self._inbox = Inbox(sock)
        self._judge, self._depth = judge, 0
        self._random = b""
        self._raised: dict[int, BaseException] = {}  # what this side raised into the other
        self.printed: Callable[[], str] = lambda: ""
        self.show: Callable[[str], None] = lambda text: None
        self.fault: Callable[[BaseException], tuple] = lambda error: (None, "")
        self.begin()

    def begin(self) -> None:
        """Forget all tensors and objects: another test begins."""
        self.tensors = Tensors(1 if self._judge else 2, self._pull, self._judge)
        self.codec = Codec(self.tensors, self._objects)
        self._objects.clear()
        self._raised.clear()
        self._received = 0

    def ask(self, op: str, *args) -> object:
        """Ask the other side, serve what it asks meanwhile, and return its answer."""
        if self._depth >= _NESTED:
            raise RecursionError("calls back and forth, too many within one another")
        number = secrets.randbits(52)
        self._depth += 1
        try:
            lists = self.codec.lists = [] if self._judge else None
            self._send({"q": number, "op": op}, list(args))
            self.codec.lists = None
            while True:
                head, blobs = self._receive()
                if "q" in head:
                    self._answer(head, blobs)
                elif head.get("a") == number:
                    return self._outcome(head, blobs, lists or [])
                else:
                    raise Broken("an answer that nobody asked for")
        finally:
            self._depth -= 1

    def gradients(self, ident, upstream: torch.Tensor, names: list, private: bool) -> list:
        """What the other side's backward pass asks for."""
        found = self.tensors.answer(ident, upstream, names, private)
        return [None if grad is None else Bare(grad) for grad in found]

    def serve_forever(self) -> None:
        """Answer requests until the other side is gone."""
        while True:
            head, blobs = self._receive()
            if "q" not in head:
                raise Broken("no request")
            self._answer(head, blobs)

    def _receive(self) -> tuple[dict, list]:
        try:
            head, blobs, size = self._inbox.receive()
        except MemoryError:
            raise Broken("too much memory for one test") from None
        self._received += size
        if self._judge and self._received > _RECEIVED:
            raise Broken("too many bytes for one test")
        if not isinstance(head, dict):
            raise Broken("no message")
        for name, value in head.items():
            kind = _FIELDS.get(name)
            if kind is None or not (kind is object or type(value) is kind):
                raise Broken("no message")
        return head, blobs

    def _answer(self, head: dict, blobs: list) -> None:
        number, op = head["q"], head.get("op")
        if op is None:
            raise Broken("no request")
        before: list = []
        try:
            lists = self.codec.lists = None if self._judge else []
            args = self._open(head, blobs)
            self.codec.lists = None
            before = [(one, type(one)(one)) for one in lists or []]
            if not isinstance(args, list):
                raise Broken("no arguments")
            # (False would record gradients again.)
            with torch.inference_mode() if head.get("inference") is True else nullcontext():
                result = self._serve(op, *args)
            return self._send({"a": number}, result, before)
        except Broken:
            raise
        except BaseException as error:
            if self._judge and not isinstance(error, Exception):
                raise  # out of time: nothing that the other side should hear of
            told = self._tell(error)
        self._send({"a": number, "raised": told}, None, before)

    def _outcome(self, head: dict, blobs: list, lists: list) -> object:
        result = self._open(head, blobs)
        for place, items in self._contents(head["lists"], blobs) if "lists" in head else ():
            if place >= len(lists) or type(lists[place]) is not type(items):
                raise Broken("no list that was handed over")
            lists[place].clear()
            add = lists[place].extend if isinstance(items, list) else lists[place].update
            add(items)
        told = head.get("raised")
        if told is None:
            return result
        if isinstance(told, int) and told in self._raised:
            raise self._raised[told]
        number = told.pop("number", None) if isinstance(told, dict) else None
        error = faults.rebuild(told)
        if type(number) is int:
            error.kata_number = number
        raise error

    def _tell(self, error: BaseException) -> object:
        number = error.__dict__.get("kata_number") if hasattr(error, "__dict__") else None
        if number is not None:
            return number  # it is the other side's own, on its way back
        told = faults.tell(error, *self.fault(error))
        if self._judge:
            number = secrets.randbits(52)
            self._raised[number] = error
            told["number"] = number
        return told

    def _contents(self, told: list, blobs: list) -> list[tuple[int, list | dict]]:
        """Lists and dicts of a request that the code has changed: which, and their new items."""
        found = []
        for one in told:
            match one:
                case [int(place), items] if place >= 0:
                    found.append((place, self.codec.decode(items, blobs)))
                case _:
                    raise Broken("no list")
        return found

    # What every message carries

    def _send(self, head: dict, body: object, before: list = ()) -> None:
        try:
            send(self._socket, *self._pack(head, body, before))
        except (TooLarge, TypeError) as error:
            if "q" in head:
                raise
            told = self._tell(TypeError(f"the result cannot be graded: {error}"))
            send(self._socket, *self._pack(head | {"raised": told}, None))

    def _pack(self, head: dict, body: object, before: list = ()) -> tuple[dict, list]:
        blobs: list = []
        below = self.tensors.next
        told = dict(head)
        if body is not None:
            told["body"] = self.codec.encode(body, blobs)
        changed = [(k, now) for k, (now, old) in enumerate(before) if not _same_items(now, old)]
        if changed:
            told["lists"] = [[k, self.codec.encode(now, blobs)] for k, now in changed]
        told |= self.tensors.news(blobs, below, thorough=self._depth == 0)
        if not torch.is_grad_enabled():
            told["grad"] = False
        if torch.is_inference_mode_enabled():
            told["inference"] = True
        printed = self.printed()
        if printed:
            told["out"] = printed
        # (To copy the state costs little more than any look at it.)
        random = torch.default_generator.get_state().numpy().tobytes()
        if random != self._random:
            self._random = random
            blobs.append(random)
            told["random"] = len(blobs) - 1
        return told, blobs

    def _open(self, head: dict, blobs: list) -> object:
        try:
            self.tensors.hear(head, blobs)
            if "random" in head:
                self._set_random(bytes(blobs[head["random"]]))
            recording = head.get("grad", True)
            if recording is not torch.is_grad_enabled():
                torch.set_grad_enabled(recording)
            if "out" in head:
                self.show(printable(head["out"], PRINTED))
            body = head.get("body")
            body = None if body is None else self.codec.decode(body, blobs)
            self.tensors.release()
            return body
        except (KeyError, TypeError, ValueError, IndexError, AttributeError, RuntimeError) as error:
            raise Broken(f"no message: {type(error).__name__}: {error}") from None

    def _set_random(self, state: bytes) -> None:
        self._random = state
        torch.default_generator.set_state(torch.frombuffer(bytearray(state), dtype=torch.uint8))

    def _pull(self, ident: int, upstream: torch.Tensor, names: list, private: bool) -> list:
        grads = self.ask("pull", ident, Bare(upstream), names, private)
        if not isinstance(grads, list) or len(grads) != len(names):
            raise Broken("no gradients")
        for grad in grads:
            if grad is not None and not isinstance(grad, torch.Tensor):
                raise Broken("no gradients")
        return grads


def _same_items(now: list | dict, before: list | dict) -> bool:
    """The very same items in the same order."""
    if isinstance(now, dict):
        now, before = [*now, *now.values()], [*before, *before.values()]
    return len(now) == len(before) and all(a is b for a, b in zip(now, before, strict=True))
