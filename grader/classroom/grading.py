"""A class, graded: what is missing or changed is run, what is there is kept.

paths ──▶ submissions ──▶ engine here, or Dask ──▶ a file each ──▶ CSV · page · gradebook
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from grader import course as courses
from grader import engine
from grader.classroom import gradebook, judge, training
from grader.classroom.cases import is_notebook, unjudged
from grader.classroom.course import OWN_TESTS, class_seed, course_of, keep_seed, read_settings
from grader.classroom.names import clean
from grader.classroom.released import released
from grader.classroom.store import Graded, Store, write
from grader.classroom.submitted import Submission
from grader.classroom.terms import Terms, course_hash, grader_version
from grader.course import Course, CourseError
from grader.isolation import Isolation, is_open, notice_of

Tick = Callable[[int, int], None]  # how many are done, of how many


@dataclass(frozen=True)
class Order:
    """What `kata grade` was asked for."""

    paths: Sequence[Path]
    out: Path = Path("grades")
    workers: int | None = None  # at a time on this machine; as many as there are cores
    scheduler: str = ""  # of a Dask cluster; "local" starts one here
    course: Path | None = None  # an nbgrader course, whose gradebook gets the scores
    exercises: Sequence[str] = ()  # only these; all when empty
    seed: int | None = None
    isolation: Isolation = Isolation.CLOSED
    train: bool = False


@dataclass
class Class:
    """A class after its grading."""

    seed: int
    graded: list[Graded] = field(default_factory=list)
    ran: int = 0  # were run now; the others were there
    files: list[Path] = field(default_factory=list)
    others: str = ""  # a sentence on files that were not taken

    @property
    def notices(self) -> list[str]:
        """What stayed open, wherever something did."""
        return sorted({notice_of(one.isolation) for one in self.graded if one.isolation} - {""})

    @property
    def rows(self) -> list[tuple]:
        """Submissions with their results."""
        return [(one.submission, one.result) for one in self.graded]

    @property
    def ungraded(self) -> list[Graded]:
        """Those that could not be graded; the result's problem says why."""
        return [one for one in self.graded if not one.result.tasks]

    def to_json(self) -> dict:
        """Plain data: everything but the code that was handed in."""
        return {
            "seed": self.seed,
            "ran": self.ran,
            "others": self.others,
            "results": [
                {
                    "student": one.submission.student,
                    "submission": one.submission.name,
                    "exercise": one.result.exercise,
                    "earned": one.result.earned if one.result.tasks else None,  # None is no 0
                    "points": one.result.points if one.result.tasks else None,
                    "problem": one.result.problem,
                    "isolation": one.isolation,
                    "training": one.training,
                    "tasks": {
                        task.task: {"verdict": task.verdict, "earned": task.earned}
                        for task in one.result.tasks
                    },
                }
                for one in self.graded
            ],
        }


def grade(order: Order, tick: Tick = lambda done, of: None, say=lambda sentence: None) -> Class:
    """Grade a class, and write down each result the moment it is there.

    `say` hears sentences for the person at the terminal. `CourseError`, `EngineError` or `OSError`
    when the work cannot be done or is broken off: what was graded so far is kept, and the next run
    goes on from there.
    """
    course, own = _course(order)
    judge.words[course.root] = order.isolation
    if order.course:
        gradebook.check(order.course)
    handed_in, others = _handed_in(order, course)
    unusable = [one for one in handed_in if one.problem]
    if unusable:  # said before anything is graded
        students = len({one.student for one in handed_in})
        say(f"{len(unusable)} of {len(handed_in)} from {students} students cannot be read.")
    with Store(order.out) as store:
        terms = Terms(course, _seed(order, store), own)
        _keep_settings(store, terms)
        found = Class(terms.seed, others=others)
        _grade_missing(order, store, terms, handed_in, found, tick, say)
        if gone := store.left_over(handed_in):
            names = ", ".join(clean(name, 40) for name in gone[:5]) + ", …" * (len(gone) > 5)
            say(f"In no table, since it is not handed in any more: work of {names}.")
        if order.train:
            apart = order.isolation is Isolation.CLOSED
            training.complete(
                store, found.graded, handed_in, terms, tick, say, order.scheduler, apart
            )
        found.files = _write_class(order, terms, found)
        if order.course:
            say(gradebook.write(order.course, course, found.graded))
    return found


