"""The built wheel, installed where there is no clone, is all that a learner needs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from grader.tests.conftest import ROOT

pytestmark = [pytest.mark.whole, pytest.mark.timeout(900)]
NOT_FOR_LEARNERS = ("grader/tests/", "__pycache__", ".kata", "spelling", "golden")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """gradkata's wheel, built with what is installed."""
    folder = tmp_path_factory.mktemp("wheel")
    run([sys.executable, "-m", "pip", "wheel", str(ROOT), "-q", "--no-deps",
         "--no-build-isolation", "--no-index", "-w", str(folder)], folder)  # fmt: skip
    [built] = folder.glob("gradkata-*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory) -> Path:
    """The `bin` of a virtual environment with the wheel; the dependencies are this one's."""
    folder = tmp_path_factory.mktemp("installed")
    run([sys.executable, "-m", "venv", "--without-pip", str(folder / "venv")], folder)
    python = folder / "venv" / "bin" / "python"
    where = run([str(python), "-c", "import site; print(site.getsitepackages()[0])"], folder)
    run([sys.executable, "-m", "pip", "--python", str(python), "install", "-q", "--no-deps",
         "--no-index", str(wheel)], folder)  # fmt: skip
    # Behind the wheel's own folder, and as a plain path, so that no editable install is followed.
    ours = Path(pytest.__file__).parent.parent
    Path(where.stdout.strip(), "theirs.pth").write_text(f"{ours}\n")
    found = run([str(python), "-c", "import grader; print(grader.__file__)"], folder).stdout
    assert Path(found.strip()).is_relative_to(folder)
    return python.parent


def run(command: list[str], cwd: Path, status: int = 0, **options) -> subprocess.CompletedProcess:
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    environment |= {"COLUMNS": "200", "NO_COLOR": "1"}
    done = subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=600, **options
    )
    assert done.returncode == status, f"{command}:\n{done.stdout}\n{done.stderr}"
    return done


def test_what_is_in_it(wheel, loaded):
    names = zipfile.ZipFile(wheel).namelist()
    for exercise in loaded.exercises:
        for path in (exercise.solution, exercise.variants, exercise.test_file, exercise.mistakes):
            assert f"grader/_course/{path.relative_to(ROOT).as_posix()}" in names
    assert "grader/data/MNIST/raw/train-images-idx3-ubyte.gz" in names
    assert "grader/data/sample.npz" in names
    assert not [name for name in names if any(part in name for part in NOT_FOR_LEARNERS)]
    top = {name.partition("/")[0] for name in names}
    assert {name for name in top if not name.endswith(".dist-info")} == {"grader"}


def test_a_learners_day(installed, tmp_path, loaded):
    def kata(*words: str, cwd: Path, **options) -> str:
        return run([str(installed / "python"), "-m", "grader", *words], cwd, **options).stdout

    nowhere = run([str(installed / "kata")], tmp_path, status=2)
    assert "kata init" in nowhere.stderr
    assert "made my-kata" in run([str(installed / "kata"), "init", "my-kata"], tmp_path).stdout
    (tmp_path / "class" / "ada").mkdir(parents=True)  # an instructor may stand anywhere
    shutil.copy(loaded.find("ex03").solution, tmp_path / "class" / "ada")
    assert "1 graded" in kata("grade", "class", "--isolation", "open", cwd=tmp_path)
    mine = tmp_path / "my-kata"
    assert "0/8" in kata(cwd=mine)
    exercise = loaded.find("ex03")
    shutil.copy(exercise.solution, mine / "exercises")
    assert "1 of 1 exercises pass" in kata("test", "ex03", cwd=mine)
    python = str(installed / "python")
    assert "passed" in run([python, "-m", "pytest", "tests/test_ex03_backward.py"], mine).stdout
    assert "Idea:" in kata("hint", "ex04", cwd=mine)
    assert "def slope" in kata("solution", "ex03", cwd=mine)
    assert "q quit" in kata("watch", "ex03", cwd=mine, input="q\n")
    assert "fresh" in kata("reset", "ex03", cwd=mine)
    assert "up to date" in kata("upgrade", cwd=mine)
    assert "the proof holds" in kata("prove", "ex03", "--seeds", "1", cwd=mine)
    kata("test", "ex08", "--target", "solutions", cwd=mine)  # reads the digits
    kata("train", "--target", "solutions", "--data", "sample", cwd=mine)
