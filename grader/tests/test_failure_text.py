"""What a learner reads: checked for mistakes drawn from the bank, and kept for each verdict.

`kata prove` checks the text of every mistake in the bank; here a share of them is drawn anew in
each run. KATA_BANK=all checks all of them, KATA_BANK=123 draws again as the run that printed it.
After a wanted change of the text, KATA_RENEW_GOLDEN=1 writes the files of golden/ anew.
"""

from __future__ import annotations

import os
import random
import re
from pathlib import Path

import pytest

from grader import bank
from grader.course import shown
from grader.engine import Job, draw_seed
from grader.prove import unreadable
from grader.report import Report, Verdict, exercise_lines, failure_text, replay_of
from grader.target import Target
from grader.tests.conftest import whole_for

GOLDEN = Path(__file__).parent / "golden"
DRAWN = 20  # mistakes


@pytest.fixture(scope="module")
def drawn(engine, loaded):
    """(exercise, mistake, report) for each mistake drawn; one pass for all tests."""
    chosen = os.environ.get("KATA_BANK", "")
    seed = int(chosen) if chosen.isdigit() else draw_seed()
    entries = [(e, entry) for e in loaded.exercises for entry in bank.mistakes(e)]
    assert len(entries) > DRAWN
    if chosen != "all":
        entries = random.Random(seed).sample(entries, DRAWN)
    print(f"KATA_BANK={seed} draws these mistakes again")
    jobs = {}
    for exercise, entry in entries:
        target = Target(loaded.root / "solutions", entry)
        tests = (exercise.task(entry.task).test_class,)
        jobs[Job(target, exercise, seed, tests=tests)] = entry
    reports = {}
    for job, result in engine.map(jobs):
        key = f"{job.exercise.id}/{result.tasks[0].task}/{jobs[job].name}"
        report = Report(str(job.target.path), seed, {}, [result])
        reports[key] = job.exercise, jobs[job], report
    return reports


def _task(report):
    return report.exercises[0].tasks[0]


def test_every_text_is_short_and_says_what_was_called_returned_and_expected(drawn):
    found = {key: unreadable(_task(report)) for key, (*_, report) in drawn.items()}
    assert {key: faults for key, faults in found.items() if faults} == {}


def test_every_mistake_is_told_its_own_diagnosis_and_no_other(drawn):
    other = {}
    for key, (exercise, entry, report) in drawn.items():
        task = _task(report)
        text = " ".join(" ".join(failure_text(task, replay_of(report))).split())
        told = [
            one.name
            for one in bank.mistakes(exercise, entry.task)
            if f"looks like {one.message}" in text
        ]
        if told != [entry.name]:
            other[key] = told
    assert len(other) <= 0.02 * len(drawn), other
    assert [told for told in other.values() if told] == []


def test_every_text_ends_with_what_to_try_and_how_to_replay(drawn):
    for key, (*_, report) in drawn.items():
        task = _task(report)
        *_, next_line, replay = failure_text(task, replay_of(report))
        exercise, seed = task.exercise.partition("_")[0], report.seed
        assert next_line.split() == ["next", "kata", "hint", exercise, task.task], key
        assert re.search(rf"replay +pytest .+::test_.+ --seed {seed} --target ", replay), key


ANSWERS = {
    "passed": ("return float(df(g(x)) * dg(x))", "return float(dg(x) * df(g(x)))"),
    "wrong": ("return float(df(g(x)) * dg(x))", "u = x\n    return float(df(u) * dg(x))"),
    "not attempted": ("return float(df(g(x)) * dg(x))", "raise NotImplementedError()"),
    "crashed": ("return float(df(g(x)) * dg(x))", "return float(df(g(x)) @ dg(x))"),
    "timed out": ("return float(df(g(x)) * dg(x))", "while True:\n        pass"),
}


@pytest.mark.parametrize("verdict", whole_for(ANSWERS, ["timed out"]))
def test_the_text_of_each_verdict_is_the_one_that_is_kept(engine, loaded, tmp_path, verdict):
    exercise = loaded.find("ex03")
    old, new = ANSWERS[verdict]
    source = exercise.solution.read_text("utf-8")
    assert old in source
    path = tmp_path / "ex03_backward.py"
    path.write_text(source.replace(old, new), "utf-8")
    report = engine.run(
        Target(path), [exercise], 11, tests=("TestChainRule",), seconds_per_test=0.5
    )
    found = report.exercises[0]
    assert found.tasks[0].verdict is Verdict(verdict)
    report.target = "exercises"
    for test in found.tasks[0].tests:  # the same text wherever the file lies
        test.where = test.where.replace(shown(path), "exercises/ex03_backward.py")
    text = "\n".join(exercise_lines(found, replay_of(report))) + "\n"
    text = re.sub(r"line \d+ of", "line … of", text)  # lessons may grow
    golden = GOLDEN / f"{verdict.replace(' ', '_')}.txt"
    if os.environ.get("KATA_RENEW_GOLDEN"):
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(text, "utf-8")
    assert text == golden.read_text("utf-8"), "KATA_RENEW_GOLDEN=1 pytest writes it anew"
