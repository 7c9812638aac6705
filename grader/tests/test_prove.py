"""The proof: it fails where a test is weak, and it never proves nothing."""

from __future__ import annotations

import json
import re
import shutil
from collections import Counter

import pytest

from grader import course
from grader.engine import CAN_FORK
from grader.prove import Proof, gaps, prove, unreadable
from grader.report import TaskResult, TestResult, Verdict

STEM = "ex03_backward"
FILES = (
    f"exercises/{STEM}.py",
    f"solutions/{STEM}.py",
    f"solutions/variants/{STEM}.py",
    f"tests/test_{STEM}.py",
    f"tests/mistakes/{STEM}.py",
    "tests/conftest.py",
    "pyproject.toml",
)
NAMED = ("one_sided_slope", "inner_slope_forgotten")  # mistakes that tests below speak of


@pytest.fixture
def copied(tmp_path, loaded):
    """A course of one exercise, to spoil."""
    root = tmp_path / "course"
    for file in FILES:
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(loaded.root / file, root / file)
    return root


@pytest.fixture
def small(copied):
    """The same with two mistakes and a variant of each task, of which a run is soon done."""
    _keep(copied / f"tests/mistakes/{STEM}.py", 2)
    _keep(copied / f"solutions/variants/{STEM}.py", 1)
    return copied


def _keep(path, count):
    """Keep so many entries of each task, and the ones that are asked for by name."""
    head, *entries = re.split(r"^(?=@)", path.read_text("utf-8"), flags=re.MULTILINE)
    kept, number = [head], Counter()
    for entry in entries:
        task = re.search(r'"(\w+)"', entry)[1]
        number[task] += 1
        if number[task] <= count or any(f"def {name}(" in entry for name in NAMED):
            kept.append(entry)
    path.write_text("".join(kept), "utf-8")


def _edit(path, *replacements):
    text = path.read_text("utf-8")
    for pattern, new in replacements:
        text, count = re.subn(pattern, new, text)
        assert count, pattern
    path.write_text(text, "utf-8")


def _end(path, text):
    path.write_text(path.read_text("utf-8") + text, "utf-8")


@pytest.mark.skipif(not CAN_FORK, reason="the warm engine needs fork")
def test_every_broken_promise_is_named(small):
    """One proof of a course that is spoiled in four places."""
    # slope is judged with a tolerance of 10
    _edit(
        small / "tests" / f"test_{STEM}.py",
        (r"(ex\.slope\(square, 3\.0\), 6\.0)\)", r"\1, atol=10)"),
        (r"(3 \* a \* x\*\*2 \+ b), rtol=1e-3, atol=1e-4\)", r"\1, atol=10)"),
        (r"(ex\.slope\(wave, x\), want), rtol=1e-3, atol=1e-4\)", r"\1, atol=10)"),
        (r"(ex\.slope\(square, n\), 2\.0 \* n)\)", r"\1, atol=10)"),
        (r"(ex\.slope\(square, x\), 2 \* x)\)", r"\1, atol=10)"),
    )
    _end(
        small / f"solutions/variants/{STEM}.py",
        '\n\n@variant("chain_rule", "not right")\n'
        "def not_right(df, g, dg, x):\n    return float(df(x))\n",
    )
    _end(
        small / f"tests/mistakes/{STEM}.py",
        '\n\n@mistake("chain_rule", "Right, and not a mistake.")\n'
        "def not_wrong(df, g, dg, x):\n    return float(dg(x) * df(g(x)))\n"
        '\n\n@mistake("chain_rule", "It crashes, unannounced.")\n'
        "def divides(df, g, dg, x):\n    return 1 / 0\n",
    )
    stub = small / f"exercises/{STEM}.py"
    _end(
        stub,
        "\n\ndef chain_rule(df, g, dg, x):\n    return float(df(g(x)) * dg(x))\n"
        "\n\ndef gradient(f, x):\n    return x.no_such_thing\n",
    )
    spoiled = course.load(small)
    proof = prove(spoiled, spoiled.exercises, [5])
    assert not proof.holds
    (row,) = proof.rows
    faults = "\n".join(row.faults)
    assert "mistake slope/one_sided_slope, seed 5: survives all 5 tests" in faults
    assert "mistake chain_rule/not_wrong, seed 5: survives all 3 tests" in faults
    assert re.search(r"mistake chain_rule/divides, seed 5: not caught as wrong: .*crashed", faults)
    assert re.search(r"variant chain_rule/not_right, seed 5: TestChainRule::\S+ is wrong", faults)
    assert re.search(r"the stub, seed 5: TestGradient::\S+ is crashed", faults)
    assert row.caught < row.mistakes
    assert row.accepted == row.variants - 1
    # what is not spoiled is not blamed
    for sound in ("numeric_gradient", "vector_jacobian", "the solution"):
        assert f"{sound}/" not in faults and f"{sound}," not in faults
    assert Proof.holds.fget(proof) is False and proof.to_json()["holds"] is False


