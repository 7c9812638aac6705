"""A class on Dask: a scheduler and workers as the README starts them, in processes of their own."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest

from grader.classroom import cluster, grading, judge
from grader.classroom.cluster import ClusterError
from grader.classroom.store import Graded
from grader.isolation import Isolation
from grader.tests import forked
from grader.tests.conftest import ROOT
from grader.tests.handed_in import SEED, a_class, grade_or_die, on_disk, one, plain, terms

pytestmark = [
    pytest.mark.skipif(not forked.CAN_SERVE, reason="the workers are forked"),
    pytest.mark.skipif(find_spec("distributed") is None, reason="Dask is not installed"),
]


class Dask:
    """`dask scheduler` and `dask worker`s on the loopback."""

    def __init__(self):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = str(free.getsockname()[1])
        self.address = f"tcp://127.0.0.1:{port}"
        self.scheduler = self._start(
            "scheduler", "--host", "127.0.0.1", "--port", port, "--no-dashboard"
        )
        self.workers: list = []

    def have(self, number: int) -> None:
        """Start workers until there are `number`."""
        self.workers = [one for one in self.workers if one.poll() is None]
        while len(self.workers) < number:
            words = (self.address, "--nthreads", "1", "--no-dashboard", "--no-nanny")
            self.workers.append(self._start("worker", *words))
        import distributed  # here, since every worker of the tests imports this module

        end = time.monotonic() + 60
        with distributed.Client(self.address, timeout=60, set_as_default=False) as client:
            while len(client.nthreads()) != number:
                assert time.monotonic() < end
                time.sleep(0.05)

    def close(self) -> None:
        for process in (*self.workers, self.scheduler):
            process.kill()
            process.wait(20)

    def _start(self, *words: str):
        quiet = os.environ | {
            "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "0",
            "DASK_LOGGING__DISTRIBUTED": "critical",
        }
        with open(os.devnull, "r+") as null:
            files = {"stdin": null.fileno(), "stdout": null.fileno(), "stderr": null.fileno()}
            return forked.Served("dask", words, ROOT, quiet, **files)


@pytest.fixture(scope="module")
def dask():
    started = Dask()
    yield started
    started.close()


@pytest.fixture
def send(dask, loaded):
    """Grade on the cluster; each result as it comes."""
    return lambda handed_in: cluster.grade_each(
        handed_in, terms(loaded), dask.address, 1, word=Isolation.OPEN
    )


def on_this_machine(loaded, engine, monkeypatch, handed_in, width: int) -> dict:
    monkeypatch.setitem(judge.engines, loaded.root, engine)
    found = judge.grade_each(handed_in, loaded, SEED, width=width)
    return plain(Graded(*pair) for pair in found)


@pytest.mark.whole
def test_one_machine_and_a_cluster_of_any_size_give_identical_results(
    dask, send, loaded, engine, monkeypatch
):
    handed_in = a_class(loaded, 12)
    here = on_this_machine(loaded, engine, monkeypatch, handed_in, 1)
    assert len(here) == 12 and len({earned for _, earned in here.values()}) > 1
    assert here == on_this_machine(loaded, engine, monkeypatch, handed_in, 2)
    for workers in (1, 2):
        dask.have(workers)
        assert plain(send(handed_in)) == here


def test_a_worker_with_another_version_or_course_refuses(dask, send, loaded, monkeypatch):
    dask.have(2)
    with monkeypatch.context() as patch:
        patch.setattr(cluster, "grader_version", lambda: "99.1")
        with pytest.raises(ClusterError, match=r"A worker has gradkata [\d.]+, this command 99\.1"):
            list(send(a_class(loaded, 2)))
    monkeypatch.setattr(cluster, "course_hash", lambda *_: "0123456789abcdef")
    with pytest.raises(ClusterError, match=r"content [0-9a-f]{12}, this command's 0123456789ab"):
        list(send(a_class(loaded, 2)))


@pytest.mark.whole
def test_workers_that_die_lose_nothing_and_a_killer_is_set_aside(dask, send, loaded, monkeypatch):
    dask.have(3)  # two of them will not live
    monkeypatch.setattr(cluster, "grade", grade_or_die)
    handed_in = [*a_class(loaded, 3), one(loaded, "killer", "\n# killer"), *a_class(loaded, 5)[3:]]
    found = plain(send(handed_in))
    assert len(found) == 6
    for name, (result, earned) in found.items():
        if name.startswith("killer/"):
            assert (result.tasks, result.problem, earned) == ([], judge.SET_ASIDE, 0)
        else:
            assert result.tasks and not result.problem
    assert sum(worker.poll() is None for worker in dask.workers) == 1


@pytest.mark.whole
def test_a_scheduler_that_is_lost_is_a_sentence_and_the_next_run_finishes(
    dask, loaded, engine, tmp_path, monkeypatch
):
    dask.have(1)
    monkeypatch.setitem(judge.engines, loaded.root, engine)
    folder = on_disk(a_class(loaded, 6), tmp_path / "in")
    order = grading.Order([folder], tmp_path / "grades", scheduler=dask.address, seed=SEED)
    order = replace(order, isolation=Isolation.OPEN)

    def lose(done, of):
        if done == 2:
            dask.scheduler.kill()

    with pytest.raises(ClusterError, match="The scheduler is lost"):
        grading.grade(order, lose)
    kept = len(list((tmp_path / "grades").glob("ex*/*.json")))
    assert 2 <= kept < 6
    found = grading.grade(replace(order, scheduler=""))
    assert (found.ran, len(found.graded), found.ungraded) == (6 - kept, 6, [])


def test_without_a_scheduler_there_is_a_sentence(loaded, monkeypatch):
    monkeypatch.setattr(cluster, "CONNECT", 0.5)
    with pytest.raises(ClusterError, match=r"--scheduler: tcp://127\.0\.0\.1:9 does not answer"):
        list(cluster.grade_each([], terms(loaded), "tcp://127.0.0.1:9", 1))
    monkeypatch.setitem(sys.modules, "dask", None)
    with pytest.raises(ClusterError, match="pip install 'gradkata\\[scale\\]'"):
        list(cluster.grade_each([], terms(loaded), "local", 1))


def test_the_job_script_for_slurm_is_as_documented():
    jobqueue = pytest.importorskip("dask_jobqueue", reason="dask-jobqueue is not installed")
    with jobqueue.SLURMCluster(
        cores=1, processes=1, memory="4GB", walltime="01:00:00", queue="short", n_workers=0
    ) as slurm:
        script = slurm.job_script()
    assert "#SBATCH -p short" in script and "distributed.cli.dask_worker tcp://" in script
    assert "--nthreads 1" in script and "#SBATCH -t 01:00:00" in script


@pytest.mark.whole
def test_the_commands_of_the_readme(loaded, tmp_path):
    text = (ROOT / "README.md").read_text("utf-8")
    block = re.search(r"^```bash\n(DASK_.*?)^```", text, re.MULTILINE | re.DOTALL)[1]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    *servers, grade = block.replace("8786", port).splitlines()
    on_disk([one(loaded, f"s{place}") for place in range(3)], tmp_path / "handed_in")
    programs = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    options = {"shell": True, "cwd": tmp_path, "env": os.environ | {"PATH": programs}}
    started = [subprocess.Popen(f"exec env {line}", **options) for line in servers]
    try:
        done = subprocess.run(grade, capture_output=True, text=True, timeout=120, **options)
    finally:
        for process in reversed(started):
            process.terminate()
            process.wait(20)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 graded, 3 of all run now" in done.stdout


@pytest.mark.whole
@pytest.mark.timeout(1200)
def test_two_hundred_on_one_worker_two_and_a_cluster_are_identical(
    loaded, engine, monkeypatch, tmp_path
):
    handed_in = a_class(loaded, 200, [exercise.stem for exercise in loaded.exercises])
    order = grading.Order([on_disk(handed_in, tmp_path / "in")], seed=SEED)
    dask, found = Dask(), []
    try:
        dask.have(2)
        for place, more in enumerate(({"workers": 1}, {"workers": 2}, {"scheduler": dask.address})):
            out = tmp_path / f"grades {place}"
            found.append(plain(grading.grade(replace(order, out=out, **more)).graded))
            assert len(list(out.glob("ex*/*.json"))) == 200
    finally:
        dask.close()
    assert found[0] == found[1] == found[2]
    assert len(found[0]) == 200
