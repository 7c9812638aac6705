"""`kata bench nbgrader`: both sides grade the same class."""

from __future__ import annotations

import json

import pytest


@pytest.mark.whole
def test_bench_nbgrader_measures_both_sides(kata, tmp_path):
    pytest.importorskip("nbgrader")
    path = tmp_path / "bench.json"
    done = kata("bench", "nbgrader", "--exercise", "ex03", "--runs", "2", "--json", str(path))
    assert done.returncode == 0, done.stderr
    found = json.loads(path.read_text())
    [[name, ours, theirs, ratio]] = found["rows"]
    assert name == "ex03_backward"
    assert ours > 0
    assert ratio == pytest.approx(theirs / ours)
    for note in found["notes"]:  # what each side includes is said with the figures
        assert note in " ".join(done.stdout.split())
