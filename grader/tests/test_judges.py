"""A judge's child is kept where the code runs apart, and nothing of one run reaches the next."""

import os
import signal
import sys
import time
from pathlib import Path

import pytest

from grader.engine import Engine, Job, Target, apart
from grader.preload import preload_for

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the layers are those of Linux")


@pytest.fixture(scope="module")
def exercise(loaded):
    return loaded.find("ex01")


@pytest.fixture(scope="module")
def engine(loaded, exercise):
    with apart(loaded.root, [exercise]) as found:
        yield found


def children(pid: int) -> list[int]:
    """The processes that a process has forked and that still run."""
    return [
        int(one)
        for thread in os.listdir(f"/proc/{pid}/task")
        for one in Path(f"/proc/{pid}/task/{thread}/children").read_text().split()
    ]


def kept(engine: Engine) -> list[int]:
    """The children of all stages."""
    return [child for stage in children(engine.pid) for child in children(stage)]


def earned(engine: Engine, exercise, seed: int) -> float:
    """The points of the reference solution."""
    (result,) = engine.run(Target(exercise.solution), [exercise], seed).exercises
    return result.earned


def test_the_child_takes_the_next_request_and_ends_when_there_is_none(engine, exercise):
    target = Target(exercise.solution)
    engine.run(target, [exercise], 1)
    first = kept(engine)
    assert len(first) == 1
    engine.run(target, [exercise], 2, tests=("TestNothing",))
    assert earned(engine, exercise, 3) == exercise.points
    assert kept(engine) == first
    until = time.monotonic() + 30
    while kept(engine) and time.monotonic() < until:
        time.sleep(0.1)
    assert not kept(engine)
    assert earned(engine, exercise, 4) == exercise.points


def test_a_kept_child_that_was_killed_costs_nobody_anything(engine, exercise):
    target = Target(exercise.solution)
    engine.run(target, [exercise], 1)
    (child,) = kept(engine)
    stage = children(engine.pid)[0]
    os.kill(stage, signal.SIGSTOP)  # so that it hears of the death and of the request together
    os.kill(child, signal.SIGKILL)
    found = engine.map([Job(target, exercise, 2)])
    os.kill(stage, signal.SIGCONT)
    ((_, result),) = found
    assert result.earned == result.points == exercise.points


def test_each_gets_its_own_result(engine, exercise, tmp_path):
    solved = exercise.solution.read_text("utf-8")
    texts = [solved, "import os\nos._exit(3)\n", "x = 1 +\n", exercise.stub.read_text("utf-8")] * 2
    jobs = []
    for number, text in enumerate(texts):
        file = tmp_path / str(number) / f"{exercise.stem}.py"
        file.parent.mkdir()
        file.write_text(text, "utf-8")
        jobs.append(Job(Target(file), exercise, 7))
    found = {job.target.path: result for job, result in engine.map(jobs, 2)}
    assert len(found) == 8
    for job, text in zip(jobs, texts, strict=True):
        result = found[job.target.path]
        assert (result.earned == result.points > 0) is (text == solved)
        assert result.file == str(job.target.path)


def test_no_child_is_kept_that_has_run_the_code(loaded, exercise):
    with Engine(loaded.root, preload_for([exercise])) as engine:
        engine.run(Target(exercise.solution), [exercise], 1)
        until = time.monotonic() + 1
        while kept(engine) and time.monotonic() < until:
            time.sleep(0.01)
        assert not kept(engine)


@pytest.mark.whole
@pytest.mark.parametrize("name", ["ex11", "ex12"])
def test_an_exercise_that_nothing_was_imported_for_gets_all_its_points(engine, loaded, name):
    other = loaded.find(name)
    assert earned(engine, other, 5) == other.points
