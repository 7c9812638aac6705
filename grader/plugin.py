"""The pytest plugin: options, fixtures, and verdicts in the place of tracebacks.

Tests that carry `@pytest.mark.task` are run here, a task at a time, so that a task's failures are
known together before any of them is shown. All other tests run as pytest runs them.
"""

from __future__ import annotations

import argparse
import atexit
import gc
import json
import os
import secrets
import time
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import NoReturn

import pytest
import pytest_timeout

from grader import bounds, course, diagnose, limits, places
from grader.course import shown
from grader.engine import versions
from grader.learner import keep
from grader.loading import CannotLoad
from grader.outcome import contain, judge
from grader.recorder import Ex, last_call
from grader.report import (
    Report,
    TaskResult,
    Verdict,
    exercise_lines,
    failure_text,
    replay_of,
    task_from,
)
from grader.run import (
    EX,
    RESULT,
    RUN,
    Run,
    end_late,
    learner_files,
    mark,
    name,
    result_of,
    run_quietly,
    stem,
)
from grader.target import Target

_LETTERS = {
    Verdict.WRONG: "F",
    Verdict.NOT_ATTEMPTED: "n",
    Verdict.CRASHED: "C",
    Verdict.TIMED_OUT: "T",
    Verdict.TAMPERED: "X",
}
_AFTER_TIMEOUT = 1.0  # seconds for the other tests of a task of which one has timed out


def pytest_addoption(parser, pluginmanager):
    _bring_time_limits(pluginmanager)
    group = parser.getgroup("gradkata")
    group.addoption(
        "--target",
        default="exercises",
        help="the code under test: exercises (default), solutions, or any folder, file or notebook",
    )
    group.addoption(
        "--seed", type=_seed_from, help="draw the same inputs as the run that printed it"
    )
    group.addoption("--no-diagnosis", action="store_true", help="verdicts only")
    group.addoption("--report", type=Path, metavar="FILE", help="write the report there, as JSON")


def pytest_configure(config):
    os.environ.setdefault("MPLBACKEND", "Agg")
    if RUN not in config.stash:
        try:
            places.report_file(config.getoption("--report", None), "--report")
            root = course.find_root(config.rootpath)
        except course.CourseError as error:
            raise pytest.UsageError(str(error)) from None
        seed = config.getoption("--seed")
        config.stash[RUN] = Run(
            root=root,
            target=_asked(config.getoption("--target"), root),
            seed=secrets.randbelow(1_000_000) if seed is None else seed,
            diagnose=not config.getoption("--no-diagnosis"),
        )
        config.pluginmanager.register(FrozenHeap())
    if config.pluginmanager.hasplugin("dsession"):
        config.option.seed = config.stash[RUN].seed  # pytest-xdist's workers are told the same
        config.pluginmanager.register(FromWorkers(config.stash[RUN]))


class FrozenHeap:
    """Where the process is pytest's own: what was imported is not walked again and again.

    Not in a notebook's kernel, which outlives its checks and has to collect what they leave.
    """

    def pytest_collection_finish(self):
        gc.freeze()
        atexit.register(gc.unfreeze)  # what is never collected, C++ extensions report as leaks


class FromWorkers:
    """Where pytest-xdist spreads the tests over processes: gathers what they have found."""

    def __init__(self, run: Run):
        self._run = run

    def pytest_runtest_logreport(self, report):
        if hasattr(report, "task_result"):
            found = json.loads(report.task_result)
            exercise = self._run.exercise(found["task"]["exercise"])
            exercise.tasks.append(task_from(found["task"]))
            exercise.problem = found["problem"]


def pytest_report_header(config):
    run = config.stash[RUN]
    lines = [f"gradkata: {shown(run.target.path)}, seed {run.seed} (--seed {run.seed} replays it)"]
    if not config.pluginmanager.is_registered(pytest_timeout):
        lines.append("gradkata: pytest-timeout is switched off, so a loop without an end goes on")
    return lines


