"""Grading one notebook ahead: in order, once each, and nothing that nobody asks for."""

from __future__ import annotations

import threading

import pytest

from grader.classroom.ahead import Ahead


def test_work_is_done_once_in_the_order_in_which_it_was_begun():
    ahead, done = Ahead(), []
    for key in "abca":
        ahead.begin(key, lambda key=key: done.append(key) or key.upper())
    assert [ahead.result(key) for key in "cab"] == ["C", "A", "B"]
    assert done == ["a", "b", "c"]
    ahead.begin("a", lambda: "anew")
    assert ahead.result("a") == "anew"


def test_a_guess_that_was_wrong_is_not_worked_on():
    ahead, done, go = Ahead(), [], threading.Event()
    ahead.begin("now", lambda: go.wait(20))
    for key in ("guessed", "right"):
        ahead.begin(key, lambda key=key: done.append(key))
    ahead.drop_all_but("now", "right")
    go.set()
    ahead.result("right")
    assert done == ["right"]


def test_who_asks_hears_what_was_raised_and_the_next_is_not_concerned():
    ahead = Ahead()
    ahead.begin("a", lambda: 1 / 0)
    ahead.begin("b", lambda: 2)
    with pytest.raises(ZeroDivisionError):
        ahead.result("a")
    assert ahead.result("b") == 2
