"""Bad input: a sentence that names the file and the way out, status 2, nothing lost, no hang.

The rows run the commands in this process, with whatever would begin the work taken away: what
can't be written is found before it.
"""

from __future__ import annotations

import http.server
import json
import shutil
import socket
import sys
import threading
from pathlib import Path

import pytest

from grader import cli, course, engine, reading, training
from grader.learner import keep, workspace
from grader.loading import CannotLoad
from grader.target import Target
from grader.tests import zoo as zoos
from grader.tests.conftest import ROOT

pytestmark = pytest.mark.timeout(20)  # a row that hangs is a failure

UNREAD = ("missing", "folder", "fifo", "socket", "zero", "loop", "dangling", "gigantic",
          "unreadable", "inside", "longer")  # fmt: skip
NOT_WRITTEN = ("folder", "fifo", "socket", "full", "loop", "inside", "longer", "unwritable")


class WorkBegan(BaseException):
    """A command went on where it should have refused."""


@pytest.fixture(scope="module")
def zoo(tmp_path_factory):
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


@pytest.fixture(autouse=True)
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
    before = _files(workplace)

    def run(*words: str | Path) -> str:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "argv", ["kata", *map(str, words)])
            with pytest.raises(SystemExit) as end:
                cli.main()
        printed = capsys.readouterr()
        assert end.value.code == 2, printed
        assert "Traceback" not in printed.out + printed.err
        assert _files(workplace) == before
        return printed.err

    return run


