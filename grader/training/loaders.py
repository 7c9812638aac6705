"""The learner's loaders: made, looked at, and walked through."""

from __future__ import annotations

from grader.training.learner import Learner, Pictures, Stop

BATCH = 128


def wrong(text: str, got) -> None:
    """End the check: what is there is not what was asked for."""
    from grader import describe

    raise Stop("wrong", f"{text} {describe.value(got)}.")


class Loaders:
    """Makes loaders with the learner's code of exercise 11, or 13, and holds them to their word."""

    def __init__(self, learner: Learner, stem: str, fast: bool, device, phase):
        self.learner, self.stem, self.fast = learner, stem, fast
        self.device, self._phase = device, phase
        self.maker = "make_fast_dataloaders" if fast else "make_dataloaders"

    def make(self, train, valid):
        """(train_dl, valid_dl) over two pairs of images and labels."""
        self._phase(self.maker)
        if self.fast:
            args = tuple(part.clone() for part in (*train, *valid))
        else:
            args = Pictures(*train), Pictures(*valid)
        made = self.learner.call(self.stem, self.maker, *args, BATCH, self.device)
        if not isinstance(made, tuple | list) or len(made) != 2:
            wrong(f"{self.maker} should return (train_dl, valid_dl); it returns", made)
        return made

    def look(self, loader, name: str):
        """The first batch of a loader is a pair of the right kind, on the device."""
        self._phase(f"the first {name} batch")
        with self.learner.guard(f"the first {name} batch of {self.maker}"):
            batch = next(iter(loader), None)
        self._is_batch(batch, name)

    def _is_batch(self, batch, name: str):
        import torch

        if not isinstance(batch, tuple | list) or len(batch) != 2:
            wrong(f"A {name} batch should be a pair (xb, yb); it is", batch)
        for part, got in zip(("xb", "yb"), batch, strict=True):
            if not isinstance(got, torch.Tensor):
                wrong(f"{part} of a {name} batch should be a tensor; it is", got)
        xb, yb = batch
        if xb.shape[1:] != (1, 28, 28) or xb.dtype != torch.float32:
            wrong(f"xb of a {name} batch should be float32 (N, 1, 28, 28); it is", xb)
        if yb.shape != xb.shape[:1] or yb.dtype != torch.int64:
            wrong(f"yb of a {name} batch should be int64 ({len(xb)},); it is", yb)
        for part, got in zip(("xb", "yb"), batch, strict=True):
            if got.device.type != self.device.type:
                raise Stop(
                    "wrong",
                    f"{part} of a {name} batch is on {got.device}, not on {self.device}, which "
                    f"{self.maker} was called with.",
                )

    def walk(self, loader, count: int):
        """All batches of the validation loader as two tensors: images and labels, on the CPU."""
        import torch

        self._phase("the validation batches")
        images, labels = [], []
        with self.learner.guard(f"the validation loader of {self.maker}"):
            for batch in loader:
                self._is_batch(batch, "validation")
                images.append(batch[0].cpu())
                labels.append(batch[1].cpu())
                if sum(map(len, images)) > count:
                    break
        found = sum(map(len, images))
        if found != count:
            given = f"more than {count:,}" if found > count else f"{found:,} of {count:,}"
            raise Stop("wrong", f"The validation loader gives {given} images; each counts once.")
        return torch.cat(images), torch.cat(labels)
