"""Which runs share a child."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from grader.batches import Batches, Job
from grader.engine import Engine, Target, preload_for, sandbox_for


@pytest.fixture
def jobs(loaded):
    """Sixteen runs of one exercise, each of a target of its own."""
    exercise = loaded.find("ex01")
    return [Job(Target(Path(f"/{number}.py")), exercise, number) for number in range(16)]


def sizes(jobs, width):
    batches, found = Batches(jobs, width), []
    while batch := batches.next():
        found.append(batch)
    assert [job for batch in found for job in batch] == list(jobs)
    return [len(batch) for batch in found]


def test_a_few_together_and_fewer_towards_the_end(jobs):
    assert sizes(jobs, 1) == [4, 4, 4, 2, 1, 1]
    assert sizes(jobs, 2) == [4, 3, 3, 2, 1, 1, 1, 1]
    assert sizes(jobs[:3], 2) == [1, 1, 1]
    assert sizes([], 2) == []


def test_each_alone_where_the_code_is_in_the_process_of_its_tests(jobs):
    assert sizes(jobs, 0) == [1] * 16


def test_no_two_that_differ_in_more_than_target_and_seed(jobs, loaded):
    other = [replace(job, exercise=loaded.find("ex02")) for job in jobs[:4]]
    assert sizes([*jobs[:5], *other, *jobs[5:]], 1)[:3] == [4, 1, 4]
    assert sizes([replace(job, tests=(f"Test{job.seed}",)) for job in jobs], 1) == [1] * 16


def test_a_tuple_stays_one(jobs):
    batches = Batches([jobs[0], tuple(jobs[1:8]), jobs[8]], 2)
    assert [len(batches.next()) for _ in range(4)] == [1, 7, 1, 0]


def test_jobs_that_come_later():
    waiting = []
    batches = Batches(iter(lambda: waiting.pop() if waiting else None, 0), 1)
    assert batches.next() == []
    waiting.append(job := Job(Target(Path("/a.py")), None, 1))
    assert batches.next() == [job]


@pytest.mark.skipif(sys.platform != "linux", reason="the layers are those of Linux")
def test_one_judge_for_a_few_and_a_result_for_each(loaded, tmp_path):
    exercise = loaded.find("ex01")
    solved = exercise.solution.read_text("utf-8")
    texts = [solved, "import os\nos._exit(3)\n", "x = 1 +\n", exercise.stub.read_text("utf-8")] * 3
    jobs = []
    for number, text in enumerate(texts):
        file = tmp_path / str(number) / f"{exercise.stem}.py"
        file.parent.mkdir()
        file.write_text(text, "utf-8")
        jobs.append(Job(Target(file), exercise, 7))
    with Engine(loaded.root, preload_for([exercise]), sandbox_for([exercise])) as engine:
        found = {job.target.path: result for job, result in engine.map(jobs, 2)}
    assert len(found) == 12
    for job, text in zip(jobs, texts, strict=True):
        result = found[job.target.path]
        assert (result.earned == result.points > 0) is (text == solved)
        assert result.file == str(job.target.path)