@pytest.fixture
def ex(request) -> Ex:
    """The module under test, behind a recorder of calls."""
    item = request.node
    run = request.config.stash[RUN]
    module = run.load(stem(item))
    if run.worker is not None:
        module.begin(_seed(item), lambda: item.funcargs.get("tmp_path"))
    item.stash[EX] = Ex(module)
    return item.stash[EX]


@pytest.fixture
def rng(request):
    """Drawn inputs, of this test's own seed."""
    from grader.draw import Rng

    return Rng(_seed(request.node))


@pytest.fixture(scope="session")
def device(request):
    """The accelerator that torch finds, else the CPU; the CPU where the code runs apart."""
    import torch

    if request.config.stash[RUN].worker is not None:
        return torch.device("cpu")
    found = torch.accelerator.current_accelerator(check_available=True)
    return found or torch.device("cpu")


@pytest.fixture(scope="session")
def digits():
    """The sample of real MNIST digits."""
    from grader.mnist import load_sample

    return load_sample()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item, nextitem):
    if mark(item) is None:
        return None
    run = item.config.stash[RUN]
    started = time.perf_counter()
    reports = run_quietly(item, nextitem)
    item.stash[RESULT].seconds = round(time.perf_counter() - started, 4)
    run.group.append((item, reports))
    if run.tell:
        skipped = any(report.skipped for report in reports)
        done = {"event": "test", "result": vars(result_of(item))}
        run.tell({"event": "skipped", "test": name(item)} if skipped else done)
    if nextitem is None or _group(nextitem) != _group(item):
        if limits.CAN_ALARM:
            limits.stop_timer()  # what follows is our own time, not the last test's
        _close_group(run, nextitem)
    elif _in_worker(item.config):
        _tell_pytest(item, reports)
    return True


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    if mark(item) is not None:
        _fresh_start(_seed(item))


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem):
    if mark(pyfuncitem) is None:
        return (yield)
    try:
        with limits.interruptible():
            return (yield)
    except BaseException as error:
        contained = contain(error, learner_files(pyfuncitem))
        if contained is error:
            raise
        raise contained from None


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(item, call):
    if mark(item) is not None:
        item.repr_failure = _no_traceback
    report = yield
    if mark(item) is not None and report.failed:
        result = item.stash[RESULT]
        result.called = last_call(item.stash[EX]) if EX in item.stash else ""
        judge(call.excinfo.value, result, learner_files(item))
        report.verdict = result.verdict.value
        report.longrepr = result.note or str(result.verdict)
    return report


def pytest_report_teststatus(report):
    verdict = getattr(report, "verdict", None)
    if verdict is None:
        return None
    colour = {"yellow": True} if verdict == Verdict.NOT_ATTEMPTED else {"red": True}
    return verdict, _LETTERS[Verdict(verdict)], (verdict.upper(), colour)


# Optional: without pytest-timeout (-p no:timeout) there is no such hook, and no time limit.
@pytest.hookimpl(tryfirst=True, optionalhook=True)
def pytest_timeout_set_timer(item, settings):
    if not limits.CAN_ALARM or mark(item) is None:
        return None
    run = item.config.stash[RUN]
    late = mark(item).args[0] in run.late or any(
        one.stash[RESULT].verdict is Verdict.TIMED_OUT for one, _ in run.group
    )
    seconds = min(settings.timeout, run.seconds_per_test or settings.timeout)
    seconds = min(seconds, _AFTER_TIMEOUT) if late else seconds
    if run.tell:
        run.tell({"event": "start", "test": name(item), "seconds": seconds})
    end = partial(_out_of_time, item) if run.worker and run.tell else None
    limits.start_timer(seconds, end, partial(_longer, item))
    return True


def _longer(item, seconds: float) -> None:
    """A test has had to wait for a core: whoever watches over its time hears of it."""
    run = item.config.stash[RUN]
    if run.tell:
        run.tell({"event": "start", "test": name(item), "seconds": seconds})


def _out_of_time(item, error: limits.TimedOut) -> NoReturn:
    result = item.stash[RESULT]
    judge(error, result, learner_files(item))
    end_late(item, result)


