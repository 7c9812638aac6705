"""`kata report`: one page that holds everything, reads well anywhere, and fetches nothing."""

from __future__ import annotations

import json
import re
import shutil

import pytest

from grader import course
from grader.learner import page
from grader.target import Target
from grader.training import PICTURES, RECORD

pytestmark = pytest.mark.whole
HOSTILE = "<script>document.title = 'taken over'</script>"


@pytest.fixture(scope="module")
def written(tmp_path_factory, loaded):
    """The page of somebody half-way: solved, wrong, hostile, and not attempted exercises."""
    root = tmp_path_factory.mktemp("page")
    for name in ("exercises", "tests", "solutions"):
        (root / name).mkdir()
    shutil.copy(loaded.root / "tests" / "conftest.py", root / "tests")
    shutil.copytree(loaded.root / "tests" / "mistakes", root / "tests" / "mistakes")
    for number, exercise in enumerate(loaded.exercises[:6]):
        shutil.copy(exercise.test_file, root / "tests")
        shutil.copy(exercise.solution, root / "solutions")
        source = exercise.stub if number == 3 else exercise.solution
        shutil.copy(source, root / "exercises" / f"{exercise.stem}.py")
    steps = root / "exercises" / "ex05_lr_step.py"
    more = f"\n\ndef diagnose_lr(losses):\n    print({HOSTILE!r})\n    return {HOSTILE!r}\n"
    steps.write_text(steps.read_text("utf-8") + more)
    zeroing = root / "exercises" / "ex06_zero_grad.py"
    zeroing.write_text(zeroing.read_text("utf-8") + "\n\ndef zero_grads(params):\n    pass\n")
    trained = root / PICTURES
    trained.mkdir(parents=True)
    found = {"records": [{"sentence": "The model reads 98.7% of the test digits."}]}
    (trained / RECORD).write_text(json.dumps(found))
    out = root / "report.html"
    page.write(course.load(root), Target(root / "exercises"), out)
    return out


def test_verdicts_diagnoses_and_training_are_on_it(written):
    text = re.sub(r"\s+", " ", written.read_text("utf-8"))
    for seen in ("not attempted", "passed", "kata hint ex06 zero_grads", "reads 98.7%"):
        assert seen in text, seen
    assert text.count("<img") >= 2
    assert all(f'alt="{words}' in text for words in ("The graph of y", "Twelve steps"))


def test_what_learners_print_is_text(written):
    text = written.read_text("utf-8")
    assert "<script" not in text
    assert "&lt;script&gt;" in text


def test_nothing_is_fetched(written):
    sources = re.findall(r'(?:src|href)="([^"]{0,20})', written.read_text("utf-8"))
    assert sources and all(source.startswith("data:") for source in sources)


@pytest.mark.parametrize(("width", "height"), [(1280, 900), (360, 700)])
def test_in_a_browser(written, tmp_path, width, height):
    playwright = pytest.importorskip("playwright.sync_api")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("there is no chromium: apt install chromium")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        tab = browser.new_page(viewport={"width": width, "height": height})
        asked, complaints = [], []
        tab.on("request", lambda request: asked.append(request.url))
        tab.on("console", lambda message: complaints.append(message.text))
        tab.goto(written.as_uri())
        tab.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
        tab.screenshot(path=tmp_path / f"page{width}.png", full_page=True)
        over = tab.evaluate(
            "[...document.querySelectorAll('*')].filter(one =>"
            " one.getBoundingClientRect().right > innerWidth + 1).map(one => one.outerHTML)"
        )
        assert over == []
        assert tab.evaluate("document.documentElement.scrollWidth") <= width
        images = "[...document.images].map(one => [one.naturalWidth > 0, one.alt.length > 20])"
        assert tab.evaluate(images) == [[True, True]] * tab.locator("img").count()
        assert tab.title() == "gradkata: where I am"
        assert complaints == []
        assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
        browser.close()


def test_the_command(kata, tmp_path):
    done = kata("report", "--target", "solutions", "--out", str(tmp_path / "page.txt"))
    assert done.returncode == 2
    assert "should end in .html" in done.stderr
