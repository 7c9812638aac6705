"""Which submissions resemble each other more than the course explains? For a person to look at.

Fingerprints are drawn by winnowing (S. Schleimer, D. S. Wilkerson, A. Aiken, "Winnowing: Local
Algorithms for Document Fingerprinting", SIGMOD 2003) from tokens in which names that a student may
choose are all alike. What stubs, solutions, right variants and known mistakes have is left out, and
what many students share counts for little. A regular expression cuts the tokens: it reads any
text, Python or not, in one pass, and alike on every version of Python.
"""

from __future__ import annotations

import keyword
import re
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from grader.classroom.submitted import Submission
from grader.course import Course, Exercise
from grader.decoding import Undecodable, decoded
from grader.notebooks import NotANotebook, code_cells

GRAM, WINDOW = 12, 5  # tokens; any 16 equal ones in a row are sure to be noticed
SHARE, LEAST = 0.5, 6.0  # of the smaller answer; and fingerprints, each counted as rare as it is
_LONGEST = 100_000  # characters of an answer that are looked at; an exercise has 10,000
_PAIRS = 50  # of one exercise, the most alike
_PLACES = 6  # of one pair, the longest
_CLASS = 10  # answers; fewer are too few to say what everybody writes
_COLUMNS = 2048  # fingerprints multiplied at once, which bounds the memory
_TOKEN = re.compile(
    r"#[^\n]*"
    r"|[A-Za-z]{0,2}(?:\"\"\"[\s\S]*?(?:\"\"\"|\Z)|'''[\s\S]*?(?:'''|\Z)"
    r"|\"(?:\\[\s\S]|[^\"\\\n])*\"?|'(?:\\[\s\S]|[^'\\\n])*'?)"
    r"|[^\W\d]\w*|\d[\w.]*|[^\w\s]"
)


@dataclass(frozen=True)
class Pair:
    """Two answers to one exercise that are alike, and where; lines of a notebook are its code's."""

    exercise: str
    students: tuple[str, str]
    names: tuple[str, str]  # of the files
    share: float  # 0 to 1: of what is the smaller answer's own, how much is in the other too
    lines: tuple[tuple[tuple[int, int], tuple[int, int]], ...]  # first and last, in each of the two


@dataclass(frozen=True)
class _Prints:
    """An answer's fingerprints, and the lines of the first place where each stands."""

    lines: dict[int, tuple[int, int]]
    order: tuple[int, ...]  # as they follow each other


def likeness(submissions: Iterable[Submission], course: Course) -> list[Pair]:
    """The pairs of answers to look at, by exercise, the most alike first. It proves nothing.

    Time grows with the square of the answers to one exercise: 1,000 take seconds.
    """
    pairs = []
    given = [one for one in submissions if not one.problem]
    for exercise in course.exercises:
        answers = sorted(
            (one for one in given if one.exercise == exercise.stem), key=lambda one: one.student
        )
        if len(answers) > 1:
            pairs += _alike(answers, _known(exercise))
    return pairs


def _alike(answers: Sequence[Submission], known: set[int]) -> list[Pair]:
    found = [_prints(_code(one), known) for one in answers]
    shared, own = _overlap(found)
    pairs = []
    smaller = np.minimum(own[:, None], own[None, :])
    share = np.divide(shared, smaller, out=np.zeros_like(shared), where=smaller > 0)
    rows, columns = np.nonzero(np.triu((share >= SHARE) & (shared >= LEAST), 1))
    order = np.lexsort((columns, rows, -shared[rows, columns]))[:_PAIRS]
    for a, b in zip(rows[order].tolist(), columns[order].tolist(), strict=True):
        one, other = answers[a], answers[b]
        both = (one.student, other.student), (one.name, other.name)
        part = min(round(float(share[a, b]), 2), 1.0)
        pairs.append(Pair(one.exercise, *both, part, _places(found[a], found[b])))
    return pairs