def _grade_missing(order, store: Store, terms: Terms, handed_in, found: Class, tick, say) -> None:
    """Run what has no result, or one that no longer holds; gather what there is in the end."""
    keys = {id(one): terms.key(one) for one in handed_in if one.exercise}
    missing, again = [], Counter()
    for one in handed_in:
        if one.exercise:
            kept, why = store.find(one, keys[id(one)])
            closed = order.isolation is Isolation.CLOSED
            if kept and closed and kept.isolation and is_open(kept.isolation):
                kept, why = None, "they were graded without isolation"
            if kept is None:
                missing.append(one)
                again[why] += 1
    for why, number in again.items():
        if why:
            say(f"{number} graded again: {why}.")
    tick(0, len(missing))
    for one in _graded(order, terms, missing, say):
        store.put(one, keys[id(one.submission)])
        found.ran += 1
        tick(found.ran, len(missing))
    for one in handed_in:
        kept = Graded(one, unjudged(one, one.problem))
        if one.exercise:
            kept, why = store.find(one, keys[id(one)])
        if kept is None:
            raise CourseError(f"{store.path(one)} was changed meanwhile ({why or 'it is gone'}).")
        found.graded.append(kept)


def _graded(order: Order, terms: Terms, missing: list[Submission], say) -> Iterator[Graded]:
    """Each of them with its result, as they come; those of an exercise together, whose tests
    stay warm."""
    ready = sorted((one for one in missing if not one.problem), key=lambda one: one.exercise)
    for one in missing:
        if one.problem:
            yield Graded(one, unjudged(one, one.problem), engine.versions())
    workers = order.workers or os.cpu_count() or 1
    if order.scheduler and ready:
        from grader.classroom import cluster

        word = order.isolation
        yield from cluster.grade_each(ready, terms, order.scheduler, workers, say, word)
        return
    if ready:
        wanted = {one.exercise for one in ready}
        judge.begin(terms.course, [one for one in terms.course.exercises if one.stem in wanted])
    if any(is_notebook(one) for one in ready):  # what reads them takes as long to import
        released(terms.course.find(ready[0].exercise))
    isolation = judge.isolation(terms.course) if ready else ""
    if notice := notice_of(isolation) if ready else "":
        say(f"{notice}.")
    for one, result in judge.grade_each(
        ready, terms.course, terms.seed, terms.own, workers, order.out
    ):
        yield Graded(one, result, engine.versions(), isolation)


def _course(order: Order) -> tuple[Course, Path | None]:
    """The course that a class's folder was written from, and its instructor's own tests."""
    if not order.course:
        return courses.load(courses.nearest()), None
    folder = order.course.resolve()
    own = folder / OWN_TESTS
    return course_of(folder), own if own.is_dir() else None


def _handed_in(order: Order, course: Course) -> tuple[list[Submission], str]:
    """The submissions asked for, and a sentence on the files that are none."""
    from grader.classroom.gather import GatherError, survey

    wanted = frozenset(exercise.stem for exercise in course.select(list(order.exercises)))
    asked = wanted if order.exercises else frozenset()
    try:
        found = survey([Path(path) for path in order.paths], course, asked, order.out)
    except GatherError as error:
        raise CourseError(str(error)) from None
    if not found.submissions:
        raise CourseError(f"Nothing is handed in for {', '.join(sorted(wanted))}.")
    return _as_asked(found.submissions, asked), found.others


def _as_asked(submissions: list[Submission], asked: frozenset[str]) -> list[Submission]:
    """What may be any exercise is the one that was asked for, if that is not there beside it."""
    if len(asked) != 1:
        return submissions
    (stem,) = asked
    has_it = {one.student for one in submissions if one.exercise}
    return [
        one if one.exercise or one.student in has_it else replace(one, exercise=stem)
        for one in submissions
    ]


def _seed(order: Order, store: Store) -> int:
    """The class's seed: everybody meets the same inputs, at every run, and in nbgrader too."""
    if order.seed is not None:
        if order.course:
            keep_seed(order.course.resolve(), order.seed)
        return order.seed
    if order.course and "seed" in read_settings(order.course.resolve()):
        return class_seed(order.course.resolve())
    earlier = store.settings().get("seed")
    if order.course:
        return class_seed(order.course.resolve(), earlier)
    return engine.draw_seed() if earlier is None else earlier


def _keep_settings(store: Store, terms: Terms) -> None:
    exercises = terms.course.exercises
    store.keep_settings(
        {
            "seed": terms.seed,
            "versions": engine.versions(),
            "course": {one.stem: course_hash(one, terms.own) for one in exercises},
        }
    )


def _write_class(order: Order, terms: Terms, found: Class) -> list[Path]:
    """The class as tables and as a page."""
    from grader.classroom.likeness import likeness
    from grader.classroom.page import render
    from grader.classroom.results import write_csv

    seeds = {(one.student, one.exercise): terms.seed for one, _ in found.rows}
    tables = write_csv(found.rows, order.out / "grades.csv", seeds)
    page = order.out / "class.html"
    about = {"seed": str(terms.seed), "gradkata": grader_version()}
    pairs = likeness([one.submission for one in found.graded], terms.course)
    write(page, render(found.rows, "; ".join(_isolations(found)), about, pairs))
    return [*tables, page]


def _isolations(found: Class) -> list[str]:
    """What kept the code apart, wherever it ran."""
    lines = {one.isolation for one in found.graded if one.isolation}
    return sorted(lines, key=lambda line: (not is_open(line), line)) or ["no code was run"]
