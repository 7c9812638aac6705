"""The corpus of attacks against the real judge: no point is earned that was not, nobody is harmed.

Every attack runs apart from the tests, as `kata grade` runs it, many of them at once; after each
family a right and a wrong submission are graded by the same processes.
"""

from __future__ import annotations

import os
import time

import pytest

from grader import engine as engines
from grader.engine import Job
from grader.report import ExerciseResult
from grader.target import Target
from grader.tests import attacks
from grader.tests.conftest import ROOT

WIDTH = 4  # attacks at a time: many of them only wait
SECONDS = 1.0  # for one test of an attack; what the limit does is not what is tried here
LONGEST = 150.0  # seconds for a family, on a machine that has other things to do
PLAIN = 2  # attacks of each family in a plain run
# What has once earned points, or what the family's others are variations of.
FIRST = {"verdict_of_load", "late_and_doubled", "index_of_a_list", "second_look", "loop_at_import"}
FIRST |= {"one_word_for_all", "arguments_emptied", "numbers_of_functions", "solution_files"}
FIRST |= {"daemon_that_stays", "names_outside", "lying_products", "patch_the_runner"}
ALLOWED = {"delegation"}  # reported apart: whether it may be is a matter of policy

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="the sandbox needs fork")


@pytest.fixture(scope="module")
def apart(loaded):
    """An engine whose judge has the code of every attack in a worker of its own."""
    stems = {one.exercise for one in attacks.corpus()}
    exercises = [one for one in loaded.exercises if one.stem in stems]
    with engines.apart(ROOT, exercises) as engine:
        yield engine


@pytest.fixture
def graded(apart, loaded, tmp_path):
    """Grade sources: `graded([(name, exercise, source)])` gives the results by name."""

    def grade(handed_in, seconds=None, tests=()) -> dict[str, ExerciseResult]:
        names = {}

        def jobs():
            for name, stem, source in handed_in:
                file = tmp_path / name / f"{stem}.py"
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(source, "utf-8")
                job = Job(Target(file), loaded.find(stem), 7, False, tests, seconds)
                names[id(job)] = name
                yield job

        return {names[id(job)]: found for job, found in apart.map(list(jobs()), WIDTH)}

    return grade


def controls(loaded, stem: str) -> list[tuple[str, str, str]]:
    return [(f"{base}-{stem}", stem, attacks.control(loaded, stem, base)) for base in BASES]


BASES = ("right", "wrong")
CONTROL = "ex03_backward"


def some(family: str) -> list[attacks.Attack]:
    """A few of a family, for every run of the tests."""
    of_family = [one for one in attacks.corpus() if one.family == family]
    first = [one for one in of_family if one.path.stem in FIRST]
    return [*first, *[one for one in of_family if not one.cost and one not in first]][:PLAIN]


def judged(chosen, apart, graded, loaded, tests=()) -> None:
    """Grade attacks, then the controls, by the same warm parent and the same zygote."""
    parent, started = apart.pid, time.monotonic()
    handed_in = [(one.name, one.exercise, one.source(loaded.find(one.exercise))) for one in chosen]
    found = graded(handed_in, SECONDS)
    assert time.monotonic() - started < LONGEST
    for one in chosen:
        result = found[one.name]
        assert result.tasks, one.name
        if one.family not in ALLOWED:
            assert one.unearned(result) == 0, (one.name, table(result))
        assert one.lost(result) == 0, (one.name, table(result))
    unharmed(graded, loaded, tests)
    assert apart.pid == parent and not apart.died


def unharmed(graded, loaded, tests) -> None:
    """A right submission still gets all of its points, and a wrong one none."""
    found = graded(controls(loaded, CONTROL), tests=tests)
    right, wrong = (found[f"{base}-{CONTROL}"] for base in BASES)
    assert right.earned == right.points, table(right)
    assert wrong.earned == 0, table(wrong)


def table(result: ExerciseResult) -> list[tuple[str, str, str]]:
    return [(t.name, t.verdict.value, t.note) for task in result.tasks for t in task.tests]


@pytest.mark.whole
@pytest.mark.parametrize("family", attacks.families())
def test_some_of_each_family(family, apart, graded, loaded):
    judged(some(family), apart, graded, loaded, tests=("TestSlope", "TestGradient"))


@pytest.mark.whole
@pytest.mark.timeout(900)
@pytest.mark.parametrize("family", attacks.families())
def test_no_point_that_was_not_earned(family, apart, graded, loaded):
    judged([one for one in attacks.corpus() if one.family == family], apart, graded, loaded)


@pytest.mark.whole
def test_the_controls_of_every_exercise(graded, loaded):
    stems = dict.fromkeys(one.exercise for one in attacks.corpus())
    found = graded([one for stem in stems for one in controls(loaded, stem)])
    for name, result in found.items():
        expected = result.points if name.startswith("right") else 0
        assert result.earned == expected, (name, table(result))


def test_the_corpus_is_large_and_every_file_says_what_it_is(loaded):
    assert len(attacks.corpus()) >= 60
    for one in attacks.corpus():
        exercise = loaded.find(one.exercise)
        solved = {"nothing", "everything"} | {task.name for task in exercise.tasks}
        assert one.base in ("right", "wrong", "none") and one.tries
        assert set(one.earns.split()) <= solved
        compile(one.source(exercise), one.name, "exec")
