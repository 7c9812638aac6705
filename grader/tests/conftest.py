"""One warm engine for all tests of the grader, and copies of the exercises to spoil."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from grader import course
from grader.engine import CAN_FORK, Engine
from grader.preload import preload_for
from grader.target import Target
from grader.tests import forked

# Files that import nbgrader, torchvision or what an optimiser's first step needs, or have the
# engine collect the tests of many exercises, share a worker: that takes seconds in each.
TOGETHER = (
    ("test_classroom", "test_grading", "test_notebook_check", "test_lms", "test_course",
     "test_workspace", "test_colab"),
    ("test_training", "test_training_apart", "test_boundary", "test_mnist", "test_pictures",
     "test_ex10_datasets", "test_ex11_dataloaders", "test_ex12_train_digits",
     "test_ex13_fast_loader"),
    ("test_engine", "test_diagnose", "test_failure_text", "test_judges", "test_prove"),
)  # fmt: skip
# What begins first. The rest fills up the workers that have done with these.
FIRST = (*sum(TOGETHER, ()), "test_watch", "test_readme", "test_cli")  # fmt: skip
ROOT = Path(__file__).resolve().parents[2]
REFUSAL = Engine.refusal  # for the tests of just that


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config):
    """The grader's own tests run side by side, since many of them wait; a learner's never do."""
    spread = config.pluginmanager.hasplugin("xdist") and not hasattr(config, "workerinput")
    if spread and config.option.numprocesses is None and not config.option.usepdb:
        config.option.numprocesses, config.option.dist = 3, "loadfile"
        config.option.loadscopereorder = False  # the order is ours, and not by number of tests
        forked.start()  # one for all workers


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """As `--dist loadfile`, but that some files go to a worker together."""
    if config.getvalue("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling

    class LoadFiles(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = super()._split_scope(nodeid)
            return next((names[0] for names in TOGETHER if Path(file).stem in names), file)

    return LoadFiles(config, log)


def pytest_collection_modifyitems(items):
    """These tests start processes: they get more time than a learner's function does.

    The longest files go first, so that no worker is left with one of them at the end.
    """
    places = {name: place for place, name in enumerate(FIRST)}
    items.sort(key=lambda item: places.get(item.path.stem, len(places)))
    if not os.environ.get("KATA_WHOLE"):
        for item in items:
            if item.get_closest_marker("whole"):
                item.add_marker(pytest.mark.skip(reason="takes minutes: KATA_WHOLE=1 runs it"))
    for item in items:
        if item.path.is_relative_to(ROOT / "grader") and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(240))


def whole_for(names, long):
    """Values of a parameter, of which the `long` ones run in the whole run only."""
    return [pytest.param(one, marks=[pytest.mark.whole] if one in long else []) for one in names]


@pytest.fixture(scope="session", autouse=True)
def forked_parents():
    """The tests' own engines fork their warm parent; test_watch.py starts real ones."""
    forked.without_grammars()
    with pytest.MonkeyPatch.context() as patch:
        forked.start()
        if forked.ADDRESS in os.environ:
            patch.setattr("grader.engine.spawn", forked.spawn)
        yield


@pytest.fixture(scope="session", autouse=True)
def graded_by_any_engine():
    """Tests of grading use an engine that has no sandbox, and run where there is none to have."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Engine, "refusal", "")
        yield


@pytest.fixture(scope="session")
def isolated(tmp_path_factory) -> None:
    """Skip where the real command refuses, since this machine can't keep code apart."""
    from grader.sandbox import Sandbox, SandboxError

    file = tmp_path_factory.mktemp("entry") / "kata_idles.py"
    file.write_text("def serve(sock): pass\n")
    try:
        with Sandbox("kata_idles", code=[file]) as box:
            notice = box.notice
    except SandboxError as error:
        notice = str(error)
    if notice:
        pytest.skip(notice)


@pytest.fixture(scope="session")
def loaded() -> course.Course:
    """The course of this repo."""
    return course.load(ROOT)


@pytest.fixture(scope="session")
def engine(loaded):
    """A warm parent that knows what every exercise imports."""
    if not CAN_FORK:
        pytest.skip("the warm engine needs fork, which this system does not have")
    with Engine(ROOT, preload_for(loaded.exercises)) as warm:
        yield warm


@pytest.fixture(scope="session")
def gradebooks():
    """nbgrader's new gradebooks without the seconds of a process that each one starts.

    It asks the command of alembic for the version of the tables; so does this, but in here.
    """
    api = pytest.importorskip("nbgrader.api")
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    def version() -> str:
        with api._temp_alembic_ini("sqlite://") as settings:
            return ScriptDirectory.from_config(Config(settings)).get_current_head()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(api, "get_alembic_version", version)
        yield


@pytest.fixture
def solved(tmp_path, loaded) -> Path:
    """A folder with every exercise solved, to spoil one of them."""
    folder = tmp_path / "exercises"
    folder.mkdir()
    for exercise in loaded.exercises:
        shutil.copy(exercise.solution, folder)
    return folder


@pytest.fixture
def judge(engine, loaded):
    """Run exercises of a folder: `judge(folder, "ex05")`, with a fixed seed."""

    def run(folder: Path, *names: str, seed: int = 7, **options):
        return engine.run(Target(folder), loaded.select(list(names)), seed, **options)

    return run


@pytest.fixture
def kata():
    """Run `kata` as a person would, in a process of its own."""

    def run(*words: str, cwd: Path = ROOT) -> subprocess.CompletedProcess:
        return forked.run("kata", words, cwd)

    return run


@pytest.fixture
def plain_pytest():
    """Run plain `pytest`, in a process of its own."""

    def run(*words: str, cwd: Path = ROOT) -> subprocess.CompletedProcess:
        return forked.run("pytest", words, cwd)

    return run
