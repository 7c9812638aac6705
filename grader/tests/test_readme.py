"""What the README shows is what a reader gets: every command is run, every output compared."""

from __future__ import annotations

import re
import shlex
import shutil

import pytest

from grader import course
from grader.tests.conftest import ROOT

README = (ROOT / "README.md").read_text("utf-8")
# Commands that .ci/run runs itself, since they install, train or prove.
IN_CI = (ROOT / ".ci" / "run").read_text("utf-8")


def _blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def _sessions() -> list[tuple[str, str]]:
    """Each `$ command` of a console block, with the output shown below it."""
    found = []
    for block in _blocks("console"):
        for part in block.split("$ ")[1:]:
            command, _, output = part.partition("\n")
            found.append((command, output))
    return found


def _shows(output: str, text: str) -> str:
    """The first part of a shown output that the text lacks; … stands for anything in between."""
    text, place = " ".join(text.split()), 0
    for part in (" ".join(part.split()) for part in output.split("…")):
        place = text.find(part, place)
        if place < 0:
            return part
        place += len(part)
    return ""


@pytest.fixture
def workspace(tmp_path):
    """The course with the README's wrong answer in the place of the stub."""
    for folder in ("exercises", "solutions", "tests"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (answer,) = _blocks("python")
    stub = tmp_path / "exercises" / "ex03_backward.py"
    stub.write_text(stub.read_text("utf-8") + "\n\n" + answer, "utf-8")
    for student, room in (("ada", "solutions"), ("bob", "exercises")):
        handed_in = tmp_path / "handed_in" / student
        handed_in.mkdir(parents=True)
        shutil.copy(tmp_path / room / "ex03_backward.py", handed_in)
    return tmp_path


@pytest.mark.parametrize(
    ("command", "output"),
    [
        pytest.param(*one, marks=[pytest.mark.whole] if one[0].startswith("kata grade") else [])
        for one in _sessions()
    ],
    ids=lambda text: text[:40],
)
def test_a_session_is_what_it_shows(command, output, workspace, kata, plain_pytest, request):
    if command.startswith("kata grade"):
        request.getfixturevalue("isolated")
    program, *words = shlex.split(command)
    done = {"kata": kata, "pytest": plain_pytest}[program](*words, cwd=workspace)
    assert "Traceback" not in done.stdout + done.stderr
    assert not _shows(output, done.stdout), done.stdout


@pytest.mark.parametrize("command", [line for b in _blocks("sh") for line in b.splitlines()])
def test_ci_runs_every_command_of_the_readme(command):
    for part in command.split(" && "):
        assert part in [
            line.split(" --seeds")[0] for line in IN_CI.replace(" -q ", " ").split("\n")
        ]


def test_every_command_named_in_the_tables_exists():
    from typer.testing import CliRunner

    from grader.cli import app

    names = set(re.findall(r"^\| `kata ([a-z]+)", README, re.MULTILINE))
    assert {"test", "hint", "reset", "solution", "train"} <= names
    for name in names:
        assert CliRunner().invoke(app, [name, "--help"]).exit_code == 0, name


def test_the_table_is_the_course(loaded):
    rows = re.findall(r"^\| (ex\d\d) \| (.+?) \| (.+?) \| (\d+) \|$", README, re.MULTILINE)
    assert rows == [
        (
            exercise.id,
            exercise.title,
            ", ".join(f"`{task.name}`" for task in exercise.tasks),
            str(exercise.points),
        )
        for exercise in course.load(ROOT).exercises
    ]


def test_nothing_names_a_machine_or_a_registry():
    # A machine's path or a package registry's address has no place in what is committed.
    import subprocess

    files = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.split()
    if not files:
        pytest.skip("not a git checkout: nothing says which files are committed")
    host = r"(pypi|npmjs|pythonhosted|debian)\.(org|com)|download\.pytorch\.org"
    for name in files:
        path = ROOT / name
        if path.suffix in (".py", ".md", ".toml", "") and path.is_file() and name != __file__:
            text = path.read_text("utf-8", "replace")
            if not name.endswith("test_readme.py"):
                assert not re.search(host, text), name
                assert not re.search(r"(?<!\w)/((root|home)/\w|work/)", text), name
