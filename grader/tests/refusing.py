"""What the tests of bad input share: a zoo, a workspace, and commands that have to refuse."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from grader import cli, course, engine, training
from grader.tests import zoo as zoos
from grader.tests.conftest import ROOT


class WorkBegan(BaseException):
    """A command went on where it should have refused."""


@pytest.fixture(scope="module")
def zoo(tmp_path_factory):
    """Everything that is no plain file."""
    animals = zoos.Zoo(tmp_path_factory.mktemp("bad") / "zoo")
    yield animals
    animals.close()


@pytest.fixture(scope="module")
def workplace(tmp_path_factory) -> Path:
    """A workspace to stand in."""
    folder = tmp_path_factory.mktemp("workplace")
    for room in ("exercises", "tests"):
        shutil.copytree(ROOT / room, folder / room)
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


@pytest.fixture
def nothing_remembered():
    """The course of the folder we stand in is loaded once a process: here a folder is no other."""
    course.load.cache_clear()


@pytest.fixture
def refused(monkeypatch, workplace, capsys):
    """Run a command that has to refuse; what it says."""

    def begin(*_, **__):
        raise WorkBegan

    monkeypatch.chdir(workplace)
    monkeypatch.setattr(engine, "Engine", begin)
    monkeypatch.setattr(engine, "cold_run", begin)
    monkeypatch.setattr(training, "_prepare", begin)
    before = files_of(workplace)

    def run(*words: str | Path) -> str:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "argv", ["kata", *map(str, words)])
            with pytest.raises(SystemExit) as end:
                cli.main()
        printed = capsys.readouterr()
        assert end.value.code == 2, printed
        assert "Traceback" not in printed.out + printed.err
        assert files_of(workplace) == before
        return printed.err

    return run


def files_of(folder: Path) -> dict:
    """A folder's files, and when each was written."""
    return {
        path: path.stat().st_mtime_ns
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def names(path: Path, said: str) -> bool:
    """Does a sentence name a file, in one line and in printable characters?"""
    shown = course.shown(path)
    return shown in said and said.strip().endswith((".", ")")) and said.count("\n") == 1
