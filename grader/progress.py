"""What is known of a job while its children run, and its result in the end."""

from __future__ import annotations

import signal
from collections.abc import Callable
from dataclasses import dataclass, field

from grader.course import shown
from grader.report import Diagnosis, ExerciseResult, TaskResult, TestResult, Verdict

_LATE_RUNS = 2  # children killed for time before the rest of an exercise is given up


@dataclass
class Progress:
    """Hears the events of a job (`grader.engine.Job`), and says what is left to run of it."""

    job: object
    done: Callable[[ExerciseResult], None]
    cancelled: bool = False
    _expected: dict[str, tuple[str, float]] = field(default_factory=dict)  # test: task, points
    _results: dict[str, TestResult] = field(default_factory=dict)
    _diagnoses: dict[str, Diagnosis] = field(default_factory=dict)
    _problem: str = ""
    _current: str | None = None
    _diagnosing: bool = False
    _cut: bool = False  # the child has ended itself after a test that was out of time
    _late: int = 0

    def hear(self, event: dict) -> None:
        """Take what a child says, in the order of its saying."""
        match event["event"]:
            case "collected":
                for task, points, name in event["tests"]:
                    self._expected.setdefault(name, (task, points))
            case "start":
                self._current = event["test"]
            case "test":
                result = event["result"]
                result["verdict"] = Verdict(result["verdict"])
                self._results[result["name"]] = TestResult(**result)
                self._current = None
            case "skipped":
                self._expected.pop(event["test"], None)
                self._current = None
            case "cut":
                self._cut = True
            case "diagnosing":
                self._diagnosing = True
            case "task":
                self._diagnosing = False
                if event["diagnosis"]:
                    self._diagnoses[event["task"]] = Diagnosis(**event["diagnosis"])
                self._problem = event["problem"]

    def end(self, event: dict) -> list[str]:
        """A child has ended: the tests that another one has to run; none when there is a result."""
        if not self._expected:
            self._problem = self._problem or self._no_tests(event["status"])
            return []
        cut, diagnosing = self._cut, self._diagnosing
        self._cut = self._diagnosing = False
        if cut or diagnosing:  # what it ended in is no test's verdict, or has been told
            return self._left()
        left = self._left()
        if left and (self._current or event["late"]):
            self._blame(self._current or left[0], event)
            return self._left()
        for name in left:  # the run ended as if all were well, and yet it left tests out
            note = f"the run ended before this test (exit status {event['status']})"
            self._results[name] = self._verdict(name, Verdict.CRASHED, note)
        return []

    def late_tasks(self) -> set[str]:
        """The tasks of which a test has timed out: less time is left for their others."""
        late = (one for one in self._results.values() if one.verdict is Verdict.TIMED_OUT)
        return {one.task for one in late}

    def result(self) -> ExerciseResult:
        """What the job has found."""
        job, tasks = self.job, {}
        for name, (task, points) in self._expected.items():
            row = tasks.setdefault(task, TaskResult(job.exercise.stem, task, points))
            row.tests.append(self._results[name])
            row.diagnosis = self._diagnoses.get(task)
        file = shown(job.target.file(job.exercise.stem))
        return ExerciseResult(job.exercise.stem, file, list(tasks.values()), self._problem)

    def _left(self) -> list[str]:
        return [name for name in self._expected if name not in self._results]

    def _blame(self, name: str, event: dict) -> None:
        """The test that was under way when its process ended gets the verdict."""
        self._current = None
        if not event["late"]:
            note = _how_it_ended(event["status"])
            self._results[name] = self._verdict(name, Verdict.CRASHED, note)
            return
        self._late += 1
        task = self._expected[name][0]
        same = [other for other, (owner, _) in self._expected.items() if owner == task]
        for other in self._expected if self._late >= _LATE_RUNS else same:
            if other not in self._results:
                note = "not run: an earlier test never ended"
                if other == name:
                    note = "no answer, and no signal could stop it: the process was ended"
                self._results[other] = self._verdict(other, Verdict.TIMED_OUT, note)

    def _verdict(self, name: str, verdict: Verdict, note: str) -> TestResult:
        return TestResult(self.job.exercise.stem, self._expected[name][0], name, verdict, note=note)

    def _no_tests(self, status: int) -> str:
        file = shown(self.job.exercise.test_file)
        return f"{file} could not be collected (exit status {status}): `pytest {file}` says why"


def _how_it_ended(status: int) -> str:
    if status < 0:
        name = signal.Signals(-status).name
        return f"the process was ended by {name} while this test ran"
    return f"the code ended the process (exit status {status}) while this test ran"
