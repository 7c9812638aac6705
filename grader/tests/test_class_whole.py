"""All thirteen exercises and a class of three, through every command that the guide names."""

from __future__ import annotations

import csv
import json
import os
import re
import shlex
import stat
import zipfile
from pathlib import Path

import pytest

from grader.classroom import books, lms
from grader.classroom import course as classes
from grader.tests import forked

pytestmark = [
    pytest.mark.whole,
    pytest.mark.timeout(1200),
    pytest.mark.skipif(not hasattr(os, "fork"), reason="nbgrader's exchange wants Unix"),
]
STUDENTS = ("right", "half", "blank")
EXAMPLE = "ex03_backward"  # what stands in the guide's commands


def answered(exercise) -> dict[str, set[str]]:
    """The tasks that each student has solved: all of them, the first half, none."""
    names = [task.name for task in exercise.tasks]
    return dict(
        zip(STUDENTS, (set(names), set(names[: (len(names) + 1) // 2]), set()), strict=True)
    )


def by_tests(exercise) -> dict[str, float]:
    """The points that each student has earned with code."""
    return {
        student: float(sum(task.points for task in exercise.tasks if task.name in names))
        for student, names in answered(exercise).items()
    }


def by_all(exercise) -> dict[str, float]:
    """With the point for the answer in words, that one of them has written."""
    return by_tests(exercise) | {"right": by_tests(exercise)["right"] + 1}


def each(course, points) -> dict[tuple[str, str], float]:
    """The points of every student in every exercise."""
    found = {
        (student, exercise.stem): earned
        for exercise in course.exercises
        for student, earned in points(exercise).items()
    }
    assert len(found) == 3 * 13
    return found


class World:
    """An instructor's folder, an exchange, and a home for each student."""

    def __init__(self, folder: Path, course):
        self.course = course
        self.folder, self.exchange = folder / "class", folder / "exchange"
        self.homes = {student: folder / "home" / student for student in STUDENTS}
        self.ran: set[str] = set()
        self.stems = [exercise.stem for exercise in course.exercises]

    def nbgrader(self, *words: str, student: str = "") -> str:
        """Run nbgrader as the instructor, or as a student, whose account `--student` stands for."""
        home = self.homes.get(student, self.folder)
        account = [f"--student={student}"] if student else []
        done = forked.run("nbgrader", [*words, *account], home, HOME=str(home))
        said = done.stdout + done.stderr
        assert done.returncode == 0, f"{words}\n{said[-3000:]}"
        shown = [re.sub(r"^ex\d\d_\w+$", EXAMPLE, word) for word in words]
        self.ran.add(" ".join(["nbgrader", *dict.fromkeys(shown)]))
        return said

    def kata(self, *words: str) -> None:
        from typer.testing import CliRunner

        from grader.cli import app

        before = Path.cwd()
        os.chdir(self.folder)
        try:
            done = CliRunner().invoke(app, list(words))
        finally:
            os.chdir(before)
        assert done.exit_code == 0, done.output
        self.ran.add(" ".join(["kata", *words]))

    def grades(self) -> list:
        """What stands in the gradebook for each submission: student, exercise, points, graded."""
        from nbgrader.api import Gradebook

        with Gradebook(f"sqlite:///{self.folder}/gradebook.db") as book:
            return [
                (one.student.id, stem, one.score, not one.needs_manual_grade)
                for stem in self.stems
                for one in book.assignment_submissions(stem)
            ]

    def mark_answers(self) -> None:
        """Give the point for each answer in words, as an instructor does in the formgrader."""
        from nbgrader.api import Gradebook

        with Gradebook(f"sqlite:///{self.folder}/gradebook.db") as book:
            for stem in self.stems:
                grade = book.find_grade(f"{stem}-words", stem, stem, "right")
                assert (grade.auto_score, grade.needs_manual_grade) == (None, True)
                grade.manual_score, grade.needs_manual_grade = 1.0, False
            book.db.commit()

    def solve(self, student: str, exercise) -> None:
        """Put the solutions of the student's tasks into the notebook that they fetched."""
        source = self.folder / "source" / exercise.stem / f"{exercise.stem}.ipynb"
        solved = {cell["id"]: cell["source"] for cell in json.loads(source.read_text())["cells"]}
        path = self.homes[student] / exercise.stem / f"{exercise.stem}.ipynb"
        book = json.loads(path.read_text())
        wanted = {f"{exercise.stem}-{name}" for name in answered(exercise)[student]}
        for cell in book["cells"]:
            if cell["metadata"].get("nbgrader", {}).get("grade_id") in wanted:
                cell["source"] = solved[cell["id"]]
            if cell["metadata"].get("nbgrader", {}).get("grade_id") == f"{exercise.stem}-words":
                assert cell["source"] == ["YOUR ANSWER HERE"]
                if student == "right":
                    cell["source"] = "Because."
        path.write_text(json.dumps(book))


@pytest.fixture(scope="module")
def world(tmp_path_factory, loaded):
    """A class of three that has been taught all thirteen exercises, as the guide has it."""
    pytest.importorskip("nbgrader")
    folder = tmp_path_factory.mktemp("world")
    world = World(folder, loaded)
    world.folder.mkdir()
    world.kata("course", ".")
    where = f"c.Exchange.root = {str(world.exchange)!r}\n"
    with (world.folder / books.CONFIG).open("a") as file:
        # One Unix account stands for all here: nbgrader would say so of each submission.
        file.write(f"{where}c.ExchangeCollect.check_owner = False\n")
        file.write('c.KataExecute.isolation = "open"\n')  # this runs on any machine
    for home in world.homes.values():
        (home / ".jupyter").mkdir(parents=True)
        (home / ".jupyter" / books.CONFIG).write_text(f"c = get_config()\n{where}")

    for stem in world.stems:
        world.nbgrader("generate_assignment", stem)
        world.nbgrader("release_assignment", stem)
    for student in STUDENTS:
        words = ("fetch_assignment", *world.stems, "--course", "gradkata")
        world.nbgrader(*words, student=student)
        for exercise in loaded.exercises:
            world.solve(student, exercise)
            words = ("submit", exercise.stem, "--course", "gradkata")
            world.nbgrader(*words, student=student)
    for stem in world.stems:
        world.nbgrader("collect", stem)
        world.nbgrader("autograde", stem)
    world.unmarked, world.unmarked_file = world.grades(), lms.read(world.folder)
    world.mark_answers()
    for stem in world.stems:
        world.nbgrader("generate_feedback", stem)
        world.nbgrader("release_feedback", stem)
    for student in STUDENTS:
        words = ("fetch_feedback", *world.stems, "--course", "gradkata")
        world.nbgrader(*words, student=student)
    world.nbgrader("export")
    yield world


def test_everyone_gets_the_points_of_their_tasks(world):
    found = {(student, stem): points for student, stem, points, _ in world.unmarked}
    assert found == each(world.course, by_tests)


def test_only_an_answer_in_words_waits_for_a_mark(world):
    waiting = {(student, stem) for student, stem, _, graded in world.unmarked if not graded}
    assert waiting == {("right", stem) for stem in world.stems}
    empty = {key for key, score in world.unmarked_file.scores.items() if score is None}
    assert empty == waiting
    assert lms.read(world.folder).scores == each(world.course, by_all)


def test_export_says_what_the_gradebook_says(world):
    with (world.folder / "grades.csv").open() as file:
        rows = list(csv.DictReader(file))
    grades = lms.read(world.folder)
    assert {(r["student_id"], r["assignment"]): float(r["score"]) for r in rows} == grades.scores
    worth = {exercise.stem: exercise.points + 1.0 for exercise in world.course.exercises}
    assert grades.worth == worth
    assert {row["assignment"]: float(row["max_score"]) for row in rows} == worth


def test_every_student_reads_their_own_feedback(world):
    for exercise in world.course.exercises:
        for student, points in by_all(exercise).items():
            folder = world.homes[student] / exercise.stem / "feedback"
            (page,) = folder.rglob("*.html")
            text = re.sub(r"\s+", " ", page.read_text())
            assert f"(Score: {points:.1f} / {exercise.points + 1:.1f})" in text, page


def test_the_mark_scheme_is_for_those_who_mark(world):
    for stem in world.stems:
        given = world.homes["blank"] / stem / f"{stem}.ipynb"
        assert "## In your own words" in given.read_text()
        assert "MARK SCHEME" not in given.read_text()
        graded = world.folder / "autograded" / "right" / stem / f"{stem}.ipynb"
        assert "MARK SCHEME" in graded.read_text()


def test_the_grade_files_say_what_the_gradebook_says(world):
    grades = lms.read(world.folder)
    for to in lms.FORMATS:
        world.kata("grades", ".", "--to", to, "--out", f"{to}.csv")
        with (world.folder / f"{to}.csv").open() as file:
            rows = list(csv.DictReader(file))
        login = {"canvas": "SIS Login ID", "moodle": "Username"}[to]
        found = {(row[login], stem): float(row[stem]) for row in rows for stem in world.stems}
        assert {key: score for key, score in found.items() if key[0]} == grades.scores


def test_nobody_can_rename_or_delete_what_is_anothers_in_the_exchange(world):
    def mode(path: Path) -> int:
        return stat.S_IMODE(path.stat().st_mode)

    course = world.exchange / "gradkata"
    assert oct(mode(world.exchange)) == "0o1777"
    assert oct(mode(course)) == oct(mode(course / "outbound")) == "0o755"
    assert oct(mode(course / "inbound")) == "0o3733"
    assert oct(mode(course / "feedback")) == "0o711"
    for path in (course / "outbound").rglob("*"):
        assert not mode(path) & (stat.S_IWGRP | stat.S_IWOTH), path
    assert len(list((course / "inbound").iterdir())) == 3 * 13
    assert len(list((course / "feedback").iterdir())) == 3 * 13


def test_a_zip_from_canvas_is_graded_like_the_rest(world):
    notebook = world.homes["right"] / EXAMPLE / f"{EXAMPLE}.ipynb"
    archive = world.folder / "downloaded" / EXAMPLE / "archive" / "submissions.zip"
    archive.parent.mkdir(parents=True)
    with zipfile.ZipFile(archive, "w") as file:
        file.write(notebook, f"doejane_LATE_4711_815_{EXAMPLE}-1.ipynb")
    world.nbgrader("zip_collect", EXAMPLE)
    world.nbgrader("autograde", EXAMPLE)
    found = {(student, stem): points for student, stem, points, _ in world.grades()}
    assert found["4711", EXAMPLE] == world.course.find("03").points


def test_every_command_of_the_guide_was_run(world):
    guide = (world.folder / "README.md").read_text()
    assert guide == classes._GUIDE
    blocks = re.findall(r"```bash\n(.*?)```", guide, re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines() if line.strip()]
    commands = {" ".join(shlex.split(line, comments=True)) for line in lines}
    assert len(commands) >= 12
    assert commands <= world.ran
