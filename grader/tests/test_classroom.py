"""A class of students on one exercise, through nbgrader's own steps, and what breaks classes."""

from __future__ import annotations

import copy
import csv
import json
import os
from pathlib import Path

import pytest

from grader import build
from grader.classroom import asked, judge, submission
from grader.classroom import course as classes
from grader.course import reference
from grader.engine import Engine
from grader.learner import keep
from grader.tests import forked
from grader.tests.conftest import REFUSAL, whole_for

STEM = "ex03_backward"
TASKS = {"slope": 1, "gradient": 2, "vector_jacobian": 2, "numeric_gradient": 2, "chain_rule": 1}
ALL = 8.0


OWN_TEST = '''
import pytest

from grader import expect


@pytest.mark.task("slope", points=1)
class TestSlopeAgain:
    """Our own."""

    def test_a_line(self, ex):
        expect.close(ex.slope(lambda x: 4 * x, 1.0), 4.0)

    def test_never_right(self, ex):
        expect.close(ex.slope(lambda x: 4 * x, 1.0), 5.0)
'''


# --- what students do to their notebooks -----------------------------------------------------


def cell(book, task, suffix=""):
    """The cell of a task, or with suffix="-check" its test cell."""
    wanted = f"{STEM}-{task}{suffix}"
    found = (
        c for c in book["cells"] if c["metadata"].get("nbgrader", {}).get("grade_id") == wanted
    )
    return next(found)


def replaced(task, old, new):
    def spoil(book):
        one = cell(book, task)
        text = "".join(one["source"])
        assert old in text
        one["source"] = text.replace(old, new, 1)

    return spoil


def first_line(task, code):
    """`code` where the body of the task begins."""

    def spoil(book):
        one = cell(book, task)
        head, quotes, body = "".join(one["source"]).rpartition('"""')
        one["source"] = f"{head}{quotes}\n    {code}\n{body}"

    return spoil


def new_cell(code, at=-1):
    def spoil(book):
        extra = {"cell_type": "code", "id": "fresh", "metadata": {}, "source": code}
        book["cells"].insert(at, extra | {"outputs": [], "execution_count": None})

    return spoil


def copied(task, suffix="", **changes):
    def spoil(book):
        one = copy.deepcopy(cell(book, task, suffix))
        book["cells"].append(one | {"id": "copy"} | changes)

    return spoil


def deleted(task, suffix=""):
    return lambda book: book["cells"].remove(cell(book, task, suffix))


def retyped(task, suffix=""):
    def spoil(book):
        one = cell(book, task, suffix)
        one["cell_type"] = "markdown"
        del one["outputs"], one["execution_count"]

    return spoil


def edited_check(book):
    one = cell(book, "slope", "-check")
    one["source"] = "100.0"
    one["metadata"]["nbgrader"]["points"] = 100


def stripped(book):
    for one in book["cells"]:
        one["metadata"] = {}


def stripped_of_ids_too(book):
    stripped(book)
    for one in book["cells"]:
        one.pop("id")
    book["nbformat_minor"] = 4


def other_schemas(book):
    for one in book["cells"]:
        if "nbgrader" in one["metadata"]:
            one["metadata"]["nbgrader"] |= {"schema_version": 1, "stray": True}
            one["metadata"]["nbgrader"].pop("task")
    cell(book, "gradient")["metadata"]["nbgrader"]["schema_version"] = 99


def much_output(book):
    text = "x" * 100_000_000
    cell(book, "slope")["outputs"] = [{"output_type": "stream", "name": "stdout", "text": text}]


def scripts(book):
    text = (
        "kept as text <b>bold</b> <script>run()</script> <img onerror=run() src=x>\n\n"
        "<iframe src=x></iframe> [x](javascript:run) <a onclick=run()>x</a> <svg onload=run()>"
    )
    for at, kind in ((0, "markdown"), (3, "raw"), (5, "markdown")):
        book["cells"].insert(at, {"cell_type": kind, "metadata": {}, "source": text})
    cell(book, "words")["source"] = text


def nothing_in_it(book):
    book["cells"] = []


def both(*spoils):
    return lambda book: [spoil(book) for spoil in spoils]


