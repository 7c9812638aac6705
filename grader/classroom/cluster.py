"""A class on Dask: submissions travel as bytes to workers, each of which has a warm engine.

    command ──▶ scheduler ──▶ worker process ──▶ engine ──▶ the code under test, in its own process

A worker runs no learner's code itself. One that ends has what it was at run again elsewhere; a
submission under way at two such ends is set aside. Only a few submissions are on their way at a
time, so that neither the command nor the scheduler holds a class.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import logging
import queue
import threading
import uuid
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path

from grader import course as courses
from grader.classroom import judge
from grader.classroom import scheduler as handshake
from grader.classroom.cases import unjudged
from grader.classroom.store import Graded
from grader.classroom.submitted import Submission
from grader.classroom.terms import Terms, course_hash, grader_version
from grader.course import CourseError
from grader.isolation import Isolation
from grader.loading import brief
from grader.reading import printable
from grader.report import Report

LOCAL = "local"  # in the place of a scheduler's address: workers on this machine
CONNECT = 15.0  # seconds to reach a scheduler
_LOST = 5.0  # seconds without the scheduler before it is given up
_TICK = 1.0  # seconds between looks at how many workers there are
_one_at_a_time = threading.Lock()  # in a worker: an engine answers one caller


class ClusterError(CourseError):
    """The cluster cannot do the work; what was graded so far is kept."""


def grade(order: dict) -> str:
    """On a worker: grade one submission; JSON with a result, or with a sentence that refuses."""
    course, own = _course(order["root"]), order["own"] and Path(order["own"])
    handed_in = Submission(**order["submission"])
    refused = _refusal(order, course, own)
    if refused:
        return json.dumps({"refused": refused})
    with _one_at_a_time:
        judge.words[course.root] = Isolation(order["isolation"])
        try:
            result = judge.grade_submission(handed_in, course, order["seed"], own)
            isolation = judge.isolation(course)
        except judge.engine.EngineError as error:
            return json.dumps({"refused": f"A worker has not graded: {error}"})
    report = Report(handed_in.name, order["seed"], judge.engine.versions(), [result]).to_json()
    return json.dumps({"report": report, "isolation": isolation})


def grade_each(
    submissions: Iterable[Submission],
    terms: Terms,
    scheduler: str,
    workers: int,
    say=lambda sentence: None,
    word: Isolation = Isolation.CLOSED,
) -> Iterator[Graded]:
    """Grade submissions on a cluster, each result as it is there; `workers` is for `LOCAL`.

    Unless the word is `OPEN`, workers refuse where they cannot keep the code apart.

    `ClusterError` with a sentence when there is no Dask or no scheduler, when the scheduler is
    lost, or when a worker has another gradkata or another course.
    """
    with _client(scheduler, workers) as client:
        flight = _Flight(client, terms, say, word)
        yield from flight.over(iter(submissions), wide=True)
        yield from flight.over(iter(list(flight.suspects)), wide=False)


def has_gpus(scheduler: str) -> bool:
    """Has a worker of a cluster said that it has a GPU (`dask worker --resources GPU=1`)?"""
    if scheduler == LOCAL:
        return False
    with _client(scheduler, 1) as client:
        about = client.scheduler_info(n_workers=-1)["workers"].values()
        return any(worker.get("resources", {}).get("GPU") for worker in about)


def train_each(orders: list[dict], scheduler: str) -> Iterator[tuple[int, dict]]:
    """Train on workers with a GPU, one at a time on each; an order's place and its record."""
    from distributed import as_completed

    with _client(scheduler, 1) as client:
        places = {
            client.submit(
                train, order, key=f"kata-{uuid.uuid4().hex}", pure=False, resources={"GPU": 1}
            ): place
            for place, order in enumerate(orders)
        }
        for future in as_completed(list(places)):
            yield places.pop(future), _trained(future)
            future.release()


def train(order: dict) -> dict:
    """On a worker: one training, or a sentence that refuses."""
    from grader.classroom import training

    if order["version"] != grader_version():
        return {"refused": _other_version(order)}
    return training.train(order)


def _trained(future) -> dict:
    from distributed import CancelledError, KilledWorker

    try:
        record = future.result(timeout=CONNECT)
    except KilledWorker:
        from grader.classroom import training

        return training.without(judge.SET_ASIDE)
    except (CancelledError, TimeoutError, OSError):
        raise _lost() from None
    if "refused" in record:
        raise ClusterError(record["refused"])
    return record