def _overlap(found: list[_Prints]) -> tuple[np.ndarray, np.ndarray]:
    """What each two answers share and what each has, in fingerprints.

    One that two students have counts 1, one that all have counts 0: so a large group that has
    copied is seen as well as two who have, and what everybody writes is not.
    """
    often: dict[int, int] = {}
    for one in found:
        for print_ in one.lines:
            often[print_] = often.get(print_, 0) + 1
    count = len(found)
    columns = {print_: place for place, print_ in enumerate(p for p, n in often.items() if n > 1)}
    scale = np.log(count / 2) or 1.0
    weights = np.array([min(np.log(count / often[p]) / scale, 1.0) for p in columns])
    if count < _CLASS:
        weights = np.ones(len(columns))
    shared, own = np.zeros((count, count)), np.zeros(count)
    rows = [np.array([columns[p] for p in one.lines if p in columns], dtype=int) for one in found]
    for start in range(0, len(columns), _COLUMNS):
        block = np.zeros((count, min(_COLUMNS, len(columns) - start)), dtype=np.float32)
        for row, places in zip(block, rows, strict=True):
            row[places[(places >= start) & (places < start + _COLUMNS)] - start] = 1.0
        weighted = block * np.sqrt(weights[start : start + block.shape[1]], dtype=np.float32)
        shared += weighted @ weighted.T
    for place, one in enumerate(found):
        own[place] = shared[place, place] + len(one.lines) - len(rows[place])
    return shared, own


def _prints(text: str, known: set[int]) -> _Prints:
    """The least of every window of fingerprints, but those that are known already."""
    grams, lines = _grams(text)
    if not len(grams):
        return _Prints({}, ())
    width = min(WINDOW, len(grams))
    windows = np.lib.stride_tricks.sliding_window_view(grams, width)
    chosen = sorted(set((windows.argmin(axis=1) + np.arange(len(windows))).tolist()))
    places: dict[int, tuple[int, int]] = {}
    for place in chosen:
        if int(grams[place]) not in known:
            places.setdefault(int(grams[place]), (lines[place], lines[place + GRAM - 1]))
    return _Prints(places, tuple(places))


def _grams(text: str) -> tuple[np.ndarray, list[int]]:
    """A number for each run of `GRAM` tokens, and the line of each token."""
    tokens, lines, before, line, at = [], [], "", 1, 0
    for match in _TOKEN.finditer(text[:_LONGEST]):
        token = match[0]
        line, at = line + text.count("\n", at, match.start()), match.start()
        if token[0] == "#":
            continue
        tokens.append(zlib.crc32(_plain(token, before).encode("utf-8", "replace")))
        lines.append(line)
        before = token
    if len(tokens) < GRAM:
        return np.array([], dtype=np.uint64), lines
    numbers = np.array(tokens, dtype=np.uint64)
    size = len(numbers) - GRAM + 1
    grams = np.zeros(size, dtype=np.uint64)
    for shift in range(GRAM):  # wraps around at 2**64, as it should
        grams = grams * np.uint64(0x9E3779B97F4A7C15) + numbers[shift : shift + size]
    return grams ^ (grams >> np.uint64(29)), lines


def _plain(token: str, before: str) -> str:
    """A token without what costs nothing to change: names of one's own, numbers, texts."""
    if token[-1] in "\"'" or token[0] in "\"'":
        return "text"
    if token[0].isdigit():
        return "0"
    if not (token[0].isalpha() or token[0] == "_"):
        return token
    if keyword.iskeyword(token) or before == ".":  # a method of torch keeps its name
        return token
    return "name"


def _places(one: _Prints, other: _Prints):
    """The lines that two answers share: runs of fingerprints that follow each other in both."""
    runs: list[list[tuple[int, int]]] = []
    for print_ in one.order:
        if print_ not in other.lines:
            continue
        (a, b), (c, d) = one.lines[print_], other.lines[print_]
        if runs and runs[-1][0][1] + 1 >= a and runs[-1][1][0] <= c <= runs[-1][1][1] + 1:
            (first, last), (start, end) = runs[-1]
            runs[-1] = [(first, max(last, b)), (start, max(end, d))]
        else:
            runs.append([(a, b), (c, d)])
    longest = sorted(runs, key=lambda run: (run[0][0] - run[0][1], run))[:_PLACES]
    return tuple(sorted((first, second) for first, second in longest))


def _known(exercise: Exercise) -> set[int]:
    """The fingerprints that the course itself explains, at every place and not only the least."""
    files = (exercise.stub, exercise.solution, exercise.variants, exercise.mistakes)
    return {
        print_
        for path in files
        if path.is_file()
        for print_ in _grams(path.read_text("utf-8"))[0].tolist()
    }


def _code(one: Submission) -> str:
    """An answer's Python text, or what there is in its place."""
    try:
        if one.name.lower().endswith(".ipynb"):
            return "\n".join(code_cells(one.content))
        return decoded(one.content)
    except (NotANotebook, Undecodable):
        return ""