def messy(book):
    """An own helper and constant, magics, a missing library, exits, loops and experiments."""
    replaced("slope", "leaf = torch.tensor(float(x), requires_grad=True)", "leaf = tracked(x)")(
        book
    )
    helper = "def tracked(x):\n    return torch.tensor(float(x), dtype=KIND, requires_grad=True)"
    new_cell(f"KIND = torch.float32\n\n\n{helper}", at=2)(book)
    new_cell("%matplotlib inline\nimport a_library_that_is_not_here\n!ls")(book)
    new_cell("exit()\nraise SystemExit", at=3)(book)
    new_cell("def slope(f, x):\n    return 0.0")(book)
    cell(book, "gradient")["source"] += "\n\nwhile True:\n    pass\n"


# name: what was done, points that are right, what the feedback on the first lost task says
CASES = {
    "copied answer": (copied("slope"), ALL, ""),
    "copied answer and the copy wrong": (
        copied("slope", source="def slope(f, x):\n    return 0.0"), ALL - 1, "returned float 0.0"),
    "copied stub below the answer": (
        copied("slope", source="STUB"), ALL, ""),
    "test cells copied or deleted or edited or retyped": (
        both(copied("chain_rule", "-check"), deleted("gradient", "-check"), edited_check,
             retyped("vector_jacobian", "-check")),
        ALL, ""),
    "deleted answer": (deleted("gradient"), ALL - 2, "not written yet"),
    "retyped answer": (retyped("slope"), ALL, ""),
    "stripped metadata": (stripped, ALL, ""),
    "stripped metadata and ids": (stripped_of_ids_too, ALL, ""),
    "metadata of other versions": (other_schemas, ALL, ""),
    "100 MB of output saved": (much_output, ALL, ""),
    "no cells": (nothing_in_it, 0.0, "not written yet"),
    "a messy notebook": (messy, ALL, ""),
    "cells that are no Python or fail": (
        both(replaced("slope", "return", "retrun x"),
             replaced("gradient", "(f, x)", "(f, x=torch.Tensr)")),
        ALL - 3, "The cell has a SyntaxError in line"),
    "exits": (
        both(first_line("gradient", "import os; os._exit(0)"),
             first_line("vector_jacobian", "raise SystemExit")),
        ALL - 4, "ends the program"),
    "a crash": (
        first_line("slope", "import ctypes; ctypes.string_at(0)"), ALL - 1, "crashed"),
    "a loop without an end": (
        first_line("chain_rule", "import time\n    while True: time.sleep(0.01)"),
        ALL - 1, "no answer in time"),
    "100 MB printed": (first_line("chain_rule", "print('x' * 100_000_000)"), ALL, ""),
    "warnings and a progress bar": (
        first_line("slope", "import sys, warnings; warnings.warn(''); sys.stderr.write('50%')"),
        ALL, ""),
    "scripts": (scripts, ALL, ""),
    "question and answer in words deleted": (
        both(deleted("question"), deleted("words")), ALL, ""),
    "half done": (None, ALL - 4, "not written yet"),
}  # fmt: skip
# Much like another case above: these are handed in where time is no matter.
VARIATIONS = (
    "copied answer", "copied stub below the answer", "stripped metadata", "a crash",
    "warnings and a progress bar", "deleted answer", "retyped answer", "no cells",
    "metadata of other versions", "100 MB of output saved", "question and answer in words deleted",
)  # fmt: skip
HANDED_IN = {
    name: case
    for name, case in CASES.items()
    if os.environ.get("KATA_WHOLE") or name not in VARIATIONS
}
FILES = {  # what was handed in when it is no notebook of this exercise
    "broken JSON": (b'{"cells": [', "not valid JSON"),
    "an empty file": (b"", "the file is empty"),
}
NEIGHBOURS = {"right": ALL, "wrong": ALL - 1, "blank": 0.0}


# --- the class -------------------------------------------------------------------------------


