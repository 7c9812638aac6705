"""How large a number that somebody types may be: beyond it there is a slip of the finger."""

from __future__ import annotations

MOST_SEED = 2**32 - 1  # what numpy and torch take
MOST_RUNS = 1000  # seeds, or epochs
MOST_WORKERS = 1024  # processes of one machine
MOST_SUBMISSIONS = 100_000
MOST_POINTS = 1_000_000


def seed(text: str) -> int:
    """A seed as it was typed; `ValueError` with a sentence where it is none."""
    try:
        number = int(text)
    except ValueError:
        number = -1
    if not 0 <= number <= MOST_SEED:
        raise ValueError(f"a seed is a whole number from 0 to {MOST_SEED}, not {text[:40]!r}")
    return number
