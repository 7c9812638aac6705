"""From whatever a class has handed in to submissions as bytes. Nothing is run, unpacked or written.

A path may be a folder or an archive of a class, of one student, or a single file. Links are not
followed, and only files named as exercises are read; what cannot be used is a submission with a
problem, so that its student is in the results.
"""

from __future__ import annotations

import io
import os
import stat
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path, PurePath

from grader.classroom import archives, choice, packed
from grader.classroom.choice import Handed, Parts, Source
from grader.classroom.names import Names, clean, clean_path, is_archive, passed_over, without_suffix
from grader.classroom.packed import BadArchive, Budget
from grader.classroom.regular import STAMP, handed_in, opened, regular, why
from grader.classroom.submitted import Submission
from grader.classroom.trimmed import NOTEBOOK, SCRIPT, Unusable, trimmed
from grader.course import Course

PACKED = 64 << 20  # bytes of an archive inside an archive: it is held in memory
KEPT = 1 << 30  # bytes of all submissions together
FILES = 500_000  # directly in a class's folder; a student's has packed.MEMBERS
_LOOKED_AT = 10_000  # files below a hidden folder
_DEEP = 32  # folders in folders
_TOO_DEEP = "lies in too many folders: hand in the exercise's file itself."
_EMPTY = "is empty: pack it again, with the exercise's file in it."


class GatherError(Exception):
    """Nothing can be graded; the sentence says why and what to do."""


@dataclass
class Gathered:
    """What was found: the submissions, and how many other files there were, by their suffix."""

    submissions: list[Submission]
    ignored: Counter[str] = field(default_factory=Counter)
    passed_over: Counter[str] = field(default_factory=Counter)  # folders, and hidden files

    @property
    def others(self) -> str:
        """Sentences on what was not taken; empty where there was nothing of it."""
        sentences = []
        if self.ignored:
            kinds = _counted(self.ignored)
            sentences.append(f"Not taken, since not named like an exercise: {kinds}.")
        if self.passed_over:
            sentences.append(f"Passed over: {_counted(self.passed_over)}.")
        return " ".join(sentences)


def _counted(kinds: Counter[str]) -> str:
    often = sorted(kinds.items(), key=lambda item: (-item[1], item[0]))
    listed = ", ".join(f"{number} {kind}" for kind, number in often[:4])
    return listed + (", …" if len(kinds) > 4 else "")


def gather(paths: Sequence[Path], course: Course) -> list[Submission]:
    """The submissions that `survey` finds, by student and exercise; `GatherError` as there."""
    return survey(paths, course).submissions


def survey(
    paths: Sequence[Path],
    course: Course,
    exercises: frozenset[str] = frozenset(),
    results: Path | None = None,
) -> Gathered:
    """What is handed in at any mix of paths: one submission for each student and exercise.

    A folder with an exercise's file directly in it is one student's, and so is an archive that has
    one inside its single folder; other folders and archives are a class's. The exercise of a
    submission is "" where its problem leaves that open. With `exercises`, only what is none of
    theirs for sure is left out: what could be one has a row. The folder `results` is no student's,
    wherever it lies. `GatherError` when a path is not there, or when nothing is found.
    """
    names, room = Names(course), [KEPT]
    ours = _identity(os.stat(results)) if results and results.is_dir() else None
    walks = [_Walk(names, path, room, ours) for path in paths]
    sources = [walk.source for walk in walks]
    submissions = choice.settle(sources, names, exercises)
    if not any(choice.holds_something(source, names) for source in sources):
        given = ", ".join(clean(path.name) for path in paths[:3])
        said = " ".join(one.problem for one in submissions[:3]) or choice.nothing(given, names)
        raise GatherError(f"There is nothing to grade. {said}".strip())
    left = [parts for source in sources for parts in source.ignored if parts not in source.listed]
    hidden = [parts for parts in left if parts[-1].startswith(".")]
    ignored = Counter(
        clean(PurePath(parts[-1]).suffix, 12) or "without a suffix"
        for parts in left
        if not parts[-1].startswith(".")
    )
    passed_over = sum((source.passed_over for source in sources), Counter())
    passed_over += Counter({"hidden": len(hidden)})
    return Gathered(submissions, ignored, passed_over)