class Class:
    """A course folder with nbgrader's own API on it."""

    def __init__(self, folder: Path):
        from nbgrader.apps.api import NbGraderAPI
        from traitlets.config.loader import PyFileConfigLoader

        self.folder = folder
        config = PyFileConfigLoader(str(folder / "nbgrader_config.py")).load_config()
        config.KataExecute.seconds_per_test = 1.5
        self.api = NbGraderAPI(config=config)

    def submit(self, student: str, content: bytes, name: str = f"{STEM}.ipynb") -> None:
        path = self.folder / "submitted" / student / STEM / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    def scores(self) -> dict[str, float]:
        with self.api.gradebook as gradebook:
            found = gradebook.assignment_submissions(STEM)
            return {one.student.id: (one.score, one.needs_manual_grade) for one in found}

    def feedback(self, student: str) -> dict[str, str]:
        """What stands below each task's test cell."""
        path = self.folder / "autograded" / student / STEM / f"{STEM}.ipynb"
        book = json.loads(path.read_text())
        return {
            task: "".join(cell(book, task, "-check")["outputs"][0]["data"]["text/plain"])
            for task in TASKS
        }


@pytest.fixture(scope="module")
def release(tmp_path_factory, loaded, engine, gradebooks):
    """A class whose assignment is generated: the class, the blank and the solved notebook."""
    pytest.importorskip("nbgrader")
    from sqlalchemy import event
    from sqlalchemy.engine import Engine as Database

    @event.listens_for(Database, "connect")
    def never_wait(connection, _):  # for the disk: of a thousand commits each takes its time
        connection.execute("PRAGMA synchronous=OFF")

    judge.engines[loaded.root] = engine
    folder = tmp_path_factory.mktemp("class")
    classes.write(loaded, folder, ["03"], due="2030-01-02T03:04")
    a_class = Class(folder)
    done = a_class.api.generate_assignment(STEM)
    assert done["success"], done
    blank = json.loads((folder / "release" / STEM / f"{STEM}.ipynb").read_text())
    solved = copy.deepcopy(blank)
    for task in TASKS:
        cell(solved, task)["source"] = reference(loaded.find("03"), task)
    yield a_class, blank, solved
    event.remove(Database, "connect", never_wait)
    judge.engines.pop(loaded.root, None)


@pytest.fixture(scope="module")
def graded(release):
    """The whole class after one `autograde`; feedback for two of them."""
    a_class, blank, solved = release
    wrong = copy.deepcopy(solved)
    replaced("slope", "leaf.grad.item()", "leaf.grad")(wrong)
    for place in ("a", "z"):  # nbgrader grades in the order of the names
        for name, book in (("right", solved), ("wrong", wrong), ("blank", blank)):
            a_class.submit(f"{place} {name}", json.dumps(book).encode())
    for name, (spoil, _, _) in HANDED_IN.items():
        book = copy.deepcopy(solved)
        if name == "half done":
            for task in ("slope", "gradient"):
                cell(book, task)["source"] = cell(blank, task)["source"]
            replaced("chain_rule", "return", "return 0.5 *")(book)
        else:
            spoil(book)
        if name == "copied stub below the answer":
            book["cells"][-1]["source"] = cell(blank, "slope")["source"]
        a_class.submit(name, json.dumps(book).encode())
    for name, (content, _) in FILES.items():
        a_class.submit(name, content)
    a_class.submit("renamed", json.dumps(solved).encode(), "my homework (1).ipynb")
    other = json.dumps(blank).replace(STEM, "ex02_requires_grad").replace("slope", "track")
    a_class.submit("other", other.replace('"id": "', '"id": "o').encode())
    (a_class.folder / "submitted" / "empty folder" / STEM).mkdir(parents=True)
    before = {path: path.read_bytes() for path in _files(a_class.folder / "submitted")}
    log = a_class.api.autograde(STEM, "*")
    assert log["success"], log["log"][-3000:]
    assert f"{STEM} of broken JSON is not graded, because the file is not a notebook" in log["log"]
    assert {path: path.read_bytes() for path in before} == before
    for student in ("a wrong", "a blank"):
        assert a_class.api.generate_feedback(STEM, student)["success"]
    return a_class


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


# --- the course ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pages(loaded):
    """The source notebook of every exercise."""
    import nbformat

    found = {one: nbformat.reads(classes.page(one), 4) for one in loaded.exercises}
    assert len(found) == 13
    return found


