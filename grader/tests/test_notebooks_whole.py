"""Every exercise's solved notebook, from top to bottom in a real kernel."""

from __future__ import annotations

import time

import pytest

from grader import course as courses
from grader import pictures
from grader.classroom import course as classes
from grader.tests.conftest import ROOT

OFFLINE = """
import socket

def refuse(*_, **__):
    raise OSError("this notebook needs the network")

socket.getaddrinfo = socket.create_connection = refuse
"""


@pytest.mark.whole
@pytest.mark.parametrize("stem", [one.stem for one in courses.load(ROOT).exercises])
def test_the_solved_notebook_runs_from_top_to_bottom(loaded, tmp_path, stem, record_property):
    import nbformat
    from nbclient import NotebookClient

    exercise = next(one for one in loaded.exercises if one.stem == stem)
    book = nbformat.reads(classes.page(exercise), 4)
    book.cells.insert(0, nbformat.v4.new_code_cell(OFFLINE))
    resources = {"metadata": {"path": str(tmp_path)}}
    started = time.perf_counter()
    # A cell that raises ends this with its traceback.
    NotebookClient(book, timeout=120, kernel_name="python3", resources=resources).execute()
    record_property("seconds", time.perf_counter() - started)
    checks = {c.source: c for c in book.cells if c.source.startswith("check(")}
    drawn = exercise.id in pictures.drawn()
    for cell in checks.values():  # what it shows, its value, and last the exercise's own picture
        kinds = [output.output_type for output in cell.outputs]
        shown = 2 if drawn and cell.source == list(checks)[-1] else 1
        assert kinds == ["display_data"] * shown + ["execute_result"], cell.source
    points = {source: float(c.outputs[-1].data["text/plain"]) for source, c in checks.items()}
    assert points == {f'check("{task.name}")': float(task.points) for task in exercise.tasks}
    problems = [
        output.text
        for cell in book.cells
        for output in cell.get("outputs", [])
        if output.output_type == "stream" and output.name == "stderr"
    ]
    assert problems == []  # nbgrader gives a cell with anything on stderr no points
