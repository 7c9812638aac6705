"""The law: a submission's report is the same, times aside, whoever else is in the class.

In any order, with any neighbours, one worker or two, alone, and resumed after a broken-off run.
"""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path

import pytest

from grader import bank
from grader.classroom import grading, judge
from grader.isolation import Isolation

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the layers are those of Linux")
SEED = 5
STEM = "ex03_backward"
PRINTS = """
import tempfile, random
print(object(), {"b", "a", "c", "d"}, tempfile.mkdtemp(), random.random(), slope)
def gradient(f, x):
    print(object(), f)
    return {"one", "two", "three"}
def vector_jacobian(f, x, v): raise ValueError(f"no use for {object()} and {f}")
"""
SLOW = """
import time
import grader.boundary.worker as worker
begin = worker.Worker.do_begin
worker.Worker.do_begin = lambda self, *args: time.sleep(0.2) or begin(self, *args)
"""
ENDS = {
    "exits": "import os\ndef slope(f, x): os._exit(3)\n",
    "kills": "import os, signal\ndef slope(f, x): os.kill(os.getppid(), signal.SIGKILL)\n",
    "at import": "import os\nos._exit(0)\n",
}
LOOPS = "def slope(f, x):\n    while True:\n        pass\n"


def kinds(loaded, whole: bool) -> dict[str, str]:
    """What students hand in: a source by what it is."""
    exercise = loaded.find(STEM)
    solved = exercise.solution.read_text("utf-8")
    wrong = random.choice(bank.mistakes(exercise))
    found = {
        "right": solved,
        "unfinished": exercise.stub.read_text("utf-8"),
        "wrong": f"{solved}\n\n{wrong.text}",
        "printing": f"{solved}\n{PRINTS}",
        "slow": f"{solved}\n{SLOW}",
        "no Python": "x = 1 +\n",
        **{name: f"{solved}\n{text}" for name, text in ENDS.items()},
    }
    return found | ({"loops": f"{solved}\n{LOOPS}"} if whole else {})


@pytest.fixture(scope="module", autouse=True)
def word(loaded):
    """What is tried here is the same where something of the sandbox stays open."""
    before = judge.words.get(loaded.root)
    yield
    judge.words.pop(loaded.root, None) if before is None else judge.words.update(
        {loaded.root: before}
    )


class Broken(Exception):
    """The command is ended in the middle of a class."""


def handed_in(folder: Path, sources: dict[str, str], order: list[str]) -> list[Path]:
    """A student's folder for each, named in the order in which they are to be graded."""
    for student in order:
        (folder / student).mkdir(parents=True, exist_ok=True)
        (folder / student / f"{STEM}.py").write_text(sources[student], "utf-8")
    return [folder / student for student in order]


def reports(folder: Path, sources, order, workers, broken_after: int = 0) -> dict[str, str]:
    """Grade a class; each student's whole report as text, times aside."""
    judge.tables.clear()
    paths = handed_in(folder / "class", sources, order)
    out = folder / "out"
    asked = grading.Order(paths, out, workers=workers, seed=SEED, isolation=Isolation.OPEN)

    def tick(done, of):
        if broken_after and done >= broken_after:
            raise Broken

    if broken_after:
        with pytest.raises(Broken):
            grading.grade(asked, tick)
    grading.grade(asked)
    found = {}
    for path in (out / STEM).glob("*.json"):
        data = json.loads(path.read_text("utf-8"))
        found[data["student"]] = json.dumps(_timeless(data), indent=1, sort_keys=True)
    return found


def _timeless(data):
    if isinstance(data, dict):
        return {key: _timeless(value) for key, value in data.items() if key != "seconds"}
    return [_timeless(value) for value in data] if isinstance(data, list) else data


def compared(loaded, tmp_path, size: int, whole: bool) -> None:
    known = kinds(loaded, whole)
    chosen = random.sample(sorted(known), size)
    for always in ("printing", "wrong"):
        if always not in chosen:
            chosen[chosen.index(next(k for k in chosen if k not in ("printing", "wrong")))] = always
    sources = {kind: known[kind] for kind in chosen}
    first = reports(tmp_path / "first", sources, chosen, 2)
    assert first.keys() == sources.keys()
    backwards = reports(tmp_path / "backwards", sources, chosen[::-1], 1)
    assert backwards == first
    for student in random.sample(chosen, len(chosen) if whole else 1):
        alone = reports(tmp_path / "alone" / student, sources, [student], 1)
        assert alone[student] == first[student]
    if whole:
        assert reports(tmp_path / "resumed", sources, chosen, 2, broken_after=2) == first


def test_a_report_depends_on_the_answer_alone(loaded, tmp_path):
    compared(loaded, tmp_path, 4, whole=False)


@pytest.mark.whole
@pytest.mark.timeout(900)
def test_a_report_depends_on_the_answer_alone_in_a_larger_class(loaded, tmp_path):
    compared(loaded, tmp_path, 8, whole=True)
