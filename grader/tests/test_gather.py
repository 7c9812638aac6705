"""What a class hands in becomes bytes: by whatever way it comes, and whoever has packed it."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import os
import random
import stat
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grader.classroom import gather, packed
from grader.classroom.gather import GatherError, survey

CODE = b"def slope(f, x):\n    return 1.0\n"
THREE, FOUR = "ex03_backward.py", "ex04_autodiff.py"
BRIEF = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.fixture
def found(loaded):
    """The submissions at some paths as `{(student, exercise): what}`, in their order."""

    def run(*paths: Path) -> dict:
        return {
            (one.student, one.exercise): one.problem or one.content
            for one in gather.gather(paths, loaded)
        }

    return run


def put(path: Path, content: bytes = CODE) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def zipped(files: dict[str, bytes], **options) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, **options) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def tarred(files: dict[str, bytes], mode: str = "w", **options) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode, **options) as archive:
        for name, content in files.items():
            about = tarfile.TarInfo(name)
            about.size = len(content)
            archive.addfile(about, io.BytesIO(content))
    return out.getvalue()


def notebook(source: str = "x = 1", output: str = "") -> bytes:
    shown = [{"output_type": "stream", "name": "stdout", "text": output}]
    cell = {"cell_type": "code", "source": source, "metadata": {}, "outputs": shown, "id": "a"}
    return json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4}).encode()


CLASS = {
    f"ada/{THREE}": CODE,
    "ada/sub/ex04_autodiff (1).py": CODE,
    f"bob/{THREE}": b"pass\n",
    "bob/notes.md": b"-",
    f"bob/tests/test_{THREE}": b"-",
    f"bob/tests/mistakes/{THREE}": b"-",
    f"bob/.ipynb_checkpoints/{THREE}": b"-",
    f"__MACOSX/bob/._{THREE}": b"-",
    "bob/conftest.py": b"-",
}
EXPECTED = {
    ("ada", "ex03_backward"): CODE,
    ("ada", "ex04_autodiff"): CODE,
    ("bob", "ex03_backward"): b"pass\n",
}
PACKERS = {
    "zip": zipped,
    "tar": tarred,
    "tar.gz": lambda files: tarred(files, "w:gz"),
    "tgz": lambda files: gzip.compress(tarred(files, format=tarfile.GNU_FORMAT)),
    "tar.bz2": lambda files: bz2.compress(tarred(files)),
    "tar.xz": lambda files: tarred(files, "w:xz"),
}


def test_a_folder_of_students(tmp_path, found, loaded):
    for name, content in CLASS.items():
        put(tmp_path / "subs" / name, content)
    assert found(tmp_path / "subs") == EXPECTED
    assert list(found(tmp_path / "subs")) == sorted(EXPECTED)
    everything = survey([tmp_path / "subs"], loaded)
    assert everything.ignored == {".md": 1, ".py": 1}
    assert everything.others == (
        "Not taken, since not named like an exercise: 1 .md, 1 .py. "
        "Passed over: 1 folder __MACOSX, 1 folder tests, 1 hidden."
    )
    names = [one.name for one in everything.submissions]
    assert names[0] == f"subs/ada/{THREE}"


@pytest.mark.parametrize("kind", PACKERS)
@pytest.mark.parametrize("around", ["", "class 3b/"])
def test_a_class_in_an_archive(tmp_path, found, kind, around):
    files = {around + name: content for name, content in CLASS.items()}
    assert found(put(tmp_path / f"class.{kind}", PACKERS[kind](files))) == EXPECTED


@pytest.mark.parametrize("kind", PACKERS)
def test_an_archive_for_each_student(tmp_path, found, kind):
    long = f"{'deep/' * 24}exercises/{THREE}"
    put(tmp_path / f"subs/ada.{kind}", PACKERS[kind]({f"gradkata-main/exercises/{THREE}": CODE}))
    put(tmp_path / f"subs/bob.{kind}", PACKERS[kind]({long: CODE, f"eve/{FOUR}": CODE}))
    put(tmp_path / f"subs/cy/work.{kind}", PACKERS[kind]({THREE: CODE}))
    both = {("ada", "ex03_backward"), ("bob", "ex03_backward"), ("bob", "ex04_autodiff")}
    assert set(found(tmp_path / "subs")) == both | {("cy", "ex03_backward")}
    alone = found(*sorted((tmp_path / "subs").glob("ada.*")))
    assert set(alone) == {("ada", "ex03_backward")}


@pytest.mark.parametrize("pack", [zipped, tarred])
def test_what_canvas_and_moodle_pack(tmp_path, found, pack):
    canvas = {
        f"doejane_101_7001_{THREE}": b"old",
        "doejane_LATE_101_7005_ex03_backward-1.py": CODE,
        "roejim_102_7002_work.zip": zipped({f"x/{THREE}": CODE, f"doejane_101_9999_{THREE}": b"!"}),
        "poesue_103_7003_essay.pdf": b"-",
    }
    seen = found(put(tmp_path / "canvas.zip", pack(canvas)))
    assert seen["101", "ex03_backward"] == CODE
    assert "2 files are 102's ex03_backward" in seen["102", "ex03_backward"]
    assert "essay.pdf is no script or notebook" in seen["103", ""]
    moodle = {
        f"Jürgen Groß_67_assignsubmission_file_/{THREE}": CODE,
        "Jane Doe_68_assignsubmission_file_/work.zip": zipped({THREE: CODE}),
        "Jane Doe_69_assignsubmission_file_ex03_backward.ipynb": notebook(),
    }
    seen = found(put(tmp_path / "moodle.zip", pack(moodle)))
    assert {who for who, _ in seen} == {"Jürgen Groß", "Jane Doe 68", "Jane Doe 69"}


def test_flat_files_and_single_ones(tmp_path, found):
    put(tmp_path / f"subs/ada_{THREE}")
    put(tmp_path / "subs/bob-EX03_Backward.PY")
    put(tmp_path / "subs/roster.csv")
    put(tmp_path / f"cy/{THREE}")
    both = {("ada", "ex03_backward"): CODE, ("bob", "ex03_backward"): CODE}
    assert found(tmp_path / "subs") == both
    assert found(*(tmp_path / "subs").iterdir()) == both
    assert found(tmp_path / "cy" / THREE) == {("cy", "ex03_backward"): CODE}
    assert found(tmp_path / "cy") == {("cy", "ex03_backward"): CODE}


def test_a_students_workspace(tmp_path, found):
    put(tmp_path / f"ada/exercises/{THREE}")
    put(tmp_path / f"ada/tests/test_{THREE}")
    put(tmp_path / f"ada/bob/{THREE}", b"for another")
    seen = found(tmp_path)
    assert set(seen) == {("ada", "ex03_backward")}
    assert "2 files are ada's ex03_backward" in seen["ada", "ex03_backward"]
    (tmp_path / "ada" / "bob" / THREE).rename(tmp_path / "ada" / THREE)
    seen = found(tmp_path / "ada")
    assert set(seen) == {("ada", "ex03_backward")}
    assert "2 files are ada's ex03_backward" in seen["ada", "ex03_backward"]


def test_an_nbgrader_tree(tmp_path, found):
    top = tmp_path / "course" / "submitted"
    put(tmp_path / "course" / "nbgrader_config.py")
    put(tmp_path / "course" / "source" / "ex03_backward" / "ex03_backward.ipynb")
    ages = {"ex03_backward": "2026-01-02 10:00:00.5 UTC", "again": "2026-01-03 09:00:00.25 UTC"}
    for number, (name, when) in enumerate(ages.items()):
        put(top / "ada" / name / "ex03_backward.ipynb", notebook(f"x = {number}"))
        put(top / "ada" / name / "timestamp.txt", when.encode())
    put(top / "bob" / "ex03_backward" / "renamed.ipynb", notebook("x = 2"))
    for where in (tmp_path / "course", top):
        seen = found(where)
        cells = {key: json.loads(content)["cells"][0]["source"] for key, content in seen.items()}
        assert cells == {("ada", "ex03_backward"): "x = 1", ("bob", "ex03_backward"): "x = 2"}
    put(top / "ada" / "again" / "timestamp.txt", b"who knows")
    assert "2 files" in found(top)["ada", "ex03_backward"]


def test_running_a_notebook_again_changes_nothing(tmp_path, found):
    once = found(put(tmp_path / "a" / "ex03_backward.ipynb", notebook(output="1")))
    again = found(put(tmp_path / "a" / "ex03_backward.ipynb", notebook(output="2" * 3_000_000)))
    assert once == again
    assert len(again["a", "ex03_backward"]) < 500


def test_names_that_are_not_quite_right(tmp_path, found):
    put(tmp_path / "ada" / "ex03_backward_final.py")
    put(tmp_path / "bob" / "ex03_backward_final.py")
    put(tmp_path / "bob" / THREE)
    put(tmp_path / "cy" / "ехO3_backward.py".replace("O", "0"))  # the first two are Cyrillic
    put(tmp_path / "dee" / "Ｅｘ０３_backward.py")
    put(tmp_path / "eve" / "exo3_bac\u212award.py".replace("o", "0"))  # the Kelvin sign
    put(tmp_path / "finn" / "homework.docx")
    (tmp_path / "gil").mkdir()
    seen = found(tmp_path)
    assert seen.pop(("bob", "ex03_backward")) == CODE
    assert "only homework.docx" in seen["finn", ""]
    assert "ex01_tensors.py or .ipynb" in seen["finn", ""]
    assert seen.pop(("finn", "")) and seen.pop(("gil", ""))
    assert set(seen) == {(who, "ex03_backward") for who in ("ada", "cy", "dee", "eve")}
    assert all("rename it ex03_backward.py" in said for said in seen.values())


def test_two_files_for_one_exercise(tmp_path, found):
    put(tmp_path / "ada" / THREE)
    put(tmp_path / "ada" / "Ex03_backward.py", b"other")
    put(tmp_path / "bob" / THREE)
    put(tmp_path / "bob" / "copy" / THREE)
    seen = found(tmp_path)
    for name in (f"ada/{THREE}", "ada/Ex03_backward.py"):
        assert name in seen["ada", "ex03_backward"]
    assert seen["bob", "ex03_backward"] == CODE, "the same twice is one"


def test_a_hidden_folder_holds_nothing_up(tmp_path, found):
    put(tmp_path / "ada" / THREE)
    (tmp_path / ".closed").mkdir(mode=0)
    deep = tmp_path / ".deep"
    deep.mkdir()
    here = os.open(deep, os.O_RDONLY)
    for _ in range(1500):  # deeper than a path, or Python's own stack
        os.mkdir("a", dir_fd=here)
        below = os.open("a", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)
    try:
        assert found(tmp_path) == {("ada", "ex03_backward"): CODE}
    finally:
        subprocess.run(["rm", "-rf", str(deep)], check=True)


def test_a_second_name_takes_nobodys_file(tmp_path, found):
    os.link(put(tmp_path / "ada" / THREE), put(tmp_path / "eve" / "x").with_name(THREE))
    assert found(tmp_path)["ada", "ex03_backward"] == CODE


def test_links_and_devices(tmp_path, found):
    secret = put(tmp_path / "secret" / THREE, b"secret")
    subs = tmp_path / "subs"
    for name in ("ada", "bob", "dee", "eve"):
        (subs / name).mkdir(parents=True)
    (subs / "ada" / THREE).symlink_to(secret)
    os.link(secret, subs / "bob" / THREE)
    if os.geteuid() == 0:
        os.chown(secret, 65534, -1)
    (subs / "cy").symlink_to(secret.parent)
    os.mkfifo(subs / "dee" / THREE)
    (subs / "eve" / "exercises").symlink_to(secret.parent)
    (subs / "fay.zip").symlink_to(put(tmp_path / "x.zip", zipped({THREE: b"secret"})))
    put(subs / "gil" / THREE)
    seen = found(subs)
    assert seen.pop(("gil", "ex03_backward")) == CODE
    if os.geteuid() == 0:
        assert "hard link to somebody else's file" in seen["bob", "ex03_backward"]
    else:
        seen["bob", "ex03_backward"] = f"{seen['bob', 'ex03_backward']} is one's own."
    assert {who for who, _ in seen} == {"ada", "bob", "cy", "dee", "eve", "fay"}
    assert all(isinstance(said, str) and said.endswith(".") for said in seen.values())
    assert "is a link" in seen["cy", ""]
    for link in (subs / "ada" / THREE, subs / "cy", subs / "fay.zip"):
        with (
            pytest.raises(GatherError, match="nothing to grade")
            if link.suffix != ".py"
            else (pytest.MonkeyPatch.context())
        ):
            assert all(isinstance(said, str) for said in found(link).values())


def test_names_in_other_encodings(tmp_path, found):
    packed = bytearray(zipped({f"Jürgen/{THREE}": CODE}))
    for mark, place in ((b"PK\x03\x04", 7), (b"PK\x01\x02", 9)):
        packed[packed.index(mark) + place] &= ~0x08  # as macOS packs: UTF-8, and no word of it
    put(tmp_path / "a.zip", zipped({"bob.zip": bytes(packed), "x.zip": bytes(packed)}))
    assert set(found(tmp_path / "a.zip")) == {("bob", "ex03_backward"), ("x", "ex03_backward")}
    several = bytearray(zipped({f"Jürgen/{THREE}": CODE, f"zoe/{THREE}": CODE}))
    for mark, place in ((b"PK\x03\x04", 7), (b"PK\x01\x02", 9)):
        several[several.index(mark) + place] &= ~0x08
    seen = found(put(tmp_path / "b.zip", bytes(several)))
    assert {who for who, _ in seen} == {"Jürgen", "zoe"}
    composed = {f"Zoë/{THREE}": CODE, f"Zoe\u0308/{FOUR}": CODE, f"cy/{FOUR}": CODE}
    seen = found(put(tmp_path / "c.tar", tarred(composed)))
    assert [who for who, _ in seen] == ["Zoë", "Zoë", "cy"]


def test_nothing_to_grade(tmp_path, found):
    with pytest.raises(GatherError, match="gone.*cannot be read"):
        found(tmp_path / "gone")
    with pytest.raises(GatherError, match="nothing to grade.*ex01_tensors.py"):
        found(tmp_path)
    put(tmp_path / "notes.txt")
    with pytest.raises(GatherError):
        found(tmp_path)
    for name in (tmp_path / "notes.txt", put(tmp_path / "a.zip", b"PK\x03\x04")):
        with pytest.raises(GatherError):
            found(name)
    assert "is broken" in found(tmp_path)["a", ""], "an entry of a class"


def link_in_zip() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        about = zipfile.ZipInfo(THREE)
        about.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(about, "/etc/passwd")
    return out.getvalue()


def special_in_tar(kind: bytes) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        about = tarfile.TarInfo(THREE)
        about.type, about.linkname = kind, "/etc/passwd"
        archive.addfile(about)
    return out.getvalue()


def encrypted() -> bytes:
    data = bytearray(zipped({THREE: CODE}))
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(mark) + place] |= 1
    return bytes(data)


def lying() -> bytes:
    """A zip whose list of contents says that a large file is a small one."""
    data = bytearray(zipped({THREE: b"#" * (5 << 20)}))
    for mark, place in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        start = data.index(mark) + place
        data[start : start + 4] = (1000).to_bytes(4, "little")
    return bytes(data)


BAD = {
    "link": (link_in_zip(), "link"),
    "symlink": (special_in_tar(tarfile.SYMTYPE), "link"),
    "hard link": (special_in_tar(tarfile.LNKTYPE), "link"),
    "device": (special_in_tar(tarfile.CHRTYPE), "device"),
    "fifo": (special_in_tar(tarfile.FIFOTYPE), "device"),
    "above": (zipped({f"../../{THREE}": CODE}), "leads out"),
    "absolute": (tarred({f"/etc/{THREE}": CODE}), "leads out"),
    "drive": (zipped({f"C:\\x\\{THREE}": CODE}), "leads out"),
    "control": (tarred({f"a\n\x1b[2J/{THREE}": CODE}), "control characters"),
    "encrypted": (encrypted(), "encrypted"),
    "large": (zipped({THREE: b"#" * (3 << 20)}), "larger than 2 MB"),
    "lying": (lying(), "broken"),
    "notebook": (zipped({"ex03_backward.ipynb": b" " * (17 << 20)}), "is empty"),
    "cells": (zipped({"ex03_backward.ipynb": notebook("#" * (3 << 20))}), "of text"),
    "bzip2 in zip": (zipped({}), ""),
    "empty": (zipped({THREE: b" \n"}), "is empty"),
    "broken": (zipped({THREE: CODE})[:-30], "broken"),
    "cut": (tarred({THREE: CODE * 100}, "w:gz")[:100], "broken"),
    "cut xz": (tarred({THREE: random.Random(1).randbytes(9999)}, "w:xz")[:5000], "broken"),
    "no archive": (b"%PDF-1.7", "broken"),
    "rar": (b"Rar!\x1a\x07\x00", "a RAR archive"),
    "7z": (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    "nothing in it": (zipped({}), "is empty"),
    "a folder": (tarred({}) + b"", "is empty"),
    "nested": (
        zipped({"a.zip": zipped({"ex03_backward.zip": zipped({THREE: CODE})})}),
        "in an archive",
    ),
    "twice": (tarred({THREE: CODE, f"./{THREE}": b"other"}), "2 files"),
    "bytes": (tarred({f"\udcff\udcfe/{FOUR}": CODE, THREE: b""}), "empty"),
}
with zipfile.ZipFile(raw := io.BytesIO(), "w", zipfile.ZIP_BZIP2) as _archive:
    _archive.writestr(THREE, b"0" * 100_000)
BAD["bzip2 in zip"] = (raw.getvalue(), "use plain zip")


@pytest.mark.parametrize("kind", BAD)
def test_archives_that_are_not_as_they_should_be(tmp_path, found, kind):
    content, said = BAD[kind]
    put(tmp_path / "subs" / "ada_ex03_backward.zip", content)
    put(tmp_path / "subs" / "bob" / THREE)
    seen = found(tmp_path / "subs")
    assert seen.pop(("bob", "ex03_backward")) == CODE
    assert said in seen["ada", "ex03_backward"]
    assert "subs/ada_ex03_backward.zip" in seen["ada", "ex03_backward"]
    assert {who for who, _ in seen} == {"ada"}


def test_bombs_are_stopped_early(tmp_path, found, monkeypatch):
    many = zipped({f"{number}/x.txt": b"" for number in range(packed.MEMBERS + 1)})
    put(tmp_path / "ada.zip", many)
    zeros = gzip.compress(b"\0" * (8 << 20), 1)
    monkeypatch.setattr(packed, "NESTED", 4 << 20)
    about = tarfile.TarInfo("film.mp4")
    about.size = 1 << 32
    put(tmp_path / "bob.tar.gz", gzip.compress(about.tobuf()) + zeros)
    listed = zipped({"x" * 60_000 + str(number): b"" for number in range(80)})
    put(tmp_path / "cy.zip", listed)
    put(tmp_path / "dee" / THREE)
    seen = found(tmp_path)
    assert "more than 20,000 files" in seen["ada", ""]
    assert "unpacks to more than 4 MB" in seen["bob", ""]
    assert "too long a list" in seen["cy", ""]
    assert seen["dee", "ex03_backward"] == CODE


def test_what_is_no_notebook_and_no_text_says_so_before_anything_is_graded(tmp_path, found):
    for content in (b"[" * 200_000, b'{"cells": 3}', b"[3]", b"9" * 9_999, b"\xff"):
        path = put(tmp_path / "a" / "ex03_backward.ipynb", content)
        assert "ex03_backward.ipynb is not a notebook" in found(path)["a", "ex03_backward"]
    path = put(tmp_path / "b" / THREE, "x = 1\r\n# é\n".encode("latin-1"))
    assert "is not text in utf-8: byte 0xe9 at line 2." in found(path)["b", "ex03_backward"]


def test_long_and_odd_names_stay_apart(tmp_path, found):
    who = [f"{'n' * 100_000}{number}" for number in range(2)] + [
        "\u202egro.live",
        "<script>",
        "=1+1",
    ]
    path = put(tmp_path / "class.tar", tarred({f"{one}/{THREE}": CODE for one in who[2:]}))
    students = {student.partition(" (")[0] for student, _ in found(path)}
    assert students == {"\ufffdgro.live", "<script>", "=1+1"}
    path = put(
        tmp_path / "class.zip", zipped({f"{one[:60_000]}{one[-1]}/{THREE}": CODE for one in who})
    )
    students = {student for student, _ in found(path)}
    assert len(students) == 5 and max(map(len, students)) <= 120


@BRIEF
@given(kind=st.sampled_from(sorted(PACKERS)), data=st.data())
def test_fuzzed_archives(tmp_path, loaded, kind, data):
    """Bytes changed, cut and doubled: submissions or a sentence, no file written."""
    content = bytearray(PACKERS[kind]({f"ada/{THREE}": CODE * 3, f"bob/{FOUR}": CODE}))
    for _ in range(data.draw(st.integers(1, 6))):
        place = data.draw(st.integers(0, len(content) - 1))
        content[place] = data.draw(st.integers(0, 255))
    end = data.draw(st.sampled_from([len(content), len(content) // 2, len(content) - 9]))
    check_one(tmp_path, loaded, bytes(content[:end]))


NAMES = st.lists(
    st.sampled_from(["..", ".", "ada", "a\0b", "C:", "é", "e\u0301", THREE, "x.zip", "\n"]),
    min_size=1,
    max_size=4,
).map("/".join)


@BRIEF
@given(files=st.dictionaries(NAMES, st.binary(max_size=40), max_size=5), pack=st.booleans())
def test_fuzzed_names(tmp_path, loaded, files, pack):
    check_one(tmp_path, loaded, (zipped if pack else tarred)(files))


OPENED: list | None = None  # while it is a list, all that this process opens


def _heard(event: str, args: tuple) -> None:
    if event == "open" and OPENED is not None:
        OPENED.append(args)


sys.addaudithook(_heard)


def check_one(folder: Path, loaded, content: bytes) -> None:
    path = put(folder / "subs" / "fuzzed.zip", content)
    before = sorted(folder.rglob("*"))
    global OPENED
    OPENED = []
    try:
        submissions = gather.gather([path.parent], loaded)
    except GatherError as error:
        assert "nothing to grade" in str(error)
        submissions = []
    finally:
        opened, OPENED = OPENED, None
    own = (str(folder), sys.prefix, sys.base_prefix)  # and modules that are imported late
    for name, _, flags in opened:
        assert not flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT), name
        assert "/" not in str(name) or str(name).startswith(own)
    for one in submissions:
        assert bool(one.content) != bool(one.problem)
        assert one.student and one.student.isprintable()
    assert submissions == sorted(submissions, key=lambda one: (one.student, one.exercise))
    assert sorted(folder.rglob("*")) == before
