"""Where nothing can be written: found before the work begins, and nobody's file is lost.

Also what lies in a learner's own folder and is no file, and addresses where no scheduler is.
"""

from __future__ import annotations

import http.server
import json
import os
import shutil
import socket
import sys
import threading

import pytest

from grader import cli, course, reading, terminal
from grader.learner import keep, workspace
from grader.tests import zoo as zoos
from grader.tests.conftest import ROOT, whole_for
from grader.tests.refusing import files_of, names

pytest_plugins = ["grader.tests.refusing"]
# A row that hangs is a failure.
pytestmark = [pytest.mark.timeout(20), pytest.mark.usefixtures("nothing_remembered")]

ALIKE = ("socket", "loop", "longer")  # much like others: left to the whole run
NOT_WRITTEN = ("folder", "fifo", "socket", "full", "loop", "inside", "longer", "unwritable")

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


@pytest.mark.parametrize("kind", whole_for([*NOT_WRITTEN, "locked"], ALIKE))
@pytest.mark.parametrize(("words", "suffix"), FILES, ids=lambda words: " ".join(words))
def test_a_file_that_cannot_be_written_is_found_first(refused, zoo, words, suffix, kind):
    path = zoo.path(kind, suffix)
    path = path / f"new{suffix}" if kind == "locked" else path
    said = refused(*words, path)
    assert words[-1] in said
    assert names(path, said), said
    assert zoo.same()


@pytest.mark.parametrize("kind", ["list", "fifo", "socket", "full", "loop", "inside", "longer",
                                  "locked"])  # fmt: skip
@pytest.mark.parametrize("words", FOLDERS, ids=" ".join)
def test_a_folder_that_cannot_be_written_is_found_first(refused, zoo, words, kind):
    path = zoo.path(kind)
    said = refused(*words, path)
    assert names(path, said), said
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


def test_a_disk_that_becomes_full_is_a_sentence_that_names_the_file(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    path = tmp_path / "new.json"
    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError) as error:
        keep.write(path, "new")
    assert terminal.sentence(error.value).startswith(f"{path} is on a disk that is full.")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("kind", ["fifo", "socket", "folder"])
def test_what_is_no_file_is_not_written_over(zoo, kind):
    with pytest.raises(course.CourseError):
        keep.write(zoo.path(kind), "new")
    assert zoo.same()


# --- a learner's own folder --------------------------------------------------------------------


PLACES = (
    "exercises/ex03_backward.py",
    "tests/conftest.py",
    ".kata/given/exercises/ex03_backward.py",
)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A workspace; the course's files are built once, and not for each row."""
    folder = tmp_path_factory.mktemp("made") / "kata"
    files = workspace._course_files(course.own())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(workspace, "_course_files", lambda source: files)
        workspace.init(folder)
        yield folder


@pytest.mark.parametrize("name", whole_for(PLACES, PLACES[1:]))
@pytest.mark.parametrize("kind", ["fifo", "socket", "zero", "loop", "gigantic", "folder",
                                  "dangling", "unreadable"])  # fmt: skip
def test_upgrading_finds_what_is_no_file_before_it_writes(tmp_path, made, zoo, name, kind):
    folder = shutil.copytree(made, tmp_path / "mine")
    (folder / "tests" / "test_ex01_tensors.py").write_text("old")
    (folder / name).unlink()
    (folder / name).symlink_to(zoo.path(kind, ".py"))
    before = files_of(folder)
    with pytest.raises(course.CourseError) as error:
        workspace.upgrade(folder)
    assert str(folder / name) in str(error.value)
    assert files_of(folder) == before
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


ADDRESSES = ("closed", "bare", "tls", "no-port", "http", "port")  # in the whole run


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


@pytest.mark.parametrize("kind", [
    *("web", "silent", "words", "newline"),
    *whole_for(ADDRESSES, ADDRESSES),
])  # fmt: skip
def test_what_is_no_scheduler_is_a_sentence(refused, addresses, monkeypatch, tmp_path, kind):
    pytest.importorskip("distributed")
    from grader.classroom import cluster

    monkeypatch.setattr(cluster, "CONNECT", 1.0)
    shutil.copy(ROOT / "solutions" / "ex03_backward.py", tmp_path)
    words = ["grade", tmp_path / "ex03_backward.py", "--out", tmp_path / "out"]
    said = refused(*words, "--scheduler", addresses[kind])
    assert said.startswith("--scheduler: ")
    assert reading.printable(addresses[kind]) in said
