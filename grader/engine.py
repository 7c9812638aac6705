"""The one way to run a learner's code: a warm parent that forks a fresh child for each run."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from grader import isolation
from grader.course import Exercise, find_root, shown
from grader.preload import preload_for, preload_judge, preload_worker
from grader.report import (
    Diagnosis,
    ExerciseResult,
    Report,
    TaskResult,
    TestResult,
    Verdict,
)
from grader.target import Target

CAN_FORK = hasattr(os, "fork")
WORKERS = "KATA_WORKERS"  # where the warm parent finds the sandbox's socket
_STARTUP = 30.0  # seconds for a child to collect its tests
_ENDED = "the warm process ended"
_LATE_RUNS = 2  # children killed for time before the rest of an exercise is given up


class EngineError(Exception):
    """The engine itself could not do its work."""


@dataclass(frozen=True)
class Job:
    """One exercise of one target under one seed."""

    target: Target
    exercise: Exercise
    seed: int
    diagnose: bool = True
    tests: tuple[str, ...] = ()  # all of them when empty
    seconds_per_test: float | None = None


@dataclass
class _Progress:
    """What is known of a job while its children run."""

    job: Job
    done: Callable[[ExerciseResult], None]
    expected: dict[str, tuple[str, float]] = field(default_factory=dict)  # test: task, points
    results: dict[str, TestResult] = field(default_factory=dict)
    diagnoses: dict[str, Diagnosis] = field(default_factory=dict)
    problem: str = ""
    current: str | None = None
    diagnosing: bool = False
    late: int = 0
    cancelled: bool = False


def draw_seed() -> int:
    """A fresh seed for a run."""
    return secrets.randbelow(1_000_000)


class Engine:
    """A warm parent process, and the jobs given to it.

    Use it as a context manager. `preload` names modules to import before the first fork. With a
    `sandbox` (`grader.sandbox.Sandbox`) the tests run apart from the code under test, which runs
    in workers of the sandbox; `without` says why there is none where one was wanted.
    """

    def __init__(self, root: Path, preload: Iterable[str] = (), sandbox=None, without: str = ""):
        self._root = root
        self._preload = tuple(preload)
        self._sandbox, self._without = sandbox, without
        self._process: subprocess.Popen | None = None
        self._progress: dict[int, _Progress] = {}
        self._next = 0
        self._lock = threading.RLock()  # `cancel` may come from another thread

    def __enter__(self) -> Engine:
        self.start()
        return self

    def __exit__(self, *exc) -> None:
        self.close()

    def start(self, wait: bool = True) -> None:
        """Start the warm parent, unless it is there; without `wait`, only begin to."""
        from grader.worker import SandboxError

        try:
            if self._process is None or self._process.poll() is not None:
                self._progress.clear()  # whatever a parent that died had under way
                self._spawn()
            if self._sandbox and wait:
                self._sandbox.wait()
        except SandboxError as error:
            self.close()
            raise EngineError(str(error)) from None
        except BaseException:
            self.close()
            raise

    def _spawn(self) -> None:
        control = None
        if self._sandbox:
            self._sandbox.start(wait=False)
            control = self._sandbox.control
        self._process = spawn(self._preload, self._root, control)

    def close(self) -> None:
        """End the warm parent and everything it runs."""
        if self._process:
            with contextlib.suppress(BrokenPipeError):  # what a dead parent never read
                self._process.stdin.close()
            try:
                self._process.wait(5)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process.stdout.close()
            self._process = None
        if self._sandbox:
            self._sandbox.close()

    @property
    def isolation(self) -> str:
        """What keeps the code under test apart from its tests, layer by layer."""
        if self._sandbox:
            return self._sandbox.isolation
        return isolation.none(self._without or "the code runs in the process of its tests")

    @property
    def refusal(self) -> str:
        """Why no grade can be trusted, and what to do; empty where the code is kept apart."""
        return isolation.refusal(self.isolation)

    @property
    def died(self) -> bool:
        """Was the warm parent started, and has it ended by itself?"""
        return self._process is not None and self._process.poll() is not None

    @property
    def pid(self) -> int | None:
        """The warm parent's process id."""
        return self._process.pid if self._process else None

    def run(self, target: Target, exercises: Iterable[Exercise], seed: int, **options) -> Report:
        """Run the tests of some exercises on a target."""
        started = time.perf_counter()
        jobs = [Job(target, exercise, seed, **options) for exercise in exercises]
        found = {job.exercise.stem: result for job, result in self.map(jobs)}
        ordered = [found[job.exercise.stem] for job in jobs]
        return Report(
            target=shown(target.path),
            seed=seed,
            versions=versions(),
            exercises=ordered,
            seconds=round(time.perf_counter() - started, 3),
            isolation=self.isolation,
        )

    def map(
        self, jobs: Iterable[Job | tuple[Job, ...]], width: int | None = None
    ) -> Iterator[tuple[Job, ExerciseResult]]:
        """Run jobs, `width` at a time (as many as there are cores), each as it ends.

        The first of them are under way when this returns, so that `cancel` finds them. Jobs of
        trusted code that differ in nothing but their seed may share a child, as a tuple.
        """
        self.start()
        waiting = iter(jobs)
        ended: list[tuple[Job, ExerciseResult, list[Job]]] = []

        def begin() -> None:
            found = next(waiting, None)
            if found is not None:
                batch = [found] if isinstance(found, Job) else list(found)  # what is left of it
                with self._lock:
                    self._submit([progress(job, batch) for job in batch], batch[0].tests)

        def progress(job: Job, batch: list[Job]) -> _Progress:
            return _Progress(job, lambda result: ended.append((job, result, batch)))

        def results() -> Iterator[tuple[Job, ExerciseResult]]:
            while self._progress or ended:
                while ended:
                    job, result, batch = ended.pop(0)
                    yield job, result
                    batch.pop()
                    if not batch:
                        begin()
                if self._progress:
                    event = self._read()
                    with self._lock:
                        self._handle(event)

        for _ in range(width or os.cpu_count() or 1):
            begin()
        return results()

    def draw(self, target: Target, exercise: Exercise, path: Path) -> str:
        """Write the picture of an exercise (`grader.pictures`) to `path`; the picture in words.

        EngineError with a sentence where the code under test does not let it be drawn.
        """
        self.start()
        self._next += 1
        own = {"runs": [(self._next, 0)], "picture": str(path.resolve())}
        self._write(_request(Job(target, exercise, 0)) | own)
        problem, alt = f"{shown(target.file(exercise.stem))} ended the process.", ""
        while True:
            event = self._read()
            if event.get("id") != self._next:
                continue
            if event["event"] == "picture":
                problem, alt = event["problem"], event["alt"]
            elif event["event"] == "end":
                break
        if problem:
            raise EngineError(problem)
        return alt

    def cancel(self) -> None:
        """Stop every job under way; their results are dropped. Any thread may ask for it."""
        with self._lock:
            for request, progress in self._progress.items():
                progress.cancelled = True
                self._write({"cancel": request})

    def _submit(self, batch: list[_Progress], tests: Iterable[str]) -> None:
        runs = []
        for progress in batch:
            self._next += 1
            self._progress[self._next] = progress
            runs.append((self._next, progress.job.seed))
        own = {"runs": runs, "tests": list(tests)}
        self._write(_request(batch[0].job) | own)

    def _write(self, message: dict) -> None:
        try:
            self._process.stdin.write(json.dumps(message).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise self._lost() from None
        except ValueError:  # it has been closed meanwhile
            raise EngineError(_ENDED) from None

    def _read(self) -> dict:
        line = self._process.stdout.readline()
        if not line:
            with self._lock:
                self._progress.clear()
            raise self._lost()
        return json.loads(line)

    def _lost(self) -> EngineError:
        """What to raise when the warm parent is gone: its pipes close a moment before it ends."""
        process = self._process
        if process:
            process.kill()
            process.wait()  # else the next start might still take it for alive
        return EngineError(_ENDED)

    def _handle(self, event: dict) -> None:
        progress = self._progress.get(event.get("id"))
        if progress is None:
            return
        match event["event"]:
            case "collected":
                for task, points, name in event["tests"]:
                    progress.expected.setdefault(name, (task, points))
            case "start":
                progress.current = event["test"]
            case "test":
                result = event["result"]
                result["verdict"] = Verdict(result["verdict"])
                progress.results[result["name"]] = TestResult(**result)
                progress.current = None
            case "skipped":
                progress.expected.pop(event["test"], None)
                progress.current = None
            case "diagnosing":
                progress.diagnosing = True
            case "task":
                progress.diagnosing = False
                if event["diagnosis"]:
                    progress.diagnoses[event["task"]] = Diagnosis(**event["diagnosis"])
                progress.problem = event["problem"]
            case "end":
                del self._progress[event["id"]]
                self._end(progress, event)

    def _end(self, progress: _Progress, event: dict) -> None:
        """A child has ended: go on with the tests it left, or hand over the result."""
        if progress.cancelled:
            return
        if not progress.expected:
            progress.problem = progress.problem or _no_tests(progress.job, event)
            return progress.done(_result(progress))
        left = [name for name in progress.expected if name not in progress.results]
        if progress.diagnosing:  # it ended in a diagnosis, which is no test's verdict
            progress.diagnosing = False
            return self._submit([progress], left) if left else progress.done(_result(progress))
        if left and (progress.current or event["late"]):
            self._blame(progress, progress.current or left[0], event)
            left = [name for name in left if name not in progress.results]
            if left:
                return self._submit([progress], left)
        for name in left:  # the run ended as if all were well, and yet it left tests out
            note = f"the run ended before this test (exit status {event['status']})"
            progress.results[name] = _verdict(progress, name, Verdict.CRASHED, note)
        progress.done(_result(progress))

    def _blame(self, progress: _Progress, name: str, event: dict) -> None:
        """The test that was under way when its process ended gets the verdict."""
        progress.current = None
        if event["late"]:
            progress.late += 1
            note = "no answer, and no signal could stop it: the process was ended"
            task = progress.expected[name][0]
            same = [other for other, (owner, _) in progress.expected.items() if owner == task]
            names = progress.expected if progress.late >= _LATE_RUNS else same
            for other in names:
                if other not in progress.results:
                    shown_note = note if other == name else "not run: an earlier test never ended"
                    progress.results[other] = _verdict(
                        progress, other, Verdict.TIMED_OUT, shown_note
                    )
            return
        progress.results[name] = _verdict(
            progress, name, Verdict.CRASHED, _how_it_ended(event["status"])
        )


def spawn(preload: tuple[str, ...], folder: Path, control: int | None = None) -> subprocess.Popen:
    """A warm parent in a process of its own, which may ask for workers at `control`."""
    workers = {} if control is None else {WORKERS: str(control)}
    return subprocess.Popen(
        [sys.executable, "-m", "grader.warm", *preload],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=folder,
        pass_fds=[] if control is None else [control],
        env=os.environ | {"PYTHONUNBUFFERED": "1"} | workers,
        start_new_session=True,  # Ctrl-C is for the command, which then closes the engine
    )


def cold_run(target: Target, exercises: Iterable[Exercise], seed: int) -> Report:
    """The same without a fork: a process of its own for each run, seconds slower to start."""
    import tempfile

    results = []
    started = time.perf_counter()
    for exercise in exercises:
        with tempfile.TemporaryDirectory() as folder:
            report = Path(folder) / "report.json"
            command = [sys.executable, "-m", "pytest", str(exercise.test_file), "-qq"]
            command += ["--target", str(target.path), "--seed", str(seed)]
            command += ["--report", str(report)]
            subprocess.run(command, cwd=exercise.root, capture_output=True, check=False)
            if report.is_file():
                results += Report.from_json(json.loads(report.read_text("utf-8"))).exercises
            else:
                problem = "the process that ran the tests ended before it could report"
                results.append(ExerciseResult(exercise.stem, shown(target.path), [], problem))
    seconds = round(time.perf_counter() - started, 3)
    return Report(shown(target.path), seed, versions(), results, seconds, warm=False)


def apart(root: Path, exercises: Iterable[Exercise], **options) -> Engine:
    """An engine whose tests run apart from the code; `options` are `sandbox_for`'s."""
    exercises = tuple(exercises)
    return Engine(root, preload_judge(exercises), sandbox_for(exercises, **options))


def sandbox_for(exercises: Iterable[Exercise], **options):
    """A sandbox (`grader.sandbox`) whose workers can run the code of these exercises."""
    from grader.sandbox import Limits, Sandbox

    here = Path(__file__).parent
    code = [here / name for name in ("loading.py", "report.py", "draw.py")]
    exercises = tuple(exercises)
    hide = {exercise.root for exercise in exercises}
    options = {"limits": Limits(cpu_seconds=120, wall_seconds=300), "hide": hide} | options
    return Sandbox(preload=preload_worker(exercises), code=code, **options)


@cache
def versions() -> dict[str, str]:
    """What verdicts are reached with."""
    import platform
    from importlib.metadata import version

    names = ("gradkata", "torch", "torchvision", "pytest")
    return {"python": platform.python_version(), **{name: version(name) for name in names}}


def each(
    root: Path,
    target: Target,
    exercises: Iterable[Exercise],
    seed: int,
    tick: Callable[[int, int], None] = lambda done, of: None,
) -> Iterator[ExerciseResult]:
    """Run exercises in an engine of its own, each result as it is there."""
    exercises = tuple(exercises)
    if not CAN_FORK:
        yield from cold_run(target, exercises, seed).exercises
        return
    with Engine(root, preload_for(exercises)) as engine:
        jobs = [Job(target, exercise, seed) for exercise in exercises]
        for done, (_, result) in enumerate(engine.map(jobs), 1):
            tick(done, len(jobs))
            yield result


def run(target: Target, exercises: Iterable[Exercise], seed: int) -> Report:
    """One run in an engine of its own, for a command that does nothing else."""
    exercises = tuple(exercises)
    if not CAN_FORK:
        return cold_run(target, exercises, seed)
    started = time.perf_counter()
    found = {result.exercise: result for result in each(find_root(), target, exercises, seed)}
    ordered = [found[exercise.stem] for exercise in exercises]
    seconds = round(time.perf_counter() - started, 3)
    return Report(shown(target.path), seed, versions(), ordered, seconds)


def _request(job: Job) -> dict:
    """A job as the warm parent reads it."""
    swap = job.target.swap
    return {
        "root": str(job.exercise.root),
        "exercise": job.exercise.stem,
        "target": str(job.target.path),
        "swap": [swap.kind, swap.task, swap.name] if swap else None,
        "diagnose": job.diagnose,
        "seconds_per_test": job.seconds_per_test,
        "startup_seconds": _STARTUP,
    }


def _result(progress: _Progress) -> ExerciseResult:
    job = progress.job
    tasks: dict[str, TaskResult] = {}
    for name, (task, points) in progress.expected.items():
        row = tasks.setdefault(task, TaskResult(job.exercise.stem, task, points))
        row.tests.append(progress.results[name])
        row.diagnosis = progress.diagnoses.get(task)
    file = shown(job.target.file(job.exercise.stem))
    return ExerciseResult(job.exercise.stem, file, list(tasks.values()), progress.problem)


def _verdict(progress: _Progress, name: str, verdict: Verdict, note: str) -> TestResult:
    task = progress.expected[name][0]
    return TestResult(progress.job.exercise.stem, task, name, verdict, note=note)


def _how_it_ended(status: int) -> str:
    if status < 0:
        name = signal.Signals(-status).name
        return f"the process was ended by {name} while this test ran"
    return f"the code ended the process (exit status {status}) while this test ran"


def _no_tests(job: Job, event: dict) -> str:
    return (
        f"{shown(job.exercise.test_file)} could not be collected "
        f"(exit status {event['status']}): `pytest {shown(job.exercise.test_file)}` says why"
    )