@pytest.mark.skipif(not CAN_FORK, reason="the warm engine needs fork")
def test_a_stub_that_passes_is_a_fault(copied):
    shutil.copy(copied / f"solutions/{STEM}.py", copied / f"exercises/{STEM}.py")
    for bank_file in (f"solutions/variants/{STEM}.py", f"tests/mistakes/{STEM}.py"):
        (copied / bank_file).write_text("")
    spoiled = course.load(copied)
    (row,) = prove(spoiled, spoiled.exercises, [5]).rows
    faults = "\n".join(row.faults)
    assert "the stub, seed 5: TestSlope::test_example is passed" in faults
    for task in ("slope", "gradient", "vector_jacobian", "numeric_gradient", "chain_rule"):
        assert f"no mistake of {task} is known" in faults
        assert f"no variant of {task} is known" in faults


def test_a_task_without_mistakes_variants_or_hints_is_a_gap(copied):
    for file in (f"tests/mistakes/{STEM}.py", f"solutions/variants/{STEM}.py"):
        _edit(copied / file, (r'"chain_rule"', '"chain_rules"'))
    solution = copied / f"solutions/{STEM}.py"
    solution.write_text("# Thought:".join(solution.read_text("utf-8").rsplit("# Idea:", 1)))
    (exercise,) = course.load(copied).exercises
    found = "\n".join(gaps(exercise))
    assert "no mistake of chain_rule is known" in found
    assert "no variant of chain_rule is known" in found
    assert "of a task 'chain_rules' without tests" in found
    assert re.search(r"The hints for chain_rule in \S+ are not", found)
    assert "slope is known" not in found


def test_an_exercise_without_tasks_is_a_gap(copied):
    (copied / "tests" / f"test_{STEM}.py").write_text("def test_nothing():\n    pass\n")
    (exercise,) = course.load(copied).exercises
    assert gaps(exercise)[0] == f"test_{STEM}.py has no tasks"


def test_nothing_proves_nothing(tmp_path):
    assert not Proof([1], []).holds
    (tmp_path / "tests").mkdir()
    with pytest.raises(course.CourseError, match="There are no tests"):
        course.load(tmp_path)


def test_a_text_that_a_learner_cannot_use_is_a_fault():
    name = "TestSlope::test_example"
    test = TestResult("ex03_backward", "slope", name, Verdict.WRONG, note="x" * 200)
    test.where = "\n".join(["/site-packages/"] * 25)
    found = "\n".join(unreadable(TaskResult("ex03_backward", "slope", 2, [test])))
    for fault in (
        "its text has 30 lines",
        "a line of 217 characters",
        "site-packages in its text",
        "does not say what was called",
        "does not say what came back",
    ):
        assert fault in found


@pytest.mark.whole
def test_kata_prove_says_so_and_exits_with_0(kata, small, tmp_path):
    record = tmp_path / "proof.json"
    done = kata("prove", "ex03", "--seeds", "1", "--seed", "4", "--json", str(record), cwd=small)
    assert done.returncode == 0, done.stdout + done.stderr
    data = json.loads(record.read_text())
    assert data["holds"] is True
    assert data["seeds"] == [4]
    (row,) = data["rows"]
    assert row["exercise"] == STEM and row["faults"] == []
    assert 0 < row["mistakes"] == row["caught"] == row["named"]
    assert 0 < row["variants"] == row["accepted"]


@pytest.mark.whole
def test_kata_prove_of_a_weakened_course_exits_with_1(kata, small):
    _edit(small / "tests" / f"test_{STEM}.py", (r"want, rtol=1e-6\)", "want, atol=1e6)"))
    _edit(small / "tests" / f"test_{STEM}.py", (r", 192\.0\)", ", 192.0, atol=1e6)"))
    done = kata("prove", "--seeds", "1", cwd=small)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "inner_slope_forgotten" in done.stdout
    assert "survives" in done.stdout
