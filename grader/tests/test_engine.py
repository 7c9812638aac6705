"""The engine: a verdict for every way in which a file can be spoiled, and no harm to the others."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from grader.engine import Engine, EngineError, Job
from grader.preload import preload_for
from grader.report import Report, Verdict
from grader.target import Target

HEAD = "import torch\n\n\ndef step(params, lr):\n"


def _only(report, verdict):
    """Every test of the report's first exercise has the verdict; the first test's result."""
    tests = [test for task in report.exercises[0].tasks for test in task.tests]
    assert tests
    assert {test.verdict for test in tests} == {verdict}
    return tests[0]


def test_solutions_pass_and_earn_all_points(judge, loaded):
    report = judge(loaded.root / "solutions", "ex03", "ex05")
    assert report.passed
    assert [found.earned for found in report.exercises] == [
        found.points for found in report.exercises
    ]


def test_stubs_are_not_attempted_and_earn_nothing(judge, loaded):
    report = judge(loaded.root / "exercises")
    for found in report.exercises:
        assert found.earned == 0
        tests = [test for task in found.tasks for test in task.tests]
        assert tests, found.exercise
        assert {test.verdict for test in tests} == {Verdict.NOT_ATTEMPTED}, found.exercise


def test_a_report_survives_json(judge, loaded):
    report = judge(loaded.root / "exercises", "ex03")
    again = Report.from_json(json.loads(json.dumps(report.to_json())))
    assert again == report


def test_a_deleted_file(judge, solved):
    (solved / "ex05_lr_step.py").unlink()
    report = judge(solved, "ex05", "ex06")
    _only(report, Verdict.NOT_ATTEMPTED)
    assert "ex05_lr_step.py is not there" in report.exercises[0].problem
    assert "kata reset ex05" in report.exercises[0].problem
    assert report.exercises[1].passed


def test_an_empty_file(judge, solved):
    (solved / "ex05_lr_step.py").write_text("")
    report = judge(solved, "ex05", "ex06")
    _only(report, Verdict.NOT_ATTEMPTED)
    assert "is empty" in report.exercises[0].problem
    assert report.exercises[1].passed


def test_a_syntax_error_gives_the_line_and_the_caret(judge, solved):
    (solved / "ex05_lr_step.py").write_text(HEAD + "    return params +* lr\n")
    report = judge(solved, "ex05", "ex06")
    _only(report, Verdict.CRASHED)
    problem = report.exercises[0].problem
    assert "line 5" in problem
    assert "return params +* lr" in problem
    assert "^" in problem
    assert report.exercises[1].passed


def test_text_that_is_not_utf8(judge, solved):
    (solved / "ex05_lr_step.py").write_bytes(b"# caf\xe9\n")
    report = judge(solved, "ex05")
    _only(report, Verdict.CRASHED)
    assert "UTF-8" in report.exercises[0].problem


def test_an_exit_at_import(judge, solved):
    (solved / "ex05_lr_step.py").write_text("exit()\n")
    report = judge(solved, "ex05", "ex06")
    _only(report, Verdict.CRASHED)
    assert "calls exit" in report.exercises[0].problem
    assert report.exercises[1].passed


def test_an_exit_in_a_function(judge, solved):
    path = solved / "ex05_lr_step.py"
    path.write_text(path.read_text() + "\n\ndef step(params, lr):\n    exit()\n")
    report = judge(solved, "ex05")
    task = report.exercises[0].tasks[0]
    assert task.verdict is Verdict.CRASHED
    assert "exit" in task.tests[0].note
    assert report.exercises[0].tasks[-1].verdict is Verdict.PASSED


def test_the_process_ends_itself(judge, solved):
    path = solved / "ex05_lr_step.py"
    path.write_text(
        path.read_text() + "\n\ndef largest_stable_lr(c):\n    import os; os._exit(0)\n"
    )
    report = judge(solved, "ex05")
    by_name = {task.task: task for task in report.exercises[0].tasks}
    crashed = by_name["largest_stable_lr"]
    assert crashed.verdict is Verdict.CRASHED
    assert "ended the process" in crashed.tests[0].note
    assert by_name["step"].verdict is Verdict.PASSED


def test_a_segmentation_fault(judge, solved):
    path = solved / "ex05_lr_step.py"
    fault = "\n\ndef largest_stable_lr(c):\n    import ctypes; return ctypes.string_at(0)\n"
    path.write_text(path.read_text() + fault)
    report = judge(solved, "ex05")
    crashed = next(t for t in report.exercises[0].tasks if t.task == "largest_stable_lr")
    assert crashed.verdict is Verdict.CRASHED
    assert "SIGSEGV" in crashed.tests[0].note


def test_an_endless_loop_at_import(judge, solved):
    (solved / "ex05_lr_step.py").write_text("while True:\n    pass\n")
    report = judge(solved, "ex05", "ex06", seconds_per_test=0.3)
    first = _only(report, Verdict.TIMED_OUT)
    assert "no answer after 0.3 s" in first.note
    assert report.exercises[1].passed


def test_an_endless_loop_in_a_function(judge, solved):
    path = solved / "ex05_lr_step.py"
    path.write_text(path.read_text() + "\n\ndef largest_stable_lr(c):\n    while True: pass\n")
    report = judge(solved, "ex05", seconds_per_test=0.2)
    by_name = {task.task: task for task in report.exercises[0].tasks}
    assert by_name["largest_stable_lr"].verdict is Verdict.TIMED_OUT
    assert "loop that never ends" in by_name["largest_stable_lr"].tests[0].note
    assert by_name["step"].verdict is Verdict.PASSED


def test_a_loop_that_no_signal_ends(judge, solved):
    path = solved / "ex05_lr_step.py"
    path.write_text(
        path.read_text()
        + "\n\ndef largest_stable_lr(c):\n    import signal, time\n"
        + "    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])\n"
        + "    while True: time.sleep(0.01)\n"
    )
    report = judge(solved, "ex05", seconds_per_test=0.3)
    by_name = {task.task: task for task in report.exercises[0].tasks}
    assert by_name["largest_stable_lr"].verdict is Verdict.TIMED_OUT
    assert by_name["step"].verdict is Verdict.PASSED


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="memory limits need Linux")
def test_ten_gigabytes(judge, solved):
    (solved / "ex05_lr_step.py").write_text("import torch\n\nx = torch.zeros(2_500_000_000)\n")
    report = judge(solved, "ex05", "ex06")
    _only(report, Verdict.CRASHED)
    assert "out of memory" in report.exercises[0].problem
    assert "10.0 GB" in report.exercises[0].problem
    assert report.exercises[1].passed


def test_a_renamed_function(judge, solved):
    path = solved / "ex05_lr_step.py"
    path.write_text(path.read_text().replace("def descend(", "def descent("))
    report = judge(solved, "ex05")
    task = next(task for task in report.exercises[0].tasks if task.task == "descend")
    assert task.verdict is Verdict.NOT_ATTEMPTED
    assert "has no descend" in task.tests[0].note
    assert "step, descent, " in task.tests[0].note
    assert "Is descent meant to be descend?" in task.tests[0].note


def test_fifty_megabytes_of_output(judge, solved):
    path = solved / "ex05_lr_step.py"
    path.write_text(path.read_text() + "\n\nprint('x' * 50_000_000)\n")
    assert judge(solved, "ex05").passed


def test_a_notebook_is_a_target(judge, loaded, tmp_path):
    import jupytext

    exercise = loaded.find("ex03")
    path = tmp_path / "ex03_backward.ipynb"
    jupytext.write(jupytext.read(exercise.solution, fmt="py:percent"), path)
    assert judge(path, "ex03").passed


def test_a_broken_notebook_is_a_sentence(judge, tmp_path):
    path = tmp_path / "ex03_backward.ipynb"
    path.write_text("{")
    report = judge(path, "ex03")
    _only(report, Verdict.CRASHED)
    assert "is not a notebook" in report.exercises[0].problem


def test_the_same_seed_gives_the_same_report(judge, loaded, solved):
    path = solved / "ex03_backward.py"
    path.write_text(path.read_text() + "\n\ndef slope(f, x):\n    return 0.5\n")
    one, other, third = (judge(solved, "ex03", seed=seed) for seed in (5, 5, 6))

    def shown(report):
        return [(t.called, t.returned, t.expected) for t in report.exercises[0].tasks[0].tests]

    assert shown(one) == shown(other)
    assert shown(one) != shown(third)


def test_the_parent_can_be_killed_and_is_started_again(loaded):
    exercise = loaded.find("ex05")
    target = Target(loaded.root / "solutions")
    with Engine(loaded.root, preload_for([exercise])) as own:
        assert own.run(target, [exercise], 1).passed
        os.kill(own.pid, signal.SIGKILL)
        time.sleep(0.2)
        try:
            passed = own.run(target, [exercise], 1).passed
        except EngineError:
            passed = own.run(target, [exercise], 1).passed
        assert passed


LINGERING = "import os, sys, time; sys.stdin.readline(); os.close(1); time.sleep(60)"


@pytest.mark.parametrize("code", [LINGERING, LINGERING.replace("readline", "close")])
def test_a_parent_is_past_its_end_once_its_pipes_are_closed(loaded, monkeypatch, code):
    """A process that is killed closes its files first; until it ends it still looks alive."""
    words = [sys.executable, "-c", code]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    monkeypatch.setattr("grader.engine.spawn", lambda *_: subprocess.Popen(words, **pipes))
    with Engine(loaded.root) as own:
        with pytest.raises(EngineError, match="the warm process ended"):
            own.run(Target(loaded.root / "solutions"), [loaded.find("ex05")], 1)
        assert own.died


def test_jobs_can_be_cancelled(engine, loaded, solved):
    path = solved / "ex05_lr_step.py"
    path.write_text("while True: pass\n")
    jobs = [Job(Target(solved), loaded.find("ex05"), 1)]
    threading.Timer(0.7, engine.cancel).start()
    assert list(engine.map(jobs)) == []