def test_every_source_is_a_valid_notebook_whose_points_are_the_tests(pages):
    import nbformat
    from nbgrader.nbgraderformat import MetadataValidator

    for exercise, book in pages.items():
        nbformat.validate(book)
        MetadataValidator().validate_nb(book)
        *grades, words = [c for c in book.cells if c.metadata.get("nbgrader", {}).get("grade")]
        assert [c.source for c in grades] == [f'check("{t.name}")' for t in exercise.tasks]
        assert sum(c.metadata.nbgrader.points for c in grades) == exercise.points
        assert all(c.metadata.nbgrader.locked for c in grades)
        assert (words.cell_type, words.metadata.nbgrader.points) == ("markdown", 1)


def test_no_line_of_a_solution_or_a_hint_is_released(pages):
    from nbgrader.preprocessors import ClearSolutions

    for exercise, book in pages.items():
        cleared, _ = ClearSolutions().preprocess(copy.deepcopy(book), {})
        # but for the cell that gets `check`, which is the same in all
        text = "\n".join(one.source for one in cleared.cells if "checks_of" not in one.source)
        hidden, inside = set(), False
        for line in exercise.solution.read_text("utf-8").splitlines():
            inside = inside and "### END" not in line
            if inside:
                hidden.add(line.strip())
            inside = inside or "### BEGIN" in line
        assert len(hidden) > 20
        assert not hidden & {line.strip() for line in text.splitlines()} - {""}, exercise.stem
        for task in exercise.tasks:
            assert not any(hint in " ".join(text.split()) for hint in exercise.hints(task.name))


@pytest.mark.parametrize("every", [3, pytest.param(1, marks=pytest.mark.whole)])
def test_every_solution_gets_all_points(pages, loaded, engine, monkeypatch, every):
    monkeypatch.setitem(judge.engines, loaded.root, engine)
    for exercise, book in list(pages.items())[::every]:
        answer = submission.gather(book.cells, exercise)
        result = judge.grade(exercise, answer, loaded).result
        failed = [t.task for t in result.tasks if t.verdict != "passed"]
        assert (result.earned, failed) == (exercise.points, []), exercise.stem


def test_a_course_is_the_same_when_it_is_written_twice(loaded, tmp_path):
    handed_in = ("submitted/ada/ex03_backward/ex03_backward.ipynb", "gradebook.db",
                 "autograded/x", "feedback/y", "nbgrader_config.py")  # fmt: skip
    for name in handed_in:
        keep.write(tmp_path / name, "theirs")
    assert classes.write(loaded, tmp_path, ["03"])
    source = tmp_path / "source" / STEM / f"{STEM}.ipynb"
    text = source.read_text()
    assert classes.write(loaded, tmp_path, ["03"]) == []
    source.write_text("spoiled")
    assert classes.write(loaded, tmp_path, ["03"]) == [source]
    assert source.read_text() == text
    for name in handed_in:
        assert (tmp_path / name).read_text() == "theirs"


def test_the_answer_in_words_is_worth_what_the_instructor_says(loaded, tmp_path):
    def points():
        book = json.loads((tmp_path / "source" / STEM / f"{STEM}.ipynb").read_text())
        cells = [c["metadata"].get("nbgrader", {}) for c in book["cells"]]
        assert "MARK SCHEME" in str(book) or not any(c.get("grade_id") == words for c in cells)
        assert "## In your own words" in str(book)
        return [c["points"] for c in cells if c.get("grade_id") == words]

    words = f"{STEM}-{submission.WORDS}"
    for given, want in ((None, [1]), (2.5, [2.5]), (None, [2.5]), (0, []), (None, [])):
        classes.write(loaded, tmp_path, ["03"], own_words=given)
        assert points() == want


