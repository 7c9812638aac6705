"""`kata grade`: what is kept on the disk, whatever happens while a class is graded."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from grader import engine as engines
from grader.classroom import cases, grading, judge, store
from grader.classroom.grading import Order
from grader.classroom.store import Graded, Store, file_name, student_of
from grader.classroom.submitted import Submission
from grader.classroom.terms import Terms
from grader.course import CourseError
from grader.engine import EngineError
from grader.isolation import Isolation
from grader.report import ExerciseResult, TaskResult, TestResult, Verdict
from grader.tests.conftest import REFUSAL, ROOT
from grader.tests.handed_in import SEED, STEM, a_result, on_disk, one, plain

HOSTILE = ["..", ".", "", "/etc/passwd", "a/b", "a\\b", "con", "NUL.txt", "x\0y", "-rf", "~", "%41"]
HOSTILE += [
    "Ada",
    "ada",
    "ada.",
    "é",
    "e\u0301",
    "\udcff",
    "=1+1",
    "\u202egnp",
    "n" * 400,
    "m" * 400,
]


@pytest.fixture
def warm(loaded, engine, monkeypatch):
    """The tests' engine in the place of one for the class."""
    monkeypatch.setitem(judge.engines, loaded.root, engine)


@pytest.fixture
def fake(monkeypatch):
    """Grading without an engine; the names of what was graded, in order."""
    names: list[str] = []

    def grade_each(submissions, course, seed, own=None, width=None, kept=None):
        for handed_in in submissions:
            names.append(handed_in.student)
            yield handed_in, a_result(handed_in)

    monkeypatch.setattr(judge, "grade_each", grade_each)
    monkeypatch.setattr(judge, "isolation", lambda course: "as tried")
    return names


@pytest.fixture
def small(loaded, tmp_path, monkeypatch) -> Order:
    """An order for a class of six, seen from its folder."""
    folder = on_disk([one(loaded, f"s{place}") for place in range(6)], tmp_path / "handed in")
    monkeypatch.chdir(tmp_path)
    return Order([folder], tmp_path / "grades", seed=SEED)


def grade(order: Order, **changed) -> tuple[grading.Class, list[str]]:
    said: list[str] = []
    order = Order(**(vars(order) | changed))
    return grading.grade(order, say=said.append), said


# --- one submission --------------------------------------------------------------------------


def test_scripts_and_notebooks_get_their_points(loaded, warm, tmp_path):
    from grader import build

    exercise = loaded.find("03")
    script = one(loaded, "ada", "\n\ndef slope(f, x):\n    return 0.0\n")
    book = json.dumps(build.notebook(exercise)).encode()
    whole = Submission("bob", STEM, "bob/ex03_backward.ipynb", book)
    other = Submission("cy", STEM, "cy/ex03_backward.ipynb", b'{"cells": [1]')
    empty = Submission("dee", STEM, "dee/a.py", b"", "It is empty.")
    before = sorted(os.listdir(tmp_path))
    handed_in = [script, whole, other, empty]
    found = {done.student: result for done, result in judge.grade_each(handed_in, loaded, SEED)}
    assert found["ada"].earned == exercise.points - 1 and found["ada"].file == script.name
    assert found["bob"].earned == exercise.points
    assert found["cy"].tasks == [] and found["cy"].problem == (
        "The file is not a notebook: it is not valid JSON."
    )
    assert found["dee"].problem == "It is empty."
    assert sorted(os.listdir(tmp_path)) == before


def test_a_broken_cell_of_a_notebook_costs_its_own_task_only(loaded, warm):
    from grader import build

    exercise = loaded.find("03")
    book = build.notebook(exercise)
    for cell in book.cells:
        if "def slope" in cell.source:
            cell.source = "def slope(f, x=1 / 0):\n    pass"
    handed_in = Submission("ada", STEM, "ada/x.ipynb", json.dumps(book).encode())
    result = judge.grade_submission(handed_in, loaded, SEED)
    assert {task.task for task in result.tasks if task.verdict != "passed"} == {"slope"}


def test_a_seed_gives_the_same_result_twice_and_names_no_temporary_folder(loaded, warm):
    handed_in = one(loaded, "ada", "\n\ndef slope(f, x):\n    return [].x\n")
    results = [judge.grade_submission(handed_in, loaded, SEED) for _ in range(2)]
    first, second = (plain([Graded(handed_in, result)]) for result in results)
    assert first == second
    assert "kata-" not in repr(first) and "line" in repr(first)


