"""A class's diagnoses come from a table: as at home, found out once, and without the answers."""

from __future__ import annotations

import json
import random
import sys
from dataclasses import replace

import pytest
import spelling

from grader import bank
from grader import engine as engines
from grader.classroom import judge
from grader.classroom.mistakes import FOLDER, MistakeTable, names_used
from grader.classroom.submitted import Submission
from grader.engine import Job
from grader.isolation import Isolation
from grader.report import Verdict
from grader.target import Target
from grader.tests.conftest import whole_for

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the layers are those of Linux")
SEED = 20
# Known mistakes of ex09, and what they stand in the place of.
FALLING = "1 + torch.exp(-x)", "1 + torch.exp(x)"
TWICE = "sigmoid(predictions)", "sigmoid(sigmoid(predictions))"
SWAPPED = "targets == 1, 1 - predictions", "targets != 1, 1 - predictions"
ALONE = "sigmoid(predictions)", "predictions.sigmoid()"


@pytest.fixture(scope="module", autouse=True)
def word(loaded):
    """What is tried here is the same where something of the sandbox stays open."""
    before = judge.words.get(loaded.root)
    judge.words[loaded.root] = Isolation.OPEN
    yield
    judge.words.pop(loaded.root) if before is None else judge.words.update({loaded.root: before})


@pytest.fixture
def asked(loaded, monkeypatch):
    """The jobs that were handed to the engine, in the order of their beginning."""
    jobs: list[Job] = []
    real = engines.Engine._submit

    def submit(self, batch, tests):
        jobs.extend(progress.job for progress in batch)
        return real(self, batch, tests)

    monkeypatch.setattr(engines.Engine, "_submit", submit)
    return jobs


def spoiled(exercise, *replacements: tuple[str, str]) -> bytes:
    """The solution, with other words in some places."""
    text = exercise.solution.read_text("utf-8")
    for old, new in replacements:
        assert old in text
        text = text.replace(old, new, 1)
    return text.encode()


def graded(loaded, exercise, sources: list[bytes], **options) -> list:
    """What became of some sources, in their order."""
    name = f"{exercise.stem}.py"
    handed_in = [Submission(f"s{k:03}", exercise.stem, name, one) for k, one in enumerate(sources)]
    results = dict(
        (one.student, result)
        for one, result in judge.grade_each(handed_in, loaded, SEED, **options)
    )
    return [results[one.student] for one in handed_in]


def diagnoses(result) -> dict:
    return {task.task: task.diagnosis for task in result.tasks if task.diagnosis}


def test_mistakes_run_once_for_a_class_and_are_kept(loaded, asked, tmp_path):
    exercise = loaded.find("ex03")
    mistake = bank.mistakes(exercise)[0]
    source = f"{exercise.solution.read_text('utf-8')}\n\n{mistake.text}".encode()
    first, second = graded(loaded, exercise, [source] * 2, kept=tmp_path)
    assert diagnoses(first)[mistake.task].mistake == mistake.name
    assert diagnoses(first) == diagnoses(second)
    trusted = [job for job in asked if job.trusted]
    assert {job.target.path for job in trusted} == {exercise.solution}
    assert len(trusted) == len(bank.mistakes(exercise, mistake.task))
    assert not any(job.diagnose or job.target.swap for job in asked if not job.trusted)
    # A process that comes later finds them on the disk; one with another seed does not.
    judge.tables.clear()
    asked.clear()
    [again] = graded(loaded, exercise, [source], kept=tmp_path)
    assert diagnoses(again) == diagnoses(first)
    assert not any(job.trusted for job in asked)
    file = tmp_path / FOLDER / f"{exercise.stem}.json"
    data = json.loads(file.read_text("utf-8"))
    for spoil in ('{"key":', "[]", json.dumps(data | {"key": {}}), json.dumps(data | {"rows": 3})):
        file.write_text(spoil, "utf-8")
        assert dict(MistakeTable(loaded, SEED, tmp_path)._read(exercise)) == {}


