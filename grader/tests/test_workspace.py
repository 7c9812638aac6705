"""A learner's own folder, from `kata init` on, through every newer version of the course."""

from __future__ import annotations

import functools
import os
import shutil
from pathlib import Path

import pytest
from rich.console import Console

from grader.course import CourseError, load
from grader.learner import keep, workspace
from grader.learner.reset import reset
from grader.tests.conftest import ROOT

SLOPE = """    leaf = torch.tensor(float(x), requires_grad=True)
    f(leaf).backward()
    return leaf.grad.item()
"""
STUB = "    # YOUR CODE HERE\n    raise NotImplementedError()\n"


@pytest.fixture(scope="module")
def made(tmp_path_factory, loaded) -> Path:
    """A workspace as `kata init` makes it; not to be changed."""
    folder = tmp_path_factory.mktemp("made") / "my-kata"
    workspace.init(folder)
    return folder


@pytest.fixture
def mine(made, tmp_path) -> Path:
    """A workspace to work in."""
    return Path(shutil.copytree(made, tmp_path / "my-kata"))


@pytest.fixture
def versions(tmp_path) -> tuple[Path, Path]:
    """A course of three exercises, and its next version: all files changed, the last one gone."""
    old, new = tmp_path / "old", tmp_path / "new"
    for course in (old, new):
        for name in ("ex03_backward", "ex04_autodiff", "ex05_lr_step"):
            for part in ("solutions/{}.py", "tests/test_{}.py", "tests/mistakes/{}.py"):
                target = course / part.format(name)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / part.format(name), target)
        shutil.copy(ROOT / "tests" / "conftest.py", course / "tests")
        shutil.copy(ROOT / "pyproject.toml", course)
    for path in new.rglob("*ex05*"):
        path.unlink()
    for path in (new / "tests").rglob("*.py"):
        path.write_text(path.read_text() + "\n# the next version\n")
    change(new / "pyproject.toml", "timeout = 10", "timeout = 20")
    for path in (new / "solutions").glob("*.py"):
        change(path, "# %%\nimport", "# Better words.\n\n# %%\nimport")
    return old, new


@pytest.fixture
def read_once(monkeypatch):
    """The files of a course, which no test here changes, are read and built but once."""
    read = functools.cache(workspace._course_files)
    monkeypatch.setattr(workspace, "_course_files", lambda source: dict(read(source)))


def change(path: Path, old: str, new: str) -> str:
    text = path.read_text("utf-8")
    assert old in text, f"{path} has no {old!r}"
    path.write_text(text.replace(old, new, 1), "utf-8")
    return path.read_text("utf-8")


