"""`kata` as a person runs it."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest

from grader.tests import forked
from grader.tests.conftest import ROOT


@pytest.fixture
def workspace(tmp_path):
    """A copy of the course to work in."""
    for folder in ("exercises", "solutions", "tests"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_test_gives_a_report_and_an_exit_status(kata, tmp_path):
    path = tmp_path / "report.json"
    done = kata("test", "ex03", "--target", "solutions", "--seed", "4", "--json", str(path))
    assert done.returncode == 0, done.stderr
    assert "1 of 1 exercises pass, seed 4" in done.stdout
    data = json.loads(path.read_text())
    assert data["passed"] is True
    assert data["seed"] == 4
    assert set(data["versions"]) == {"python", "gradkata", "torch", "torchvision", "pytest"}
    tests = data["exercises"][0]["tasks"][0]["tests"]
    assert {test["verdict"] for test in tests} == {"passed"}


def test_both_ways_to_start_it():
    script = Path(sys.executable).parent / "kata"
    for command in ([str(script)], [sys.executable, "-m", "grader"]):
        done = forked.cold([*command, "hint", "ex03", "slope"], ROOT)
        assert done.returncode == 0, done.stderr
        assert "Idea:" in done.stdout


def test_a_stub_exits_with_one(kata):
    assert kata("test", "3").returncode == 1


def test_what_can_not_be_done_is_a_sentence_and_two(kata, tmp_path):
    for words in (["test", "ex99"], ["test", "ex03", "--target", "nowhere"], ["hint", "3", "no"],
                  ["bench", "nothing"], ["hint", "3", "--level", "9"]):  # fmt: skip
        done = kata(*words)
        assert done.returncode == 2, words
        assert done.stderr.strip()
        assert "Traceback" not in done.stderr


def test_status_knows_what_passes_and_what_is_next(kata, workspace):
    for test_file in sorted((workspace / "tests").glob("test_*.py"))[5:]:
        test_file.unlink()  # five exercises are as good as thirteen
    for name in ("ex01_tensors", "ex02_requires_grad"):
        shutil.copy(workspace / "solutions" / f"{name}.py", workspace / "exercises")
    done = kata(cwd=workspace)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert sum("✓" in line for line in lines) == 2
    assert next(line for line in lines if "▸" in line).split()[1] == "ex03"
    assert "next   exercises/ex03_backward.py" in done.stdout
    kept = (workspace / ".kata" / "progress.json").read_text()
    assert len(kept.splitlines()) == 7  # a line for each exercise, which a person can read
    assert kata(cwd=workspace).stdout == done.stdout


def test_hints_come_a_level_at_a_time(kata):
    first = kata("hint", "ex03", "slope").stdout
    last = kata("hint", "ex03", "slope", "--level", "3").stdout
    assert "Idea:" in first
    assert "Tool:" not in first
    assert "--level 2" in first
    assert all(f"{label}:" in last for label in ("Idea", "Tool", "Nearly there"))


def test_reset_keeps_what_was_there(kata, workspace):
    stub = workspace / "exercises" / "ex05_lr_step.py"
    fresh = stub.read_text()
    stub.write_text("mine = 1\n")
    done = kata("reset", "ex05", cwd=workspace)
    assert stub.read_text() == fresh
    (kept,) = (workspace / ".kata" / "backup").iterdir()
    assert kept.read_text() == "mine = 1\n"
    assert f"cp .kata/backup/{kept.name} exercises/ex05_lr_step.py" in done.stdout.replace(
        "\n", " "
    )


def test_the_solution_comes_after_passing_or_anyway(kata, workspace):
    refused = kata("solution", "ex03", cwd=workspace)
    assert refused.returncode == 1
    assert "def slope" not in refused.stdout
    anyway = kata("solution", "ex03", "slope", "--anyway", cwd=workspace).stdout
    assert "def slope" in anyway
    assert "SOLUTION" not in anyway
    assert "Idea" not in anyway
    shutil.copy(workspace / "solutions" / "ex03_backward.py", workspace / "exercises")
    kata("test", "ex03", cwd=workspace)
    assert "def slope" in kata("solution", "ex03", cwd=workspace).stdout


def test_build_check(kata, workspace):
    stub = workspace / "exercises" / "ex05_lr_step.py"
    stub.write_text("mine = 1\n")
    done = kata("build", "--check", cwd=workspace)
    assert done.returncode == 1
    assert [line for line in done.stdout.splitlines() if "out of date" in line] == [
        "out of date exercises/ex05_lr_step.py"
    ]
