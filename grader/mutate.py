"""Mechanical mutants: whether a test notices each small way to spoil a reference body.

A mutant (`grader/mutants.py`) is one more entry that the warm engine swaps into the solution, as it
does with the mistakes of the bank. What survives is a gap in the tests, or is equivalent to the
original and written down, with its reason, in tests/mistakes/equivalents.toml.
"""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from functools import partial

from grader import bank
from grader.course import Course, CourseError, Exercise, solutions
from grader.engine import Engine, Job
from grader.mutants import Mutant, mutants_of
from grader.preload import preload_for
from grader.report import Verdict
from grader.target import Target

PASS_MARK = 0.95
SECONDS_PER_TEST = 3.0  # a loop without an end is as good as killed


@dataclass(frozen=True)
class Equivalent:
    """A mutant that no test can catch, and why."""

    task: str
    mutation: str
    reason: str
    without_accelerator: bool = False  # where there is one, a test has to catch it


@dataclass
class Score:
    """How the mutants of one exercise fared."""

    exercise: str
    mutants: int = 0
    killed: int = 0
    equivalent: int = 0
    survivors: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    @property
    def score(self) -> float:
        countable = self.mutants - self.equivalent
        return self.killed / countable if countable else 0.0

    @property
    def holds(self) -> bool:
        return self.score >= PASS_MARK and not self.faults


@dataclass
class Scores:
    """The mutants of some exercises."""

    seeds: list[int]
    rows: list[Score]

    @property
    def holds(self) -> bool:
        return bool(self.rows) and all(row.holds for row in self.rows)

    def to_json(self) -> dict:
        rows = [asdict(row) | {"score": round(row.score, 4)} for row in self.rows]
        return {"seeds": self.seeds, "rows": rows, "holds": self.holds}


def equivalents(course: Course) -> dict[str, list[Equivalent]]:
    """The mutants that are written down as equivalent, by exercise."""
    path = course.root / "tests" / "mistakes" / "equivalents.toml"
    if not path.is_file():
        return {}
    try:
        listed = tomllib.loads(path.read_text("utf-8"))
        return {
            course.find(name).stem: [Equivalent(**one) for one in listed[name]] for name in listed
        }
    except (tomllib.TOMLDecodeError, TypeError) as error:
        raise CourseError(f"{path}: {error}") from None


def score(exercise: str, made: list[Mutant], alive: list[Mutant], known: list[Equivalent]) -> Score:
    """What the survivors say about the tests, and the tests about what is known as equivalent."""
    row = Score(exercise, len(made), len(made) - len(alive))
    if any(one.without_accelerator for one in known) and _has_accelerator():
        known = [one for one in known if not one.without_accelerator]
    made_of, alive_of = ({(one.task, one.mutation) for one in ones} for ones in (made, alive))
    for one in known:
        about = f"{one.task}: {one.mutation}"
        if (one.task, one.mutation) not in made_of:
            row.faults.append(f"stale, there is no such mutant: {about}")
        elif (one.task, one.mutation) not in alive_of:
            row.faults.append(f"not equivalent, a test catches it: {about}")
        if not one.reason.strip():
            row.faults.append(f"equivalent without a reason: {about}")
    excused = {(one.task, one.mutation) for one in known}
    left = [one for one in alive if (one.task, one.mutation) not in excused]
    row.equivalent = len(alive) - len(left)
    row.survivors = [f"{one.task}: {one.mutation}" for one in left]
    return row


def judge(
    course: Course,
    exercises: Iterable[Exercise],
    seeds: list[int],
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> Scores:
    """Run every mutant against its own task's tests; what survives, against all, on all seeds."""
    exercises, rows = tuple(exercises), []
    known = equivalents(course)
    made = {one: mutants_of(one.solution.read_text("utf-8")) for one in exercises}
    total, before = sum(map(len, made.values())), 0
    with Engine(course.root, preload_for(exercises)) as engine:
        for exercise in exercises:
            survive = partial(_survivors, engine, Target(solutions(course.root)), exercise)
            tick = partial(lambda before, done: progress(before + done, total), before)
            # Proof over nothing: the bodies as they are, swapped in the same way, have to pass.
            intact = _intact(exercise, made[exercise])
            faults = [
                f"{one.task} as it is fails a test, seed {seed}"
                for seed in seeds
                for one in set(intact) - set(survive(intact, seed))
            ]
            alive = survive(made[exercise], seeds[0], own_tests=True, tick=tick)
            for seed in seeds:
                alive = survive(alive, seed)
            row = score(exercise.stem, made[exercise], alive, known.get(exercise.stem, []))
            row.faults += faults
            rows.append(row)
            before += len(made[exercise])
    return Scores(seeds, rows)


def _survivors(
    engine: Engine,
    target: Target,
    exercise: Exercise,
    subjects: list[Mutant],
    seed: int,
    own_tests: bool = False,
    tick: Callable[[int], None] = lambda done: None,
) -> list[Mutant]:
    """Those that pass every test, of their own task or of the exercise."""
    jobs, alive = {}, set()
    for one in subjects:
        swap = bank.mutant(exercise, one.task, one.source)
        tests = (exercise.task(one.task).test_class,) if own_tests else ()
        job = Job(target.with_swap(swap), exercise, seed, False, tests, SECONDS_PER_TEST)
        jobs[id(job)] = job, one
    for done, (job, result) in enumerate(engine.map(job for job, _ in jobs.values()), 1):
        tests = [test for task in result.tasks for test in task.tests]
        if tests and all(test.verdict is Verdict.PASSED for test in tests):
            alive.add(jobs[id(job)][1])
        tick(done)
    return [one for one in subjects if one in alive]


def _intact(exercise: Exercise, made: list[Mutant]) -> list[Mutant]:
    """Each task's body as it is, in the form in which its mutants are swapped in."""
    tasks = ast.parse(exercise.solution.read_text("utf-8")).body
    names = {one.task for one in made}
    return [
        Mutant(task.name, "", ast.unparse(task))
        for task in tasks
        if getattr(task, "name", None) in names
    ]


def _has_accelerator() -> bool:
    import torch

    return torch.accelerator.is_available()
