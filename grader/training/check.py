"""Train with a learner's own loaders, model and fit, and judge the result with an eye of our own.

Nothing that the learner's code says about itself counts. What is asked of the trained model is ten
scores for each test image, in a drawn order; the labels stay here.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from contextlib import AbstractContextManager

import torch

from grader.training.learner import Stop
from grader.training.record import BOUNDS, EPOCHS, UNTRAINED, TrainingRecord, verdict
from grader.training.unseen import Draws, Scale, learner_seed

WORST = 16  # mistakes kept for a picture
_FAILURES = ("wrong", "crashed", "not attempted", "diverged", "timed out")
_CHUNK = 2000  # images at a time

# The control run: the same code, trained on CONTROL images whose labels are drawn at random, has
# nothing to learn and so reads 10% of the test digits, on average over the draws; the solutions
# read 4 to 17% in 20 draws. Code that groups the digits well may come out higher: each group gets a
# name by chance. At worst the groups are the digits. More than CHANCE then takes five right names,
# since no four digits make up half of the test images; a random permutation of ten has five or more
# fixed points with probability 0.0037. So an honest learner is above CHANCE in ATTEMPTS runs, each
# with labels of its own, with probability 0.0037 ** 3 = 5e-8.
# This finds code that answers from memory whatever it is trained on, not code that first looks at
# whether there is something to learn.
CONTROL = 2000
CHANCE = 0.5
ATTEMPTS = 3


def check(
    start: Callable[[], AbstractContextManager],
    digits,
    *,
    device: str,
    seed: int,
    epochs: int | None = None,
    graded: bool = False,
    fast: bool = False,
    threads: int | None = None,
    on_progress: Callable[[dict], None] = lambda event: None,
) -> TrainingRecord:
    """Train once and judge.

    `start()` gives a fresh `grader.training.trainee.Trainee`, or what stands for one in another
    process, as a context manager; `device` is what it trains on, in words; `fast` says that its
    loaders are those of exercise 13. A `graded` training has its digits renamed by a drawn
    permutation, so that remembered answers are wrong ones, and is followed by a control run.
    """
    from grader.engine import versions

    started = time.perf_counter()
    record = TrainingRecord(digits.name, seed, epochs or EPOCHS[digits.name], device)
    record.bound, record.bound_shifted = BOUNDS[digits.name]
    record.versions, record.test_images = versions(), len(digits.test_images)
    if fast:
        record.loaders = "ex13_fast_loader"
    try:
        training = _Training(start, digits, record, graded, threads, on_progress)
        training.run()
        if graded and record.outcome == "passed":
            training.control()
    except Stop as stop:
        # The learner's code can raise one too.
        record.outcome = stop.outcome if stop.outcome in _FAILURES else "wrong"
        record.sentence = stop.sentence
    record.passed = record.outcome == "passed"
    record.seconds = round(time.perf_counter() - started, 2)
    return record


class _Training:
    def __init__(self, start, digits, record, graded, threads, tell):
        self.start, self.digits, self.record = start, digits, record
        self.threads, self.tell = threads, tell
        self.draws = Draws(record.seed)
        names = self.draws.names()
        self.names = names if graded else names.sort().values  # of each digit, in this training

    def run(self):
        """The training, and what it came to."""
        images, labels = self.digits.train_images, self.names[self.digits.train_labels]
        with self.start() as trainee:
            trainee.load(learner_seed(self.record.seed), self.threads)
            held_out, train = _split(self.draws.order(len(images)))
            self.record.train_images = len(train)
            scale = self._loaders(trainee, images, labels, train, held_out)
            trainee.model()
            self._phase("the model before training")
            self._judge_before(self._scores(trainee, scale(self.digits.test_images)))
            self._train(trainee)
            self._phase("the model after training")
            changed = self.draws.changed(self.digits.test_images)
            unseen = torch.cat([self.digits.test_images, changed])
            self._judge(self._scores(trainee, scale(unseen))[:, self.names])

    def control(self):
        """The same code on labels that mean nothing."""
        shares = []
        for attempt in range(1, ATTEMPTS + 1):
            self._phase("the control run, on labels drawn at random")
            try:
                shares.append(self._controlled(attempt))
            except Stop as stop:
                text = f"In a control run, on labels drawn at random: {stop.sentence}"
                raise Stop(stop.outcome, text) from None
            if shares[-1] <= CHANCE:
                break
        self.record.control = min(shares)
        if self.record.control > CHANCE:
            raise Stop(
                "wrong",
                f"Trained on labels drawn at random, the same code reads {shares[-1]:.1%} of the "
                "test digits, and guessing gives 10%: its answers do not come from its training.",
            )

    def _controlled(self, attempt: int) -> float:
        """The share of test digits that are read rightly after a training on drawn labels."""
        chosen = self.draws.order(len(self.digits.train_images))[:CONTROL]
        images, labels = self.digits.train_images[chosen], self.draws.below(10, len(chosen))
        asked = self.draws.order(len(self.digits.test_images))[:CONTROL]
        with self.start() as trainee:
            trainee.load(learner_seed(self.record.seed, attempt), self.threads)
            held_out, train = _split(self.draws.order(len(chosen)))
            scale = self._loaders(trainee, images, labels, train, held_out)
            trainee.model()
            trainee.fit(1)
            scores = self._scores(trainee, scale(self.digits.test_images[asked]))
        return _share(scores.argmax(1) == self.digits.test_labels[asked])

    def _phase(self, what: str):
        self.tell({"event": "phase", "what": what})

    def _loaders(self, trainee, images, labels, train, held_out):
        """Have the loaders made; the scale on which they give images."""
        parts = [whole[part] for part in (train, held_out) for whole in (images, labels)]
        batches, found = trainee.loaders(*parts)
        wanted = labels[held_out]
        if not torch.equal(found, wanted):
            if torch.equal(found.sort().values, wanted.sort().values):
                raise Stop("wrong", "The validation loader shuffles. It should keep the order.")
            text = "The labels of the validation batches are not those of the dataset."
            raise Stop("wrong", text)
        return Scale(images[held_out], batches)

    def _scores(self, trainee, images):
        """The model's scores (N, 10) for images (N, 1, 28, 28), asked for in a drawn order."""
        order = self.draws.order(len(images))
        scores = torch.empty(len(images), 10)
        for part in order.split(_CHUNK):
            scores[part] = trainee.scores(images[part])
        return scores

    def _train(self, trainee):
        """Have it trained; what it says of that is for show."""
        record = self.record
        told = trainee.fit(record.epochs)
        record.history, record.batches = told["history"], told["batches"]
        record.losses = [round(one, 5) for one in told["losses"]]
        record.train_seconds = round(told["seconds"], 3)
        if told["seconds"]:
            record.images_per_second = round(told["images"] / told["seconds"], 1)
        if not record.batches:
            raise Stop("wrong", "fit_one_cycle asks the training loader for no batch at all.")
        bad = next((k for k, one in enumerate(record.losses) if not math.isfinite(one)), None)
        if bad is not None:
            raise Stop(
                "diverged",
                f"The loss is {record.losses[bad]} from batch {bad + 1} of {record.batches} on. "
                "Is the rate too high, or a logarithm taken of 0?",
            )
        if not told["finite"]:
            raise Stop("diverged", "After the training some of the model's weights are nan or inf.")

    def _judge_before(self, scores):
        """A fresh model reads as much as guessing, be it under the digits' own names."""
        record, labels = self.record, self.digits.test_labels
        answers = scores.argmax(1)
        shares = [_share(answers == names) for names in (labels, self.names[labels])]
        record.accuracy_before = max(shares)
        if record.accuracy_before > UNTRAINED:
            raise Stop(
                "wrong",
                f"Before any training the model reads {record.accuracy_before:.1%} of the test "
                "digits, and guessing gives 10%. make_model should return fresh random weights.",
            )

    def _judge(self, scores):
        record, labels = self.record, self.digits.test_labels
        if not scores.isfinite().all():
            text = "After the training some of the model's scores are nan or inf."
            raise Stop("diverged", text)
        plain, changed = scores.split(len(labels))
        answers = plain.argmax(1)
        record.accuracy = _share(answers == labels)
        record.accuracy_shifted = _share(changed.argmax(1) == labels)
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


def _split(order):
    """A twelfth held out, and the rest."""
    return order.split([len(order) // 12, len(order) - len(order) // 12])


def _share(right) -> float:
    return right.float().mean().item()
