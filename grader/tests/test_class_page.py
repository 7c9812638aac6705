"""A class's results as CSV files and as a page: complete, and deaf to what students call things."""

from __future__ import annotations

import csv
import os
import re
import shutil

import pytest

from grader.classroom import page, results
from grader.classroom.likeness import Pair
from grader.classroom.submitted import Submission
from grader.report import Diagnosis, ExerciseResult, TaskResult, TestResult, Verdict

SCRIPT = "<script>document.title = 'taken over'</script>"
IMAGE = '"><img src="https://example.org/x.png" onerror="document.title=1">'
HOSTILE = [
    SCRIPT,
    IMAGE,
    "=cmd|'/C calc'!A1",
    "@SUM(1+1)",
    "-2+3",
    "\t=1+1",
    "\r\n=1+1",
    "＝1+1",
    'a";=1+1;"',
    "a,b\n=2",
    "\u202eada\u2066",
    "\ud800",
    "{{ 7 * 7 }}{% raw %}",
    "n" * 100_000,
    "</style><base href='https://example.org/'>",
    "עדה",
    "Zoë Groß",
]
MESSAGE = "The slope comes back still wrapped in a tensor."


def task(name: str, verdict: Verdict, exercise="ex03_backward", said="", points=2) -> TaskResult:
    other = Verdict.PASSED if verdict is Verdict.WRONG else verdict
    tests = [
        TestResult(exercise, name, f"TestIt::test_{kind}", one, note=SCRIPT, printed=SCRIPT)
        for kind, one in (("example", other), ("drawn", other), ("more", verdict))
    ]
    return TaskResult(exercise, name, points, tests, Diagnosis("x", said) if said else None)


def row(student: str, *tasks: TaskResult, exercise="ex03_backward", problem=""):
    file = f"{student[:50]}/{exercise}.py"
    handed_in = Submission(student, exercise, file, b"" if problem else b"x", problem)
    return handed_in, ExerciseResult(exercise, file, list(tasks), problem)


@pytest.fixture(scope="module")
def rows():
    """A class in which every name is an attempt on whoever reads it."""
    found = []
    for number, name in enumerate(HOSTILE):
        verdict = Verdict.WRONG if number % 3 else Verdict.PASSED
        said = MESSAGE if number % 3 == 1 else ""
        found.append(row(name, task("slope", verdict, said=said), task("gradient", Verdict.PASSED)))
    fourth = task("Value", Verdict.CRASHED, exercise="ex04_autodiff", points=9)
    found.append(row("Zoë Groß", fourth, exercise="ex04_autodiff"))
    found.append(row("bob", exercise="ex04_autodiff", problem=f"{SCRIPT}.py is a link."))
    found.append(row("cy", exercise="", problem="cy.zip is broken " + "y" * 100_000))
    loads_not = task("slope", Verdict.CRASHED)
    found.append((found[0][0], ExerciseResult("ex03_backward", "x.py", [loads_not], f"No {IMAGE}")))
    return found[1:]


@pytest.fixture(scope="module")
def written(rows, tmp_path_factory):
    lines = (((1, 20), (3, 22)), ((30, 31), (40, 41)))
    names = ("a.py", "b.py")
    pairs = [Pair("ex03_backward", (SCRIPT, "n" * 100_000), names, 0.93, lines)]
    about = {"seed": "5", "torch": f"2.14 {IMAGE}"}
    path = tmp_path_factory.mktemp("class") / "class.html"
    path.write_text(page.render(rows, "bubblewrap+landlock+limits", about, pairs), "utf-8")
    return path


def read(path) -> list[list[str]]:
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def test_the_csv_files(rows, tmp_path):
    seeds = {("Zoë Groß", "ex04_autodiff"): 17}
    scores, tasks = results.write_csv(rows, tmp_path / "out" / "scores.csv", seeds)
    assert (scores.name, tasks.name) == ("scores.csv", "scores_tasks.csv")
    head, *lines = read(scores)
    assert head == ["student", "ex03_backward", "ex04_autodiff", "total", "not graded"]
    by_name = {line[0]: line[1:] for line in lines}
    assert by_name["Zoë Groß"] == ["3.3333", "0", "3.3333", ""]
    assert by_name["bob"] == ["", "", "", "ex04_autodiff"]
    assert by_name["cy"] == ["", "", "", "all that was handed in"]
    assert by_name["'=cmd|'/C calc'!A1"][:1] == ["3.3333"]
    head, *lines = read(tasks)
    assert head[0] == "student" and {len(line) for line in lines} == {len(head)}
    zoe = [line[1:] for line in lines if line[0] == "Zoë Groß"]
    assert zoe[-1] == ["ex04_autodiff", "Value", "crashed", "0", "9", "", "17"]
    assert zoe[0][:5] == ["ex03_backward", "slope", "wrong", "1.3333", "2"]
    assert [line[3] for line in lines if line[0] == "cy"] == ["not graded"]
    assert MESSAGE in {line[6] for line in lines}


