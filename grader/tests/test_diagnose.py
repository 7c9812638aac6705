"""The diagnosis: the mistake that an answer is, whatever its words, and nothing false."""

from __future__ import annotations

import time

import pytest
import spelling

from grader.diagnose import TASK_CLOCK
from grader.engine import Job
from grader.report import Verdict
from grader.target import Target

SEED = 20


@pytest.fixture(scope="session")
def judged(engine, loaded, tmp_path_factory):
    """Answers of a kind and what their own tests say: `judged("spelled")`."""

    def run(kind: str) -> list[tuple[spelling.Spelling, object]]:
        folder = tmp_path_factory.mktemp(kind)
        answers = {}
        for answer in spelling.read(loaded, kind):
            target = Target(answer.write(folder))
            tests = (answer.exercise.task(answer.task).test_class,)
            answers[Job(target, answer.exercise, SEED, tests=tests)] = answer
        results = engine.map(answers)
        return [(answers[job], result.tasks[0]) for job, result in results]

    return run


def test_mistakes_are_named_in_whatever_words(judged):
    answers = judged("spelled")
    assert len(answers) >= 48
    assert len({(a.exercise.id, a.task, a.mistake) for a, _ in answers}) == len(answers)
    passed = [str(answer) for answer, task in answers if task.verdict is Verdict.PASSED]
    assert passed == []
    other = {
        str(answer): (answer.mistake, task.diagnosis and task.diagnosis.mistake)
        for answer, task in answers
        if task.diagnosis is None or task.diagnosis.mistake != answer.mistake
    }
    print(f"{len(answers) - len(other)} of {len(answers)} are named; not so: {other}")
    assert len(other) <= 0.05 * len(answers), other


def test_right_answers_pass_and_are_told_nothing(judged):
    answers = judged("right")
    assert len(answers) >= 10
    for answer, task in answers:
        assert task.verdict is Verdict.PASSED, f"{answer}: {task.first_failure}"
        assert task.diagnosis is None, answer


def test_wrong_answers_of_their_own_are_told_nothing_false(judged):
    answers = judged("unlike")
    assert len(answers) >= 12
    for answer, task in answers:
        assert task.verdict in (Verdict.WRONG, Verdict.CRASHED), answer
        assert task.diagnosis is None, f"{answer} is taken for {task.diagnosis}"


def _spoil(folder, old, new, stem="ex06_zero_grad"):
    path = folder / f"{stem}.py"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    return folder


CLEAR = "for p in params:\n        p.grad = None\n"
STEP = "    return loss.item()"
HANGS = {
    "sleeps": "import time\n    time.sleep(60)\n",
    "loops": "while True:\n        pass\n",
    "catches": "while True:\n        try:\n            pass\n        except Exception:\n"
    "            pass\n",
}


@pytest.mark.parametrize("how", HANGS)
def test_a_diagnosis_that_meets_a_hanging_function_ends(judge, solved, how):
    # train_step clears for itself and is wrong; the mistakes that are tried call zero_grads.
    _spoil(solved, CLEAR, HANGS[how])
    _spoil(solved, "    zero_grads(params)\n    loss = loss_fn(params)", "    loss = loss_fn(params)")
    _spoil(solved, STEP, "    return loss.item() + 0.625")
    started = time.monotonic()
    report = judge(solved, "ex06", seconds_per_test=0.3)
    spent = time.monotonic() - started
    verdicts = {task.task: task.verdict for task in report.exercises[0].tasks}
    assert verdicts["zero_grads"] is Verdict.TIMED_OUT
    assert verdicts["gradient_after"] is Verdict.PASSED
    assert verdicts["train_step"] is Verdict.WRONG
    assert verdicts["accumulate_step"] is Verdict.TIMED_OUT
    assert spent < 30


def test_a_loop_that_swallows_every_exception_costs_no_other_task_its_verdict(judge, solved):
    _spoil(
        solved,
        CLEAR,
        "while True:\n        try:\n            while True:\n                pass\n"
        "        except BaseException:\n            pass\n",
    )
    _spoil(solved, "    zero_grads(params)\n    loss = loss_fn(params)", "    loss = loss_fn(params)")
    _spoil(solved, STEP, "    return loss.item() + 0.625")
    _spoil(solved, "    zero_grads(params)\n    for xb, yb", "    for xb, yb")
    report = judge(solved, "ex06", seconds_per_test=0.3)
    verdicts = {task.task: task.verdict for task in report.exercises[0].tasks}
    assert verdicts["zero_grads"] in (Verdict.TIMED_OUT, Verdict.CRASHED)
    assert verdicts["gradient_after"] is Verdict.PASSED
    assert verdicts["train_step"] is Verdict.WRONG
    assert verdicts["accumulate_step"] is Verdict.WRONG
    diagnoses = {task.task: task.diagnosis for task in report.exercises[0].tasks}
    assert diagnoses["accumulate_step"].mistake == "never_cleared_between_calls"


def test_a_file_that_is_slow_to_import_is_not_loaded_for_ever(judge, solved):
    path = solved / "ex05_lr_step.py"
    path.write_text(
        "import time\ntime.sleep(0.7)\n"
        + path.read_text().replace("return 2 / curvature", "return 3 / curvature + 0.5")
    )
    started = time.monotonic()
    report = judge(solved, "ex05")
    spent = time.monotonic() - started
    verdicts = {task.task: task.verdict for task in report.exercises[0].tasks}
    assert verdicts.pop("largest_stable_lr") is Verdict.WRONG
    assert set(verdicts.values()) == {Verdict.PASSED}
    assert spent < TASK_CLOCK + 15


def test_where_all_passes_nothing_is_diagnosed(monkeypatch, loaded):
    """Counted in a process of its own: how often a known mistake was tried."""
    import subprocess
    import sys

    script = (
        "import sys, pytest\n"
        "from grader import bank, diagnose\n"
        "tried = []\n"
        "old = bank.Entry.swap_into\n"
        "bank.Entry.swap_into = lambda entry, space: (tried.append(1), old(entry, space))\n"
        "pytest.main([sys.argv[1], '--target', sys.argv[2], '-q', '--seed', '1', '-k', 'describe'])\n"
        "print('tried', len(tried))\n"
    )

    def tried(target):
        command = [sys.executable, "-c", script, "tests/test_ex01_tensors.py", target]
        done = subprocess.run(command, cwd=loaded.root, capture_output=True, text=True, check=True)
        return int(done.stdout.rpartition("tried ")[2])

    assert tried("solutions") == 0
    assert tried("exercises") == 0