def test_points_of_the_instructor(loaded, tmp_path):
    import nbformat

    file = tmp_path / "points.toml"
    file.write_text("[ex03]\nslope = 5\nchain_rule = 0.5\n")
    worth = asked.read_points(file, loaded)[STEM]
    book = nbformat.reads(classes.page(loaded.find("03"), worth), 4)
    points = {c.source: c.metadata.nbgrader.points for c in book.cells
              if c.metadata.get("nbgrader", {}).get("grade")}  # fmt: skip
    assert points['check("slope", points=5)'] == 5
    assert points['check("chain_rule", points=0.5)'] == 0.5
    assert points['check("gradient")'] == 2


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--only", "99"], "no exercise"),
        (["--due", "tomorrow"], "not a date"),
        (["--points", "{points}"], "not a number from 0 to"),
        (["--tests", "{folder}"], "no test_ex"),
        (["--own-words", "nan"], "a number from 0 to"),
    ],
)
def test_what_cannot_be_done_is_a_sentence_and_leaves_nothing(loaded, tmp_path, options, says):
    from typer.testing import CliRunner

    from grader.cli import app
    from grader.course import CourseError

    points = tmp_path / "points.toml"
    points.write_text("[ex03]\nslope = nan\n")
    words = [word.format(points=points, folder=tmp_path) for word in options]
    done = CliRunner().invoke(app, ["course", str(tmp_path / "class"), *words])
    assert isinstance(done.exception, CourseError)
    assert says in str(done.exception)
    assert not (tmp_path / "class").exists()


def test_the_release_is_the_cleared_source(release, pages, loaded):
    from nbgrader.preprocessors import ClearSolutions

    _, blank, _ = release
    cleared, _ = ClearSolutions().preprocess(copy.deepcopy(pages[loaded.find("03")]), {})
    cleared = build.without_marks(cleared)
    released = ["".join(c["source"]).rstrip("\n") for c in blank["cells"]]
    assert released == [c.source for c in cleared.cells]
    assert not any("MARK SCHEME" in source for source in released)


def test_the_command_says_what_it_wrote(tmp_path):
    from typer.testing import CliRunner

    from grader.cli import app

    done = CliRunner().invoke(app, ["course", str(tmp_path / "class"), "--only", "03,5"])
    assert done.exit_code == 0
    assert "5 files written" in done.output.replace("\n", " ")
    sources = sorted(path.stem for path in (tmp_path / "class" / "source").rglob("*.ipynb"))
    assert sources == [STEM, "ex05_lr_step"]


# --- grading ---------------------------------------------------------------------------------


@pytest.mark.parametrize("place", "az")
@pytest.mark.parametrize(("name", "points"), NEIGHBOURS.items())
def test_neighbours_keep_their_scores(graded, place, name, points):
    assert graded.scores()[f"{place} {name}"] == (points, False)


@pytest.mark.parametrize("name", whole_for(CASES, VARIATIONS))
def test_each_submission_gets_its_own_points(graded, name):
    _, points, says = CASES[name]
    assert graded.scores()[name] == (points, name == "scripts"), "words wait for a person"
    if says:
        assert any(says in text for text in graded.feedback(name).values())


# Of these both ways of grading are tried; of the rest, where time is no matter.
BOTH_WAYS = ("copied answer and the copy wrong", "a messy notebook", "half done")


@pytest.mark.parametrize(
    "name", whole_for([*HANDED_IN, *FILES, "other"], {*HANDED_IN, *FILES} - {*BOTH_WAYS})
)
def test_both_ways_of_grading_give_one_verdict(graded, loaded, name):
    from grader.classroom.submitted import Submission

    file = graded.folder / "submitted" / name / STEM / f"{STEM}.ipynb"
    handed_in = Submission(name, STEM, f"{name}/{STEM}.ipynb", file.read_bytes())
    seed = classes.class_seed(graded.folder)
    result = judge.grade_submission(handed_in, loaded, seed)
    score, is_open = graded.scores()[name]
    if not result.tasks:
        assert is_open and score == 0.0
        return
    about = json.loads((graded.folder / "autograded" / name / STEM / f"{STEM}.ipynb").read_text())
    assert about["metadata"]["kata"]["seed"] == seed
    assert (result.earned, False) == (score, is_open and name != "scripts")


def test_the_gradebook_and_kata_grade_fill_gaps_with_the_same_cells(graded, loaded):
    from grader.classroom.autograde import _known
    from grader.classroom.released import released

    with graded.api.gradebook as gradebook:
        known = {one.grade_id: one for one in _known(gradebook.find_notebook(STEM, STEM))}
    for cell_there in released(loaded.find("03")):
        in_book = known.pop(cell_there.grade_id)
        if not cell_there.grade_id.endswith("question"):  # with its mark scheme, in the gradebook
            assert in_book == cell_there
    assert not known


