"""The diagnosis: the mistake that an answer is, whatever its words, and nothing false."""

from __future__ import annotations

import json
import random
import time

import pytest
import spelling

from grader.engine import CAN_FORK, Engine, Job
from grader.preload import preload_for
from grader.report import Diagnosis, Verdict
from grader.target import Target
from grader.tests import forked

SEED = 20
DRAWN = 20  # answers


@pytest.fixture(scope="session")
def judged(engine, loaded, tmp_path_factory):
    """Answers and what their own tests say."""

    def run(kept: list[spelling.Spelling]) -> list[tuple[spelling.Spelling, object]]:
        folder = tmp_path_factory.mktemp("answers")
        answers = {}
        for answer in kept:
            target = Target(answer.write(folder))
            tests = (answer.exercise.task(answer.task).test_class,)
            answers[Job(target, answer.exercise, SEED, tests=tests)] = answer
        results = engine.map(answers)
        return [(answers[job], result.tasks[0]) for job, result in results]

    return run


@pytest.mark.parametrize("drawn", [DRAWN, pytest.param(None, marks=pytest.mark.whole)])
def test_mistakes_are_named_in_whatever_words(judged, loaded, drawn):
    """Some of the answers, drawn anew in each run, or all of them."""
    known = spelling.read(loaded, "spelled")
    assert len(known) >= 48
    assert len({(a.exercise.id, a.task, a.mistake) for a in known}) == len(known)
    answers = judged(random.sample(known, drawn) if drawn else known)
    passed = [str(answer) for answer, task in answers if task.verdict is Verdict.PASSED]
    assert passed == []
    other = {
        str(answer): (answer.mistake, task.diagnosis and task.diagnosis.mistake)
        for answer, task in answers
        if task.diagnosis is None or task.diagnosis.mistake != answer.mistake
    }
    print(f"{len(answers) - len(other)} of {len(answers)} are named; not so: {other}")
    assert len(other) <= 0.05 * len(answers), other


def test_right_answers_pass_and_are_told_nothing(judged, loaded):
    answers = judged(spelling.read(loaded, "right"))
    assert len(answers) >= 10
    for answer, task in answers:
        assert task.verdict is Verdict.PASSED, f"{answer}: {task.first_failure}"
        assert task.diagnosis is None, answer


def test_wrong_answers_of_their_own_are_told_nothing_false(judged, loaded):
    answers = judged(spelling.read(loaded, "unlike"))
    assert len(answers) >= 12
    for answer, task in answers:
        assert task.verdict in (Verdict.WRONG, Verdict.CRASHED), answer
        assert task.diagnosis is None, f"{answer} is taken for {task.diagnosis}"


# Known mistakes of ex09.
FALLING = "1 + torch.exp(-x)", "1 + torch.exp(x)"
TWICE = "sigmoid(predictions)", "sigmoid(sigmoid(predictions))"
SWAPPED = "targets == 1, 1 - predictions", "targets != 1, 1 - predictions"


@pytest.fixture(scope="session")
def told(engine, loaded, tmp_path_factory):
    """What each failed task of ex09 is told, in an answer where some lines are others."""

    def run(*replacements: tuple[str, str]) -> dict[str, Diagnosis | None]:
        exercise = loaded.find("ex09")
        target = _spoil(exercise, tmp_path_factory.mktemp("spoiled") / "ex09.py", *replacements)
        [result] = engine.run(target, [exercise], SEED).exercises
        return {one.task: one.diagnosis for one in result.tasks if one.verdict is Verdict.WRONG}

    return run


def test_a_task_that_fails_through_another_is_told_which(told):
    found = told(FALLING)
    assert found.pop("sigmoid").mistake == "falling"
    assert set(found) == {"mnist_loss", "train_epoch", "fit"}
    for task, diagnosis in found.items():
        assert (diagnosis.mistake, diagnosis.through) == ("", ["sigmoid"]), task
        assert "only through `sigmoid`" in diagnosis.message


def test_a_mistake_below_another_is_named_all_the_same(told):
    found = told(FALLING, TWICE)
    assert found["sigmoid"].mistake == "falling"
    assert found["mnist_loss"].mistake == "sigmoid_twice"
    assert found["train_epoch"].through == ["sigmoid", "mnist_loss"]
    assert "through `sigmoid` and `mnist_loss`" in found["train_epoch"].message


