"""The one way to run a learner's code: a warm parent that forks a fresh child for each run."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from grader import isolation
from grader.course import Exercise, find_root, shown
from grader.preload import preload_for, preload_judge, preload_worker
from grader.progress import Progress
from grader.report import ExerciseResult, Report
from grader.target import Target

CAN_FORK = hasattr(os, "fork")
WORKERS = "KATA_WORKERS"  # where the warm parent finds the sandbox's socket
_STARTUP = 30.0  # seconds for a child to collect its tests
_ENDED = "the warm process ended"


class EngineError(Exception):
    """The engine itself could not do its work."""


@dataclass(frozen=True)
class Job:
    """One exercise of one target under one seed."""

    target: Target
    exercise: Exercise
    seed: int
    diagnose: bool = True  # where the code runs in the process of its tests, and there only
    tests: tuple[str, ...] = ()  # all of them when empty
    seconds_per_test: float | None = None
    trusted: bool = False  # the course's own code: where there is a sandbox, kept out of it


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
        self._progress: dict[int, Progress] = {}
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
        the course's own code that differ in seed and in what is swapped in, and in nothing else,
        may share a child, as a tuple. `jobs` may have more again after it had none.
        """
        self.start()
        waiting = iter(jobs)
        width = width or os.cpu_count() or 1
        ended: list[tuple[Job, ExerciseResult, list[Job]]] = []
        batches: list[list[Job]] = []  # under way, and of each what is left of it

        def begin() -> None:
            while len(batches) < width and (taken := next(waiting, None)) is not None:
                batch = [taken] if isinstance(taken, Job) else list(taken)
                batches.append(batch)
                with self._lock:
                    self._submit([progress(job, batch) for job in batch], batch[0].tests)

        def progress(job: Job, batch: list[Job]) -> Progress:
            return Progress(job, lambda result: ended.append((job, result, batch)))

        def results() -> Iterator[tuple[Job, ExerciseResult]]:
            while self._progress or ended:
                while ended:
                    job, result, batch = ended.pop(0)
                    yield job, result
                    batch.pop()
                    batches[:] = filter(None, batches)
                    begin()
                if self._progress:
                    event = self._read()
                    with self._lock:
                        self._handle(event)

        begin()
        return results()

    def draw(self, target: Target, exercise: Exercise, path: Path) -> str:
        """Write the picture of an exercise (`grader.pictures`) to `path`; the picture in words.

        EngineError with a sentence where the code under test does not let it be drawn.
        """
        self.start()
        self._next += 1
        job = Job(target, exercise, 0)
        picture = {"runs": [_run(self._next, job)], "picture": str(path.resolve())}
        self._write(self._request([job]) | picture)
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

    def _submit(self, batch: list[Progress], tests: Iterable[str]) -> None:
        runs = []
        for progress in batch:
            self._next += 1
            self._progress[self._next] = progress
            runs.append(_run(self._next, progress.job))
        late = sorted({task for progress in batch for task in progress.late_tasks()})
        asked = {"runs": runs, "tests": list(tests), "late": late}
        self._write(self._request([progress.job for progress in batch]) | asked)

    def _request(self, jobs: list[Job]) -> dict:
        """Jobs that share a child, as the warm parent reads them."""
        job = jobs[0]
        swaps = any(one.target.swap for one in jobs)
        return {
            "root": str(job.exercise.root),
            "exercise": job.exercise.stem,
            "bank": not self._sandbox or job.trusted or swaps,
            "trusted": job.trusted,
            "target": str(job.target.path),
            "diagnose": job.diagnose,
            "seconds_per_test": job.seconds_per_test,
            "startup_seconds": _STARTUP,
            "late": [],
        }

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
        if event["event"] != "end":
            return progress.hear(event)
        del self._progress[event["id"]]
        if progress.cancelled:
            return
        left = progress.end(event)
        if left:
            return self._submit([progress], left)
        progress.done(progress.result())


def spawn(preload: tuple[str, ...], folder: Path, control: int | None = None) -> subprocess.Popen:
    """A warm parent in a process of its own, which may ask for workers at `control`."""
    workers = {} if control is None else {WORKERS: str(control)}
    return subprocess.Popen(
        [sys.executable, "-m", "grader.warm", *preload],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=folder,
        pass_fds=[] if control is None else [control],
        env=os.environ | {"PYTHONUNBUFFERED": "1", "PYTHONHASHSEED": "0"} | workers,
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


def _run(number: int, job: Job) -> tuple[int, int, list[str] | None]:
    """One of the runs of a request: its number, its seed, and what takes the place of a task."""
    swap = job.target.swap
    return number, job.seed, [swap.kind, swap.task, swap.name] if swap else None
