"""The proof that the boundary changes no verdict: everything known, in one process and apart.

Every stub, solution, mistake and variant runs both ways under the same seed, and what each test
says of it is compared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field

from grader.course import Course, Exercise
from grader.engine import Engine, Job, apart
from grader.preload import preload_for
from grader.prove import Subject, first_job, subjects
from grader.report import ExerciseResult


@dataclass
class Comparison:
    """How many verdicts were reached both ways, and those that are not the same."""

    seeds: list[int]
    subjects: int = 0
    verdicts: int = 0
    isolation: str = ""
    differences: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        return self.verdicts > 0 and not self.differences

    def to_json(self) -> dict:
        return asdict(self) | {"holds": self.holds}


def compare(
    course: Course,
    exercises: Iterable[Exercise],
    seeds: list[int],
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> Comparison:
    """Run everything that is known about the exercises both ways, on every seed."""
    known = [subject for exercise in exercises for subject in subjects(exercise)]
    jobs = [(subject, seed) for subject in known for seed in seeds]
    found = Comparison(seeds, len(known))
    here = Engine(course.root, preload_for(exercises))
    with here, apart(course.root, exercises) as there:
        found.isolation = there.isolation
        one = dict(_verdicts(here, course, jobs, lambda done: progress(done, 2 * len(jobs))))
        other = _verdicts(there, course, jobs, lambda d: progress(len(jobs) + d, 2 * len(jobs)))
        for key, verdicts in other:
            found.verdicts += len(verdicts)
            found.differences += _differences(jobs[key], one[key], verdicts)
    return found


def _verdicts(engine: Engine, course: Course, jobs: list, tick: Callable[[int], None]) -> Iterator:
    """(number of the job, verdict by test), as they are there."""
    numbers: dict[int, int] = {}

    def asked() -> Iterator[Job]:
        for number, (subject, seed) in enumerate(jobs):
            job = first_job(course, subject, seed, diagnose=False)
            numbers[id(job)] = number
            yield job

    for done, (job, result) in enumerate(engine.map(asked()), 1):
        tick(done)
        yield numbers[id(job)], _by_test(result)


def _by_test(result: ExerciseResult) -> dict[str, tuple[str, str]]:
    return {
        test.name: (test.verdict.value, f"{test.what} {test.returned} {test.note}".strip())
        for task in result.tasks
        for test in task.tests
    }


def _differences(about: tuple[Subject, int], one: dict, other: dict) -> Iterator[str]:
    subject, seed = about
    for name in one | other:
        (here, why), (apart, because) = one.get(name, ("", "")), other.get(name, ("", ""))
        if here != apart:
            stem = subject.exercise.stem
            yield (
                f"{stem} {subject.name}, seed {seed}, {name}: {here or 'missing'} in one process"
                f" ({why}), {apart or 'missing'} apart ({because})"
            )
