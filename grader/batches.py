"""The runs that an engine is asked for, and which of them share a child."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, replace

from grader.course import Exercise
from grader.target import Target

_MOST = 4  # runs that share a child; a fork is a tenth of a run, and more hardly save any


@dataclass(frozen=True)
class Job:
    """One exercise of one target under one seed."""

    target: Target
    exercise: Exercise
    seed: int
    diagnose: bool = True
    tests: tuple[str, ...] = ()  # all of them when empty
    seconds_per_test: float | None = None


class Batches:
    """Jobs in their order, as many at a time as share a child.

    A tuple of jobs stays one. Of others, with a `width` other than 0, those that follow one another
    and differ in nothing but target and seed go together; towards the end, when fewer are left than
    `width` children could take, fewer of them. Jobs may still come after there was none.
    """

    def __init__(self, jobs: Iterable[Job | tuple[Job, ...]], width: int):
        self._jobs, self._width = iter(jobs), width
        self._ahead: deque[Job | tuple[Job, ...]] = deque()

    def next(self) -> list[Job]:
        """The next batch; empty when there is none now."""
        self._look_ahead(2 * _MOST * self._width or 1)
        if not self._ahead:
            return []
        first = self._ahead.popleft()
        if isinstance(first, tuple):
            return list(first)
        found = [first]
        most = min(_MOST, len(self._ahead) // (2 * self._width) + 1) if self._width else 1
        while len(found) < most and self._ahead and _alike(self._ahead[0], first):
            found.append(self._ahead.popleft())
        return found

    def _look_ahead(self, number: int) -> None:
        while len(self._ahead) < number:
            job = next(self._jobs, None)
            if job is None:
                return
            self._ahead.append(job)


def _alike(job: Job | tuple[Job, ...], other: Job) -> bool:
    return (
        isinstance(job, Job)
        and job.target.swap == other.target.swap
        and replace(job, target=other.target, seed=other.seed) == other
    )