@pytest.hookimpl(tryfirst=True, optionalhook=True)
def pytest_timeout_cancel_timer(item):
    if not limits.CAN_ALARM or mark(item) is None:
        return None
    limits.stop_timer()
    return True


def pytest_sessionfinish(session):
    path = session.config.getoption("--report", None)
    if path:
        report = report_of(session.config.stash[RUN])
        keep.write(path, json.dumps(report.to_json(), indent=1) + "\n")


def pytest_terminal_summary(terminalreporter, config):
    run = config.stash[RUN]
    for exercise in run.exercises.values():
        title = f"{exercise.exercise}  {exercise.earned:.3g}/{exercise.points:g} points"
        terminalreporter.section(title, sep="-")
        if not exercise.passed:
            for line in exercise_lines(exercise, replay_of(report_of(run))):
                terminalreporter.write_line(line)


def report_of(run: Run) -> Report:
    """Everything that a run has found, as plain data."""
    return Report(
        shown(run.target.path), run.seed, versions(), list(run.exercises.values()), warm=False
    )


def _close_group(run: Run, nextitem) -> None:
    """The task's tests are all in: diagnose, keep the result, tell pytest."""
    group, run.group = run.group, []
    first = group[0][0]
    exercise, about = stem(first), mark(first)
    tests = [
        result_of(item) for item, reports in group if not any(report.skipped for report in reports)
    ]
    task = TaskResult(exercise, about.args[0], about.kwargs["points"], tests)
    # (Known answers never come near code that runs apart from its tests.)
    if run.diagnose and run.worker is None and task.verdict in diagnose.DIAGNOSED:
        if run.tell:
            run.tell({"event": "diagnosing", "seconds": diagnose.TASK_CLOCK})
        task.diagnosis = diagnose.diagnose(task, run, [item for item, _ in group], nextitem)
    found = run.exercise(exercise)
    found.tasks.append(task)
    if isinstance(run.modules.get(exercise), CannotLoad):
        found.problem = run.modules[exercise].sentence
    if run.tell:
        diagnosis = asdict(task.diagnosis) if task.diagnosis else None
        told = {"task": task.task, "diagnosis": diagnosis, "problem": found.problem}
        return run.tell({"event": "task"} | told)  # who listens writes the text, not pytest
    text = "\n".join(failure_text(task, replay_of(report_of(run))))
    group[-1][1][-1].task_result = json.dumps({"task": asdict(task), "problem": found.problem})
    for item, reports in group[-1:] if _in_worker(first.config) else group:
        for report in reports:
            if report.failed and text:
                report.longrepr = text
        _tell_pytest(item, reports)


def _tell_pytest(item, reports) -> None:
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    for report in reports:
        item.ihook.pytest_runtest_logreport(report=report)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)


def _in_worker(config) -> bool:
    """A worker of pytest-xdist has to report each test before it takes the next."""
    return hasattr(config, "workerinput")


def _no_traceback(excinfo, style=None) -> str:
    # What pytest would print is never shown, and costs more than most tests do.
    return ""


def _seed_from(text: str) -> int:
    try:
        return bounds.seed(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _asked(text: str, root: Path) -> Target:
    try:
        return Target.asked(text, root)
    except course.CourseError as error:
        raise pytest.UsageError(str(error)) from None


def _bring_time_limits(pluginmanager) -> None:
    """pytest-timeout, where pytest was told to look for no plugins (its AUTOLOAD is off)."""
    if not pluginmanager.is_registered(pytest_timeout):
        pluginmanager.register(pytest_timeout, "timeout")  # nothing happens after -p no:timeout


def _group(item):
    return item.nodeid.rpartition("::")[0]


def _seed(item) -> int:
    from grader.draw import seed_for

    return seed_for(item.config.stash[RUN].seed, f"{stem(item)}::{name(item)}")


def _fresh_start(seed: int) -> None:
    """Every test begins with the same state, whatever an earlier one's code has left behind."""
    import torch

    from grader.draw import seed_everything

    seed_everything(seed)
    torch.set_num_threads(1)  # the same sums in the same order on any machine, and no spinning
    torch.set_grad_enabled(True)
    torch.set_default_dtype(torch.float32)
