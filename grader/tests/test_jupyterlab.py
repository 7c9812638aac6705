"""A student and an instructor in a real JupyterLab with nbgrader, in headless Chromium."""

from __future__ import annotations

import ast
import contextlib
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import pytest

from grader import bank
from grader.classroom import course as classes
from grader.course import reference

pytestmark = pytest.mark.whole

STEM = "ex03_backward"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
WAIT = 90_000  # milliseconds, in real time, for a kernel or a page on a busy machine


@dataclass
class Lab:
    """A running server: `home` is what it shows, and the class is a folder in it."""

    home: Path
    address: str
    token: str

    def url(self, path: str) -> str:
        return f"{self.address}/{path}?token={self.token}"


@pytest.fixture(scope="module")
def browser():
    """Headless Chromium, the system's or the one that Playwright has installed."""
    api = pytest.importorskip("playwright.sync_api")
    with api.sync_playwright() as playwright:
        own = playwright.chromium.executable_path
        program = next(filter(None, map(shutil.which, (*BROWSERS, own))), None)
        if program is None:
            pytest.skip("there is no Chromium here")
        opened = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def lab(tmp_path_factory, loaded):
    """JupyterLab in a class with one assignment, and the student's copy of it."""
    pytest.importorskip("jupyterlab")
    home = tmp_path_factory.mktemp("lab")
    classes.write(loaded, home / "class", ["03"])
    own = {f"JUPYTER_{one}_DIR": str(home / ".jupyter" / one) for one in ("CONFIG", "RUNTIME")}
    beside = str(Path(sys.executable).parent)
    own |= {"PATH": f"{beside}{os.pathsep}{os.environ['PATH']}", "IPYTHONDIR": str(home / ".ipy")}
    _nbgrader(home / "class", os.environ | own, "generate_assignment", STEM)
    shutil.copytree(home / "class" / "release" / STEM, home / "student")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    found = Lab(home, f"http://127.0.0.1:{port}", secrets.token_hex(8))
    with _served(found, port, os.environ | own):
        yield found


def _nbgrader(folder: Path, environment: dict, *words: str) -> None:
    command = [sys.executable, "-m", "nbgrader", *words]
    subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)