class _Flight:
    """The submissions that are on their way to workers and back."""

    def __init__(self, client, terms: Terms, say, word: Isolation):
        self._client, self._terms, self._say, self._word = client, terms, say, word
        self._back: queue.SimpleQueue = queue.SimpleQueue()
        self._away: dict = {}  # future: submission
        self.suspects: deque[Submission] = deque()  # were away when a worker ended
        self._last_seen, self._width, self._quiet = 0.0, 0, False

    def over(self, waiting: Iterator[Submission], wide: bool) -> Iterator[Graded]:
        """Send them all, as many at a time as there are threads; not `wide`: one at a time."""
        while True:
            room = (self._threads() if wide else 1) - len(self._away)
            for handed_in in itertools.islice(waiting, max(room, 0)):
                future = self._client.submit(
                    grade, self._order(handed_in), key=f"kata-{uuid.uuid4().hex}", pure=False
                )
                self._away[future] = handed_in
                future.add_done_callback(self._back.put)
            if not self._away:
                return
            with contextlib.suppress(queue.Empty):
                future = self._back.get(timeout=_TICK)
                handed_in = self._away.pop(future)
                found = self._read(future, handed_in, wide)
                future.release()
                if found:
                    yield found
            self._still_there()

    def _order(self, handed_in: Submission) -> dict:
        course, own = self._terms.course, self._terms.own
        return {
            "submission": asdict(handed_in),
            "seed": self._terms.seed,
            "isolation": str(self._word),
            "root": str(course.root),
            "own": own and str(own),
            "version": grader_version(),
            "hash": course_hash(course.find(handed_in.exercise), own),
        }

    def _read(self, future, handed_in: Submission, wide: bool) -> Graded | None:
        from distributed import CancelledError, KilledWorker

        try:
            found = json.loads(future.result(timeout=CONNECT))
        except KilledWorker:
            if wide:  # it may have stood beside the one that did it: once more, and alone
                self.suspects.append(handed_in)
                return None
            return Graded(handed_in, unjudged(handed_in, judge.SET_ASIDE))
        except (CancelledError, TimeoutError, OSError):
            raise _lost() from None
        except (ImportError, AttributeError, RuntimeError) as error:  # it cannot be unpickled
            raise ClusterError(
                "The scheduler or a worker does not understand the order: install "
                f"gradkata {grader_version()} and the same Dask there ({brief(error)})."
            ) from None
        if "refused" in found:
            raise ClusterError(found["refused"])
        report = Report.from_json(found["report"])
        return Graded(handed_in, report.exercises[0], report.versions, found["isolation"])

    def _threads(self) -> int:
        """How many submissions the workers can be at; 1 while none is there, to have it wait."""
        try:
            width = sum(self._client.nthreads().values())
        except (OSError, TimeoutError):
            raise _lost() from None
        if not width and not self._quiet:
            self._quiet = True
            self._say("The scheduler has no workers yet: waiting for one.")
        return max(width, 1)

    def _still_there(self) -> None:
        if self._client.status not in ("running", "newly-created"):
            raise _lost()


@contextlib.contextmanager
def _client(scheduler: str, workers: int):
    """A connection to a scheduler, and for `LOCAL` the scheduler and its workers too."""
    try:
        import dask
        from distributed import Client, LocalCluster
    except ImportError:
        raise ClusterError(
            "Dask is not installed, which --scheduler needs: pip install 'gradkata[scale]'"
        ) from None
    settings = {
        "distributed.scheduler.allowed-failures": 0,  # we send again, and alone: see `_read`
        "distributed.comm.timeouts.connect": f"{_LOST}s",
        "distributed.client.heartbeat": "1s",
    }
    with dask.config.set(settings), _quiet(), contextlib.ExitStack() as stack:
        address = scheduler
        if scheduler == LOCAL:
            address = stack.enter_context(
                LocalCluster(
                    n_workers=workers,
                    threads_per_worker=1,
                    processes=True,
                    host="127.0.0.1",
                    dashboard_address=None,
                    memory_limit=None,  # the code under test has limits of its own
                    silence_logs=logging.CRITICAL,
                )
            )
        else:
            try:
                handshake.check(address, CONNECT)
            except handshake.NoScheduler as error:
                raise ClusterError(_no_answer(scheduler, str(error))) from None
        try:
            client = stack.enter_context(Client(address, timeout=CONNECT, set_as_default=False))
        except (OSError, TimeoutError, ValueError) as error:
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise ClusterError(_no_answer(scheduler, reason)) from None
        yield client


@contextlib.contextmanager
def _quiet():
    """Dask's own log says in pages what a `ClusterError` says in a sentence."""
    loggers = [logging.getLogger(name) for name in ("distributed", "tornado")]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)


def _no_answer(scheduler: str, reason: str) -> str:
    return (
        f"--scheduler: {printable(scheduler)} does not answer ({printable(reason)}). Give the "
        "address that `dask scheduler` prints, or local."
    )


def _lost() -> ClusterError:
    return ClusterError(
        "The scheduler is lost. What was graded is kept: the same command goes on from there."
    )


def _course(root: str) -> courses.Course:
    """The course on a worker: in the same folder as the command's, or the one installed there."""
    same = Path(root)
    return courses.load(same if (same / "tests" / "conftest.py").is_file() else courses.own())


def _refusal(order: dict, course: courses.Course, own: Path | None) -> str:
    """Why this worker may not grade: another version, or another content of the course."""
    if grader_version() != order["version"]:
        return _other_version(order)
    stem = order["submission"]["exercise"]
    here = course_hash(course.find(stem), own)
    if here != order["hash"]:
        return (
            f"A worker's {stem} has the content {here[:12]}, this command's {order['hash'][:12]}: "
            "bring the same course to both."
        )
    return ""


def _other_version(order: dict) -> str:
    return (
        f"A worker has gradkata {grader_version()}, this command {order['version']}: install the "
        "same version on both."
    )
