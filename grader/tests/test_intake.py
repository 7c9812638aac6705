"""What was not handed in earns nothing, and whatever was handed in has a row: laws, then cases."""

from __future__ import annotations

import ast
import io
import json
import zipfile
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grader import build, course
from grader.classroom import autograde, cases, gather, grading, judge, submission
from grader.classroom.mistakes import MistakeTable
from grader.classroom.released import HoldsReference, Known, released
from grader.classroom.released import given as given_cells
from grader.classroom.submitted import Submission
from grader.tests.conftest import whole_for
from grader.tests.handed_in import (
    SEED,
    STEM,
    a_result,
    as_notebook,
    as_script,
    right_of,
    stub_of,
)

BRIEF = settings(
    max_examples=50,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
STEMS = [path.stem for path in sorted((course.own() / "exercises").glob("ex*.py"))]
GAPS = ("deleted", "untouched", "emptied")  # what a student leaves where an answer is not


# --- what goes to the worker -----------------------------------------------------------------


def subsets(exercise) -> list[frozenset[str]]:
    """None of the tasks, all of them, each one alone, and all but each one."""
    names = [task.name for task in exercise.tasks]
    alone = [frozenset([name]) for name in names]
    return [frozenset(), frozenset(names), *alone, *(frozenset(names) - one for one in alone)]


def definitions(source: str) -> dict[str, str]:
    """The functions and classes of a source, without its comments."""
    return {
        node.name: ast.unparse(node)
        for node in ast.parse(source).body
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
    }


def through_nbgrader(handed_in: Submission, exercise) -> str:
    """The text that our steps inside nbgrader would run, with its notebook written in between."""
    from nbformat import from_dict, writes

    tasks = [task.name for task in exercise.tasks]
    book = from_dict(submission.read(handed_in.content))
    book.cells = submission.mend(book.cells, released(exercise), exercise.stem, tasks)
    again = from_dict(submission.read(writes(book).encode()))
    return submission.gather(again.cells, exercise).source


def check_text(exercise, answered: frozenset[str], gap: str) -> None:
    """What goes to the worker is the stub with exactly the answers in it, on every way."""
    stub, right = (
        definitions(stub_of(exercise)),
        definitions("\n\n".join(right_of(exercise).values())),
    )
    expected = stub | {name: right[name] for name in answered}
    if gap == "emptied":  # the cell is there, and has no function in it
        expected = {name: expected[name] for name in answered | (stub.keys() - right.keys())}
    book, script = (make(exercise, answered, gap) for make in (as_notebook, as_script))
    text = cases.code_of(book, exercise).decode()
    assert definitions(text) == expected
    assert through_nbgrader(book, exercise) == text
    assert cases.code_of(script, exercise) == script.content


@pytest.mark.parametrize("stem", STEMS)
def test_the_worker_gets_the_stub_with_exactly_what_was_handed_in(loaded, stem):
    exercise = loaded.find(stem)
    nothing, everything, first, *_, last = subsets(exercise)
    for gap, answered in zip(GAPS, (first, last, nothing), strict=True):
        check_text(exercise, answered, gap)
    check_text(exercise, nothing, "deleted")


@pytest.mark.whole
@pytest.mark.parametrize("stem", STEMS)
def test_the_same_for_each_task_alone_and_left_out(loaded, stem):
    exercise = loaded.find(stem)
    for gap in GAPS:
        for answered in subsets(exercise):
            check_text(exercise, answered, gap)


# A cell above which Jupyter runs the line, with the answer below it.
LINES = [
    "%time",
    "%%time",
    "!ls",
    "x = !ls",
    "x = %timeit 1",
    "?print",
    "print?",
    "print??",
    "    ",
]


@pytest.mark.parametrize("line", LINES)
def test_what_jupyter_runs_costs_no_answer(loaded, line):
    exercise = loaded.find("03")
    book = json.loads(as_notebook(exercise, frozenset(["slope"]), "untouched").content)
    for cell in book["cells"]:
        if "def slope" in "".join(cell["source"]):
            text = "".join(cell["source"])
            indented = "\n".join(line + row for row in text.split("\n"))
            cell["source"] = f"{line}\n{text}" if line.strip() else indented
    handed_in = Submission("ada", STEM, f"ada/{STEM}.ipynb", json.dumps(book).encode())
    found = definitions(cases.code_of(handed_in, exercise).decode())
    assert found["slope"] == definitions(right_of(exercise)["slope"])["slope"]


@pytest.mark.parametrize("stem", STEMS)
@pytest.mark.parametrize("marked", [True, False], ids=["marked", "bare"])
@pytest.mark.parametrize("into", [0, -1, None], ids=["first", "last", "new"])
def test_cells_may_be_merged(loaded, stem, into, marked):
    """All answers in one cell, whichever that is: the others are gone, or are stubs."""
    exercise = loaded.find(stem)
    names = [task.name for task in exercise.tasks]
    right = right_of(exercise)
    together = "\n\n\n".join(right[name] for name in names)
    book = json.loads(as_notebook(exercise, frozenset(), "untouched").content)
    ids = [f"{stem}-{name}" for name in names]
    own = [c for c in book["cells"] if c["metadata"].get("nbgrader", {}).get("grade_id") in ids]
    if into is None:
        cell = {"cell_type": "code", "source": together, "metadata": {}, "outputs": []}
        book["cells"].insert(1, cell | {"execution_count": None, "id": "new"})
    else:
        own[into]["source"] = together
        book["cells"] = [cell for cell in book["cells"] if cell not in own or cell is own[into]]
    for cell in book["cells"] if not marked else []:
        cell["metadata"] = {}
        cell.pop("id", None)
    handed_in = Submission("ada", stem, f"ada/{stem}.ipynb", json.dumps(book).encode())
    text = cases.code_of(handed_in, exercise).decode()
    found, expected = definitions(text), definitions(together)
    assert {name: found[name] for name in expected} == expected
    assert through_nbgrader(handed_in, exercise) == text


@pytest.mark.parametrize("letter", [" ", "\t", "x", "?", "=", "x ", "? ", "= ", "[", "x=", "\n"])
def test_no_line_that_is_no_python_takes_long(loaded, letter):
    exercise = loaded.find("03")
    book = json.loads(as_notebook(exercise, frozenset(), "untouched").content)
    for cell in book["cells"]:
        if "def slope" in "".join(cell["source"]):
            cell["source"] = "1 +\n" + letter * (400_000 // len(letter)) + "~"
    handed_in = Submission("ada", STEM, f"ada/{STEM}.ipynb", json.dumps(book).encode())
    assert b"The cell has a SyntaxError" in cases.code_of(handed_in, exercise)


def test_a_cell_that_is_no_python_says_so_when_its_function_is_called(loaded):
    exercise = loaded.find("03")
    book = json.loads(as_notebook(exercise, frozenset(["slope"]), "untouched").content)
    for cell in book["cells"]:
        if "def slope" in "".join(cell["source"]):
            cell["source"] = "def slope(f, x):\n    retrun x"
    handed_in = Submission("ada", STEM, f"ada/{STEM}.ipynb", json.dumps(book).encode())
    text = cases.code_of(handed_in, exercise).decode()
    assert through_nbgrader(handed_in, exercise) == text
    module: dict = {}
    exec(definitions(text)["slope"], module)
    with pytest.raises(SyntaxError, match="The cell has a SyntaxError in line 2"):
        module["slope"](abs, 1)


def _mutated(book: dict, changes: list[tuple[str, int, int]]) -> bytes:
    """A class's notebook after what students, tools and attackers do to its cells."""
    cells = book["cells"]
    for kind, one, other in changes:
        if not cells:
            break
        place, cell = one % len(cells), cells[one % len(cells)]
        if kind == "delete":
            del cells[place]
        elif kind == "copy":
            cells.insert(other % (len(cells) + 1), json.loads(json.dumps(cell)))
        elif kind == "retype":
            cell["cell_type"] = ("code", "markdown", "raw", "heading")[other % 4]
        elif kind == "strip":
            cell.pop(("metadata", "id", "source", "cell_type")[other % 4], None)
        elif kind == "rename":
            cell["metadata"] = {"nbgrader": cells[other % len(cells)].get("metadata", {})}
        elif kind == "swap":
            with_other = cells[other % len(cells)]
            cell["metadata"], with_other["metadata"] = (
                with_other.get("metadata"),
                cell.get("metadata"),
            )
        else:
            cell["source"] = SNIPPETS[other % len(SNIPPETS)]
    return json.dumps(book).encode()


SNIPPETS = [
    "def slope(f, x):\n    return 'mine'",
    "%time\nimport torch",
    "1 +",
    "\ufeff",
    "x = slope",
]
CHANGES = st.lists(
    st.tuples(
        st.sampled_from(["delete", "copy", "retype", "strip", "rename", "swap", "write"]),
        st.integers(0, 40),
        st.integers(0, 40),
    ),
    max_size=6,
)


@BRIEF
@given(changes=CHANGES)
def test_both_ways_take_the_same_answers_from_a_spoilt_notebook_and_none_of_ours(loaded, changes):
    exercise = loaded.find("03")
    book = json.loads(as_notebook(exercise, frozenset(), "untouched").content)
    handed_in = Submission("ada", STEM, f"ada/{STEM}.ipynb", _mutated(book, changes))
    try:
        text = cases.code_of(handed_in, exercise).decode()
    except submission.NotGraded as error:
        assert "another assignment" in str(error)
        return
    assert through_nbgrader(handed_in, exercise) == text
    stub = definitions(stub_of(exercise))
    for name, body in definitions(text).items():
        no_python = "raise SyntaxError('The cell has a SyntaxError" in body
        assert no_python or body in (stub.get(name), definitions(SNIPPETS[0]).get(name)), name


def test_what_a_class_was_given_has_no_line_of_an_answer(loaded):
    for exercise in loaded.exercises:
        stub = stub_of(exercise)
        for known in released(exercise):
            if known.solution and known.cell_type == "code":
                assert ast.unparse(ast.parse(known.source)) in ast.unparse(ast.parse(stub))
        assert all(source in stub for source in given_cells(exercise))
        assert {task.name for task in exercise.tasks} <= {
            known.grade_id.removeprefix(f"{exercise.stem}-") for known in released(exercise)
        }


def test_text_with_a_solution_in_it_cannot_be_what_a_class_was_given(loaded):
    exercise = loaded.find("03")
    (cell,) = [one for one in build.notebook(exercise).cells if "def slope" in one.source]
    with pytest.raises(HoldsReference, match="ex03_backward-slope holds its solution"):
        Known(f"{STEM}-slope", "code", cell.source, locked=False, solution=True)


def test_an_uncleared_page_is_never_released(loaded, monkeypatch):
    from grader.classroom import released as module

    monkeypatch.setattr(build, "cleared", lambda book: book)
    monkeypatch.setattr(module, "_handed_out", module._handed_out.__wrapped__)
    for exercise in loaded.exercises:
        with pytest.raises(HoldsReference):
            released.__wrapped__(exercise)


def test_a_students_answer_may_hold_the_marks_as_text(loaded):
    exercise = loaded.find("03")
    book = json.loads(as_notebook(exercise, frozenset(["slope"]), "deleted").content)
    for cell in book["cells"]:
        if "def slope" in "".join(cell["source"]):
            cell["source"] = f'def slope(f, x):\n    return "### {build.BEGIN}"\n'
    handed_in = Submission("ada", STEM, "ada/x.ipynb", json.dumps(book).encode())
    assert build.BEGIN in cases.code_of(handed_in, exercise).decode()


# --- the score -------------------------------------------------------------------------------


@pytest.fixture
def warm(loaded, engine, monkeypatch):
    """The tests' engine in the place of one for the class."""
    monkeypatch.setitem(judge.engines, loaded.root, engine)


def earned_by(exercise, answered: frozenset[str]) -> float:
    """The points of the tasks that are there, with all that they are made of."""
    source = exercise.solution.read_text("utf-8")
    names = {task.name for task in exercise.tasks}
    return sum(
        task.points
        for task in exercise.tasks
        if course.reached_from(source, task.name) & names <= answered
    )


@pytest.mark.parametrize("stem", whole_for(STEMS, set(STEMS) - {"ex03_backward", "ex05_lr_step"}))
def test_the_score_is_that_of_what_is_there(loaded, warm, stem):
    exercise = loaded.find(stem)
    chosen = subsets(exercise)
    number = len(exercise.tasks)
    handed_in = [
        (as_notebook(exercise, frozenset(), "deleted"), 0.0),
        (
            as_notebook(exercise, chosen[2 + number], "deleted"),
            earned_by(exercise, chosen[2 + number]),
        ),
        (as_script(exercise, chosen[-1], "deleted"), earned_by(exercise, chosen[-1])),
    ]
    for answer, points in handed_in:
        result = judge.grade_submission(answer, loaded, SEED)
        assert (result.earned, len(result.tasks)) == (points, number), answer.name


@pytest.mark.whole
@pytest.mark.parametrize("stem", STEMS)
def test_the_score_of_each_task_alone_and_of_all_but_it(loaded, warm, stem):
    exercise = loaded.find(stem)
    everything = frozenset(task.name for task in exercise.tasks)
    for place, task in enumerate(exercise.tasks):  # in turn, which halves the time
        alone, but_it = frozenset([task.name]), everything - {task.name}
        handed_in = as_script(exercise, but_it, "deleted")
        if place % 2:
            handed_in = as_notebook(exercise, alone, "deleted")
        result = judge.grade_submission(handed_in, loaded, SEED)
        expected = earned_by(exercise, alone if place % 2 else but_it)
        assert result.earned == expected, (task.name, handed_in.name)


def test_a_byte_order_mark_and_a_coding_line_change_nothing(loaded, warm):
    exercise = loaded.find("03")
    text = as_script(exercise, frozenset(["slope"]), "untouched").content.decode()
    spellings = {
        "mark": b"\xef\xbb\xbf" + text.encode(),
        "coding line": ("# coding: latin-1\n# é\n" + text).encode("latin-1", "replace"),
        "Windows": text.replace("\n", "\r\n").encode(),
        "old Macs": text.replace("\n", "\r").encode(),
    }
    for name, content in spellings.items():
        answer = Submission("ada", STEM, f"ada/{STEM}.py", content)
        assert judge.grade_submission(answer, loaded, SEED).earned == 1.0, name


# --- every entry has a row -------------------------------------------------------------------


def zipped(*files: tuple[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in files:
            archive.writestr(name, content)
    return out.getvalue()


BOOK = json.dumps(
    {"cells": [{"cell_type": "code", "source": ["x = 1"], "metadata": {}, "outputs": []}],
     "metadata": {}, "nbformat": 4, "nbformat_minor": 4}
).encode()  # fmt: skip
SPOILT = st.builds(  # something whole with some bytes changed and its end cut off
    lambda content, changes, end: bytes(
        changes.get(place, byte) for place, byte in enumerate(content)
    )[: len(content) - end],
    st.sampled_from([BOOK, zipped((f"{STEM}.py", b"x = 1\n")), b"x = 1\n# \xe9", b"Rar!\x1a\x07"]),
    st.dictionaries(st.integers(0, 200), st.integers(0, 255), max_size=3),
    st.integers(0, 40),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 6) | st.sampled_from(["code", "x = 1\ud800", STEM]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["cells", "cell_type", "source", "metadata", "nbgrader", "grade_id", "id", "nbformat",
             "worksheets", "input", "level"]),
        inner, max_size=4),
    max_leaves=12,
)  # fmt: skip
CONTENTS = st.one_of(
    st.binary(max_size=60), SPOILT, JSON.map(lambda data: json.dumps(data).encode())
)
ENDINGS = [".py", ".ipynb", ".zip", ".tar.gz", ".rar", ".7z", ".PY", ".docx", ""]
FILES = st.builds(
    lambda name, end: name + end,
    st.sampled_from([STEM, "homework", "ada_ex03_backward", "Ex3", "~", ".hidden", "test_x", "é"]),
    st.sampled_from(ENDINGS),
)
CLASSES = st.dictionaries(
    st.tuples(st.sampled_from(["", "ada", "Ada", "bob b", "tests", ".git"]), FILES),
    CONTENTS,
    min_size=1,
    max_size=5,
)


@BRIEF
@given(files=CLASSES, asked=st.sampled_from([(), (STEM,), (STEM, "ex05_lr_step")]))
def test_any_bytes_under_any_name_have_a_row(tmp_path_factory, loaded, files, asked):
    folder = tmp_path_factory.mktemp("class")
    (folder / "zed").mkdir()  # one more student, so that the folder is a class's
    (folder / "zed" / f"{STEM}.py").write_bytes(b"x = 1\n")
    files = {
        key: content for key, content in files.items() if key[0] or not key[1].startswith("ex03")
    }
    for (student, name), content in files.items():
        (folder / student).mkdir(exist_ok=True)
        (folder / student / name).write_bytes(content)
    direct = any(not student and name.partition(".")[0].lower() == STEM for student, name in files)
    found = gather.survey([folder], loaded, frozenset(asked))
    rows = {one.student for one in found.submissions}
    if not direct:
        for student, name in files:
            if student in ("ada", "Ada", "bob b"):
                others = {n for s, n in files if s == student}
                assert student in rows or (asked and others), (student, rows)
            elif not student and name.endswith((".zip", ".rar", ".7z", ".tar.gz")):
                stands = name.partition(".")[0] if name[0] != "." else ".hidden"
                assert {stands, "ada"} & rows or stands in ("", ".hidden"), (name, rows)
    for one in found.submissions:
        assert bool(one.content) != bool(one.problem)
        if one.exercise:
            exercise = loaded.find(one.exercise)
            try:
                cases.code_of(one, exercise)
            except (submission.NotGraded, *cases.HOSTILE):
                pass
    runs, table = tmp_path_factory.mktemp("runs"), MistakeTable(loaded, SEED)
    begun = cases.Cases(found.submissions, loaded, SEED, None, runs, table)
    jobs = list(begun)
    ended = [handed_in for handed_in, result in begun.ended()]
    assert len(jobs) + len(ended) == len(found.submissions)


@BRIEF
@given(content=CONTENTS)
def test_any_bytes_are_read_by_our_steps_inside_nbgrader(tmp_path_factory, loaded, content):
    file = tmp_path_factory.mktemp("submitted") / f"{STEM}.ipynb"
    file.write_bytes(content)
    exercise = loaded.find("03")
    book, problem = autograde._opened(file)
    tasks = [task.name for task in exercise.tasks]
    try:
        cells = submission.mend(book.cells, released(exercise), STEM, tasks)
    except submission.NotGraded as error:
        problem = problem or str(error)
        cells = submission.mend([], released(exercise), STEM, tasks)
    text = submission.gather(cells, exercise).source
    handed_in = Submission("ada", STEM, f"ada/{STEM}.ipynb", content)
    if problem:
        with pytest.raises(submission.NotGraded):
            cases.code_of(handed_in, exercise)
    else:
        assert cases.code_of(handed_in, exercise).decode() == text


# --- a class ---------------------------------------------------------------------------------


@pytest.fixture
def fake(monkeypatch):
    """Grading without an engine."""
    monkeypatch.setattr(judge, "isolation", lambda course: "as tried")
    monkeypatch.setattr(
        judge, "grade_each", lambda submissions, *_: ((one, a_result(one)) for one in submissions)
    )


RIGHT = zipped((f"{STEM}.py", b"x = 1\n"))
VANISHED = {
    "clara.zip": (RIGHT[:60], "is broken"),
    "dan.rar": (b"Rar!\x1a\x07\x00", "is a RAR archive"),
    "eva.zip": (zipped(), "is empty"),
    "finn.zip": (b"not a zip", "is broken"),
    "homework/homework3.ipynb": (BOOK, "only homework3.ipynb"),
    "good/ex03_backward.py": (b"x = 1\n", ""),
}


def test_nothing_vanishes(loaded, fake, tmp_path, monkeypatch):
    for name, (content, _) in VANISHED.items():
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).write_bytes(content)
    (tmp_path / "in" / "good" / ".DS_Store").write_bytes(b"-")
    monkeypatch.chdir(tmp_path)
    for exercises in ((), ("03",)):
        said: list[str] = []
        order = grading.Order([tmp_path / "in"], tmp_path / "out", exercises=exercises, seed=SEED)
        found = grading.grade(order, say=said.append)
        assert said[0] == "5 of 6 from 6 students cannot be read."
        assert "1 hidden" in found.others
        rows = {one.submission.student: one for one in found.graded}
        for name, (_, says) in VANISHED.items():
            row = rows.pop(name.partition("/")[0].partition(".")[0])
            assert says in row.result.problem
            assert row.submission.exercise == (STEM if exercises or not says else "")
        assert not rows and len(found.ungraded) == 5
        plain = [one for one in found.to_json()["results"] if one["student"] != "good"]
        assert {(one["earned"], one["points"]) for one in plain} == {(None, None)}
        lines = (tmp_path / "out" / "grades.csv").read_text().splitlines()
        assert [line for line in lines[1:] if ",0" in line] == ['"good",0,0,""']
        page = (tmp_path / "out" / "class.html").read_text()
        assert "1 submissions graded, 5 not" in page
        assert page.count("<td>not graded</td>") == 5


def test_whoever_is_gone_is_named(loaded, fake, tmp_path, monkeypatch):
    for name in ("ada", "bob"):
        (tmp_path / "in" / name).mkdir(parents=True)
        (tmp_path / "in" / name / f"{STEM}.py").write_bytes(b"x = 1\n")
    monkeypatch.chdir(tmp_path)
    order = grading.Order([tmp_path / "in"], tmp_path / "out", seed=SEED)
    said: list[str] = []
    grading.grade(order, say=said.append)
    assert said == []
    (tmp_path / "in" / "bob").rename(tmp_path / "elsewhere")
    grading.grade(order, say=said.append)
    assert said == ["In no table, since it is not handed in any more: work of bob."]


AT_THE_TOP = [
    f"{STEM}/{STEM}.py", f"{STEM.upper()}/{STEM}.py", f"{STEM}/notes.txt", f"{STEM}.py",
    f"{STEM}.zip", f"{STEM}.ipynb", f"exercises/{STEM}.py", f".bob/{STEM}.py", f"..a/{STEM}.py",
    f".git/hooks/{STEM}.py", "-rf/x.py", "homework.ipynb", "list.pdf", "ada.zip", "cy.rar",
    f"tests/{STEM}.py", f"__MACOSX/._{STEM}.py", f"ada_{STEM}.py", f"ADA/{STEM}.py",
]  # fmt: skip


@BRIEF
@given(names=st.lists(st.sampled_from(AT_THE_TOP), unique=True, max_size=4))
def test_what_lies_beside_changes_nobodys_row(loaded, tmp_path_factory, names):
    """But for a second file of the same student: that is for a person to settle."""
    folder = tmp_path_factory.mktemp("in")
    for name in (f"ada/{STEM}.py", f"bob/work/{STEM}.py", *names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        content = RIGHT if name.endswith(".zip") else f"x = {name!r}\n".encode()
        (folder / name).write_bytes(content)
    rows = {(one.student, one.exercise): one for one in gather.survey([folder], loaded).submissions}
    assert rows["bob", STEM].name == f"{folder.name}/bob/work/{STEM}.py"
    assert not rows["bob", STEM].problem
    second = {"ada.zip", f"ada_{STEM}.py"} & set(names)
    assert ("Keep one of them" in rows["ada", STEM].problem) == bool(second)
    for name in names:
        hidden = name.partition("/")[0]
        if hidden.startswith("."):
            assert "begins with a dot: rename it" in rows[hidden, STEM].problem


def test_a_row_without_a_grade_is_exit_status_1(loaded, fake, tmp_path, monkeypatch):
    from typer.testing import CliRunner

    from grader.cli import app

    (tmp_path / "dan.rar").write_bytes(b"Rar!")
    (tmp_path / "good").mkdir()  # and the results lie beside them, as `kata grade .` has it
    (tmp_path / "good" / f"{STEM}.py").write_bytes(b"x = 1\n")
    monkeypatch.chdir(loaded.root)
    words = ["grade", str(tmp_path), "--exercise", "ex03", "--out", str(tmp_path / "out")]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 1, done.output
    (tmp_path / "dan.rar").unlink()
    assert CliRunner().invoke(app, words).exit_code == 0


def test_who_asks_for_one_exercise_loses_no_student(loaded, tmp_path):
    files = {
        "ada/ex04_autodiff.py": b"x = 1\n",  # has handed in another one, for sure
        "ada/work.zip": b"broken",  # and this could be any
        "bob/ex03_backward.py": b"x = 1\n",
        "bob/work.zip": b"broken",  # of no interest beside it
        "cy/a.zip": b"broken",
        "cy/b.7z": b"7z\xbc\xaf",
        "dee/ex04_autodiff.py": b"x = 1\n",
    }
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    found = gather.survey([tmp_path], loaded, frozenset([STEM])).submissions
    rows = {(one.student, one.exercise): one.problem for one in found}
    assert set(rows) == {("ada", ""), ("bob", STEM), ("cy", "")}
    assert "cy/a.zip" in rows["cy", ""] and "cy/b.7z" in rows["cy", ""]
    everything = gather.survey([tmp_path], loaded).submissions
    assert {(one.student, one.exercise) for one in everything} == {
        ("ada", "ex04_autodiff"), ("bob", STEM), ("cy", ""), ("dee", "ex04_autodiff"),
    }  # fmt: skip


def test_an_exercises_folder_says_which_exercise_is_missing(loaded, tmp_path):
    files = {
        "ada/ex03_backward/essay.docx": b"-",
        "ada/ex04_autodiff/ex04_autodiff.py": b"x = 1\n",
        "bob/ex03_backward/work.rar": b"Rar!",
        "bob/ex04_autodiff/ex04_autodiff.py": b"x = 1\n",
    }
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    found = gather.survey([tmp_path], loaded).submissions
    rows = {(one.student, one.exercise): one.problem for one in found}
    assert "only essay.docx" in rows["ada", STEM]
    assert "RAR" in rows["bob", STEM]
    assert len(rows) == 4


def test_beside_a_notebook_nbgrader_looks_at_nothing_else_and_neither_do_we(loaded, tmp_path):
    asked, script, copy = f"{STEM}.ipynb", f"{STEM}.py", f"{STEM} (1).ipynb"
    other = BOOK.replace(b"x = 1", b"x = 2")
    files = {
        f"ada/{STEM}": {asked: BOOK, script: b"x = 1\n", copy: other},
        f"cy/{STEM}": {"homework.ipynb": BOOK, script: b"x = 1\n"},
        "bob": {asked: BOOK, script: b"x = 1\n"},
    }
    for folder, inside in files.items():
        (tmp_path / folder).mkdir(parents=True)
        for name, content in inside.items():
            (tmp_path / folder / name).write_bytes(content)
    found = gather.survey([tmp_path], loaded)
    ada, bob, cy = found.submissions
    assert ada.name.endswith(f"ada/{STEM}/{asked}") and not ada.problem
    assert cy.name.endswith(f"cy/{STEM}/homework.ipynb") and not cy.problem
    assert "3 file beside a notebook" in found.others
    assert "2 files are bob's ex03_backward" in bob.problem


def test_names_that_differ_in_what_cannot_be_shown_are_two_students(loaded, tmp_path):
    import tarfile

    names = ["M\udcfcller", "M\udcf6ller", "a\u200bb", "a\u202eb", "Ada", "ada"]
    with tarfile.open(tmp_path / "class.tar", "w") as archive:
        for name in names:
            about = tarfile.TarInfo(f"{name}/{STEM}.py")
            about.size = 6
            archive.addfile(about, io.BytesIO(b"x = 1\n"))
    found = gather.survey([tmp_path / "class.tar"], loaded).submissions
    assert len({one.student for one in found}) == len(names)
    assert all(one.content and one.student.isprintable() for one in found)


# --- one seed --------------------------------------------------------------------------------


def test_a_class_has_one_seed_on_both_ways(loaded, fake, tmp_path, monkeypatch):
    from grader.classroom import course as classes
    from grader.classroom import gradebook

    folder = tmp_path / "class"
    classes.write(loaded, folder, ["03"])
    seed = classes.class_seed(folder)
    assert json.loads((folder / classes.SETTINGS).read_text())["seed"] == seed
    classes.write(loaded, folder, ["03"])
    assert classes.class_seed(folder) == seed
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / f"ada_{STEM}.py").write_bytes(b"x = 1\n")
    monkeypatch.setattr(gradebook, "check", lambda folder: None)
    monkeypatch.setattr(gradebook, "write", lambda *_: "")
    order = grading.Order([tmp_path / "in"], tmp_path / "out", course=folder)
    assert grading.grade(order).seed == seed
    assert grading.grade(replace(order, seed=17)).seed == 17
    assert classes.class_seed(folder) == 17, "and nbgrader's step grades with it"
    (folder / classes.SETTINGS).write_text("{}")  # of a class that was begun before there was one
    assert grading.grade(order).seed == 17
    assert classes.class_seed(folder) == 17
