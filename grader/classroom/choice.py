"""Of all that was handed in, the one submission of each student for each exercise."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import PurePath

from grader.classroom.names import (
    Named,
    Names,
    Top,
    clean,
    passed_over,
    student_name,
    students,
    upload_of,
    without_suffix,
)
from grader.classroom.submitted import Submission

_SHOWN = 60  # characters of each part of a name
_TOLD = 3  # files of one student that may be any exercise

Parts = tuple[str, ...]


@dataclass(frozen=True)
class Handed:
    """A file below a given path."""

    parts: Parts  # none for the path itself; an archive stands for a folder of its name
    content: bytes
    problem: str = ""  # what follows its name in a sentence
    when: float | None = None  # seconds since 1970, where nbgrader has written it down
    minor: bool = False  # of no interest where the student has handed in something that is whole


@dataclass
class Source:
    """What was found at one given path."""

    owner: str  # the student, where nothing inside names one
    shown: str = ""  # the path's own name, where it is not a part of its files'
    packed: bool = False  # an archive
    single: bool = False  # a file
    handed: list[Handed] = field(default_factory=list)
    ignored: list[Parts] = field(default_factory=list)
    folders: set[Parts] = field(default_factory=set)
    archives: dict[Parts, str] = field(default_factory=dict)  # their names with the suffix
    passed_over: Counter[str] = field(default_factory=Counter)  # folders, by their kind
    listed: set[Parts] = field(default_factory=set)  # of `ignored`: those that a row tells of

    def name(self, parts: Parts) -> str:
        """A file's name as an instructor would find it, short, with its suffix."""
        real = [self.archives.get(parts[:end], parts[end - 1]) for end in range(1, len(parts) + 1)]
        pieces = [piece for piece in (self.shown, *real) if piece]
        if len(pieces) > 6:
            pieces[3:-2] = ["…"]
        *above, last = pieces or [self.owner]
        path = PurePath(last)
        tail = clean(path.stem, _SHOWN) + clean(path.suffix.lower(), 8)
        return "/".join([*(clean(piece, _SHOWN) for piece in above), tail])


@dataclass(frozen=True)
class _Candidate:
    student: str
    named: Named
    name: str
    handed: Handed
    order: tuple[str, float] | None = None  # which is newer, and by whose counting

    @property
    def problem(self) -> str:
        said = f"{self.name} {self.handed.problem}" if self.handed.problem else ""
        if not said and not self.named.rank:
            said = f"{self.name} is not named like its exercise: rename it {self.named.exercise}"
            said += f"{PurePath(self.name).suffix}."
        return said


def settle(
    sources: list[Source], names: Names, exercises: Collection[str] = ()
) -> list[Submission]:
    """One submission for each student and exercise, in this order; all when `exercises` is empty.

    The newest counts where nbgrader or Canvas says which that is; else none of several does. What
    may be any exercise is left out only for a student who has handed in all that is asked for.
    """
    groups: dict[tuple[str, str], list[_Candidate]] = {}
    for source in sources:
        for candidate in _candidates(source, names):
            key = candidate.student, candidate.named.exercise
            groups.setdefault(key, []).append(candidate)
    whole: dict[str, set[str]] = {}
    for student, exercise in groups:
        whole.setdefault(student, set()).update({exercise} - {""})
    chosen = []
    for (student, exercise), several in sorted(groups.items()):
        whole_here = whole[student] >= set(exercises) if exercises else bool(whole[student])
        if exercise or not whole_here:
            several = [one for one in several if not one.handed.minor] or several
        else:
            several = [one for one in several if not one.handed.minor]
        if several and (not exercises or exercise in {"", *exercises}):
            chosen.append(_chosen(student, exercise, several))
    return chosen


def holds_something(source: Source, names: Names) -> bool:
    """Is there a file below a given path that somebody may want a grade for?"""
    for handed in source.handed:
        below = handed.parts and not source.single
        if below or not handed.problem or _named(handed.parts, source, names).exercise:
            return True
    return any(names.foreign(parts[-1]) for parts in source.listed)


def nothing(name: str, names: Names) -> str:
    """What to say of a path in which no file is an exercise's."""
    wanted = f"{next(iter(names.exercises))}.py or .ipynb"
    return f"{name} has no file that is named like an exercise ({wanted}): rename what is there."


