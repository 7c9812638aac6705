"""The fixture `ex`: the learner's module behind a recorder of what was called."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType

from grader import describe
from grader.loading import CannotLoad
from grader.report import Verdict
from grader.target import missing


class Ex:
    """Gives the functions and classes of the learner's module, and remembers the last call."""

    def __init__(self, module: ModuleType):
        self._module = module
        self._last = ""
        self._depth = 0

    def __getattr__(self, name: str):
        found = self._find(name)
        return Recorded(self, name, found) if callable(found) else found

    def _find(self, name: str):
        if not isinstance(self._module, ModuleType):  # it is in another process
            return self._module.find(name)
        try:
            return getattr(self._module, name)
        except AttributeError:
            raise CannotLoad(missing(self._module, name), Verdict.NOT_ATTEMPTED) from None


class Recorded:
    """One function or class of the module; a call from a test is written down before it is made.

    A call from within another one (a test may pass `ex.loss` to `ex.train`) is not.
    """

    def __init__(self, ex: Ex, name: str, function):
        self._ex, self._function, self.__name__ = ex, function, name

    def __call__(self, *args, **kwargs):
        with self._written_down(args, kwargs):
            return self._function(*args, **kwargs)

    def kata_repeat(self, times: int, args: tuple) -> list:
        """Call it so many times; the calls are alike, and written down once."""
        with self._written_down(args, {}):
            return repeated(self._function, times, *args)

    @contextmanager
    def _written_down(self, args: tuple, kwargs: dict) -> Iterator[None]:
        if self._ex._depth == 0:
            self._ex._last = describe.call(self.__name__, args, kwargs)
        self._ex._depth += 1
        try:
            yield
        finally:
            self._ex._depth -= 1


def beside(ex: Ex, standard: Callable) -> Callable:
    """A standard class or function, used where the code under test runs."""
    return standard if isinstance(ex._module, ModuleType) else ex._module.make(standard)


def repeated(function: Callable, times: int, *args) -> list:
    """What a function of the learner's gives, called so many times; of tensors, copies.

    Where the code runs apart, all calls cross the boundary together.
    """
    if hasattr(type(function), "kata_repeat"):
        return function.kata_repeat(times, args)
    from grader.boundary import repeat  # and with it torch, which many commands do without

    return repeat.values(function, times, args)


def last_call(ex: Ex) -> str:
    """The last call that a test made through `ex`, as the learner would write it."""
    return ex._last