def _files(folder: Path) -> dict:
    return {
        path: path.stat().st_mtime_ns
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def _names(path: Path, said: str) -> bool:
    """Does a sentence name a file, in one line and in printable characters?"""
    shown = course.shown(path)
    return shown in said and said.strip().endswith((".", ")")) and said.count("\n") == 1


# --- numbers and names -----------------------------------------------------------------------

NUMBERS = [
    *(("test", "ex03", "--seed", seed) for seed in ("-1", "x", "1.5", "", "9" * 5000, 2**32)),
    *(("prove", "ex03", "--seed", seed) for seed in ("-1", 10**30)),
    *(("prove", "ex03", "--seeds", number) for number in ("0", "-1", "nan", 10**9)),
    *(("train", option, "0") for option in ("--seeds", "--epochs")),
    *(("train", option, 10**30) for option in ("--seeds", "--epochs", "--seed")),
    *(("bench", "engine", "--runs", number) for number in ("0", 10**12)),
    *(("grade", "here", "--workers", number) for number in ("0", "-3", 10**6, "many")),
    *(("grade", "here", "--seed", number) for number in ("-1", 2**64)),
    *(("hint", "ex03", "--level", number) for number in ("0", "4", "-1", 10**30, "x")),
    *(
        ("course", "c", "--only", "03", "--own-words", number)
        for number in ("-1", "nan", "inf", "1e300", "x")
    ),
    *(
        ("course", "c", "--only", "03", "--due", moment)
        for moment in ("", "tomorrow", "2026-13-01", "9" * 50)
    ),
    ("course", "c", "--only", "03", "--install", ""),
    ("course", "c", "--only", "03", "--install", "a\nb"),
]


@pytest.mark.parametrize("words", NUMBERS, ids=lambda words: " ".join(map(str, words))[:60])
def test_a_number_that_is_none_is_refused(refused, words):
    option = words[-2]
    assert option in refused(*words)


@pytest.mark.parametrize(
    "name",
    ["", "ex99", "0", "²", "٣", "9" * 5000, "a/b", "../ex03", "x" * 5000, "ex03\nex04", "-3"],
    ids=lambda name: ascii(name)[:20],
)
@pytest.mark.parametrize("command", ["test", "hint", "reset", "solution", "show", "prove"])
def test_a_name_that_is_no_exercise_is_refused(refused, command, name):
    said = refused(command, "--", name)
    assert "ex03" in said or "There is no" in said or "there is no" in said


def test_a_file_from_elsewhere_is_not_taken_for_the_exercise(refused, tmp_path):
    mine = tmp_path / "ex03_backward.py"
    mine.write_text("a = 1\n")
    for command in ("hint", "reset", "solution", "show", "prove"):
        assert "is not a file of the course" in refused(command, mine)
    assert "name it alone" in refused("test", mine, "ex04")
    assert "name it alone" in refused("test", mine, "--target", "solutions")
    assert "There is no exercise" in refused("test", shutil.copy(mine, tmp_path / "my.py"))
    assert mine.read_text() == "a = 1\n"


# --- what is read ------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [*UNREAD, "latin", "null", "deep-toml", "number", "binary"])
def test_points_that_cannot_be_read(refused, zoo, kind):
    path = zoo.path(kind, ".toml")
    said = refused("course", "c", "--only", "03", "--points", path)
    assert said.startswith("--points: ")
    assert _names(path, said), said
    assert zoo.same()


@pytest.mark.parametrize("text", ["ex03 = 1", "[ex03]\nslope = '1'", "[ex03]\nslope = -1",
                                  "[ex03]\nslope = inf", f"[ex03]\nslope = {'9' * 400}",
                                  "[ex03]\nno = 1", "[ex99]\na = 1"])  # fmt: skip
def test_points_that_are_none(refused, tmp_path, text):
    path = tmp_path / "points.toml"
    path.write_text(text)
    assert "ex" in refused("course", "c", "--only", "03", "--points", path)


def test_points_may_have_a_mark_and_other_line_ends(tmp_path, loaded):
    from grader.classroom.asked import read_points

    path = tmp_path / "points.toml"
    path.write_bytes(b"\xef\xbb\xbf[ex03]\r\nslope = 5\r\n")
    assert read_points(path, loaded) == {"ex03_backward": {"slope": 5}}


@pytest.mark.parametrize("kind", UNREAD)
def test_a_target_that_cannot_be_read(refused, zoo, kind):
    if kind in ("folder", "gigantic", "unreadable"):
        pytest.skip("what is in it is read later")
    for command in (("test", "ex03"), ("show", "ex03"), ("report",), ("train",)):
        path = zoo.path(kind, ".py")
        said = refused(*command, "--target", path)
        assert said.startswith("--target: ")
        assert "zoo" in said
        assert said.count("\n") == 1
        assert zoo.same()


def test_a_target_is_code_or_a_folder(refused, zoo):
    path = zoo.path("list", ".txt")
    assert _names(path, refused("test", "--target", path))


@pytest.mark.parametrize("kind", ["fifo", "socket", "zero", "loop", "gigantic", "unreadable",
                                  "latin", "null", "binary", "deep-python", "deep-sums", "folder",
                                  "empty", "missing"])  # fmt: skip
def test_a_script_that_is_none_is_a_sentence(zoo, kind):
    path = zoo.path(kind, ".py")
    with pytest.raises(CannotLoad) as error:
        Target(path).load("ex03_backward")
    assert course.shown(path) in error.value.sentence


@pytest.mark.parametrize("kind", ["fifo", "latin", "binary", "deep-json", "deep-object", "number",
                                  "list", "cut", "empty", "gigantic"])  # fmt: skip
def test_a_notebook_that_is_none_is_a_sentence(zoo, kind):
    path = zoo.path(kind, ".ipynb")
    with pytest.raises(CannotLoad) as error:
        Target(path).load("ex03_backward")
    assert course.shown(path) in error.value.sentence


@pytest.mark.parametrize("before", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_marks_and_line_ends_change_nothing(tmp_path, before, end):
    path = tmp_path / "two\nlines.py"
    path.write_bytes(before + end.join([b"def slope():", b"    return 3", b""]))
    assert Target(path).load("ex03_backward").slope() == 3


@pytest.mark.parametrize("kind", [*UNREAD, "latin", "deep-json", "number", "list", "cut"])
def test_a_class_whose_settings_cannot_be_read(refused, zoo, tmp_path, kind):
    if kind in ("missing", "dangling", "inside", "longer"):
        pytest.skip("a class without settings is a new one")
    shutil.rmtree(tmp_path / "class", ignore_errors=True)
    (tmp_path / "class").mkdir()
    (tmp_path / "class" / "kata.json").symlink_to(zoo.path(kind, ".json"))
    said = refused("course", tmp_path / "class", "--only", "03")
    assert "kata.json" in said
    assert zoo.same()


@pytest.mark.parametrize("kind", [*UNREAD, "null", "latin", "deep-python", "cut", "binary"])
def test_a_class_whose_configuration_cannot_be_read(refused, zoo, tmp_path, kind):
    pytest.importorskip("nbgrader")
    path = zoo.path(kind, ".py")
    with_config = tmp_path / "class"
    with_config.mkdir()
    (with_config / "nbgrader_config.py").symlink_to(path)
    assert str(with_config) in refused("grades", with_config, "--to", "canvas", "--out", "a.csv")
    assert zoo.same()


@pytest.mark.parametrize("kind", ["latin", "binary", "folder", "fifo", "zero", "empty"])
def test_a_gradebook_that_is_none(refused, zoo, tmp_path, kind, gradebooks):
    folder = tmp_path / "class"
    folder.mkdir()
    (folder / "nbgrader_config.py").write_text(
        f"c = get_config()\nc.CourseDirectory.root = {str(folder)!r}\n"
    )
    if kind == "empty":
        (folder / "nbgrader_config.py").write_text("raise SystemExit('no')\n")
    path = zoo.path(kind, ".db")
    (folder / "gradebook.db").symlink_to(path)
    said = refused("grades", folder, "--to", "canvas", "--out", "a.csv")
    assert said.count("\n") == 1
    assert "class" in said
    assert zoo.same()


@pytest.mark.parametrize("kind", [*UNREAD, "latin", "binary", "null", "empty"])
def test_a_roster_that_cannot_be_read(zoo, kind):
    from grader.classroom import lms

    path = zoo.path(kind, ".csv")
    with pytest.raises(course.CourseError) as error:
        lms.for_canvas(lms.Grades({}, {}, {}), path)
    assert "--roster" in str(error.value)
    assert course.shown(path) in str(error.value)
    assert zoo.same()


@pytest.mark.parametrize("kind", ["missing", "fifo", "socket", "zero", "loop", "dangling",
                                  "longer", "inside", "list"])  # fmt: skip
def test_what_is_handed_in_and_is_nothing(refused, zoo, tmp_path, kind):
    path = zoo.path(kind)
    said = refused("grade", path, "--out", tmp_path / "out")
    assert path.name[:60] in said
    assert zoo.same()


@pytest.mark.parametrize("kind", ["missing", "empty", "folder", "fifo"])
def test_a_folder_of_tests_that_has_none(refused, zoo, kind):
    path = zoo.path(kind)
    assert "--tests: " in refused("course", "c", "--only", "03", "--tests", path)


def test_tests_that_cannot_be_read(refused, tmp_path, zoo):
    (tmp_path / "test_ex03_backward.py").symlink_to(zoo.path("fifo", ".py"))
    assert "test_ex03_backward.py" in refused("course", "c", "--only", "03", "--tests", tmp_path)


@pytest.mark.parametrize("kind", ["fifo", "zero", "loop", "gigantic", "latin", "null", "deep-sums",
                                  "deep-python", "folder", "cut"])  # fmt: skip
def test_a_test_file_of_a_workspace_that_is_none(
    tmp_path, workplace, zoo, kind, capsys, monkeypatch
):
    for room in ("exercises", "tests"):
        shutil.copytree(workplace / room, tmp_path / room)
    path = tmp_path / "tests" / "test_ex03_backward.py"
    path.unlink()
    path.symlink_to(zoo.path(kind, ".py"))
    monkeypatch.chdir(tmp_path)
    for words in (["hint", "ex03", "slope"], []):
        monkeypatch.setattr(sys, "argv", ["kata", *words])
        with pytest.raises(SystemExit) as end:
            cli.main()
        said = capsys.readouterr().err
        assert end.value.code == 2
        assert "test_ex03_backward.py" in said
    assert zoo.same()


def test_a_test_file_without_a_number(tmp_path, workplace, capsys, monkeypatch):
    for room in ("exercises", "tests"):
        shutil.copytree(workplace / room, tmp_path / room)
    (tmp_path / "tests" / "test_extra.py").write_text("")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["kata", "hint", "ex03"])
    with pytest.raises(SystemExit):
        cli.main()
    assert "test_extra.py" in capsys.readouterr().err


# --- what is written ---------------------------------------------------------------------------

FILES = [
    (("test", "ex03", "--json"), ".json"),
    (("prove", "ex03", "--json"), ".json"),
    (("bench", "engine", "--json"), ".json"),
    (("train", "--json"), ".json"),
    (("grade", "here", "--json"), ".json"),
    (("report", "--out"), ".html"),
    (("show", "ex03", "--out"), ".png"),
    (("grades", "here", "--to", "canvas", "--out"), ".csv"),
]
FOLDERS = [("train", "--out"), ("grade", "here", "--out"), ("init",), ("course",)]


@pytest.mark.parametrize("kind", [*NOT_WRITTEN, "locked"])
@pytest.mark.parametrize(("words", "suffix"), FILES, ids=lambda words: " ".join(words))
def test_a_file_that_cannot_be_written_is_found_first(refused, zoo, words, suffix, kind):
    path = zoo.path(kind, suffix)
    path = path / f"new{suffix}" if kind == "locked" else path
    said = refused(*words, path)
    assert words[-1] in said
    assert _names(path, said), said
    assert zoo.same()


@pytest.mark.parametrize("kind", ["list", "fifo", "socket", "full", "loop", "inside", "longer",
                                  "locked"])  # fmt: skip
@pytest.mark.parametrize("words", FOLDERS, ids=" ".join)
def test_a_folder_that_cannot_be_written_is_found_first(refused, zoo, words, kind):
    path = zoo.path(kind)
    said = refused(*words, path)
    assert _names(path, said), said
    assert zoo.same()


def test_a_full_disk_is_found_first(refused, zoo, tmp_path, monkeypatch):
    def full(**_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tempfile.TemporaryFile", full)
    for words, suffix in FILES:
        assert "is full" in refused(*words, tmp_path / f"new{suffix}")


def test_nobodys_work_is_written_over(refused, workplace, tmp_path):
    stub = workplace / "exercises" / "ex03_backward.py"
    page, picture = tmp_path / "mine.html", tmp_path / "mine.png"
    page.write_text("<p>mine")
    picture.write_text("mine")
    text = tmp_path / "mine.json"
    text.write_text("mine")
    for words in (("test", "ex03", "--json", stub), ("test", "ex03", "--json", text),
                  ("report", "--out", page), ("show", "ex03", "--out", picture),
                  ("grade", "here", "--json", stub), ("train", "--json", stub),
                  ("grades", "here", "--to", "canvas", "--out", stub)):  # fmt: skip
        assert "Give" in refused(*words)
    assert page.read_text() == "<p>mine"


def test_a_file_through_a_link_keeps_the_link(tmp_path):
    real, link = tmp_path / zoos.LONG, tmp_path / "link"
    real.write_text("old")
    link.symlink_to(real)
    keep.write(link, "new")
    assert link.is_symlink()
    assert real.read_text() == "new"
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("kind", ["fifo", "socket", "folder"])
def test_what_is_no_file_is_not_written_over(zoo, kind):
    with pytest.raises(course.CourseError):
        keep.write(zoo.path(kind), "new")
    assert zoo.same()


# --- a learner's own folder --------------------------------------------------------------------


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A workspace; the course's files are built once, and not for each row."""
    folder = tmp_path_factory.mktemp("made") / "kata"
    files = workspace._course_files(course.own())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(workspace, "_course_files", lambda source: files)
        workspace.init(folder)
        yield folder


@pytest.mark.parametrize("name", ["exercises/ex03_backward.py", "tests/conftest.py",
                                  ".kata/given/exercises/ex03_backward.py"])  # fmt: skip
@pytest.mark.parametrize("kind", ["fifo", "socket", "zero", "loop", "gigantic", "folder",
                                  "dangling", "unreadable"])  # fmt: skip
def test_upgrading_finds_what_is_no_file_before_it_writes(tmp_path, made, zoo, name, kind):
    folder = shutil.copytree(made, tmp_path / "mine")
    (folder / "tests" / "test_ex01_tensors.py").write_text("old")
    (folder / name).unlink()
    (folder / name).symlink_to(zoo.path(kind, ".py"))
    before = _files(folder)
    with pytest.raises(course.CourseError) as error:
        workspace.upgrade(folder)
    assert str(folder / name) in str(error.value)
    assert _files(folder) == before
    assert zoo.same()


@pytest.mark.parametrize("kind", ["latin", "null", "binary", "deep-python", "deep-sums", "empty"])
def test_upgrading_keeps_what_is_no_python(tmp_path, made, zoo, kind):
    folder = shutil.copytree(made, tmp_path / "mine")
    mine = zoo.path(kind, ".py").read_bytes()
    (folder / "exercises" / "ex03_backward.py").write_bytes(mine)
    given = folder / ".kata" / "given" / "exercises" / "ex03_backward.py"
    given.write_text("# of an older course\n")
    workspace.upgrade(folder)
    (kept,) = (folder / ".kata" / "backup").iterdir()
    assert kept.read_bytes() == mine


@pytest.mark.parametrize("kind", ["fifo", "zero", "loop", "folder", "gigantic", "latin", "list",
                                  "deep-json", "cut", "number", "socket"])  # fmt: skip
def test_progress_that_cannot_be_read_is_none(tmp_path, made, zoo, kind):
    from grader.learner.progress import Progress
    from grader.report import ExerciseResult, TaskResult

    folder = shutil.copytree(made, tmp_path / "mine")
    (folder / ".kata" / "progress.json").symlink_to(zoo.path(kind, ".json"))
    progress = Progress(course.load(folder))
    exercise = course.load(folder).find("ex03")
    assert progress.of(exercise) is None
    progress.take(exercise, ExerciseResult(exercise.stem, "", [TaskResult("ex03", "slope", 1)]))
    assert bool(progress.trouble) == (kind in ("fifo", "socket", "zero", "folder"))


def test_rows_of_progress_that_are_none_are_passed_over(tmp_path, made):
    from grader.learner.progress import Progress

    folder = shutil.copytree(made, tmp_path / "mine")
    rows = {"ex03_backward": 1, "ex04_autodiff": {"tasks": 3}, "ex05_lr_step": {"tasks": {}}}
    (folder / ".kata" / "progress.json").write_text(json.dumps(rows))
    loaded = course.load(folder)
    assert all(Progress(loaded).of(exercise) is None for exercise in loaded.exercises)


def test_resetting_leaves_what_is_too_large_to_be_kept(tmp_path, made, zoo, capsys, monkeypatch):
    folder = shutil.copytree(made, tmp_path / "mine")
    stub = folder / "exercises" / "ex03_backward.py"
    stub.unlink()
    stub.symlink_to(zoo.path("gigantic", ".py"))
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "argv", ["kata", "reset", "ex03"])
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert end.value.code == 2
    assert "ex03_backward.py" in capsys.readouterr().err
    assert stub.is_symlink()
    assert zoo.same()


# --- addresses ---------------------------------------------------------------------------------


class _Web(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def addresses():
    web = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Web)
    threading.Thread(target=web.serve_forever, daemon=True).start()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        with socket.create_server(("127.0.0.1", 0)) as closed:
            unused = closed.getsockname()[1]
        yield {
            "web": f"tcp://127.0.0.1:{web.server_port}",
            "silent": f"tcp://127.0.0.1:{silent.getsockname()[1]}",
            "closed": f"tcp://127.0.0.1:{unused}",
            "bare": f"127.0.0.1:{silent.getsockname()[1]}",
            "tls": f"tls://127.0.0.1:{silent.getsockname()[1]}",
            "no-port": "tcp://127.0.0.1",
            "http": f"http://127.0.0.1:{web.server_port}",
            "words": "my cluster",
            "newline": "tcp://a\nb:1",
            "port": "tcp://127.0.0.1:99999999",
        }
    web.shutdown()
    web.server_close()


@pytest.mark.parametrize("kind", ["web", "silent", "closed", "bare", "tls", "no-port", "http",
                                  "words", "newline", "port"])  # fmt: skip
def test_what_is_no_scheduler_is_a_sentence(refused, addresses, monkeypatch, tmp_path, kind):
    pytest.importorskip("distributed")
    from grader.classroom import cluster

    monkeypatch.setattr(cluster, "CONNECT", 1.0)
    shutil.copy(ROOT / "solutions" / "ex03_backward.py", tmp_path)
    words = ["grade", tmp_path / "ex03_backward.py", "--out", tmp_path / "out"]
    said = refused(*words, "--scheduler", addresses[kind])
    assert said.startswith("--scheduler: ")
    assert reading.printable(addresses[kind]) in said