def snapshot(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_a_new_workspace_has_what_a_learner_needs_and_no_solutions(made, loaded):
    files = set(snapshot(made))
    for exercise in loaded.exercises:
        stem = exercise.stem
        assert {f"exercises/{stem}.py", f"tests/test_{stem}.py"} <= files
        assert (made / "exercises" / f"{stem}.py").read_bytes() == exercise.stub.read_bytes()
    assert not any("solutions" in name or name.startswith("grader") for name in files)
    assert not any("BEGIN SOLUTION" in path.read_text("utf-8") for path in made.rglob("ex*.py"))


@pytest.mark.whole
def test_the_learners_commands_work_in_it(mine, kata, plain_pytest):
    change(mine / "exercises" / "ex03_backward.py", STUB, SLOPE)
    done = kata("test", "ex03", "--seed", "5", cwd=mine)
    assert done.returncode == 1, done.stderr
    assert "slope                    passed" in done.stdout
    assert "gradient                 not attempted" in done.stdout
    done = plain_pytest("tests/test_ex03_backward.py::TestSlope", cwd=mine)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "5 passed" in done.stdout
    assert kata("test", "ex03", "--target", "solutions", cwd=mine).returncode == 0
    assert "Idea:" in kata("hint", "ex03", "slope", cwd=mine).stdout
    assert "backward()" in kata("solution", "ex03", "slope", "--anyway", cwd=mine).stdout
    said = kata(cwd=mine).stdout
    assert "1/5" in said and "kata upgrade" not in said
    given = mine / ".kata" / "given" / "tests" / "test_ex03_backward.py"
    change(given, "def test_example", "def test_older")
    assert "kata upgrade" in kata(cwd=mine).stdout
    done = kata("build", cwd=mine)
    assert done.returncode == 2
    assert "kata upgrade" in done.stderr
    assert kata("reset", "ex03", cwd=mine).returncode == 0
    assert STUB in (mine / "exercises" / "ex03_backward.py").read_text()
    assert (mine / ".kata" / "progress.json").is_file()


def test_the_solution_stands_beside_what_the_learner_wrote(mine, kata, loaded):
    exercise = loaded.find("ex03")
    text = exercise.solution.read_text("utf-8").replace("leaf", "spot")
    (mine / "exercises" / "ex03_backward.py").write_text(text)
    done = kata("solution", "ex03", "slope", "--anyway", cwd=mine)
    assert "yours" not in done.stdout  # it is not known to pass
    assert kata("test", "ex03", cwd=mine).returncode == 0
    lines = kata("solution", "ex03", "slope", cwd=mine).stdout.splitlines()
    assert lines[0].split() == ["yours", "the", "reference"]
    assert lines[1].split() == 2 * ["def", "slope(f,", "x):"]
    assert {"spot.grad.item()", "leaf.grad.item()"} <= set(" ".join(lines).split())


def test_the_version(kata):
    done = kata("--version")
    assert (done.returncode, done.stdout.split()[0]) == (0, "gradkata")


@pytest.mark.whole
def test_init_and_upgrade_as_commands(kata, mine):
    done = kata("init", str(mine))
    assert done.returncode == 0, done.stderr
    assert "up to date" in done.stdout
    change(mine / "tests" / "test_ex03_backward.py", "def test_example", "def test_mine")
    done = kata("upgrade", cwd=mine)
    assert done.returncode == 0, done.stderr
    assert "updated tests/test_ex03_backward.py" in done.stdout
    assert "as it was: .kata/backup/test_ex03_backward_" in done.stdout


def test_tests_of_another_version_are_said_and_taken_away(kata, mine):
    for name, folder in (("test_ex14_old.py", "tests"), ("test_ex14_old.py", ".kata/given/tests")):
        shutil.copy(mine / "tests" / "test_ex03_backward.py", mine / folder / name)
    done = kata("hint", "ex03", cwd=mine)
    assert done.returncode == 2
    assert "tests/test_ex14_old.py does not belong" in done.stderr
    assert "kata upgrade" in " ".join(done.stderr.split())
    assert "removed tests/test_ex14_old.py" in kata("upgrade", cwd=mine).stdout
    assert kata("hint", "ex03", cwd=mine).returncode == 0


def test_a_folder_with_other_things_in_it_keeps_them(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    workspace.init(tmp_path)
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_what_can_not_be_a_workspace_is_left_alone(tmp_path, kata):
    (tmp_path / "pyproject.toml").write_text("mine")
    done = kata("init", str(tmp_path))
    assert done.returncode == 2
    assert "pyproject.toml is there and not from this course" in " ".join(done.stderr.split())
    assert snapshot(tmp_path) == {"pyproject.toml": b"mine"}
    with pytest.raises(CourseError, match="is a file"):
        workspace.init(tmp_path / "pyproject.toml")
    with pytest.raises(CourseError, match="is a clone of gradkata"):
        workspace.init(ROOT)


def test_an_upgrade_carries_the_work_and_keeps_what_was_there(versions, tmp_path):
    old, new = versions
    folder = tmp_path / "mine"
    workspace.init(folder, old)
    worked = change(folder / "exercises" / "ex03_backward.py", STUB, SLOPE)
    broken = change(folder / "exercises" / "ex04_autodiff.py", STUB, "    return (\n")
    gone = change(folder / "exercises" / "ex05_lr_step.py", STUB, "    return 1\n")
    tests = change(folder / "tests" / "test_ex03_backward.py", "def test_example", "def test_mine")
    brought = workspace.init(folder, new)
    changes = {f"{one.path.parent.name}/{one.path.name}": one for one in brought.changes}

    backward = changes["exercises/ex03_backward.py"]
    assert backward.carried == ("slope",)
    assert backward.kept.read_text() == worked
    now = backward.path.read_text()
    assert "Better words." in now
    assert SLOPE in now

    assert "is no Python" in changes["exercises/ex04_autodiff.py"].left[0]
    assert changes["exercises/ex04_autodiff.py"].kept.read_text() == broken
    assert "Better words." in (folder / "exercises" / "ex04_autodiff.py").read_text()

    assert (folder / "exercises" / "ex05_lr_step.py").read_text() == gone
    assert not (folder / "tests" / "test_ex05_lr_step.py").exists()
    assert changes["tests/test_ex03_backward.py"].kept.read_text() == tests
    assert "next version" in (folder / "tests" / "test_ex03_backward.py").read_text()
    assert "timeout = 20" in (folder / "pyproject.toml").read_text()
    assert workspace.init(folder, new).changes == []


def test_a_workspace_without_its_kata_folder_is_still_one(versions, tmp_path):
    """As in a fresh checkout of a learner's own repository, where .kata/ is ignored."""
    old, new = versions
    folder = tmp_path / "mine"
    workspace.init(folder, old)
    change(folder / "exercises" / "ex03_backward.py", STUB, SLOPE)
    shutil.rmtree(folder / ".kata")
    workspace.init(folder, new)
    now = (folder / "exercises" / "ex03_backward.py").read_text()
    assert SLOPE in now
    assert "Better words." in now


def test_a_notebook_is_not_hidden_by_a_new_stub(versions, tmp_path):
    old, new = versions
    folder = tmp_path / "mine"
    workspace.init(folder, old)
    stub = folder / "exercises" / "ex03_backward.py"
    stub.rename(stub.with_suffix(".ipynb"))
    workspace.init(folder, new)
    assert not stub.exists()


def test_text_that_is_not_utf8_is_kept(versions, tmp_path):
    old, new = versions
    folder = tmp_path / "mine"
    workspace.init(folder, old)
    (folder / "exercises" / "ex03_backward.py").write_bytes(b"# caf\xe9\n")
    shutil.rmtree(folder / ".kata" / "given")
    brought = workspace.init(folder, new)
    kept = [change.kept.read_bytes() for change in brought.changes if change.kept]
    assert b"# caf\xe9\n" in kept


@pytest.mark.parametrize(
    "late", [False, pytest.param(True, marks=pytest.mark.whole)], ids=["before", "after"]
)
def test_an_upgrade_that_is_cut_short_loses_nothing(
    versions, read_once, tmp_path, monkeypatch, late
):
    """Cut before or after every single write; then it is run again, and ends as if uncut."""
    old, new = versions
    start = tmp_path / "start"
    workspace.init(start, old)
    work = start / "exercises"
    change(work / "ex03_backward.py", STUB, SLOPE)
    change(work / "ex04_autodiff.py", STUB, "    return (\n")
    change(work / "ex05_lr_step.py", STUB, "    return 1\n")
    change(start / "tests" / "test_ex03_backward.py", "def test_example", "def test_mine")
    change(start / "tests" / "mistakes" / "ex05_lr_step.py", "import torch", "import torch  # me")
    change(start / "pyproject.toml", "timeout = 10", "timeout = 30")
    (start / "notes.txt").write_text("mine")
    files = snapshot(start)
    theirs = {
        text
        for name, text in files.items()
        if not name.startswith(".kata/") and files.get(f".kata/given/{name}") != text
    }
    assert len(theirs) == 7
    uncut = Path(shutil.copytree(start, tmp_path / "uncut"))
    workspace.upgrade(uncut, new)

    steps = 0
    while True:
        folder = Path(shutil.copytree(start, tmp_path / f"cut{steps}"))
        with monkeypatch.context() as patch:
            cut = Cut(patch, steps, late)
            if not cut.happens(lambda folder=folder: workspace.upgrade(folder, new)):
                break
        assert theirs <= set(snapshot(folder).values()), f"lost in step {steps}"
        workspace.upgrade(folder, new)
        assert theirs <= set(snapshot(folder).values())
        assert visible(folder) == visible(uncut)
        steps += 1
    assert steps > 20


@pytest.mark.parametrize("late", [False, True])
def test_a_reset_that_is_cut_short_loses_nothing(versions, tmp_path, monkeypatch, late):
    start = tmp_path / "start"
    workspace.init(start, versions[0])
    stem = "ex03_backward"
    change(start / "exercises" / f"{stem}.py", STUB, SLOPE)
    mine = (start / "exercises" / f"{stem}.py").read_bytes()
    steps = 0
    while True:
        folder = Path(shutil.copytree(start, tmp_path / f"cut{steps}"))
        exercise = load(folder).find("ex03")
        with monkeypatch.context() as patch:
            cut = Cut(patch, steps, late)
            if not cut.happens(lambda exercise=exercise: reset(Console(quiet=True), exercise)):
                break
        assert mine in snapshot(folder).values(), f"lost in step {steps}"
        steps += 1
    assert mine in snapshot(folder).values() and STUB in exercise.stub.read_text("utf-8")
    assert steps >= 2


def visible(folder: Path) -> dict[str, bytes]:
    return {name: text for name, text in snapshot(folder).items() if "/backup/" not in name}


class Cut:
    """Ends the work before or after the n-th time that a file is replaced, copied or removed."""

    def __init__(self, patch, number: int, late: bool):
        self._left, self._late = number, late
        patch.setattr(keep.os, "replace", self._cutting(os.replace))
        patch.setattr(keep.shutil, "copy2", self._cutting(shutil.copy2, self._half))
        patch.setattr(Path, "unlink", self._cutting(Path.unlink))

    def happens(self, work) -> bool:
        try:
            work()
        except KeyboardInterrupt:
            return True
        return False

    def _cutting(self, do, partly=lambda *words: None):
        def step(*words, **named):
            self._left -= 1
            if self._left == -1 and not self._late:
                partly(*words)
                raise KeyboardInterrupt
            found = do(*words, **named)
            if self._left == -1:
                raise KeyboardInterrupt
            return found

        return step

    @staticmethod
    def _half(source, target) -> None:
        text = Path(source).read_bytes()
        Path(target).write_bytes(text[: len(text) // 2])
