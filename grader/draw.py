"""Drawn inputs: different at every run, the same again with the same seed.

Sizes are never equal and values never repeat, so that a swap or a transpose shows.
"""

from __future__ import annotations

import random
import zlib
from collections.abc import Sequence

import torch


def seed_for(seed: int, test: str) -> int:
    """The seed of one test in a run: replaying the test alone draws the same inputs."""
    return zlib.crc32(f"{seed}:{test}".encode())


def seed_everything(seed: int) -> None:
    """Seed the generators that code draws from without saying so: Python's, numpy's, torch's."""
    import numpy

    random.seed(seed)
    numpy.random.seed(seed)
    # torch.manual_seed would also write down a traceback for each kind of accelerator.
    torch.default_generator.manual_seed(seed)
    if torch.accelerator.is_available():
        torch.manual_seed(seed)


class Rng:
    """A source of inputs for one test."""

    def __init__(self, seed: int):
        self._random = random.Random(seed)
        self.generator = torch.Generator().manual_seed(seed)

    def number(self, low: float = -3.0, high: float = 3.0) -> float:
        """A float of two decimals in low..high, at least 0.1 away from 0."""
        while True:
            drawn = round(self._random.uniform(low, high), 2)
            if abs(drawn) >= 0.1:
                return drawn

    def integer(self, low: int, high: int) -> int:
        """An int in low..high, both included."""
        return self._random.randint(low, high)

    def sizes(self, n: int, low: int = 2, high: int = 7) -> tuple[int, ...]:
        """`n` different sizes in low..high."""
        return tuple(self._random.sample(range(low, high + 1), n))

    def normal(self, *shape: int, dtype: torch.dtype = torch.float32) -> torch.Tensor:
        """Standard normal values."""
        return torch.randn(shape, generator=self.generator, dtype=dtype)

    def uniform(self, *shape: int, low: float = 0.0, high: float = 1.0) -> torch.Tensor:
        """float32 values uniform in low..high."""
        return low + (high - low) * torch.rand(shape, generator=self.generator)

    def distinct(self, *shape: int) -> torch.Tensor:
        """float32 values of both signs, all different and well apart, in no order."""
        count = max(1, torch.Size(shape).numel())
        steps = torch.arange(count, dtype=torch.float32) - (count - 1) / 2 + 0.25
        jitter = 0.3 * torch.rand(count, generator=self.generator)
        values = (steps + jitter) * (3.0 / max(1.0, count / 2))
        return values[torch.randperm(count, generator=self.generator)].reshape(shape).clone()

    def integers(self, low: int, high: int, *shape: int) -> torch.Tensor:
        """int64 values in low..high, both included."""
        return torch.randint(low, high + 1, shape, generator=self.generator)

    def images(self, n: int, height: int = 28, width: int = 28) -> torch.Tensor:
        """`n` uint8 images of noise, shape (n, height, width)."""
        shape = (n, height, width)
        return torch.randint(0, 256, shape, generator=self.generator, dtype=torch.uint8)

    def choice(self, options: Sequence):
        """One of the options."""
        return self._random.choice(options)

    def shuffled(self, items: Sequence) -> list:
        """The items in another order."""
        return self._random.sample(list(items), len(items))