@pytest.mark.parametrize(
    "content", [b"\xff\xfe\x00", b"[]", b"null", b'{"cells": 3}', b"[" * 100_000]
)
def test_what_is_no_notebook_is_refused(content):
    with pytest.raises(submission.NotGraded, match="the file is not a notebook"):
        submission.read(content)


def test_strange_cells_become_plain_ones():
    cells = [3, {}, {"cell_type": "code", "source": ["a", 3], "metadata": {"nbgrader": []}}]
    content = json.dumps({"cells": cells, "metadata": []}).encode()
    assert [one["source"] for one in submission.read(content)["cells"]] == ["", "a"]


@pytest.mark.parametrize("name", [*FILES, "other"])
def test_what_cannot_be_graded_says_why(graded, name):
    assert graded.scores()[name] == (0.0, True), "open, and no final 0"
    with graded.api.gradebook as gradebook:
        (book,) = gradebook.find_submission(STEM, name).notebooks
        assert {(one.auto_score, one.needs_manual_grade) for one in book.grades} == {(None, True)}
    says = FILES[name][1] if name in FILES else "the notebook of another assignment"
    for text in graded.feedback(name).values():
        assert "Not graded, because" in text
        assert says in text


def test_feedback_on_what_was_not_graded_begins_with_that(graded):
    assert graded.api.generate_feedback(STEM, "broken JSON")["success"]
    page = (graded.folder / "feedback" / "broken JSON" / STEM / f"{STEM}.html").read_text()
    assert "Not graded, because the file is not a notebook: it is not valid JSON." in page
    assert "0/1 points" not in page and "1 points open" in page


def test_a_score_of_before_does_not_outlive_a_file_that_cannot_be_read(graded):
    file = graded.folder / "submitted" / "z right" / STEM / f"{STEM}.ipynb"
    right = file.read_bytes()
    try:
        file.write_bytes(b"\xff")
        assert graded.api.autograde(STEM, "z right")["success"]
        assert graded.scores()["z right"] == (0.0, True)
    finally:
        file.write_bytes(right)
    assert graded.api.autograde(STEM, "z right")["success"]
    assert graded.scores()["z right"] == (ALL, False)


def test_what_a_student_writes_runs_nothing_in_the_feedback(graded):
    assert graded.api.generate_feedback(STEM, "scripts")["success"]
    page = (graded.folder / "feedback" / "scripts" / STEM / f"{STEM}.html").read_text()
    page = page[page.index("<body") :]
    assert "<b>bold</b>" in page and "kept as text" in page
    for tag in ("<script>run", "<iframe", "<svg", "<img onerror", 'href="javascript', "onclick="):
        assert tag not in page, tag


def test_a_renamed_notebook_is_graded(graded):
    assert graded.scores()["renamed"] == (ALL, False)


def test_a_folder_without_a_notebook_does_not_stop_the_class(graded):
    assert "empty folder" not in graded.scores()


def test_the_instructors_own_tests_count(loaded, release, tmp_path):
    _, _, solved = release
    own = tmp_path / "mine"
    own.mkdir()
    (own / "test_ex03_backward.py").write_text(OWN_TEST)
    classes.write(loaded, tmp_path / "class", ["03"], tests=own)
    folder = tmp_path / "class" / classes.OWN_TESTS
    code = "\n\n".join(cell(solved, task)["source"] for task in TASKS)
    answer = submission.Answer(f"import torch\n\n{code}\n")
    found = judge.grade(loaded.find("03"), answer, loaded, folder).result
    slope, *others = found.tasks
    assert [test.name.rpartition("::")[2] for test in slope.tests if not test.passed] == [
        "test_never_right"
    ]
    assert 0 < slope.earned < slope.points
    assert sum(task.earned for task in others) == ALL - 1
    released = (tmp_path / "class" / "source" / STEM / f"{STEM}.ipynb").read_text()
    assert "never_right" not in released


def test_the_half_done_one_gets_the_points_of_its_tasks(graded):
    said = graded.feedback("half done")
    assert said["slope"].startswith("slope  not attempted  0/1 points")
    assert said["vector_jacobian"].startswith("vector_jacobian  passed  2/2 points")
    assert said["chain_rule"].startswith("chain_rule  wrong  0/1 points")


