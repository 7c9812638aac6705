"""What a worker may read: packages from wherever they lie, and never the course."""

from __future__ import annotations

import itertools
import os
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.tests.conftest import ROOT
from grader.view import View, ViewError, view

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the sandbox is for Linux")
_PLACES = ("", "home", "home/lib/python3.11/site-packages", "course", "course/.venv/site-packages")
_PLACES += ("home/course", "home/lib/python3.11/site-packages/course", "opt/dist-packages")
places = st.sampled_from(_PLACES)


def is_visible(seen: View, path: Path) -> bool:
    """Whether a worker with this view can read a file, by the mounts that are made of it."""
    answer = False
    for mount, shown in seen.mounts():  # a later one lies over those before it
        if path.is_relative_to(mount):
            answer = shown
    return answer


@settings(max_examples=60, deadline=None)
@given(entry=places, course=places, through_a_link=st.booleans())
def test_packages_are_shown_wherever_they_lie_and_a_course_nowhere(entry, course, through_a_link):
    with (
        tempfile.TemporaryDirectory() as folder,
        pytest.MonkeyPatch.context() as patch,
    ):
        top = Path(os.path.realpath(folder)) / "top"
        packages, root = top / entry, top / course
        files = [root / "solutions/ex01.py", root / "tests/test_ex01.py", top / "home/diary.py"]
        for file in [*files, packages / "kata_in_use/__init__.py"]:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text("")
        if through_a_link:
            link = Path(folder) / "link"
            link.symlink_to(top)
            packages = link / entry
        patch.syspath_prepend(packages)
        try:
            seen = view(["kata_in_use.module"], [root])
        except ViewError as error:
            assert packages.resolve() == root and str(packages) in str(error)
            return
        for file, name in itertools.product(files, (top, Path(folder) / "link")):
            inside = name / file.relative_to(top)
            assert not is_visible(seen, inside), inside
        assert is_visible(seen, packages / "kata_in_use/__init__.py")
        assert str(packages) in seen.path


def test_our_own_course_is_shown_by_none_of_the_modules_that_workers_import():
    seen = view(["grader.boundary.worker", "torch._dynamo", "math", "matplotlib.pyplot"])
    for name in ("solutions/ex03_backward.py", "tests/conftest.py", "grader/sandbox.py"):
        assert not is_visible(seen, ROOT / name)
    torch = Path(find_spec("torch").origin)
    assert any(torch.is_relative_to(path) for path in seen.shown)
    assert str(ROOT) not in seen.path


def test_what_is_required_is_in_use_too(tmp_path, monkeypatch):
    """A distribution in one place may require another, in a place of its own."""
    first, second = tmp_path / "first", tmp_path / "second"
    for folder, name, wish in ((first, "torch", "kata-dep>=1"), (second, "kata-dep", "")):
        about = folder / f"{name.replace('-', '_')}-9.9.dist-info"
        about.mkdir(parents=True)
        requires = f"Requires-Dist: {wish}\n" if wish else ""
        (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\n{requires}")
        module = "kata_dep" if wish == "" else "kata_torch"
        (about / "RECORD").write_text(f"{module}/__init__.py,,\n../../bin/tool,,\n")
        (folder / module).mkdir()
        (folder / module / "__init__.py").write_text("")
        (folder / "letter.txt").write_text("")
    monkeypatch.setattr(sys, "path", [*sys.path[:1], str(first), str(second), *sys.path[1:]])
    seen = view(["torch"])
    assert is_visible(seen, second / "kata_dep/__init__.py")
    assert is_visible(seen, first / "kata_torch/__init__.py")
    assert not any(is_visible(seen, folder / "letter.txt") for folder in (first, second))
    assert seen.path.index(str(first)) < seen.path.index(str(second))
