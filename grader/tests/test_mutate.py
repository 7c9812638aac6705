"""Mechanical mutants: what is changed, what is counted, and what the command says."""

from __future__ import annotations

import json
import shutil

import pytest

from grader import bank, mutants, mutate
from grader.course import Course, CourseError
from grader.engine import Job
from grader.mutants import Mutant
from grader.mutate import Equivalent
from grader.report import Verdict
from grader.target import Target

SOURCE = '''
import torch

def descend(params, lr, steps):
    """Not touched: 1 + 1."""
    kept = lr + 1
    ### BEGIN SOLUTION
    with torch.no_grad():
        for p in params[:steps]:
            if p.grad is not None and lr > 0.5:
                p -= torch.mul(lr, p.grad.detach(), out=None)
    if not params:
        raise ValueError(f"no {params!r}, not even 1")
    return "done"
    ### END SOLUTION
'''


def _mutations(body: str) -> list[str]:
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    source = f"def f(a, b):\n    ### BEGIN SOLUTION\n{lines}    ### END SOLUTION\n"
    return [one.mutation for one in mutants.mutants_of(source)]


def test_every_kind_of_change_in_a_small_body():
    found = {one.mutation for one in mutants.mutants_of(SOURCE)}
    condition, step = (
        "if p.grad is not None and lr > 0.5:",
        "torch.mul(lr, p.grad.detach(), out=None)",
    )
    assert found == {
        "with torch.no_grad(): → (nothing)",
        f"p -= {step} → p -= {step}; break",
        "for p in params[:steps]: → for p in params[:]:",
        f"{condition} → if p.grad is not None or lr > 0.5:",
        f"{condition} → if lr > 0.5:",
        f"{condition} → if p.grad is not None:",
        f"{condition} → if not (p.grad is not None and lr > 0.5):",
        f"{condition} → if p.grad is None and lr > 0.5:",
        f"{condition} → if p.grad is not None and lr >= 0.5:",
        f"{condition} → if p.grad is not None and lr <= 0.5:",
        f"{condition} → if p.grad is not None and lr > 1.0:",
        f"{condition} → if p.grad is not None and lr > -0.5:",
        f"p -= {step} → pass",
        f"p -= {step} → p += {step}",
        f"p -= {step} → p = {step}",
        f"p -= {step} → p -= torch.mul(p.grad.detach(), lr, out=None)",
        f"p -= {step} → p -= torch.mul(lr, p.grad.detach())",
        f"p -= {step} → p -= torch.mul(lr, p.grad, out=None)",
        f"p -= {step} → p -= torch.mul(lr, p.grad.detach(), out=0)",
        "if not params: → if params:",
        "raise ValueError(f'no {params!r}, not even 1') → pass",
        "raise ValueError(f'no {params!r}, not even 1') → "
        "raise Exception(f'no {params!r}, not even 1')",
        "return 'done' → return",
        "return 'done' → return 'donex'",
    }


@pytest.mark.parametrize(
    ("body", "some"),
    [
        ("return a - b", {"return a + b", "return b - a", "return"}),
        ("return [-1, True]", {"return [True]", "return [0, True]", "return [1, True]",
                               "return [-2, True]", "return [-1, False]"}),
        ("return a[1:b]", {"return a[:b]", "return a[1:]", "return a[2:b]", "return a[0:b]"}),
        ("return sorted(a), b", {"return (b, sorted(a))", "return (a, b)"}),
        ("return min(a.mean(), 9)", {"return max(a.mean(), 9)", "return min(a.sum(), 9)",
                                     "return min(9, a.mean())", "return min(a, 9)"}),
        ("while a:\n    break", {"while not a:", "continue"}),
        ("a = b\nc = a\nreturn c", {"(nothing)", "return"}),
        ("return g(x for x in a if x)", {"return g((x for x in a if not x))"}),
    ],
)  # fmt: skip
def test_changes(body, some):
    assert {text.partition(" → ")[2] for text in _mutations(body)} >= some


def test_what_would_be_no_news_is_left_out():
    assert _mutations("c = a") == []  # without it there would be no name c
    assert "import" not in " ".join(_mutations("return a"))
    assert not any("→ return torch" in text for text in _mutations("return a"))


def test_the_same_line_twice_gives_two_names():
    found = _mutations("a.append(b)\na.clear()\na.append(b)")
    assert len(found) == len(set(found))
    assert any(text.endswith("(no. 2)") for text in found)


def test_a_long_line_is_cut_to_what_is_near_the_change():
    old = f"f({', '.join(f'argument_{i}' for i in range(20))})"
    text = mutants.difference(old, old.replace("argument_9", "9"))
    assert len(text) < 140
    assert "argument_9," in text.partition(" → ")[0]
    assert " 9," in text.partition(" → ")[2]


