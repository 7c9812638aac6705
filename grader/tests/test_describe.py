"""Values in words, the same on every machine and in every run."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader import describe


@pytest.mark.parametrize(
    "place", ["pytest-of-ann/pytest-0/test_a0", "pytest-of-b/pytest-12/test_b7"]
)
def test_the_folder_of_a_test_has_the_same_name_in_every_run(place):
    path = Path("/tmp", place, "images.gz")
    assert describe.argument(path) == "'tmp/images.gz'"
    assert describe.value(f"{path} is cut") == "str 'tmp/images.gz is cut'"
    assert describe.value([path]) == "list of 1: ['tmp/images.gz']"


@pytest.mark.timeout(30)  # a pattern that goes back over them takes minutes
def test_looking_for_that_folder_takes_no_time():
    for text in ("pytest-of-" * 100_000, "a/pytest-of-a/pytest-" * 50_000, "a " * 500_000):
        assert describe.without_tmp(text) == text
