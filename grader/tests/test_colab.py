"""The first code cell of a notebook where the course is not installed yet, as on Colab."""

import json
import sys
from importlib.abc import MetaPathFinder

import pytest
from IPython.core.interactiveshell import InteractiveShell

from grader.classroom import course as classroom


class Missing(MetaPathFinder):
    """As long as it stands first, there is no gradkata."""

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "grader":
            raise ModuleNotFoundError(f"No module named {name!r}")


@pytest.fixture
def shell(monkeypatch):
    """IPython without the course, and a `%pip` that brings it and notes what it was asked for."""
    shell, missing, asked = InteractiveShell(), Missing(), []
    for name in [name for name in sys.modules if name.partition(".")[0] == "grader"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [missing, *sys.meta_path])

    def pip(line):
        asked.append(line)
        sys.meta_path.remove(missing)

    shell.register_magic_function(pip, magic_name="pip")
    shell.asked = asked
    return shell


def start(exercise, **options) -> str:
    cells = json.loads(classroom.page(exercise, **options))["cells"]
    return next("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")


def test_the_first_cell_installs_a_course_that_is_missing(shell, loaded):
    cell = start(loaded.find("ex03"))
    shell.run_cell(cell).raise_error()
    assert shell.asked == ["install --quiet gradkata"]
    assert callable(shell.user_ns["check"])
    shell.run_cell(cell).raise_error()
    assert len(shell.asked) == 1


def test_it_can_come_from_somewhere_else(loaded):
    cell = start(loaded.find("ex03"), install="git+https://example.org/gradkata")
    assert "%pip install --quiet git+https://example.org/gradkata\n" in cell