def test_where_all_passes_no_mistake_is_run(loaded, asked):
    exercise = loaded.find("ex03")
    results = graded(loaded, exercise, [spoiled(exercise), exercise.stub.read_bytes(), b"x = 1 +"])
    assert results[0].earned == results[0].points
    assert not any(job.trusted for job in asked)
    assert [diagnoses(result) for result in results] == [{}] * 3


@pytest.mark.whole
def test_a_task_that_fails_through_another_is_told_which(loaded):
    exercise = loaded.find("ex09")
    answers = [(FALLING,), (FALLING, TWICE), (FALLING, ALONE, SWAPPED)]
    found = graded(loaded, exercise, [spoiled(exercise, *words) for words in answers])
    one, two, three = map(diagnoses, found)
    assert one.pop("sigmoid").mistake == "falling"
    assert {task: (d.mistake, d.through) for task, d in one.items()} == {
        task: ("", ["sigmoid"]) for task in ("mnist_loss", "train_epoch", "fit")
    }
    # (A wrong answer over a wrong one is named where a known mistake builds on the other too.)
    assert two["sigmoid"].mistake == "falling"
    assert "mnist_loss" not in two
    assert three["mnist_loss"].mistake == "where_swapped"
    assert three["train_epoch"].through == ["mnist_loss"]


def test_what_a_source_uses_is_found_by_words():
    source = "import a\ndef low(): pass\nclass Mid:\n  def f(self): return low()\n\n"
    source += "def top(x):\n    'alone'\n    return Mid().f() + x.alone  # alone\n"
    source += "def alone(): pass\n" + "(" * 100_000
    assert names_used(source, "top") == {"Mid", "low"}
    assert names_used(source, "low") == names_used(source, "nowhere") == set()


def test_layers_keep_their_references_apart(loaded):
    """Of two mistakes that both build on a reference, each has its own."""
    source = "def Reference():\n    return {}\n"
    exercise = loaded.find("ex09")
    low, high = (
        replace(entry, task=name, reference=source.replace("Reference", name).format(value))
        for entry, name, value in zip(bank.mistakes(exercise)[:2], "ab", (1, 2), strict=True)
    )
    namespace: dict = {}
    for entry, name in ((low, "a"), (high, "b")):
        body = bank.ast.parse(f"def {name}():\n    return Reference() * 10")
        exec(compile(bank._apart(replace(entry, body=body)), "here", "exec"), namespace)
    assert (namespace["a"](), namespace["b"]()) == (10, 20)


# The law: what is handed in with a known mistake is told it, as it is at home.

SAMPLED = 12


@pytest.mark.whole
@pytest.mark.timeout(900)
@pytest.mark.parametrize("drawn", [SAMPLED])
def test_each_mistake_handed_in_is_named_as_at_home(loaded, engine, tmp_path, drawn):
    known = [(one, entry) for one in loaded.exercises for entry in bank.mistakes(one)]
    for exercise, entry in random.sample(known, drawn):
        source = f"{exercise.solution.read_text('utf-8')}\n\n{entry.text}"
        file = tmp_path / entry.task / entry.name / f"{exercise.stem}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(source, "utf-8")
        [home] = engine.run(Target(file), [exercise], SEED).exercises
        [here] = graded(loaded, exercise, [source.encode()])
        assert diagnoses(here) == diagnoses(home), (exercise.stem, entry.task, entry.name)


@pytest.mark.parametrize("kind", whole_for(["right", "unlike", "spelled"], ["spelled", "unlike"]))
def test_answers_in_other_words_are_told_the_same_and_nothing_false(loaded, tmp_path, kind):
    answers = random.sample(spelling.read(loaded, kind), 2 if kind == "right" else SAMPLED)
    for answer in answers:
        source = answer.write(tmp_path).read_bytes()
        [result] = graded(loaded, answer.exercise, [source])
        [task] = [task for task in result.tasks if task.task == answer.task]
        if kind == "right":
            assert task.verdict is Verdict.PASSED, str(answer)
        expected = answer.mistake if kind == "spelled" else None
        assert (task.diagnosis and task.diagnosis.mistake) == expected, str(answer)