def test_feedback_shows_the_diagnosis_and_nothing_hidden(graded, loaded):
    page = graded.folder / "feedback" / "a wrong" / STEM / f"{STEM}.html"
    shown = page.read_text()
    assert "still wrapped in a tensor" in shown
    assert "kata hint ex03 slope" in shown
    for hidden in ("drawn_cubics(", "expected", "called ", "--seed", "square, 3.0"):
        assert hidden not in graded.feedback("a wrong")["slope"]
    blank = (graded.folder / "feedback" / "a blank" / STEM / f"{STEM}.html").read_text()
    assert "leaf.grad.item()" not in blank
    assert "leaf.grad.item()" in loaded.find("03").solution.read_text()


def test_the_due_date_is_the_assignments(graded):
    with graded.api.gradebook as gradebook:
        assert str(gradebook.find_assignment(STEM).duedate) == "2030-01-02 03:04:00"


def test_export_says_what_the_gradebook_says(graded):
    words = ["export", "--to", "out.csv"]
    done = forked.run("nbgrader", words, graded.folder, HOME=str(graded.folder))
    assert done.returncode == 0, done.stderr
    with (graded.folder / "out.csv").open() as file:
        rows = {row["student_id"]: float(row["score"]) for row in csv.DictReader(file)}
    assert rows == {student: score for student, (score, _) in graded.scores().items()}


def test_a_grading_that_fails_leaves_no_old_score(graded, monkeypatch):
    def fail(*_, **__):
        raise OSError("no space left")

    monkeypatch.setattr(judge, "grade", fail)
    assert graded.scores()["z right"] == (ALL, False)
    assert not graded.api.autograde(STEM, "z right")["success"]
    assert graded.scores()["z right"] == (0.0, True)
    monkeypatch.undo()
    assert graded.api.autograde(STEM, "z right")["success"]
    assert graded.scores()["z right"] == (ALL, False)


def test_nbgrader_refuses_where_anything_is_open_and_the_feedback_says_so(graded, monkeypatch):
    notice = "not isolated: files, network, processes and sockets stay open"
    before = graded.scores()
    monkeypatch.setattr(Engine, "refusal", REFUSAL)
    done = graded.api.autograde(STEM, "z right")
    assert not done["success"] and f"Refused: {notice}; none (" in done["log"]
    assert "SystemExit: 2" in done["error"] and graded.scores() == before
    monkeypatch.setattr(graded.api.config.KataExecute, "isolation", "open", raising=False)
    done = graded.api.autograde(STEM, "z right")
    assert done["success"] and graded.scores() == before
    for text in graded.feedback("z right").values():
        assert notice in text.splitlines()[1], text


@pytest.fixture
def heard(graded, monkeypatch):
    """What the autograding of three students begins and asks for, and whom it grades."""
    from grader.classroom import autograde

    events, grade = [], judge.grade

    class Heard(autograde.Ahead):
        def begin(self, key, work):
            events.append(("begin", key[2]))
            super().begin(key, work)

        def result(self, key):
            events.append(("result", key[2]))
            return super().result(key)

    monkeypatch.setattr(autograde, "_ahead", Heard())
    monkeypatch.setattr(judge, "grade", lambda *a: events.append("graded") or grade(*a))
    return events


def test_the_next_notebook_is_graded_ahead_and_each_only_once(graded, heard):
    before = graded.scores()
    assert graded.api.autograde(STEM, "a [brw]*")["success"]
    for one, following in (("a blank", "a right"), ("a right", "a wrong")):
        assert heard.index(("begin", following)) < heard.index(("result", one))
    assert heard.count("graded") == 3
    assert graded.scores() == before


def test_what_is_wrong_with_the_next_notebook_is_only_its_own_matter(graded, heard, monkeypatch):
    from grader.classroom import autograde

    opened = autograde._opened

    def fail(path, *limits):
        if "a right" in str(path):
            raise KeyError("a cell that nobody has thought of")
        return opened(path, *limits)

    before = graded.scores()
    monkeypatch.setattr(autograde, "_opened", fail)
    graded.api.autograde(STEM, "a [brw]*")
    after = graded.scores()
    assert {one for one in before if before[one] != after[one]} <= {"a right"}
    assert heard.count("graded") == 2
    monkeypatch.undo()
    assert graded.api.autograde(STEM, "a right")["success"]
    assert graded.scores() == before
