"""Plain pytest, as a learner runs it: verdicts, failure text, replay, exit status."""

from __future__ import annotations

import re
import sys

import pytest

from grader.tests import forked
from grader.tests.conftest import ROOT

EX03 = "tests/test_ex03_backward.py"


def _with(solved, old, new):
    path = solved / "ex03_backward.py"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    return "--target", str(solved)


def _from_nothing(*words):
    return forked.cold([sys.executable, "-m", "pytest", *words], ROOT)


@pytest.mark.parametrize("cold", [False, pytest.param(True, marks=pytest.mark.whole)])
def test_the_solution_passes(plain_pytest, cold):
    done = (_from_nothing if cold else plain_pytest)(EX03, "--target", "solutions")
    assert done.returncode == 0
    assert "8/8 points" in done.stdout


def test_the_stubs_are_a_line_a_task(plain_pytest):
    done = plain_pytest(EX03, "--target", "exercises")
    assert done.returncode == 1
    lines = [line for line in done.stdout.splitlines() if "not attempted  " in line]
    assert len(lines) == 5
    assert "Traceback" not in done.stdout
    assert "NotImplementedError" not in done.stdout


def test_a_wrong_answer_is_shown_with_its_diagnosis(plain_pytest, solved):
    target = _with(solved, "return leaf.grad.item()", "return leaf.grad")
    done = plain_pytest(EX03, *target, "--seed", "5")
    assert done.returncode == 1
    shown = done.stdout[done.stdout.index("  slope ") :]
    order = ["called", "returned", "expected", "looks like", "next", "replay"]
    places = [shown.index(f"      {label}") for label in order]
    assert places == sorted(places)
    assert "slope(square, 3.0)" in shown
    assert "tensor(6.0) · shape () · float32" in shown
    assert "float 6.0" in shown
    assert "still wrapped in a tensor" in shown
    assert "kata hint ex03 slope" in shown
    assert "--seed 5" in shown
    for ours in ("Traceback", "plugin.py", "_pytest", "site-packages", "expect.py"):
        assert ours not in done.stdout


def test_the_replay_command_replays(plain_pytest, solved):
    target = _with(solved, "return float(df(g(x)) * dg(x))", "return float(df(x) * dg(x))")
    done = plain_pytest(EX03, *target)
    replay = re.search(r"replay +pytest (.*)", done.stdout)[1].split()
    again = plain_pytest(*replay)
    assert again.returncode == 1

    def returned(text):
        return re.search(r"returned +(.*)", text[text.index("chain_rule  ") :])[1]

    assert returned(done.stdout) == returned(again.stdout)


def test_a_crash_names_the_line(plain_pytest, solved):
    target = _with(solved, "leaf = torch.tensor(float(x), requires_grad=True)", "leaf = 1 / 0")
    done = plain_pytest(EX03, *target)
    assert "crashed" in done.stdout
    assert "ZeroDivisionError: division by zero" in done.stdout
    shown = " ".join(done.stdout.split())  # however the line is wrapped
    assert re.search(r" at line \d+ of \S*ex03_backward.py: leaf = 1 / 0 ", shown)
    assert "site-packages" not in done.stdout


def test_a_task_that_needs_another_says_so(plain_pytest, solved):
    target = _with(
        solved, "return float(df(g(x)) * dg(x))", "return numeric()\n\n\n"
        "def numeric():\n    raise NotImplementedError",
    )  # fmt: skip
    done = plain_pytest(EX03, *target)
    assert "needs numeric, which is not written yet" in done.stdout


def test_skipping_from_the_learners_file_is_a_crash(plain_pytest, solved):
    target = _with(
        solved, "return float(df(g(x)) * dg(x))", "import pytest; pytest.skip('not today')"
    )
    done = plain_pytest(EX03, *target)
    assert done.returncode == 1
    assert "calls pytest's skipped" in done.stdout


def test_an_endless_loop_ends_with_a_sentence(plain_pytest, solved):
    target = _with(solved, "return float(df(g(x)) * dg(x))", "while True: pass")
    done = plain_pytest(EX03, *target, "-o", "timeout=0.1")
    assert done.returncode == 1
    assert "no answer after 0.1 s" in done.stdout
    assert "Timeout" not in done.stdout + done.stderr
    assert "Stack of" not in done.stdout + done.stderr


def test_a_learners_bare_except_does_not_swallow_the_limit(plain_pytest, solved):
    target = _with(
        solved, "return float(df(g(x)) * dg(x))",
        "while True:\n        try:\n            pass\n        except Exception:\n            pass",
    )  # fmt: skip
    done = plain_pytest(EX03, *target, "-o", "timeout=0.1")
    assert "timed out" in done.stdout


def test_no_task_earns_from_side_conditions_alone(plain_pytest, solved, tmp_path):
    import json

    target = _with(solved, "return leaf.grad\n", "return leaf.grad * 2\n")
    report = tmp_path / "report.json"
    plain_pytest(EX03, *target, "--report", str(report))
    data = json.loads(report.read_text())
    task = next(t for t in data["exercises"][0]["tasks"] if t["task"] == "gradient")
    assert any(test["verdict"] == "passed" for test in task["tests"])
    assert task["earned"] == 0


def test_a_target_that_is_not_there_is_a_sentence(plain_pytest):
    done = plain_pytest(EX03, "--target", "nowhere")
    assert done.returncode == 4
    assert "--target: there is no" in done.stderr
    assert "Traceback" not in done.stderr


def test_what_the_code_prints_is_shown_with_its_failure(plain_pytest, solved):
    target = _with(
        solved,
        "return float(df(g(x)) * dg(x))",
        "[print('line', k) for k in range(9)]; print('w' * 300); return 0.0",
    )
    done = plain_pytest(EX03, *target)
    shown = done.stdout[done.stdout.index("  chain_rule ") :]
    assert "printed    (5 lines more)" in shown
    assert "line 8" in shown
    assert "line 4" not in shown
    assert "w" * 95 not in shown
