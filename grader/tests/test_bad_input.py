"""Bad input: a sentence that names the file and the way out, status 2, nothing lost, no hang.

The rows run the commands in this process, with whatever would begin the work taken away: what
can't be written is found before it.
"""

from __future__ import annotations

import dataclasses
import shutil
import sys

import pytest

from grader import cli, course
from grader.loading import CannotLoad
from grader.target import Target
from grader.tests.conftest import whole_for
from grader.tests.refusing import names

pytest_plugins = ["grader.tests.refusing"]
# A row that hangs is a failure.
pytestmark = [pytest.mark.timeout(20), pytest.mark.usefixtures("nothing_remembered")]

UNREAD = ("missing", "folder", "fifo", "socket", "zero", "loop", "dangling", "gigantic",
          "unreadable", "inside", "longer")  # fmt: skip
# Much like others: these rows, and half of the numbers, are left to the whole run.
ALIKE = ("socket", "dangling", "inside", "longer", "number", "binary", "cut", "deep-toml")


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


@pytest.mark.parametrize(
    "words", whole_for(NUMBERS, NUMBERS[1::2]), ids=lambda words: " ".join(map(str, words))[:60]
)
def test_a_number_that_is_none_is_refused(refused, words):
    option = words[-2]
    assert option in refused(*words)


COMMANDS = ("hint", "solution", "show", "prove")  # that read a name as `kata reset` does


@pytest.mark.parametrize(
    "name",
    ["", "ex99", "0", "²", "٣", "9" * 5000, "a/b", "../ex03", "x" * 5000, "ex03\nex04", "-3"],
    ids=lambda name: ascii(name)[:20],
)
@pytest.mark.parametrize(
    "command", whole_for(["test", "reset", "hint", "solution", "show", "prove"], COMMANDS)
)
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


@pytest.mark.parametrize(
    "kind", whole_for([*UNREAD, "latin", "null", "deep-toml", "number", "binary"], ALIKE)
)
def test_points_that_cannot_be_read(refused, zoo, kind):
    path = zoo.path(kind, ".toml")
    said = refused("course", "c", "--only", "03", "--points", path)
    assert "--points" in said
    assert names(path, said) or "not readable" in said, said  # the latter are typer's words
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


@pytest.mark.parametrize("kind", whole_for(UNREAD, ALIKE))
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
    assert refused("test", "--target", "").startswith("--target: ")
    path = zoo.path("list", ".txt")
    assert names(path, refused("test", "--target", path))


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


@pytest.mark.parametrize(
    "kind", whole_for([*UNREAD, "latin", "deep-json", "number", "list", "cut"], ALIKE)
)
def test_a_class_whose_settings_cannot_be_read(refused, zoo, tmp_path, kind):
    if kind in ("missing", "dangling", "inside", "longer"):
        pytest.skip("a class without settings is a new one")
    shutil.rmtree(tmp_path / "class", ignore_errors=True)
    (tmp_path / "class").mkdir()
    (tmp_path / "class" / "kata.json").symlink_to(zoo.path(kind, ".json"))
    said = refused("course", tmp_path / "class", "--only", "03")
    assert "kata.json" in said
    assert zoo.same()


@pytest.mark.parametrize(
    "kind", whole_for([*UNREAD, "null", "latin", "deep-python", "cut", "binary"], ALIKE)
)
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


@pytest.mark.parametrize("kind", whole_for([*UNREAD, "latin", "binary", "null", "empty"], ALIKE))
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


# --- what the course keeps ---------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["fifo", "zero", "loop", "folder", "gigantic", "latin", "cut",
                                  "deep-json", "number", "list", "socket"])  # fmt: skip
def test_results_that_cannot_be_read_are_none(zoo, tmp_path, kind):
    from grader.classroom.store import UNREADABLE, Store
    from grader.classroom.submitted import Submission

    handed_in = Submission("ada", "ex03_backward", "ex03_backward.py", b"")
    path = zoo.path(kind, ".json")
    with Store(tmp_path) as store:
        for kept in (store.path(handed_in), store._training("ada"), tmp_path / "grading.json"):
            kept.parent.mkdir(exist_ok=True)
            kept.symlink_to(path)
        assert store.find(handed_in, {}) == (None, UNREADABLE)
        assert store.find_training("ada", {}) is None
        with pytest.raises(course.CourseError, match="is damaged"):
            store.settings()
    assert zoo.same()


@pytest.mark.parametrize("text", ["[tool", "tool = 3", "a = " + "[" * 5000, "[tool]\npytest = 1"])
def test_settings_of_pytest_that_are_none(tmp_path, loaded, text):
    from grader.classroom.terms import course_hash

    (tmp_path / "pyproject.toml").write_text(text)
    exercise = dataclasses.replace(loaded.find("ex03"), root=tmp_path)
    with pytest.raises(course.CourseError, match="pyproject.toml"):
        course_hash(exercise)


@pytest.mark.parametrize("mark", ["@mistake()", "@mistake(x)", "@mistake('slope')"])
def test_a_mark_of_the_bank_that_is_none(tmp_path, loaded, mark):
    from grader import bank

    path = tmp_path / "ex03_backward.py"
    path.write_text(f"{mark}\ndef slope_wrong():\n    return 3\n")
    with pytest.raises(course.CourseError, match="slope_wrong"):
        bank.read(path, loaded.find("ex03"))


@pytest.mark.parametrize("kind", ["missing", "empty", "fifo", "folder", "loop", "longer", "inside"])
def test_digits_that_are_not_there(zoo, kind):
    from grader import mnist

    path = zoo.path(kind)
    with pytest.raises(mnist.DataError, match="--data|path"):
        mnist.load(str(path))
    assert zoo.same()


@pytest.mark.parametrize("kind", ["fifo", "zero", "loop", "gigantic", "empty", "binary", "folder"])
def test_digits_that_are_others(zoo, tmp_path, kind):
    from grader import mnist

    path = zoo.path(kind, ".gz" if kind == "binary" else "")
    for name in mnist.ORIGINALS:
        (tmp_path / (name + path.suffix)).symlink_to(path)
    with pytest.raises(mnist.DataError, match="idx"):
        mnist.load(str(tmp_path))
    with pytest.raises(mnist.DataError, match="there is no such folder"):
        mnist.load("~nobody-of-this-name/digits")