MADE = [Mutant("f", f"a → {i}", "") for i in range(20)]


def test_the_score_leaves_equivalents_out():
    known = [Equivalent("f", "a → 1", "because")]
    row = mutate.score("ex", MADE, MADE[:3], known)
    assert (row.mutants, row.killed, row.equivalent) == (20, 17, 1)
    assert row.score == pytest.approx(17 / 19)
    assert row.survivors == ["f: a → 0", "f: a → 2"]
    assert not row.holds
    assert mutate.score("ex", MADE, MADE[1:2], known).holds


def test_nothing_to_mutate_is_no_proof():
    assert not mutate.score("ex", [], [], []).holds


@pytest.mark.parametrize(
    ("known", "fault"),
    [
        (Equivalent("f", "a → 99", "because"), "stale"),
        (Equivalent("g", "a → 1", "because"), "stale"),
        (Equivalent("f", "a → 5", "because"), "not equivalent, a test catches it"),
        (Equivalent("f", "a → 1", " "), "without a reason"),
    ],
)
def test_a_stale_or_wrong_equivalent_is_a_fault(known, fault):
    row = mutate.score("ex", MADE, [MADE[1]], [known])
    (found,) = row.faults
    assert fault in found
    assert not row.holds


def test_what_an_accelerator_would_show_is_excused_only_without_one(monkeypatch):
    known = [Equivalent("f", "a → 1", "because", without_accelerator=True)]
    for there in (False, True):
        monkeypatch.setattr(mutate, "_has_accelerator", lambda there=there: there)
        row = mutate.score("ex", MADE, [MADE[1]], known)
        assert row.survivors == (["f: a → 1"] if there else [])


def test_every_equivalent_of_this_course_has_its_mutant_and_a_reason(loaded):
    known = mutate.equivalents(loaded)
    assert known
    for exercise in loaded.exercises:
        made = mutants.mutants_of(exercise.solution.read_text("utf-8"))
        listed = known.get(exercise.stem, [])
        excused = {(one.task, one.mutation) for one in listed}
        assert len(excused) == len(listed)
        alive = [one for one in made if (one.task, one.mutation) in excused]
        assert mutate.score(exercise.stem, made, alive, listed).faults == []


def test_a_broken_list_is_a_sentence(tmp_path):
    (tmp_path / "tests" / "mistakes").mkdir(parents=True)
    path = tmp_path / "tests" / "mistakes" / "equivalents.toml"
    path.write_text("[[ex01]]\nwhy = 1\n")
    with pytest.raises(CourseError, match="ex01|why"):
        mutate.equivalents(Course(tmp_path, ()))


def test_a_mutant_goes_through_the_engine(engine, loaded):
    exercise = loaded.find("ex05")
    source = "def largest_stable_lr(curvature):\n    return 3 / curvature"
    target = Target(loaded.root / "solutions", bank.mutant(exercise, "largest_stable_lr", source))
    own = (exercise.task("largest_stable_lr").test_class,)
    ((_, result),) = engine.map([Job(target, exercise, 1, False, own)])
    assert [task.task for task in result.tasks] == ["largest_stable_lr"]
    assert result.tasks[0].verdict is Verdict.WRONG


def test_the_command(kata, loaded, tmp_path):
    """A course of one small exercise, with too weak a test and a list that is stale."""
    (tmp_path / "solutions").mkdir()
    (tmp_path / "exercises").mkdir()
    (tmp_path / "tests" / "mistakes").mkdir(parents=True)
    shutil.copy(loaded.root / "tests" / "conftest.py", tmp_path / "tests")
    (tmp_path / "solutions" / "ex01_double.py").write_text(
        "import torch\n\n\n"
        "def double(x):\n    ### BEGIN SOLUTION\n    return abs(x) * 2\n    ### END SOLUTION\n"
    )
    test = tmp_path / "tests" / "test_ex01_double.py"
    test.write_text(
        "import pytest\nfrom grader import expect\n\n\n"
        '@pytest.mark.task("double", points=1)\nclass TestDouble:\n'
        "    def test_example(self, ex):\n        expect.equal(ex.double(0), 0)\n"
    )
    listed = tmp_path / "tests" / "mistakes" / "equivalents.toml"
    listed.write_text('[[ex01]]\ntask = "double"\nmutation = "a → b"\nreason = "none"\n')
    path = tmp_path / "found.json"
    done = kata("prove", "--mutants", "--json", str(path), cwd=tmp_path)
    assert done.returncode == 1
    assert "stale" in done.stdout
    assert "double: return abs(x) * 2 → return abs(x) * 3" in done.stdout
    (row,) = json.loads(path.read_text())["rows"]
    assert (row["mutants"], row["killed"], len(row["survivors"])) == (4, 2, 2)
    assert row["score"] == 0.5
