"""`check("slope")`: what the cells of a notebook define, tested where they ran."""

from __future__ import annotations

import gc
import random
import time

import pytest
import torch

from grader.classroom import check as checks
from grader.classroom import course as classes
from grader.course import reference


@pytest.fixture
def cells(loaded):
    """The namespace of a notebook in which exercise 03 is solved."""
    namespace = {"__name__": "__main__", "torch": torch}
    for task in loaded.find("03").tasks:
        _run(reference(loaded.find("03"), task.name), namespace)
    return namespace


@pytest.fixture
def check(cells, loaded, monkeypatch, capsys):
    """`check` of exercise 03 on these cells: the value, and what it showed."""
    monkeypatch.setattr(checks, "load", lambda: loaded)
    own = checks.checks_of("ex03", cells)

    def run(*words, **options):
        capsys.readouterr()
        value = own(*words, **options)
        assert type(value) is float
        return value, capsys.readouterr().out

    return run


def _run(source, namespace):
    import linecache

    name = f"<cell {len(linecache.cache)}>"
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    exec(compile(source, name, "exec"), namespace)


def test_a_right_answer_gets_its_points(check):
    value, shown = check("gradient")
    assert value == 2.0
    assert shown.startswith("gradient  passed  2/2")


def test_validating_is_told_what_fails_and_nothing_else(check, cells, capsys, monkeypatch):
    monkeypatch.setenv("NBGRADER_VALIDATING", "1")
    check("gradient")
    assert not capsys.readouterr().err
    _run("def slope(f, x):\n    return 0.0\n", cells)
    checks.checks_of("ex03", cells)("slope")
    assert "slope  wrong  0/1" in capsys.readouterr().err
    monkeypatch.delenv("NBGRADER_VALIDATING")
    checks.checks_of("ex03", cells)("slope")
    assert not capsys.readouterr().err  # elsewhere nbgrader takes it for a failure of the cell


def test_points_of_the_instructor_scale(check):
    assert check("gradient", points=5)[0] == 5.0


def test_a_wrong_answer_is_shown_with_its_diagnosis(check, cells):
    _run("def slope(f, x):\n    x = torch.tensor(float(x), requires_grad=True)\n"
         "    f(x).backward()\n    return x.grad\n", cells)  # fmt: skip
    value, shown = check("slope", seed=5)
    assert value == 0.0
    for part in ("slope  wrong  0/1", "slope(square, 3.0)", "still wrapped in a tensor",
                 'check("slope", seed=5)', "kata hint ex03 slope"):  # fmt: skip
        assert part in shown
    for ours in ("Traceback", "pytest tests", "_pytest"):
        assert ours not in shown


def test_a_diagnosis_leaves_the_notebook_as_it_was(check, cells):
    _run("def slope(f, x):\n    return torch.tensor(0.0)\n", cells)
    before = dict(cells)
    check("slope")
    assert cells == before
    assert list(cells) == list(before)


def test_stub_missing_and_crash(check, cells):
    _run("def slope(f, x):\n    # YOUR CODE HERE\n    raise NotImplementedError()\n", cells)
    assert "not attempted" in check("slope")[1]
    _run("def slope(f, x):\n    return 1 / 0\n", cells)
    value, shown = check("slope")
    assert value == 0.0
    assert "ZeroDivisionError" in shown
    assert "line 2: return 1 / 0" in shown
    del cells["slope"]
    assert "This notebook has no slope yet" in check("slope")[1]
    cells["slope"] = 3
    assert check("slope")[0] == 0.0


def test_noise_costs_no_points_and_is_not_shown(check, cells):
    noisy = "import sys, warnings; warnings.warn('hm'); print('50%'); sys.stderr.write('bar')"
    source = "def slope(f, x):\n    " + noisy + "\n    x = torch.tensor(float(x), "
    _run(source + "requires_grad=True)\n    f(x).backward()\n    return x.grad.item()\n", cells)
    value, shown = check("slope")
    assert value == 1.0
    assert "50%" not in shown
    assert "hm" not in shown


