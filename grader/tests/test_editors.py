"""What editors and hosts read: VS Code's test explorer, and Codespaces."""

from __future__ import annotations

import json
import shlex

from grader.tests.conftest import ROOT


def _json(*parts: str) -> dict:
    return json.loads(ROOT.joinpath(*parts).read_text("utf-8"))


def test_the_test_explorer_finds_every_exercise(plain_pytest, loaded):
    settings = _json(".vscode", "settings.json")
    assert settings["python.testing.pytestEnabled"] is True
    # What VS Code's Python extension asks pytest for, before it shows the tree of tests.
    words = ["--rootdir", str(ROOT), "--collect-only", "-q"]
    done = plain_pytest(*words, *settings["python.testing.pytestArgs"])
    assert done.returncode == 0, done.stdout
    for exercise in loaded.exercises:
        for task in exercise.tasks:
            assert f"{exercise.test_file.name}::{task.test_class}::test_example" in done.stdout


def test_a_codespace_installs_the_course():
    words = shlex.split(_json(".devcontainer", "devcontainer.json")["postCreateCommand"])
    assert words == ["pip", "install", "-e", "."]  # as the README says, and .ci/run runs
