"""What Canvas and Moodle hand over, through nbgrader's own command, and what they take back."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import unicodedata
import zipfile
from pathlib import Path

import pytest

from grader.classroom import course as classes
from grader.classroom import lms
from grader.course import CourseError
from grader.tests import forked

STEM = "ex03_backward"
BAD = "=cmd|' /C calc'!A0"
WORTH = {"ex01_tensors": 9.0, STEM: 8.0}


@pytest.fixture
def a_class(loaded, tmp_path) -> Path:
    """A course folder whose assignment stands in release/, as zip_collect wants it."""
    pytest.importorskip("nbgrader")
    classes.write(loaded, tmp_path / "class", ["03"])
    released = tmp_path / "class" / "release" / STEM / f"{STEM}.ipynb"
    released.parent.mkdir(parents=True)
    released.write_text("{}")
    return tmp_path / "class"


def download(folder: Path, name: str, files: list[str], at: float = 1e9) -> None:
    """A zip as an instructor downloads it; each file holds its own name."""
    path = folder / "downloaded" / STEM / "archive" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for file in files:
            archive.writestr(file, json.dumps(f"{file} of {name}"))
    os.utime(path, (at, at))


@pytest.fixture
def zip_collect(a_class):
    """Run it: what each student then has in submitted/, and what it printed."""

    def run(*words: str) -> tuple[dict[str, str], str]:
        done = forked.run("nbgrader", ["zip_collect", STEM, *words], a_class, HOME=str(a_class))
        said = done.stdout + done.stderr
        assert done.returncode == 0, said
        found = list(a_class.glob("submitted/*/*/*.ipynb"))
        assert {path.parts[-2:] for path in found} == {(STEM, f"{STEM}.ipynb")}
        return {path.parts[-3]: json.loads(path.read_text()) for path in found}, said

    return run


# --- zip_collect -----------------------------------------------------------------------------


@pytest.mark.whole
def test_canvas(a_class, zip_collect):
    files = [
        f"doejane_101_9001_{STEM}.ipynb",
        f"doejane_101_9007_{STEM}-1.ipynb",
        f"doejane_101_10000_{STEM}-2.ipynb",  # more digits, and newer
        f"müllerłukasz_LATE_102_9002_{STEM}.ipynb",
        unicodedata.normalize("NFD", f"señorésjosé_103_9003_{STEM} (1).ipynb"),
        "李明_104_9004_my homework.ipynb",
        "latelee_105_9005_smith_101_99999_ex03_backward.ipynb",  # a file named like another's
        f"anon_aB3xZ_9006_{STEM}.ipynb",
        "van_der_berg_106_9008_Untitled.ipynb",
        f"van_der_berg_106_9007_{STEM}.ipynb",  # it has the assignment's name
        "doejane_101_text.html",
        f"__MACOSX/._doejane_101_99999_{STEM}.ipynb",
        "notes.ipynb",
    ]
    download(a_class, "submissions.zip", files)
    students, said = zip_collect()
    own = {number: text.removesuffix(" of submissions.zip") for number, text in students.items()}
    assert own == {
        "101": files[2],
        "102": files[3],
        "103": files[4],
        "104": files[5],
        "105": files[6],
        "anon_aB3xZ": files[7],
        "106": files[9],
    }
    assert "102 handed in late" in said
    assert "101 has handed in a newer one" in said
    assert "notes.ipynb: neither Canvas nor Moodle" in said
    students, _ = zip_collect("--force")
    assert len(students) == 7


@pytest.mark.whole
def test_moodle(a_class, zip_collect):
    monday = [
        f"Jane Doe_678_assignsubmission_file_/{STEM}.ipynb",
        f"Jane Doe_678_assignsubmission_file_/{STEM} (1).ipynb",
        f"Łukasz Müller-O'Neil_679_assignsubmission_file_{STEM}.ipynb",
        unicodedata.normalize("NFD", f"José Señor_680_assignsubmission_file/{STEM}.ipynb"),
        f"An Li_681_assignsubmission_file_/{STEM}.ipynb",
        f"An Li_682_assignsubmission_file_/{STEM}.ipynb",
        "Eve_683_assignsubmission_file_Jane Doe_678_assignsubmission_file_x.ipynb",
    ]
    friday = [f"José Señor_680_assignsubmission_file_/{STEM}.ipynb"]
    download(a_class, "b.zip", monday, at=1e9)
    download(a_class, "a.zip", friday, at=2e9)
    students, said = zip_collect()
    assert students == {
        "Jane Doe": f"{monday[1]} of b.zip",
        "Łukasz Müller-O'Neil": f"{monday[2]} of b.zip",
        "José Señor": f"{friday[0]} of a.zip",
        "An Li 681": f"{monday[4]} of b.zip",
        "An Li 682": f"{monday[5]} of b.zip",
        "Eve": f"{monday[6]} of b.zip",
    }
    assert "José Señor has handed in a newer one" in said


def test_an_archive_named_like_a_students_is_nobodys(a_class, zip_collect):
    download(a_class, "CS_2026_77_all.zip", [f"doejane_101_9001_{STEM}.ipynb"])
    download(a_class, "doejane_102_9002_homework.zip", [f"{STEM}.ipynb"])
    students, said = zip_collect()
    assert list(students) == ["102"]
    assert "Rename it" in said


def test_an_instructors_own_names(a_class, zip_collect):
    with (a_class / "nbgrader_config.py").open("a") as file:
        file.write(
            'c.FileNameCollectorPlugin.named_regexp = r".*/(?P<student_id>\\w+)-(?P<file_id>'
        )
        file.write('\\w+)"\n')
    download(a_class, "all.zip", [f"ada-{STEM}.ipynb"])
    assert list(zip_collect()[0]) == ["ada"]


# --- grade files -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def gradebook(gradebooks, tmp_path_factory) -> Path:
    """A gradebook: ada has all, bob a half, and 101 is not graded."""
    from nbgrader.api import Gradebook

    path = tmp_path_factory.mktemp("gradebook") / "gradebook.db"
    with Gradebook(f"sqlite:///{path}") as book:
        for name, worth in WORTH.items():
            book.add_assignment(name)
            book.add_notebook(name, name)
            book.add_grade_cell("check", name, name, max_score=worth, cell_type="code")
        people = {
            "ada": ("Ada", "Lovelace", "ada@x.org", 8.0),
            "bob": ("", "", "", 4.125),
            "101": ("Jane", "Doe", "", None),
            BAD: ("@SUM(1)", "-2+3", "", 1.0),
        }
        for student, (first, last, email, points) in people.items():
            book.add_student(student, first_name=first, last_name=last, email=email)
            book.add_submission(STEM, student)
            grade = book.find_grade("check", STEM, STEM, student)
            grade.auto_score, grade.needs_manual_grade = points, points is None
        book.db.commit()
    return path


@pytest.fixture
def graded(a_class, gradebook) -> Path:
    """A class with a gradebook."""
    shutil.copy(gradebook, a_class)
    return a_class


def rows_of(sheet) -> list[list[str]]:
    return list(csv.reader(io.StringIO(sheet.text)))


def test_a_file_for_canvas(graded):
    from typer.testing import CliRunner

    from grader.cli import app

    out = graded / "canvas.csv"
    done = CliRunner().invoke(app, ["grades", str(graded), "--to", "canvas", "--out", str(out)])
    assert done.exit_code == 1  # one is not graded
    assert "canvas.csv, 4 students" in " ".join(done.output.split())
    assert "not graded yet: 101 in ex03_backward" in " ".join(done.output.split())
    header, points, *rows = csv.reader(out.open(encoding="utf-8", newline=""))
    assert header == ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", *WORTH]
    assert points == ["    Points Possible", "", "", "", "", "9", "8"]
    assert {tuple(row) for row in rows} == {
        ("Doe, Jane", "101", "", "", "", "", ""),
        ("Lovelace, Ada", "", "", "ada", "", "", "8"),
        ("bob", "", "", "bob", "", "", "4.125"),
        ("'-2+3, @SUM(1)", "", "", f"'{BAD}", "", "", "1"),
    }


def test_canvas_gets_its_own_columns_back(graded, tmp_path):
    roster = tmp_path / "export.csv"
    roster.write_text(
        "\ufeffStudent,ID,SIS User ID,SIS Login ID,Section,Essay (77),"
        "ex03_backward (4711),Final Score\n"
        ",,,,,,Manual Posting,\n"
        "    Points Possible,,,,,10,8,(read only)\n"
        '"Lovelace, Ada",55,u55,ada,ada,9,,\n'
        '"Doe, Jane",101,u101,jane,B,9,,\n'
        '"Roe, Bob",102,bob,rb,B,9,,\n'
        '"Poe, Bob",103,u103,bob,B,9,,\n'
        '"Student, Test",104,,,B,,,\n',
        "utf-8",
    )
    sheet = lms.for_canvas(lms.read(graded), roster)
    header, points, *rows = rows_of(sheet)
    assert header[4:] == ["Section", "ex01_tensors", "ex03_backward (4711)"]
    assert points[-2:] == ["9", "8"]
    assert [(row[1], row[-1]) for row in rows] == [
        ("55", "8"), ("101", ""), ("102", ""), ("103", ""), ("104", "")
    ]  # fmt: skip
    assert sheet.strangers == [BAD, "bob"]  # bob could be either of two


def test_a_file_for_moodle(graded, tmp_path):
    header, *rows = rows_of(lms.for_moodle(lms.read(graded)))
    assert header == ["First name", "Last name", "Username", "Email address", *WORTH]
    assert ["Ada", "Lovelace", "ada", "ada@x.org", "", "8"] in rows
    roster = tmp_path / "export.csv"
    roster.write_text(
        "Vorname;Nachname;ID-Nummer;E-Mail-Adresse;Aufgabe: ex03_backward (Punkte)\n"
        "Ada;Lovelace;ADA;ada@x.org;-\nJosé;Señor;17;j@x.org;-\n",
        "utf-8",
    )
    grades = lms.Grades(
        {STEM: 8.0},
        {"ada": ("", "", ""), unicodedata.normalize("NFD", "José Señor"): ("", "", "")},
        {("ada", STEM): 8.0, (unicodedata.normalize("NFD", "José Señor"), STEM): 0.1 + 0.2},
    )
    assert rows_of(lms.for_moodle(grades, roster)) == [
        ["Vorname", "Nachname", "ID-Nummer", "E-Mail-Adresse", "Aufgabe: ex03_backward (Punkte)"],
        ["Ada", "Lovelace", "ADA", "ada@x.org", "8"],
        ["José", "Señor", "17", "j@x.org", "0.3"],
    ]


@pytest.mark.parametrize(
    ("to", "text", "says"),
    [
        ("blackboard", None, "none of canvas, moodle"),
        ("canvas", "Name,Mark\nAda,3\n", "the file that Canvas exports"),
        ("moodle", "", "no CSV file"),
        ("moodle", b"\xff\xfe\x00", "not UTF-8 text"),
    ],
)
def test_what_cannot_be_written_is_a_sentence(graded, tmp_path, to, text, says):
    roster = tmp_path / "roster.csv"
    roster.write_bytes(text if isinstance(text, bytes) else (text or "").encode())
    with pytest.raises(CourseError, match=says):
        lms.export(graded, to, tmp_path / "out.csv", roster)
    assert not (tmp_path / "out.csv").exists()


def test_no_gradebook_is_made_where_there_is_none(a_class, tmp_path):
    with pytest.raises(CourseError, match="nothing is graded yet"):
        lms.export(a_class, "canvas", tmp_path / "out.csv")
    with pytest.raises(CourseError, match="no nbgrader course"):
        lms.export(tmp_path, "canvas", tmp_path / "out.csv")
    assert not list(tmp_path.rglob("*.db"))