def test_code_nested_without_end_is_not_graded(loaded, warm):
    book = {"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    deep = "x = 1" + " + 1" * 50_000
    book["cells"] = [
        {"cell_type": "code", "source": f"def slope(f, x):\n    {deep}", "metadata": {}}
    ]
    handed_in = Submission("eve", STEM, "eve/x.ipynb", json.dumps(book).encode())
    result = judge.grade_submission(handed_in, loaded, SEED)
    assert result.earned == 0


def test_what_ends_the_engine_twice_is_set_aside_and_the_rest_goes_on(loaded, monkeypatch):
    handed_in = [one(loaded, name) for name in ("a", "killer", "b")]
    starts = []

    def map_(course, jobs, width):
        starts.append(width)
        for job in jobs:
            if "killer" in Path(job.target.path).read_text():
                raise EngineError("the warm process ended")
            yield job, a_result(handed_in[0])

    handed_in[1] = one(loaded, "killer", "# killer")
    monkeypatch.setattr(judge, "_map", map_)
    found = {done.student: result for done, result in judge.grade_each(handed_in, loaded, SEED)}
    assert [name for name, result in found.items() if not result.tasks] == ["killer"]
    assert found["killer"].problem == judge.SET_ASIDE and len(found) == 3
    assert starts == [None, 1, None]


# --- on the disk -----------------------------------------------------------------------------


def test_names_of_students_are_safe_distinct_and_reversible():
    names = [file_name(student) for student in HOSTILE]
    assert len({name.casefold() for name in names}) == len(HOSTILE)
    for student, name in zip(HOSTILE, names, strict=True):
        assert (
            name
            and name[0] not in ".-"
            and not set(name) & set('/\\\0:*?"<>| ')
            and len(name) < 230
        )
        assert student_of(name) in (student, None)
        assert (student_of(name) is None) == (len(student) > 300)


def test_each_student_has_a_file_whatever_they_are_called(loaded, tmp_path):
    key = Terms(loaded, SEED).key(one(loaded, "ada"))
    with Store(tmp_path / "grades") as kept:
        for student in HOSTILE:
            handed_in = Submission(student, STEM, "x.py", b"x")
            kept.put(Graded(handed_in, a_result(handed_in)), key)
        inside = list((tmp_path / "grades" / STEM).iterdir())
        assert len(inside) == len(HOSTILE)
        for student in HOSTILE:
            found, why = kept.find(Submission(student, STEM, "x.py", b"x"), key)
            assert why == "" and found.result == a_result(found.submission)
    assert {path.name for path in tmp_path.iterdir()} == {"grades"}


def test_a_second_run_does_only_what_is_missing_or_changed(small, fake, tmp_path):
    grade(small)
    assert sorted(fake) == [f"s{place}" for place in range(6)]
    fake.clear()
    found, said = grade(small, seed=None)
    assert (fake, said, found.seed, len(found.graded)) == ([], [], SEED, 6)

    file = tmp_path / "handed in" / "s1" / f"{STEM}.py"
    file.write_text(file.read_text() + "\n# changed")
    (tmp_path / "grades" / STEM / "s2.json").write_text('{"half": ')
    (tmp_path / "grades" / STEM / "s3.json").unlink()
    found, said = grade(small)
    assert sorted(fake) == ["s1", "s2", "s3"] and found.ran == 3
    assert sorted(said) == [
        "1 graded again: their result files were damaged.",
        "1 graded again: they were handed in anew.",
    ]


def test_another_seed_and_a_changed_course_say_so(small, fake, monkeypatch):
    grade(small)
    fake.clear()
    assert grade(small, seed=5)[1] == ["6 graded again: the seed is another."]
    monkeypatch.setattr("grader.classroom.terms.course_hash", lambda *_: "other")
    assert grade(small, seed=5)[1] == ["6 graded again: the exercise has changed."]
    assert len(fake) == 12


def test_the_seed_is_drawn_once_and_damage_to_it_is_said(small, fake, tmp_path):
    first = grade(small, seed=None)[0].seed
    assert grade(small, seed=None)[0].seed == first
    (tmp_path / "grades" / "grading.json").write_text("{")
    with pytest.raises(CourseError, match="--seed"):
        grade(small, seed=None)
    assert grade(small, seed=first)[0].ran == 0


def test_the_files_of_a_class(small, fake, tmp_path):
    found, _ = grade(small, exercises=["ex03"])
    assert all(path.is_file() for path in found.files)
    about = json.loads((tmp_path / "grades" / "grading.json").read_text())
    assert about["seed"] == SEED and set(about) == {"seed", "versions", "course"}
    report = json.loads((tmp_path / "grades" / STEM / "s0.json").read_text())
    assert report["student"] == "s0" and report["isolation"] == "as tried"
    assert json.dumps(found.to_json())
    with pytest.raises(CourseError, match="Nothing is handed in for ex04_autodiff"):
        grade(small, exercises=["4"])


def test_a_full_disk_is_a_sentence_and_loses_nothing(small, fake, monkeypatch, tmp_path):
    grade(small)
    before = {path: path.read_bytes() for path in (tmp_path / "grades").rglob("*.json")}
    replace, room = os.replace, [3]

    def full(source, target):
        room[0] -= 1
        if room[0] < 0:
            raise OSError(errno.ENOSPC, "No space left on device", str(target))
        replace(source, target)

    monkeypatch.setattr(store.os, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        grade(small, seed=9)
    after = {path: path.read_bytes() for path in before}
    assert sum(before[path] != after[path] for path in before) == 3
    assert all(json.loads(text) for text in after.values())
    assert not list((tmp_path / "grades").rglob("*.part"))
    monkeypatch.setattr(store.os, "replace", replace)
    fake.clear()
    assert grade(small, seed=9)[0].ran == len(fake) == 4


@pytest.mark.whole
@pytest.mark.skipif(not hasattr(os, "fork"), reason="kill -9 is for Unix")
def test_kill_9_loses_at_most_what_was_under_way(loaded, small, fake, tmp_path):
    folder, log = small.paths[0], tmp_path / "log"
    program = f"""
import sys, time
from pathlib import Path
from grader.classroom import grading, judge
from grader.isolation import Isolation
from grader.tests.test_grading import a_result
def slow(submissions, course, seed, own=None, width=None, kept=None):
    for one in submissions:
        with open({str(log)!r}, "a") as file:
            file.write(one.student + "\\n")
        time.sleep(0.15)
        yield one, a_result(one)
judge.grade_each = slow
grading.grade(grading.Order([Path({str(folder)!r})], Path({str(small.out)!r}), seed={SEED},
                            isolation=Isolation.OPEN))
"""
    with subprocess.Popen([sys.executable, "-c", program], cwd=ROOT) as process:
        end = time.monotonic() + 60
        while not log.is_file() or len(log.read_text().split()) < 3:
            assert time.monotonic() < end and process.poll() is None
            time.sleep(0.01)
        with pytest.raises(CourseError, match="Another kata grade"):
            grade(small)
        os.kill(process.pid, signal.SIGKILL)
    started = log.read_text().split()
    kept = [path.stem for path in (small.out / STEM).glob("*.json")]
    assert set(started[:-1]) <= set(kept)
    found, _ = grade(small)
    assert sorted([*kept, *fake]) == [f"s{place}" for place in range(6)]
    assert len(found.graded) == 6


NOTICE = "not isolated: files, network, processes and sockets stay open"


@pytest.fixture
def bare(warm, monkeypatch):
    """What grades keeps nothing apart, and says so."""
    monkeypatch.setattr(engines.Engine, "refusal", REFUSAL)


def test_nothing_is_graded_where_anything_is_open(small, bare, monkeypatch, capsys):
    from grader import cli

    words = ["kata", "grade", *map(str, small.paths), "--out", str(small.out)]
    monkeypatch.setattr(sys, "argv", words)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    said = capsys.readouterr().err
    assert ended.value.code == 2 and said.startswith(f"Refused: {NOTICE}; none (")
    assert "pip install 'gradkata[sandbox]'" in said and "--isolation open" in said
    assert not list(small.out.glob("ex*/*.json"))


def test_the_word_open_is_said_wherever_a_grade_is_read(small, fake, bare, monkeypatch):
    from grader.classroom import command

    monkeypatch.setattr(judge, "isolation", lambda course: judge._warm(course).isolation)
    with pytest.raises(EngineError, match=NOTICE):
        grade(small)
    found, said = grade(small, isolation=Isolation.OPEN)
    assert said[0] == f"{NOTICE}." and found.notices == [NOTICE]
    report = (small.out / STEM / "s0.json").read_text().splitlines()
    assert NOTICE in report[2]
    page = (small.out / "class.html").read_text().partition("</h1>")[2]
    assert page.strip().startswith(f'<p class="wrong"><strong>{NOTICE}<')
    again, heard = grade(small, isolation=Isolation.OPEN)
    monkeypatch.setattr(command, "say", heard.append)
    command._sum_up(again, small.out)
    assert again.ran == 0 and heard[0] == f"{NOTICE}."
    monkeypatch.setattr(judge, "isolation", lambda course: "bubblewrap + Landlock")
    found, said = grade(small)
    assert (found.ran, said) == (6, ["6 graded again: they were graded without isolation."])
    assert not found.notices


def test_a_word_holds_when_the_engine_has_to_start_again(loaded, bare, monkeypatch):
    """Where a sandbox was and is no more, the class is not graded on without one."""
    monkeypatch.setitem(judge.words, loaded.root, Isolation.CLOSED)

    def fail(*_, **__):
        raise EngineError("the sandbox did not start: no memory")

    monkeypatch.setattr(judge.engine, "apart", fail)
    monkeypatch.delitem(judge.engines, loaded.root)
    with pytest.raises(EngineError, match=f"{NOTICE}; none .the sandbox did not start"):
        judge.grade_submission(one(loaded, "ada"), loaded, 1)
    assert loaded.root not in judge.engines


# --- the training check ----------------------------------------------------------------------


def test_the_training_is_kept_beside_the_grade(loaded, fake, tmp_path, monkeypatch):
    from grader.classroom import training

    handed_in = [one(loaded, name, "", ex) for name in ("ada", "bob") for ex in ("11", "12")][:3]
    handed_in.append(one(loaded, "bob", "", "12"))
    handed_in.pop(2)
    orders = []

    def train(order):
        orders.append(order)
        found = {"passed": order["loaders"] is not None, "accuracy": 0.99, "isolation": "none"}
        return training.without("") | found

    monkeypatch.setattr(training, "train", train)
    order = Order([on_disk(handed_in, tmp_path / "in")], tmp_path / "grades", seed=1, train=True)
    order = replace(order, isolation=Isolation.OPEN)
    found = grading.grade(order)
    passed = {g.submission.student: g.training["passed"] for g in found.graded if g.training}
    assert passed == {"ada": True, "bob": False} and len(orders) == 2
    grading.grade(order)
    assert len(orders) == 2
    grading.grade(replace(order, isolation=Isolation.CLOSED))
    assert [one["apart"] for one in orders] == [False, False, True, True]


@pytest.mark.whole
def test_the_training_in_a_sandbox(loaded):
    from grader.classroom import training

    loaders, model = (one(loaded, "ada", "", ex).content for ex in ("11", "12"))
    order = {"loaders": loaders, "model": model, "seed": 1, "data": "sample"}
    record = training.train(order | {"gpu": False, "apart": False})
    assert record["passed"] and record["accuracy"] >= 0.975, record["sentence"]
    assert record["control"] < 0.5 and record["isolation"]


def test_a_training_without_loaders_is_a_sentence():
    from grader.classroom import training

    record = training.train({"loaders": None, "model": b"", "seed": 1, "data": "sample"})
    assert not record["passed"] and "ex11_dataloaders was not handed in" in record["sentence"]


# --- the gradebook ---------------------------------------------------------------------------


def test_scores_reach_the_gradebook_and_none_is_stale(loaded, fake, gradebooks, tmp_path):
    pytest.importorskip("nbgrader")
    from nbgrader.api import Gradebook

    from grader.classroom import course as classes
    from grader.classroom import gradebook

    exercise = loaded.find("03")
    with pytest.raises(CourseError, match="no nbgrader course"):
        gradebook.check(tmp_path)
    classes.write(loaded, tmp_path, ["03"])
    with pytest.raises(CourseError, match="generate_assignment"):
        gradebook.check(tmp_path)
    with Gradebook(f"sqlite:///{tmp_path}/gradebook.db") as book:
        book.add_assignment(STEM)
        book.add_notebook(STEM, STEM)
        for task in exercise.tasks:
            cell = {"max_score": 2.0 * task.points, "cell_type": "code"}
            book.add_grade_cell(f"{STEM}-{task.name}-check", STEM, STEM, **cell)
        words = {"max_score": 1.0, "cell_type": "markdown"}
        book.add_grade_cell(f"{STEM}-words", STEM, STEM, **words)

    def scores():
        with Gradebook(f"sqlite:///{tmp_path}/gradebook.db") as book:
            return {
                done.student.id: (done.score, done.needs_manual_grade)
                for done in book.assignment_submissions(STEM)
            }

    def graded(student, result):
        handed_in = one(loaded, student)
        return Graded(handed_in, result(handed_in))

    full = [TaskResult(STEM, t.name, t.points, a_test(t.name)) for t in exercise.tasks]
    right = graded("new", lambda h: ExerciseResult(STEM, h.name, full))
    assert "1 submissions" in gradebook.write(tmp_path, loaded, [right])
    assert scores() == {"new": (2.0 * exercise.points, False)}
    broken = graded("new", lambda h: cases.unjudged(h, "It is empty."))
    gradebook.write(tmp_path, loaded, [broken])
    assert scores() == {"new": (0.0, True)}
    other = Graded(one(loaded, "x", "", "04"), broken.result)
    with pytest.raises(CourseError, match="ex04_autodiff: run nbgrader generate_assignment"):
        gradebook.write(tmp_path, loaded, [right, other])
    assert scores() == {"new": (0.0, True)}


def a_test(task: str) -> list[TestResult]:
    names = ("test_example", "test_drawn_one")
    return [TestResult(STEM, task, f"T::{name}", Verdict.PASSED) for name in names]
