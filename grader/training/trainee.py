"""The learner's side of a training: it has the code and the training images, and gives values.

`grader.training.check` calls it in its own process, or through `grader.training.apart` in a worker
that no test image has a label in. Whatever it says of itself is the learner's word.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from grader.training.learner import Code, Counted, Learner
from grader.training.loaders import BATCH, Loaders, wrong

LOADERS, MODEL, FAST = "ex11_dataloaders", "ex12_train_digits", "ex13_fast_loader"


class Trainee:
    """Trains with a learner's loaders, model and fit.

    `codes` are the files by stem; where exercise 13 is among them, its loaders take the place of
    11's. `tell` hears of the progress, in dicts of plain data. Every method ends with `Stop` where
    the code does not do what it is asked for.
    """

    def __init__(self, codes: dict[str, Code], device, tell: Callable[[dict], None]):
        fast = FAST in codes
        self.device, self.tell = device, tell
        self.learner = Learner(codes)
        self._loaders = Loaders(self.learner, FAST if fast else LOADERS, fast, device, self._phase)
        self._made = self._model = None

    def load(self, seed: int, threads: int | None = None) -> None:
        """Run the learner's files, and seed what they draw from."""
        import torch

        from grader.draw import seed_everything

        self._phase("the import of the learner's files")
        if threads:
            torch.set_num_threads(threads)
        self.learner.load()
        seed_everything(seed)

    def loaders(self, train_images, train_labels, valid_images, valid_labels):
        """Make the two loaders from images uint8 (N, 28, 28) and labels int64 (N,).

        All that the validation loader gives: float32 (N, 1, 28, 28) and int64 (N,).
        """
        found = self._loaders
        self._made = found.make((train_images, train_labels), (valid_images, valid_labels))
        found.look(self._made[0], "training")
        found.look(self._made[1], "validation")
        return found.walk(self._made[1], len(valid_images))

    def model(self) -> None:
        """Make the model."""
        import torch

        self._phase("make_model")
        model = self.learner.call(MODEL, "make_model")
        if not isinstance(model, torch.nn.Module):
            wrong("make_model should return a torch.nn.Module; it returns", model)
        with self.learner.guard(f"the model, moved to {self.device},"):
            self._model = model.to(self.device)

    def scores(self, images):
        """The model's scores for float32 (N, 1, 28, 28), as float32 (N, 10) on the CPU; in
        evaluation mode and with no graph."""
        import torch

        found = []
        with self.learner.guard("the model, asked for scores,"), torch.no_grad():
            self._model.eval()
            for xb in images.split(BATCH):
                scores = self._model(xb.to(self.device))
                if not isinstance(scores, torch.Tensor) or scores.shape != (len(xb), 10):
                    text = f"For {len(xb)} images the model should give scores ({len(xb)}, 10); "
                    wrong(text + "it gives", scores)
                found.append(scores.float().cpu())
        return torch.cat(found)

    def fit(self, epochs: int) -> dict:
        """Train with fit_one_cycle: its history; losses, batches and images as counted here; and
        whether all weights are finite afterwards."""
        import torch

        train_dl, valid_dl = self._made
        loader = Counted(train_dl, epochs, self.tell)
        self._phase("fit_one_cycle")
        with self.learner.guard("len(train_dl)"):
            self.tell({"event": "batches", "of": epochs * len(loader)})
        hook = self._model.register_forward_hook(loader.hook)
        started = time.perf_counter()
        history = self.learner.call(
            MODEL, "fit_one_cycle", self._model, (loader, valid_dl), epochs=epochs
        )
        seconds = time.perf_counter() - started
        hook.remove()
        with self.learner.guard("the history that fit_one_cycle returns"):
            history = _plain(history)
        return {
            "history": history,
            "losses": torch.stack(loader.losses).tolist() if loader.losses else [],
            "batches": loader.batches,
            "images": loader.images,
            "seconds": seconds,
            "finite": all(bool(p.isfinite().all()) for p in self._model.parameters()),
        }

    def _phase(self, what: str) -> None:
        self.tell({"event": "phase", "what": what})


def _plain(history) -> list[dict]:
    """What fit_one_cycle returned, as far as it is a list of dicts of numbers."""
    if not isinstance(history, list | tuple):
        return []
    return [
        {str(key): float(value) for key, value in row.items() if isinstance(value, int | float)}
        for row in history
        if isinstance(row, dict)
    ]