@contextlib.contextmanager
def _served(lab: Lab, port: int, environment: dict):
    log = lab.home / "server.log"
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"]
    command += [f"--ServerApp.root_dir={lab.home}", "--ServerApp.ip=127.0.0.1"]
    command += [f"--ServerApp.port={port}", "--ServerApp.port_retries=0"]
    command += [f"--IdentityProvider.token={lab.token}", "--LabApp.expose_app_in_browser=True"]
    command += ["--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]
    with log.open("wb") as out:
        server = subprocess.Popen(
            command, cwd=lab.home / "class", env=environment, stdout=out, stderr=out
        )
    try:
        for _ in range(600):
            assert server.poll() is None, log.read_text()
            with contextlib.suppress(OSError):
                urllib.request.urlopen(lab.url("api/status"), timeout=5).close()
                break
            time.sleep(0.1)
        else:
            raise TimeoutError(log.read_text())
        yield
    finally:
        server.send_signal(signal.SIGTERM)  # it ends its kernels too
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()


@pytest.fixture
def page(browser, lab, tmp_path):
    """A tall page, so that no cell is out of sight; how it ended is kept as a picture."""
    opened = browser.new_page(viewport={"width": 1200, "height": 3000})
    opened.set_default_timeout(WAIT)
    yield opened
    opened.screenshot(path=tmp_path / "end.png")
    opened.close()


def _mistaken(loaded) -> tuple[str, str]:
    """A wrong `slope`, and what its author should read."""
    entry = bank.find(loaded.find("03"), "mistake", "slope", "slope_as_a_tensor")
    return ast.unparse(entry.body), entry.message


def _points(folder: Path) -> float:
    """What all of an assignment is worth, by its own cells."""
    book = json.loads((folder / f"{STEM}.ipynb").read_text("utf-8"))
    marked = [cell["metadata"].get("nbgrader", {}) for cell in book["cells"]]
    return sum(one["points"] for one in marked if one.get("grade"))


def _write(page, task: str, source: str) -> None:
    page.locator(".jp-CodeCell .cm-content", has_text=f"def {task}(").click()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(source)


def _command(page, name: str) -> None:
    """Run a command of JupyterLab's menus, and wait until it is done."""
    page.evaluate("name => window.jupyterapp.commands.execute(name)", name)


def _validated(page, picture: Path) -> str:
    """What nbgrader's Validate button tells the student of the open notebook."""
    page.locator(".jp-NotebookPanel-toolbar jp-button", has_text="Validate").click()
    said = page.locator("#validation-message")
    said.wait_for()  # a kernel of its own runs the whole notebook first
    page.screenshot(path=picture)
    text = said.inner_text()
    dialog = page.locator(".jp-Dialog", has=said)
    dialog.locator("button", has_text="Ok").click()
    dialog.wait_for(state="detached")
    return text


def test_a_mistake_in_the_notebook_is_named_graded_and_fed_back(page, lab, loaded, tmp_path):
    source, message = _mistaken(loaded)

    # The student opens the released notebook, writes two answers, and runs everything.
    page.goto(lab.url(f"lab/tree/student/{STEM}.ipynb"), wait_until="domcontentloaded")
    page.locator(".jp-StatusBar-TextItem", has_text="| Idle").wait_for()  # the kernel is there
    _write(page, "slope", source)
    _write(page, "gradient", reference(loaded.find("03"), "gradient"))
    _command(page, "notebook:run-all-cells")
    shown = page.locator(".jp-OutputArea-output", has_text="slope wrong 0/1")
    shown.wait_for()
    assert message in " ".join(shown.inner_text().split())
    page.locator(".jp-OutputArea-output", has_text="gradient passed 2/2").first.wait_for()
    page.locator(".jp-OutputArea-output", has_text="chain_rule not attempted 0/1").wait_for()
    page.screenshot(path=tmp_path / "student.png")
    _command(page, "docmanager:save")

    # Validating names the checks that would cost points, with what to look at, and no other.
    said = _validated(page, tmp_path / "validated.png")
    assert "passes all the tests" not in said
    assert 'check("slope")' in said
    assert message in " ".join(said.split())
    assert 'check("gradient")' not in said

    # What was saved is handed in.
    handed_in = lab.home / "class" / "submitted" / "ada" / STEM
    shutil.copytree(lab.home / "student", handed_in, ignore=shutil.ignore_patterns(".*"))
    assert "return leaf.grad" in (handed_in / f"{STEM}.ipynb").read_text("utf-8")

    # The instructor opens JupyterLab's formgrader and grades it there.
    page.set_viewport_size({"width": 1500, "height": 900})
    _command(page, "nbgrader:open-formgrader")
    grader = page.frame_locator("iframe[src*='formgrader']")
    grader.locator("tr", has_text=STEM).locator(".num-submissions a").click()
    row = grader.locator("tr", has=page.locator("td.student-id", has_text="ada"))
    row.locator(".autograde a").click()
    done = grader.locator("#success-modal")
    done.filter(has_text="Successfully autograded").wait_for()
    done.locator("button", has_text="OK").click()
    done.wait_for(state="detached")
    page.screenshot(path=tmp_path / "graded.png")
    assert row.locator(".score").inner_text() == f"2 / {_points(handed_in):g}"
    row.locator(".generate-feedback a").click()
    done.filter(has_text="Successfully generated feedback").wait_for()
    page.goto(lab.url(f"files/class/feedback/ada/{STEM}/{STEM}.html"), wait_until="commit")
    page.locator("body", has_text="slope wrong 0/1 points").wait_for()
    page.screenshot(path=tmp_path / "feedback.png")
    assert message in " ".join(page.locator("body").inner_text().split())