@pytest.mark.parametrize(
    "body", ["raise SystemExit", "raise KeyboardInterrupt", "import pytest; pytest.skip('x')",
             "import pytest; pytest.exit('x')", "return slope(f, x)", "while True: pass"]
)  # fmt: skip
def test_no_answer_breaks_out_of_the_check(check, cells, body, monkeypatch):
    if "while" in body:
        monkeypatch.setattr(checks, "SECONDS", 0.05)
    _run(f"def slope(f, x):\n    {body}\n", cells)
    value, shown = check("slope")
    assert value == 0.0
    assert "Traceback" not in shown
    assert shown.startswith("slope ")


def test_an_unknown_task_is_a_sentence(check):
    value, shown = check("slop")
    assert value == 0.0
    assert "has no task 'slop'; its tasks are slope, gradient" in shown


def test_a_fault_of_ours_is_a_sentence(check, monkeypatch):
    def fail(*_):
        raise RuntimeError("ours")

    monkeypatch.setattr(checks, "judge", fail)
    value, shown = check("slope")
    assert value == 0.0
    assert "a fault of the course, not of your code" in shown.replace("\n", " ")


def test_a_check_takes_well_under_a_second_and_leaves_the_kernel_alone(check):
    check("slope")
    torch.manual_seed(3)
    random.seed(3)
    torch.set_grad_enabled(False)
    before = torch.get_rng_state(), random.getstate(), torch.get_num_threads()
    try:
        started = time.process_time()
        assert check("gradient")[0] == 2.0
        assert time.process_time() - started < 1.0
        assert torch.equal(torch.get_rng_state(), before[0])
        assert (random.getstate(), torch.get_num_threads()) == before[1:]
        assert not torch.is_grad_enabled()
    finally:
        torch.set_grad_enabled(True)


def test_text_of_the_learner_is_no_html(loaded):
    from grader.report import TaskResult, TestResult, Verdict

    test = TestResult("ex03_backward", "slope", "TestSlope::test_example", Verdict.WRONG)
    test.returned = "<script>alert(1)</script>"
    task = TaskResult("ex03_backward", "slope", 1, [test])
    text, page = checks.shown(task, "", 1, 7)
    assert "<script>" in text
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


@pytest.mark.whole
def test_in_a_real_kernel(loaded, tmp_path):
    import nbformat
    from nbclient import NotebookClient

    book = nbformat.reads(classes.page(loaded.find("03")), 4)
    spoiled = next(c for c in book.cells if c.source.startswith("def slope"))
    spoiled.source = spoiled.source.replace("leaf.grad.item()", "leaf.grad")
    resources = {"metadata": {"path": str(tmp_path)}}
    NotebookClient(book, timeout=120, kernel_name="python3", resources=resources).execute()
    found = {c.source: c.outputs for c in book.cells if c.source.startswith("check(")}
    values = []
    for source, outputs in found.items():
        shown = ["display_data"] * (2 if "chain_rule" in source else 1)
        assert [output.output_type for output in outputs] == [*shown, "execute_result"]
        values.append(float(outputs[-1].data["text/plain"]))
    picture = found['check("chain_rule")'][1].data  # the last task passes: the exercise's picture
    assert picture["image/png"] and picture["text/plain"].startswith("The graph of y")
    assert values == [0.0, 2.0, 2.0, 2.0, 1.0]
    shown = found['check("slope")'][0].data
    assert "still wrapped in a tensor" in shown["text/plain"]
    assert "still wrapped in a tensor" in " ".join(shown["text/html"].split())


def test_a_check_leaves_the_kernels_garbage_to_be_collected(check):
    before = gc.get_freeze_count()
    check("slope")
    assert gc.get_freeze_count() <= before