def _identity(about: os.stat_result) -> tuple[int, int]:
    return about.st_dev, about.st_ino


class _Walk:
    """One given path, from its folders down into its archives; `source` is what was found."""

    def __init__(self, names: Names, path: Path, room: list[int], ours: tuple | None):
        self._names, self._room, self._ours = names, room, ours
        self.source = Source("")
        try:
            self._start(path)
        except BadArchive as error:
            raise GatherError(f"{clean_path(path)} {error}") from None
        except (OSError, ValueError, Unusable) as error:
            said = f"cannot be read: {getattr(error, 'strerror', None) or error}."
            said = str(error) if isinstance(error, Unusable) else said
            raise GatherError(f"{clean_path(path)} {said}") from None

    def _start(self, path: Path) -> None:
        path = path.absolute()
        mode = path.lstat().st_mode
        if stat.S_ISDIR(mode):
            self.source.owner = self.source.shown = path.resolve().name or "class"
            if (path / "nbgrader_config.py").is_file() and (path / "submitted").is_dir():
                path = path / "submitted"
            with opened(path, os.O_DIRECTORY) as folder:
                self._folder(folder, (), None, Budget(members=FILES))
        elif is_archive(path.name):
            bare = without_suffix(path.name)
            self.source.owner, self.source.shown = self._names.whose(bare) or bare, path.name
            self.source.packed = True
            self._archive_on_disk(None, str(path), (), Budget())
        else:
            self.source.single = True
            if self._names.read((path.name,)):
                self.source.owner = path.parent.name or "class"
            self._named_file(None, str(path), (path.name,), None)

    def _folder(self, folder: int, parts: Parts, when: float | None, budget: Budget) -> None:
        """Everything in an opened folder; folders in it are opened from it, so no link slips in."""
        with os.scandir(folder) as entries:
            here = []
            for entry in entries:
                budget.file()
                here.append((entry.name, entry.is_dir(follow_symlinks=False)))
        if (STAMP, False) in here:
            when = handed_in(folder)
        for name, is_folder in sorted(here):
            below = (*parts, name)
            if not is_folder:
                self._named_file(folder, name, below, when)
            elif passed_over(name):
                kind = "hidden" if name.startswith(".") else f"folder {clean(name, 20)}"
                self.source.passed_over[kind] += 1
                if not parts:
                    self._look_below(folder, name)
            elif len(below) > _DEEP:
                self._refuse(below, _TOO_DEEP, minor=True)
            else:
                self._inner(folder, below, when, budget)

    def _look_below(self, folder: int, name: str) -> None:
        """Note the exercises' files below a folder that is passed over: it may be a student's."""
        looked_at = 0
        with suppress(OSError):  # what cannot be read there holds nothing up
            for above, folders, files, _ in os.fwalk(name, dir_fd=folder):
                for file in files:
                    parts = (*PurePath(above).parts, file)
                    if (named := self._names.read(parts[-1:])) and named.rank == 2:
                        self.source.ignored.append(parts)
                looked_at += 1 + len(files)
                if looked_at > _LOOKED_AT:
                    return
                if len(PurePath(above).parts) >= _DEEP:
                    folders.clear()

    def _inner(self, folder: int, parts: Parts, when: float | None, budget: Budget) -> None:
        """A folder in a folder. Each student has a budget: what one hands in costs no other."""
        first = len(parts) == 1
        try:
            with opened(parts[-1], os.O_DIRECTORY, folder) as inner:
                if _identity(os.fstat(inner)) == self._ours:
                    return
                self.source.folders.add(parts)
                self._folder(inner, parts, when, Budget() if first else budget)
        except BadArchive as error:
            if not first:
                raise
            self._refuse(parts, str(error))
        except (OSError, Unusable) as error:
            self.source.folders.add(parts)
            self._refuse(parts, why(error), minor=not first)

    def _named_file(self, folder: int | None, name: str, parts: Parts, when: float | None) -> None:
        if is_archive(parts[-1]):
            self._archive_on_disk(folder, name, parts, Budget(packed.NESTED))
        elif self._names.read(parts):
            try:
                with regular(name, folder) as file:
                    most = self._most(parts)
                    content = file.read(most + 1)
                if len(content) > most:
                    raise Unusable(packed.too_large(most))
            except (OSError, Unusable) as error:
                self._refuse(parts, why(error), when)
            else:
                self._take(parts, content, when)
        elif len(parts) == 1 and stat.S_ISLNK(os.lstat(name, dir_fd=folder).st_mode):
            self.source.folders.add(parts)  # a link in the place of a student's folder
            self._refuse(parts, packed.NOT_A_FILE)
        else:
            self.source.ignored.append(parts)

    def _archive_on_disk(self, folder: int | None, name: str, parts: Parts, budget: Budget) -> None:
        above = self._stands_for(parts)
        try:
            with regular(name, folder) as file:
                self._archive(file, above, budget, depth=1)
        except (OSError, Unusable) as error:
            self._refuse(above, why(error), minor=len(above) > 1)

    def _archive(self, file, above: Parts, budget: Budget, depth: int) -> None:
        """The files of an archive below the folder that it stands for."""

        def most(found: Parts) -> int:
            return self._most(above + found)

        empty = True
        try:
            for member in archives.members(file, most, budget):
                below = above + member.parts
                empty &= not member.parts
                self.source.folders |= {below[: len(above) + 1]} if len(member.parts) > 1 else set()
                if not member.parts:
                    continue
                if not self._most(below):
                    self.source.ignored.append(below)
                elif is_archive(below[-1]):
                    self._nested(member, below, depth)
                elif member.problem:
                    self._refuse(below, member.problem)
                else:
                    self._take(below, member.content, None)
            if empty:
                self._refuse(above, _EMPTY, minor=len(above) > 1)
        except BadArchive as error:
            self._refuse(above, str(error), minor=len(above) > 1)

    def _nested(self, member: packed.Member, parts: Parts, depth: int) -> None:
        above = self._stands_for(parts)
        problem = member.problem
        if not problem and depth > 1:
            problem = "is an archive in an archive in an archive: unpack it."
        if problem:
            self._refuse(above, problem, minor=len(above) > 1)
        else:
            self._archive(io.BytesIO(member.content), above, Budget(packed.NESTED), depth + 1)

    def _stands_for(self, parts: Parts) -> Parts:
        """The folder that an archive stands for: its name without the suffix."""
        if not parts:
            return ()
        above = (*parts[:-1], without_suffix(parts[-1]))
        self.source.archives[above] = parts[-1]
        return above

    def _most(self, parts: Parts) -> int:
        """The most bytes to read of a file: none of those that are no exercise's."""
        if any(map(passed_over, parts[:-1])) or parts[-1].startswith("."):
            return 0
        if is_archive(parts[-1]):
            return PACKED
        if not self._names.read(parts):
            return 0
        return SCRIPT if parts[-1].casefold().endswith(".py") else NOTEBOOK

    def _take(self, parts: Parts, content: bytes, when: float | None) -> None:
        try:
            content = trimmed(parts[-1], content)
        except Unusable as error:
            self._refuse(parts, str(error), when)
            return
        self._room[0] -= len(content)
        if self._room[0] < 0:
            raise GatherError(
                f"The submissions are more than {KEPT >> 20:,} MB together: grade them in parts."
            )
        self.source.handed.append(Handed(parts, content, when=when))

    def _refuse(self, parts: Parts, problem: str, when: float | None = None, minor=False) -> None:
        self.source.handed.append(Handed(parts, b"", problem, when, minor))
