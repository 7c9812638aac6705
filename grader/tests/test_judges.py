"""A judge's process has seen one submission, and nothing of one reaches another's result."""

import os
import sys
import time
from pathlib import Path

import pytest

from grader.engine import Engine, Job, Target, apart
from grader.preload import preload_for
from grader.report import ExerciseResult, Verdict

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the layers are those of Linux")
NAME = "ex03"
# It delays its worker before each test, by more than any test of another's would.
SLOW = """
import time
import grader.boundary.worker as worker
begin = worker.Worker.do_begin
def slow(self, *args):
    time.sleep({seconds})
    return begin(self, *args)
worker.Worker.do_begin = slow
def slope(f, x): return "secret of ada"
def gradient(f, x): return 1
def vector_jacobian(f, x, v): return 1
def numeric_gradient(f, x, eps=1e-3): return 1
def chain_rule(*a): return 1
print("ada's private note")
"""
LOUD = """
def slope(f, x):
    print("ada was here: my phone number is 555")
    return 1.0
"""


@pytest.fixture(scope="module")
def exercise(loaded):
    return loaded.find(NAME)


@pytest.fixture(scope="module")
def engine(loaded, exercise):
    with apart(loaded.root, [exercise]) as found:
        yield found


def children(pid: int) -> list[int]:
    """The processes that a process has forked and that still run."""
    return [
        int(one)
        for thread in os.listdir(f"/proc/{pid}/task")
        for one in Path(f"/proc/{pid}/task/{thread}/children").read_text().split()
    ]


def judges(engine: Engine) -> list[int]:
    """The children of all stages."""
    return [child for stage in children(engine.pid) for child in children(stage)]


def all_ended(engine: Engine) -> bool:
    """Do the judges end, soon after their work?"""
    until = time.monotonic() + 20
    while judges(engine) and time.monotonic() < until:
        time.sleep(0.02)
    return not judges(engine)


@pytest.fixture
def graded(engine, exercise, tmp_path):
    """Grade sources: `graded({name: source})` gives the results by name, in the order asked."""

    def grade(sources: dict[str, str], width=1, **options) -> dict[str, ExerciseResult]:
        names = {}
        for name, source in sources.items():
            file = tmp_path / name / f"{exercise.stem}.py"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(source, "utf-8")
            job = Job(Target(file), exercise, 7, diagnose=False, **options)
            names[job] = name
        found = {names[job]: result for job, result in engine.map(list(names), width)}
        return {name: found[name] for name in sources}

    return grade


def test_a_judge_ends_with_the_submission_that_it_has_seen(engine, exercise):
    target = Target(exercise.solution)
    for seed in (1, 2):
        [result] = engine.run(target, [exercise], seed).exercises
        assert result.earned == exercise.points
    assert all_ended(engine)
    engine.run(target, [exercise], 3, tests=("TestNothing",))
    assert all_ended(engine)


def test_each_gets_its_own_result(graded, exercise):
    solved = exercise.solution.read_text("utf-8")
    texts = [solved, "import os\nos._exit(3)\n", "x = 1 +\n", exercise.stub.read_text("utf-8")] * 2
    sources = {str(number): text for number, text in enumerate(texts)}
    for name, result in graded(sources, width=2).items():
        assert (result.earned == result.points > 0) is (sources[name] == solved)
        assert Path(result.file).parent.name == name


@pytest.mark.parametrize("width", [1, 2])
def test_a_slow_neighbour_costs_nobody_a_point(graded, exercise, width):
    """The file of `cases/grading/neighbour`; and one that is too slow for every test."""
    solved = exercise.solution.read_text("utf-8")
    sources = {"ada": SLOW.format(seconds=0.4), "bob": solved, "cyd": solved}
    found = graded(sources, width=width, tests=("TestSlope", "TestGradient"))
    assert found["ada"].earned == 0
    for name in ("bob", "cyd"):
        assert found[name].passed and found[name].points > 0, name
    assert "secret" not in str(found["bob"]) + str(found["cyd"])


def test_what_is_printed_stands_in_its_own_report(graded, exercise):
    """The files of `cases/grading/printed_by_another`."""
    solved = exercise.solution.read_text("utf-8")
    found = graded({"ada": LOUD, "bob": solved, "cyd": "def slope(f, x): return 2.0"})
    assert "my phone number" in str(found["ada"])
    printed = [test.printed for name in ("bob", "cyd") for task in found[name].tasks
               for test in task.tests]  # fmt: skip
    assert set(printed) == {""}
    assert found["bob"].earned == found["bob"].points


def test_a_test_out_of_time_ends_its_process_and_the_others_run_in_new_ones(graded, exercise):
    solved = exercise.solution.read_text("utf-8")
    loop = f"print('on my way')\n{solved}\n\ndef slope(f, x):\n    while True:\n        pass\n"
    late = SLOW.format(seconds=60) + "\n" + solved
    tests = (
        "TestSlope::test_example",
        "TestSlope::test_whole_number",
        "TestNumericGradient::test_example",
    )
    found = graded({"loop": loop, "late": late}, seconds_per_test=1.0, tests=tests, width=2)
    first, second = found["loop"].tasks
    assert {test.verdict for test in first.tests} == {Verdict.TIMED_OUT}
    assert [test.verdict for test in second.tests] == [Verdict.PASSED]
    example = first.tests[0]
    assert example.called.startswith("slope(") and "on my way" in example.printed
    assert example.note.startswith("no answer after 1 s. Is there a loop")
    verdicts = {test.verdict for test in found["late"].tasks[0].tests}
    assert verdicts == {Verdict.TIMED_OUT}


def test_no_stage_that_judges_submissions_has_read_the_bank(engine, exercise, tmp_path):
    file = tmp_path / f"{exercise.stem}.py"
    assert not engine._request([Job(Target(file), exercise, 1)])["bank"]
    assert engine._request([Job(Target(exercise.solution), exercise, 1, trusted=True)])["bank"]


def test_no_child_goes_on_that_has_run_the_code_itself(loaded, exercise):
    with Engine(loaded.root, preload_for([exercise])) as engine:
        engine.run(Target(exercise.solution), [exercise], 1)
        assert all_ended(engine)


@pytest.mark.whole
@pytest.mark.parametrize("name", ["ex11", "ex12"])
def test_an_exercise_that_nothing_was_imported_for_gets_all_its_points(engine, loaded, name):
    other = loaded.find(name)
    [result] = engine.run(Target(other.solution), [other], 5).exercises
    assert result.earned == other.points