def _chosen(student: str, exercise: str, several: list[_Candidate]) -> Submission:
    best = max(one.named.rank for one in several)
    several = sorted((one for one in several if one.named.rank == best), key=lambda one: one.name)
    first = _newest(several)
    if not exercise:
        problems = list(dict.fromkeys(candidate.problem for candidate in several))
        more = f" And {len(problems) - _TOLD} files more." if len(problems) > _TOLD else ""
        problem = " ".join(problems[:_TOLD]) + more
        return Submission(student, "", several[0].name, b"", problem)
    if first is None:
        listed = ", ".join(one.name for one in several[:4]) + (", …" if several[4:] else "")
        problem = f"{len(several)} files are {student}'s {exercise}: {listed}. Keep one of them."
        return Submission(student, exercise, several[0].name, b"", problem)
    content = b"" if first.problem else first.handed.content
    return Submission(student, exercise, first.name, content, first.problem)


def _newest(several: list[_Candidate]) -> _Candidate | None:
    """The file that counts; None where nothing tells, and they are not the same."""
    if len({(one.handed.content, one.handed.problem) for one in several}) == 1:
        return several[0]
    orders = [one.order for one in several]
    by_age = {order[0] for order in orders if order}
    if None in orders or len(by_age) > 1 or orders.count(max(orders)) > 1:  # type: ignore[type-var]
        return None
    return several[orders.index(max(orders))]  # type: ignore[type-var]


def _candidates(source: Source, names: Names) -> list[_Candidate]:
    """What each file of a source is; and a word on each student of whom there is none."""
    owner, cut = student_name(source.owner), _wrapping(source)
    _leave_what_nbgrader_leaves(source, names)
    if not source.handed and not source.ignored and not source.folders:
        bare = Handed((), b"", nothing("", names).lstrip(), minor=True)
        return [_Candidate(owner, Named(""), source.name(()), bare)] if owner else []
    tops = {one.parts: _top(one.parts, source, names, cut) for one in source.handed}
    bare: dict[Parts, Top] = {}
    if source.handed and all(_direct(one, names, cut) for one in source.handed):
        tops = dict.fromkeys(tops)  # one student's: no name says otherwise
    else:
        bare = _bare(source, names, cut, {parts[: cut + 1] for parts in tops})
    whose = students(top for top in [*tops.values(), *bare.values()] if top)
    found = [
        _Candidate(
            (whose[tops[one.parts]] if tops[one.parts] else "") or owner,
            _named(one.parts, source, names),
            source.name(one.parts),
            one,
            _order(one, tops[one.parts]),
        )
        for one in source.handed
    ]
    for parts, top in bare.items():
        if whose[top]:
            problem = _without(parts, source, names)
            empty = Handed(parts, b"", problem, minor=True)
            exercise = names.exercise_above((*parts, ""))
            found.append(_Candidate(whose[top], Named(exercise), source.name(parts), empty))
    found += _hidden(source, names, cut)
    if not found and owner:
        empty = Handed((), b"", nothing("", names).lstrip(), minor=True)
        found.append(_Candidate(owner, Named(""), source.name(()), empty))
    return found


def _hidden(source: Source, names: Names, cut: int) -> list[_Candidate]:
    """Students' folders that begin with a dot, and so are passed over, with what is in them."""
    found = []
    for parts in source.ignored:
        named = names.read(parts[-1:]) if len(parts) > cut + 1 else None
        if named and named.rank == 2 and parts[cut].startswith("."):
            problem = (
                "lies in a folder that is hidden, since its name begins with a dot: rename it."
            )
            source.listed.add(parts)
            student = student_name(parts[cut])
            found.append(
                _Candidate(student, named, source.name(parts), Handed(parts, b"", problem))
            )
    return found


