"""Train with a learner's own loaders, model and fit, and judge the result with an eye of our own.

Nothing that the learner's code says about itself counts: the test images go through its loader
without their labels, and what is asked of the trained model is ten scores for each.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable
from types import ModuleType

from grader.training.learner import Counted, Learner, Stop
from grader.training.loaders import Loaders, shifted, wrong
from grader.training.record import BOUNDS, EPOCHS, UNTRAINED, TrainingRecord, verdict

WORST = 16  # mistakes kept for a picture


def check(
    ex11: ModuleType,
    ex12: ModuleType,
    digits,
    *,
    device,
    seed: int,
    epochs: int | None = None,
    fast: ModuleType | None = None,
    on_progress: Callable[[dict], None] = lambda event: None,
) -> TrainingRecord:
    """Train once and judge; `fast` is exercise 13, whose loaders then take the place of 11's."""
    from grader.engine import versions

    started = time.perf_counter()
    record = TrainingRecord(digits.name, seed, epochs or EPOCHS[digits.name], _device_name(device))
    record.bound, record.bound_shifted = BOUNDS[digits.name]
    record.versions, record.test_images = versions(), len(digits.test_images)
    if fast is not None:
        record.loaders = "ex13_fast_loader"
    try:
        _Training(ex11, ex12, fast, digits, device, record, on_progress).run()
    except Stop as stop:
        record.outcome, record.sentence = stop.outcome, stop.sentence
    record.passed = record.outcome == "passed"
    record.seconds = round(time.perf_counter() - started, 2)
    return record


class _Training:
    def __init__(self, ex11, ex12, fast, digits, device, record, tell):
        self.ex12, self.digits = ex12, digits
        self.device, self.record, self.tell = device, record, tell
        self.learner = Learner(*(m for m in (ex11, ex12, fast) if m is not None))
        self.loaders = Loaders(self.learner, fast or ex11, bool(fast), device, self._phase)

    def run(self):
        import torch

        from grader.draw import seed_everything

        seed_everything(self.record.seed)
        order = torch.randperm(len(self.digits.train_images))
        held_out, train = order.split([len(order) // 12, len(order) - len(order) // 12])
        moved = shifted(self.digits.test_images)
        unseen = torch.cat([self.digits.test_images, moved])
        train, valid = (
            (self.digits.train_images[part], self.digits.train_labels[part])
            for part in (train, held_out)
        )
        self.record.train_images = len(train[0])
        train_dl, valid_dl = self.loaders.make(train, valid)
        self.loaders.look(train_dl, "training")
        self.loaders.look(valid_dl, "validation")
        self.loaders.in_order(valid_dl, valid[1])
        self._phase("the test images, without their labels")
        unseen_dl = self.loaders.make(train, (unseen, None))[1]
        batches = self.loaders.walk(unseen_dl, len(unseen))[0]
        model = self._model()
        self._phase("the model before training")
        self._judge_before(self._scores(model, batches))
        self._train(model, train_dl, valid_dl)
        self._phase("the model after training")
        self._judge(self._scores(model, batches))

    def _phase(self, what: str):
        self.tell({"event": "phase", "what": what})

    def _model(self):
        import torch

        self._phase("make_model")
        model = self.learner.call(self.ex12, "make_model")
        if not isinstance(model, torch.nn.Module):
            wrong("make_model should return a torch.nn.Module; it returns", model)
        with self.learner.guard(f"the model, moved to {self.device},"):
            return model.to(self.device)

    def _scores(self, model, batches):
        """The model's scores for all images, on the CPU; in evaluation mode and with no graph."""
        import torch

        found = []
        with self.learner.guard("the model, asked for scores,"), torch.no_grad():
            model.eval()
            for xb in batches:
                scores = model(xb)
                if not isinstance(scores, torch.Tensor) or scores.shape != (len(xb), 10):
                    text = f"For {len(xb)} images the model should give scores ({len(xb)}, 10); "
                    wrong(text + "it gives", scores)
                found.append(scores.float().cpu())
        return torch.cat(found)

    def _train(self, model, train_dl, valid_dl):
        import torch

        record = self.record
        loader = Counted(train_dl, record.epochs, self.tell)
        self._phase("fit_one_cycle")
        with self.learner.guard("len(train_dl)"):
            self.tell({"event": "batches", "of": record.epochs * len(loader)})
        hook = model.register_forward_hook(loader.hook)
        started = time.perf_counter()
        history = self.learner.call(
            self.ex12, "fit_one_cycle", model, (loader, valid_dl), epochs=record.epochs
        )
        if loader.losses:
            record.losses = [round(one, 5) for one in torch.stack(loader.losses).tolist()]
        record.train_seconds = round(time.perf_counter() - started, 3)
        hook.remove()
        record.history, record.batches = _plain(history), loader.batches
        record.images_per_second = round(loader.images / record.train_seconds, 1)
        if not loader.batches:
            raise Stop("wrong", "fit_one_cycle asks the training loader for no batch at all.")
        bad = next((k for k, one in enumerate(record.losses) if not math.isfinite(one)), None)
        if bad is not None:
            raise Stop(
                "diverged",
                f"The loss is {record.losses[bad]} from batch {bad + 1} of {loader.batches} on. "
                "Is the rate too high, or a logarithm taken of 0?",
            )
        if not all(p.isfinite().all() for p in model.parameters()):
            raise Stop("diverged", "After the training some of the model's weights are nan or inf.")

    def _judge_before(self, scores):
        record, labels = self.record, self.digits.test_labels
        record.accuracy_before = _share(scores[: len(labels)].argmax(1) == labels)
        if record.accuracy_before > UNTRAINED:
            raise Stop(
                "wrong",
                f"Before any training the model reads {record.accuracy_before:.1%} of the test "
                "digits, and guessing gives 10%. make_model should return fresh random weights.",
            )

    def _judge(self, scores):
        import torch

        record, labels = self.record, self.digits.test_labels
        plain, moved = scores.split(len(labels))
        answers = plain.argmax(1)
        record.accuracy = _share(answers == labels)
        record.accuracy_shifted = _share(moved.argmax(1) == labels)
        counts = torch.bincount(labels * 10 + answers, minlength=100).view(10, 10)
        record.confusion = counts.tolist()
        losses = torch.nn.functional.cross_entropy(plain, labels, reduction="none")
        losses[answers == labels] = -1.0
        for index in losses.topk(min(WORST, len(labels))).indices.tolist():
            if losses[index] >= 0:
                record.worst.append(
                    {
                        "index": index,
                        "label": int(labels[index]),
                        "prediction": int(answers[index]),
                        "loss": round(float(losses[index]), 4),
                    }
                )
        record.outcome, record.sentence = verdict(record)


def _share(right) -> float:
    return right.float().mean().item()


def _plain(history) -> list[dict]:
    """What fit_one_cycle returned, as far as it is a list of dicts of numbers."""
    if not isinstance(history, list | tuple):
        return []
    return [
        {str(key): float(value) for key, value in row.items() if isinstance(value, int | float)}
        for row in history
        if isinstance(row, dict)
    ]


def _device_name(device) -> str:
    import torch

    if device.type == "cuda":
        return f"{device} ({torch.cuda.get_device_name(device)})"
    if device.type == "cpu":
        return f"cpu ({torch.get_num_threads()} threads)"
    return f"{device} ({sys.platform})"