def test_a_task_that_does_not_call_what_failed_is_judged_by_itself(told):
    found = told(
        FALLING,
        ("sigmoid(predictions)", "predictions.sigmoid()"),
        SWAPPED,
    )
    assert found["mnist_loss"].mistake == "where_swapped"
    assert found["train_epoch"].through == ["mnist_loss"]


# train_step is wrong and clears for itself, as accumulate_step does; the known mistakes that are
# tried in its place call zero_grads, which hangs.
NAP = "__import__('time').sleep(0.01)"  # a loop that leaves the processor to the other tests
HANGS = {
    "sleeps": "import time\n    time.sleep(60)\n",
    "loops": "while True:\n        pass\n",
    "catches": f"while True:\n        try:\n            {NAP}\n        except:\n            pass\n",
    "catches more": f"while True:\n        try:\n            while True:\n                {NAP}\n"
    "        except BaseException:\n            pass\n",
}
CLEAR = "for p in params:\n        p.grad = None\n"
SPOILED = {
    "    zero_grads(params)\n    loss": f"    {CLEAR}    loss",
    "    zero_grads(params)\n    for": f"    {CLEAR}    for",
    "    return loss.item()": "    return loss.item() + 0.625",
}


def _spoil(exercise, path, *replacements):
    text = exercise.solution.read_text("utf-8")
    for old, new in replacements:
        assert old in text
        text = text.replace(old, new, 1)
    path.write_text(text, "utf-8")
    return Target(path)


# A quarter of what the grader allows: what hangs is given up sooner, in the same order.
TASK_BUDGET, TASK_CLOCK, GRACE = 0.4, 1.2, 1.0


@pytest.fixture
def hasty(loaded, monkeypatch):
    """An engine with these limits, where a test can have one of its own."""
    if not CAN_FORK:
        pytest.skip("the warm engine needs fork, which this system does not have")
    shorter = {
        "grader.diagnose.TASK_BUDGET": TASK_BUDGET,
        "grader.diagnose.TASK_CLOCK": TASK_CLOCK,
        "grader.stage.GRACE": GRACE,
    }
    monkeypatch.setenv(forked.SHORTER, json.dumps(shorter))
    exercises = [loaded.find("ex05"), loaded.find("ex06")]
    with Engine(loaded.root, preload_for(exercises)) as engine:
        yield engine


def test_code_that_hangs_never_makes_the_diagnosis_hang(hasty, loaded, tmp_path):
    hanging, slow = loaded.find("ex06"), loaded.find("ex05")
    tests = ("TestGradientAfter", "TestTrainStep", "TestAccumulateStep")
    jobs = {}
    for how, body in HANGS.items():
        target = _spoil(hanging, tmp_path / f"{how}.py", (CLEAR, body), *SPOILED.items())
        jobs[Job(target, hanging, SEED, tests=tests)] = how
    late_import = (
        ("import math", "import math\nimport time\n\ntime.sleep(0.7)"),
        ("return 2 / curvature", "return 3 / curvature + 0.5"),
        ('        return "diverging"', '        return "Diverging"'),
    )
    target = _spoil(slow, tmp_path / "imports.py", *late_import)
    jobs[Job(target, slow, SEED)] = "imports"
    started = time.monotonic()
    found = {jobs[job]: result for job, result in hasty.map(jobs, width=len(jobs))}
    spent = time.monotonic() - started
    for how in HANGS:
        verdicts = [task.verdict for task in found[how].tasks]
        assert verdicts == [Verdict.PASSED, Verdict.WRONG, Verdict.PASSED], how
    verdicts = [task.verdict for task in found["imports"].tasks]
    assert verdicts == [Verdict.PASSED, Verdict.PASSED, Verdict.WRONG, Verdict.WRONG]
    assert spent < 3 * (TASK_CLOCK + GRACE)


def test_where_all_passes_nothing_is_spent_on_diagnosis(engine, loaded, tmp_path, monkeypatch):
    heard, handle = [], engine._handle
    monkeypatch.setattr(engine, "_handle", lambda event: (heard.append(event), handle(event)))
    exercise = loaded.find("ex01")

    def diagnoses(target):
        heard.clear()
        engine.run(target, [exercise], SEED)
        return [event["event"] for event in heard].count("diagnosing")

    assert diagnoses(Target(exercise.solution)) == 0
    assert diagnoses(Target(exercise.stub)) == 0
    wrong = ("t.numel()", "t.dim()"), ("stack.mean(dim=0)", "stack.sum(dim=0)")
    assert diagnoses(_spoil(exercise, tmp_path / "ex01.py", *wrong)) == 2
