"""What stands between the check and a learner's code: a dataset, a loader that is counted, and
calls whose failures become sentences. In grading all this runs in the learner's own process.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from grader import loading
from grader.loading import CannotLoad, brief
from grader.report import Verdict


class Stop(BaseException):
    """The check ends here, with this outcome; no `except Exception` of a learner's swallows it."""

    def __init__(self, outcome: str, sentence: str):
        super().__init__(sentence)
        self.outcome, self.sentence = outcome, sentence


@dataclass(frozen=True)
class Code:
    """A file of the learner's: its text, the name tracebacks give it, and what its author calls
    it."""

    source: str
    path: str
    shown: str


class Pictures:
    """A dataset of (uint8 (1, 28, 28), int)."""

    def __init__(self, images, labels):
        self.images = images.unsqueeze(1)
        self.labels = labels.tolist()

    def __len__(self):
        return len(self.images)

    def __getitem__(self, index):
        return self.images[index].clone(), self.labels[index]


class Counted:
    """A loader that counts what is taken from it, and otherwise is the loader it wraps."""

    def __init__(self, loader, epochs: int, tell: Callable[[dict], None]):
        self._loader, self._epochs, self._tell = loader, epochs, tell
        self.passes = self.batches = self.images = 0
        self.labels, self.losses = None, []
        self._told = 0.0

    def __getattr__(self, name):
        return getattr(self.__dict__["_loader"], name)

    def __len__(self):
        return len(self._loader)

    def __iter__(self):
        self.passes += 1
        if self.passes > 4 * self._epochs + 4:
            raise Stop(
                "wrong",
                f"fit_one_cycle walks through the training batches again and again: {self.passes} "
                f"times for {self._epochs} epochs. Does its loop over the epochs end?",
            )
        for batch in self._loader:
            self.batches += 1
            self.labels = batch[1]
            self.images += len(batch[1])
            self._say()
            yield batch

    def hook(self, module, _, scores):
        """A forward hook that measures the loss of the batch under way."""
        import torch

        labels, self.labels = self.labels, None
        if module.training and labels is not None and getattr(scores, "ndim", 0) == 2:
            with torch.no_grad():
                self.losses.append(torch.nn.functional.cross_entropy(scores.detach(), labels))

    def _say(self):
        if time.monotonic() - self._told > 0.1:
            self._told = time.monotonic()
            loss = float(self.losses[-1]) if self.losses else None
            self._tell({"event": "batch", "done": self.batches, "epoch": self.passes, "loss": loss})


class Learner:
    """The learner's modules, by stem, with what goes wrong in them turned into sentences."""

    def __init__(self, codes: dict[str, Code]):
        self.codes = codes
        self.modules: dict[str, object] = {}

    def load(self) -> None:
        """Run the files as modules."""
        for stem, code in self.codes.items():
            try:
                self.modules[stem] = loading.load(code.source, code.path, code.shown, stem)
            except CannotLoad as error:
                raise not_loaded(error) from None

    def call(self, stem: str, name: str, *args, **kwargs):
        """Call a function of the learner's."""
        function = getattr(self.modules[stem], name, None)
        if function is None:
            code = self.codes[stem]
            raise Stop("not attempted", loading.missing(code.source, code.shown, name))
        with self.guard(name):
            return function(*args, **kwargs)

    @contextmanager
    def guard(self, doing: str) -> Iterator[None]:
        """Whatever the learner's code raises here ends the check with a sentence."""
        try:
            yield
        except NotImplementedError as error:
            place = self._place(error)
            if place is None:
                raise Stop("crashed", f"{doing} crashed: {brief(error)}") from None
            file = self._shown(place.filename)
            raise Stop("not attempted", f"{place.name} in {file} is not written yet.") from None
        except SystemExit as error:
            where = self._line(error)
            raise Stop("crashed", f"{doing} ends Python: {where} calls exit.") from None
        except Exception as error:
            text = f"{doing} crashed: {self._line(error)} raises {brief(error)}"
            raise Stop("crashed", text) from None

    def _place(self, error: BaseException):
        """The innermost frame of the learner's own files."""
        files = {code.path for code in self.codes.values()}
        frames = traceback.extract_tb(error.__traceback__)
        return next((frame for frame in reversed(frames) if frame.filename in files), None)

    def _shown(self, path: str) -> str:
        return next(code.shown for code in self.codes.values() if code.path == path)

    def _line(self, error: BaseException) -> str:
        place = self._place(error)
        if place is None:
            return "it"
        text = f" (`{place.line}`)" if place.line else ""
        return f"line {place.lineno} of {self._shown(place.filename)}{text}"


def not_loaded(error: CannotLoad) -> Stop:
    """The end of a check whose code cannot be loaded."""
    known = error.verdict is Verdict.NOT_ATTEMPTED
    return Stop("not attempted" if known else "crashed", error.sentence)