def test_no_cell_is_a_formula(rows, tmp_path):
    for path in results.write_csv(rows, tmp_path / "scores.csv"):
        text = path.read_bytes().decode("utf-8")
        assert "\r" not in text and text.endswith("\n")
        for cell in (cell for line in read(path) for cell in line):
            assert cell.lstrip("'").isprintable() and len(cell) <= 501
            assert not cell.strip().startswith(("=", "+", "-", "@", "＝"))
        for number in re.findall(r'(?:^|,)([^",\n]+)', re.sub(r'"(?:[^"]|"")*"', '""', text)):
            assert float(number) >= 0, "what is not a number stands in quotes"


def test_a_csv_file_is_whole_or_the_old_one(rows, tmp_path, monkeypatch):
    path = tmp_path / "scores.csv"
    path.write_text("old")
    monkeypatch.setattr(os, "replace", lambda *names: (_ for _ in ()).throw(OSError(28, "full")))
    with pytest.raises(OSError, match="full"):
        results.write_csv(rows, path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_what_is_on_the_page(written):
    text = re.sub(r"\s+", " ", written.read_text("utf-8"))
    for seen in (
        "19 students, 18 submissions graded, 2 not",
        "isolation: bubblewrap+landlock+limits",
        "seed 5",
        MESSAGE,
        "is a link.",
        "cy.zip is broken",
        "proves nothing",
        "93%",
        "1–20 and 3–22; 30–31 and 40–41",
        "Histogram, all exercises: 17 students: ",
    ):
        assert seen in text, seen
    assert text.index("ex04 <code>Value") < text.index("ex03 <code>slope"), "the worst first"
    assert "12 of 17" in text
    assert text.count('aria-label="Histogram') == 3
    assert len(text) < 200_000


def test_what_students_choose_is_text(written):
    text = written.read_text("utf-8")
    for tag in ("<script", "<base", 'src="http', "\u202e", "\u2066", "n" * 200, "y" * 500):
        assert tag not in text, tag
    assert "&lt;script&gt;" in text and "{{ 7 * 7 }}" in text


def test_a_class_of_nobody_and_one_without_isolation(rows):
    notice = "not isolated: files and sockets stay open"
    text = page.render([], f"{notice}; own processes (no bubblewrap: not installed)")
    assert f'<p class="wrong">isolation: {notice}' in text
    assert f"<strong>{notice}</strong>" in text
    assert "0 students" in text and "alike" not in text
    assert "not" not in text.partition("</h1>")[0].partition("<h1>")[2]


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("there is no chromium: apt install chromium")
    with playwright.sync_playwright() as started:
        running = started.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield running
        running.close()


@pytest.mark.whole
@pytest.mark.parametrize("colours", ["light", "dark"])
@pytest.mark.parametrize(("width", "height"), [(1280, 900), (360, 700)])
def test_in_a_browser(written, browser, tmp_path, width, height, colours):
    tab = browser.new_page(viewport={"width": width, "height": height}, color_scheme=colours)
    asked, complaints = [], []
    tab.on("request", lambda request: asked.append(request.url))
    tab.on("console", lambda message: complaints.append(message.text))
    tab.goto(written.as_uri())
    tab.screenshot(path=tmp_path / f"class{width}{colours}.png", full_page=True)
    over = tab.evaluate(
        "[...document.querySelectorAll('*')].filter(one =>"
        " one.getBoundingClientRect().right > innerWidth + 1).map(one => one.outerHTML)"
    )
    assert over == []
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    bar = "bar => [Number(bar.textContent), bar.getBoundingClientRect().height]"
    drawn = tab.evaluate(
        f"[...document.querySelectorAll('.bars')].map(one => [...one.children].map({bar}))"
    )
    assert [sum(number for number, _ in bars) for bars in drawn] == [17, 17, 1]
    for bars in drawn:
        scale = max(height for _, height in bars) / max(number for number, _ in bars)
        assert all(height == pytest.approx(scale * number, abs=0.5) for number, height in bars)
    assert tab.title() == "gradkata: the class"
    assert tab.evaluate("document.scripts.length") == 0
    assert complaints == []
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    tab.close()
