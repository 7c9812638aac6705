"""`kata bench`: both sides do the same work, and the ratio is theirs."""

from __future__ import annotations

import json
import shutil

import pytest

pytestmark = pytest.mark.whole


def test_bench_engine_measures_both_sides(kata, tmp_path):
    path = tmp_path / "bench.json"
    done = kata("bench", "engine", "--exercise", "ex05", "--runs", "1", "--json", str(path))
    assert done.returncode == 0, done.stderr
    row = json.loads(path.read_text())["rows"][0]
    assert row[0] == "ex05_lr_step"
    assert row[4] == pytest.approx(row[3] / row[1])


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


@pytest.mark.skipif(not shutil.which("bwrap"), reason="attacks are held in bubblewrap")
def test_bench_attacks_sets_each_on_three_graders(kata, tmp_path):
    pytest.importorskip("nbgrader")
    path = tmp_path / "bench.json"
    done = kata("bench", "attacks", "--exercise", "ex10", "--json", str(path))
    assert done.returncode == 0, done.stderr
    found = json.loads(path.read_text())
    [attack] = found["details"]
    assert attack["ours"] is False
    assert isinstance(attack["pytest"], bool) and isinstance(attack["nbgrader"], bool)
    [_, every] = found["rows"]
    assert every == ["all", 1, 0, attack["pytest"], attack["nbgrader"], 1]
