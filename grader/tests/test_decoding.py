"""Scripts are decoded as Python decodes them, notebooks read as nbformat reads them."""

from __future__ import annotations

import io
import json
import tokenize

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.classroom import cases, submission
from grader.classroom.submitted import Submission
from grader.decoding import Undecodable, decoded
from grader.notebooks import NotANotebook, read
from grader.tests.handed_in import STEM, as_notebook, as_script

BRIEF = settings(max_examples=200, deadline=None, derandomize=True, database=None)
ENCODINGS = ["utf-8", "utf-8-sig", "latin-1", "cp1252", "iso8859-15", "shift_jis", "koi8-r"]
TEXTS = st.text(st.sampled_from("aé€я\u3042'# =:\n\r\f\t\\"), max_size=60)


@BRIEF
@given(
    text=TEXTS,
    encoding=st.sampled_from(ENCODINGS),
    coding=st.sampled_from(["", *ENCODINGS, "rot13", "no-such", "utf-16", "unicode_escape"]),
    blank=st.booleans(),
    mark=st.booleans(),
    line_end=st.sampled_from(["\n", "\r\n", "\r"]),
)
def test_source_is_decoded_as_python_decodes_it(text, encoding, coding, blank, mark, line_end):
    head = (line_end if blank else "") + (f"# -*- coding: {coding} -*-{line_end}" if coding else "")
    content = (head + text).encode(encoding, "replace")
    content = b"\xef\xbb\xbf" + content if mark else content
    try:
        file = io.BytesIO(content)
        lines = io.BytesIO(content.replace(b"\r\n", b"\n").replace(b"\r", b"\n"))
        name, _ = tokenize.detect_encoding(lines.readline)
        expected = io.TextIOWrapper(file, name).read()
    except (SyntaxError, LookupError, UnicodeError):
        with pytest.raises(Undecodable, match=r"UTF-8\.$"):
            decoded(content)
    else:
        assert decoded(content) == expected


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"x = 1\r\ny = 2\r# \xe9\n", "not text in utf-8: byte 0xe9 at line 3"),
        (b"\xff\xfex\0", "UTF-16"),
        (b"x = 1\ny\0", "NUL byte at line 2"),
        (b"# coding: punycode\n", "host names"),
        (b"# coding: no-such\n", "unknown encoding: no-such"),
        (b"# coding: unicode_escape\n'\\ud800'", "half characters"),
    ],
)
def test_what_cannot_be_decoded_is_a_sentence(loaded, content, says):
    with pytest.raises(Undecodable, match=says):
        decoded(content)
    with pytest.raises(submission.NotGraded, match=says):
        cases.code_of(Submission("ada", STEM, "ada/x.py", content), loaded.find("03"))


def test_a_learners_own_file_is_decoded_alike(tmp_path, judge, loaded):
    text = as_script(loaded.find("03"), frozenset(["slope"]), "untouched").content
    for content in (
        b"\xef\xbb\xbf" + text,
        b"# coding: cp1252\n# \x80\n" + text.decode().encode("cp1252", "replace"),
    ):
        (tmp_path / f"{STEM}.py").write_bytes(content)
        (result,) = judge(tmp_path, "03", diagnose=False).exercises
        assert result.earned == 1.0
    (tmp_path / f"{STEM}.py").write_bytes(b"# \x80\n" + text)
    (result,) = judge(tmp_path, "03", diagnose=False).exercises
    assert "is not text in utf-8: byte 0x80 at line 1." in result.problem


# --- notebooks of every format ---------------------------------------------------------------

SOURCES = st.one_of(
    st.sampled_from(["x = 1", "a\nb", "é", ""]),
    st.lists(st.sampled_from(["x = 1\n", "y = 2\n", "z"]), max_size=3),
)
OLD_CELLS = st.one_of(
    st.fixed_dictionaries(
        {"cell_type": st.just("code"), "input": SOURCES, "outputs": st.just([]),
         "language": st.just("python"), "metadata": st.just({})}),
    st.fixed_dictionaries(
        {"cell_type": st.sampled_from(["markdown", "raw", "html"]), "source": SOURCES,
         "metadata": st.just({})}),
    st.fixed_dictionaries(
        {"cell_type": st.just("heading"), "source": SOURCES, "level": st.integers(1, 6),
         "metadata": st.just({})}),
)  # fmt: skip
NEW_CELLS = st.one_of(
    st.fixed_dictionaries(
        {"cell_type": st.just("code"), "source": SOURCES, "outputs": st.just([]),
         "execution_count": st.none(), "metadata": st.just({})}),
    st.fixed_dictionaries(
        {"cell_type": st.sampled_from(["markdown", "raw"]), "source": SOURCES,
         "metadata": st.just({})}),
)  # fmt: skip
BOOKS = st.one_of(
    st.tuples(st.sampled_from([(3, 0), (2, 0)]), st.lists(OLD_CELLS, max_size=4)),
    st.tuples(st.sampled_from([(4, minor) for minor in range(6)]), st.lists(NEW_CELLS, max_size=4)),
)


@BRIEF
@given(book=BOOKS, sheets=st.integers(1, 2))
def test_notebooks_of_every_format_are_read_as_nbformat_reads_them(book, sheets):
    import nbformat

    (major, minor), cells = book
    data = {"nbformat": major, "nbformat_minor": minor, "metadata": {}}
    if major < 4:
        data["worksheets"] = [{"cells": cells, "metadata": {}}] * sheets
    else:
        data["cells"] = [
            cell | ({"id": f"c{n}"} if minor == 5 else {}) for n, cell in enumerate(cells)
        ]
    text = json.dumps(data)
    expected = nbformat.convert(nbformat.reader.reads(text), 4)
    found = [(cell["cell_type"], cell["source"]) for cell in read(text.encode())["cells"]]
    assert found == [(cell.cell_type, cell.source) for cell in expected.cells]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b'{"nbformat": 5, "cells": []}', "a newer format"),
        (b'{"nbformat": 3}', "no worksheets"),
        (b'{"cells": [' + b"[" * 5_000_000, "too much data"),
        (b'{"cells": [' + b"{}," * 10_001 + b"{}]}", "more than 10,000 cells"),
        (b" " * 10, "is empty"),
    ],
)
def test_what_is_no_notebook_is_a_sentence(content, says):
    with pytest.raises(NotANotebook, match=says):
        read(content)


def test_a_notebook_with_a_byte_order_mark_or_of_format_3_is_graded(loaded):
    exercise = loaded.find("03")
    book = as_notebook(exercise, frozenset(["slope"]), "deleted")
    text = cases.code_of(book, exercise)
    old = json.loads(book.content)
    for cell in old["cells"]:
        if cell["cell_type"] == "code":
            cell["input"] = cell.pop("source")
            cell["language"] = "python"
    old = {
        "nbformat": 3,
        "nbformat_minor": 0,
        "metadata": {},
        "worksheets": [{"cells": old["cells"]}],
    }
    for content in (b"\xef\xbb\xbf" + book.content, json.dumps(old).encode()):
        handed_in = Submission("ada", STEM, "ada/x.ipynb", content)
        assert cases.code_of(handed_in, exercise) == text