def _leave_what_nbgrader_leaves(source: Source, names: Names) -> None:
    """Leave out what nbgrader does not look at in a folder that is named like the exercise: all but
    the notebook of its very name, else scripts beside a notebook.

    Both ways of grading then judge the same file; anywhere else two files are one too many.
    """
    folders: dict[Parts, list[Handed]] = {}
    for handed in source.handed:
        above = handed.parts[:-1]
        if above and above[-1].casefold() in names.exercises and names.read(handed.parts):
            folders.setdefault(above, []).append(handed)
    for above, several in folders.items():
        asked = f"{names.exercises[above[-1].casefold()].stem}.ipynb"
        books = [item for item in several if item.parts[-1].casefold().endswith(".ipynb")]
        left = [book for book in books if book.parts[-1] == asked] or books or several
        for handed in several:
            if handed not in left:
                source.handed.remove(handed)
                source.passed_over["file beside a notebook"] += 1


def _bare(source: Source, names: Names, cut: int, taken: set[Parts]) -> dict[Parts, Top]:
    """What has no file of an exercise in it: students' folders and archives, flat files, and
    folders that are named like an exercise."""
    everything = [*source.ignored, *source.folders]
    entries = {parts[: cut + 1] for parts in everything} - taken
    for parts in everything:
        deeper = range(cut + 1, len(parts) + (parts in source.folders))
        entries |= {parts[:end] for end in deeper if parts[end - 1].casefold() in names.exercises}
    handed = {one.parts[:end] for one in source.handed for end in range(1, len(one.parts) + 1)}
    tops = {parts: _top(parts, source, names, cut) for parts in sorted(entries - handed)}
    return {parts: top for parts, top in tops.items() if top}


def _without(parts: Parts, source: Source, names: Names) -> str:
    """What to say of an entry in which no file is an exercise's; those in it count as told."""
    inside = [path for path in source.ignored if path[: len(parts)] == parts]
    source.listed.update(path for path in inside if names.foreign(path[-1]))
    wanted = f"{next(iter(names.exercises))}.py or .ipynb"
    if parts in inside:
        source.listed.add(parts)
        if names.foreign(parts[-1]):
            return f"is not named like an exercise ({wanted}): rename it."
        return f"is no script or notebook of an exercise ({wanted}): hand that in."
    listed = [clean(path[-1], _SHOWN) for path in inside if not path[-1].startswith(".")]
    only = f", only {', '.join(listed[:3])}{', …' if listed[3:] else ''}" if listed else ""
    return f"has no file that is named like an exercise ({wanted}){only}: rename what is there."


def _wrapping(source: Source) -> int:
    """How many folders an archive has around all of it, that are nobody's."""
    everything = [one.parts for one in source.handed] + source.ignored
    everything = [parts for parts in everything if parts and not any(map(passed_over, parts[:-1]))]
    cut = 0
    while source.packed and everything and all(len(parts) > cut + 1 for parts in everything):
        first = everything[0][: cut + 1]
        lms = students([Top(first[-1], folder=True)]) != {Top(first[-1], True): clean(first[-1])}
        if (
            lms
            or first in source.archives
            or any(parts[: cut + 1] != first for parts in everything)
        ):
            break
        cut += 1
    return cut


def _direct(one: Handed, names: Names, cut: int) -> bool:
    """An exercise's file that no folder and no name gives to anybody."""
    named = names.read(one.parts) if one.parts else None
    between = one.parts[cut:-1]
    return bool(named and named.rank == 2 and not named.who and all(map(names.nobody, between)))


def _top(parts: Parts, source: Source, names: Names, cut: int) -> Top | None:
    if len(parts) <= cut or names.nobody(parts[cut]) or passed_over(parts[cut]):
        return None
    first = parts[: cut + 1]
    if first in source.archives:
        return Top(first[-1], folder=False, who=names.whose(first[-1]) or first[-1])
    if len(parts) > cut + 1 or first in source.folders:
        return Top(first[-1], folder=True)
    named = names.read(first)
    who = named.who if named else names.foreign(first[-1])
    return Top(first[-1], folder=False, who=who)


def _named(parts: Parts, source: Source, names: Names) -> Named:
    """Which exercise a file is for; none where an archive's or a folder's name does not say."""
    named = names.read(parts) if parts else None
    if named is None:
        named = names.read((without_suffix(parts[-1] if parts else source.shown) + ".py",))
    return named or Named(names.exercise_above(parts), rank=1)


def _order(one: Handed, top: Top | None) -> tuple[str, float] | None:
    if one.when is not None:
        return "nbgrader", one.when
    upload = upload_of(top.part) if top and not top.folder else 0
    return ("canvas", float(upload)) if upload else None
