"""What the judge draws for one training, and how it hands out test images.

The test images of MNIST are public: code can know each of them, and its label, by heart. So they
are judged slightly changed too, the digits have other names in each training, and no loader of the
learner's ever holds one: the judge itself puts them on the scale of the learner's batches.
"""

from __future__ import annotations

import hashlib

import torch

from grader.training.learner import Stop

# How far a changed image is from its own, on the scale 0..255. Measured with the solutions: see
# BOUNDS in grader/training/record.py.
DIMMEST = 0.9  # the least factor on an image's pixels
NOISE = 4.0  # the deviation of what is added to each pixel
_TOLERANCE = 0.5  # grey levels


class Draws:
    """Everything that the judge draws, from a generator that no other process hears of.

    (torch's own generator belongs to the learner's code.)
    """

    def __init__(self, seed: int):
        self.generator = torch.Generator().manual_seed(_number(f"judge {seed}"))

    def names(self):
        """A name, 0 to 9, for each digit."""
        return self.order(10)

    def order(self, count: int):
        """0 to count - 1 in a drawn order."""
        return torch.randperm(count, generator=self.generator)

    def below(self, limit: int, count: int):
        """`count` numbers from 0 to limit - 1."""
        return torch.randint(limit, (count,), generator=self.generator)

    def changed(self, images):
        """uint8 (N, 28, 28), each image moved by a pixel, a little dimmer, with a little noise."""
        moved = shifted(images, self.below(8, len(images))).float()
        factors = torch.rand((len(images), 1, 1), generator=self.generator)
        moved *= DIMMEST + (1 - DIMMEST) * factors
        moved += NOISE * torch.randn(images.shape, generator=self.generator)
        return moved.round().clamp(0, 255).to(torch.uint8)


def learner_seed(seed: int, attempt: int = 0) -> int:
    """The seed of the learner's own generators, which says nothing of the judge's."""
    return _number(f"learner {seed} {attempt}") % 2**32


def _number(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:7])


def shifted(images, directions):
    """Each image moved by one pixel, in one of the eight directions."""
    ground = torch.nn.functional.pad(images, (1, 1, 1, 1))
    places = [(top, left) for top in range(3) for left in range(3) if (top, left) != (1, 1)]
    moved = torch.empty_like(images)
    for number, (top, left) in enumerate(places):
        chosen = directions == number
        moved[chosen] = ground[chosen, top : top + 28, left : left + 28]
    return moved


class Scale:
    """How the learner's validation loader turns pixels into floats: factor · pixel + offset.

    `images` uint8 (N, 28, 28) went into it, `batches` float32 (N, 1, 28, 28) came out. `Stop` when
    that is anything but one factor and one offset for all pixels of all images.
    """

    def __init__(self, images, batches):
        pixels, found = images.double().flatten(1), batches.double().flatten(1)
        spread = pixels - pixels.mean()
        self.factor = ((spread * found).sum() / (spread * spread).sum()).item()
        self.offset = (found.mean() - self.factor * pixels.mean()).item()
        away = (found - self.factor * pixels - self.offset).abs()
        # Written so that nan, which is not less than anything, fails.
        if not (self.factor and (away < _TOLERANCE * abs(self.factor)).all()):
            raise Stop(
                "wrong",
                "The validation batches are not the images of the dataset, all normalised with the "
                "same mean and the same deviation. Are they cropped, or normalised one by one?",
            )

    def __call__(self, images):
        """Images as the loader would give them: float32 (N, 1, 28, 28)."""
        return (self.factor * images.double() + self.offset).float().unsqueeze(1)
