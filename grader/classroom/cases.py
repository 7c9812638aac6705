"""From submissions as bytes to the runs that they need, and from what the runs find to results."""

from __future__ import annotations

import shutil
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from grader.classroom import submission
from grader.classroom.mistakes import MistakeTable
from grader.classroom.released import released, without_iri_parser
from grader.classroom.submission import NotGraded
from grader.classroom.submitted import Submission
from grader.course import Course, Exercise, shown
from grader.decoding import Undecodable, decoded
from grader.engine import Job
from grader.report import ExerciseResult
from grader.target import Target

HOSTILE = (
    RecursionError,
    MemoryError,
    ValueError,
)  # code nested too deep, characters that are none


def unjudged(handed_in: Submission, problem: str) -> ExerciseResult:
    """The result of a submission that could not be graded: no task, and the sentence why."""
    return ExerciseResult(handed_in.exercise, handed_in.name, [], problem)


def mended(content: bytes, exercise: Exercise) -> list:
    """A submitted notebook's cells, put right; `NotGraded` when it is not this exercise's."""
    with without_iri_parser():
        from nbformat import from_dict

    book = from_dict(submission.read(content))
    tasks = [task.name for task in exercise.tasks]
    return submission.mend(book.cells, released(exercise), exercise.stem, tasks)


def is_notebook(handed_in: Submission) -> bool:
    """Is it a notebook, and no script?"""
    return handed_in.name.lower().endswith(".ipynb")


def code_of(handed_in: Submission, exercise: Exercise, guarded: bool = False) -> bytes:
    """The Python file that a submission amounts to; `NotGraded`, or one of `HOSTILE`.

    A script is that file as it is; it is decoded, and not parsed, where it is loaded.
    """
    if is_notebook(handed_in):
        cells = mended(handed_in.content, exercise)
        return submission.gather(cells, exercise, guarded).source.encode()
    try:
        decoded(handed_in.content)
    except Undecodable as error:
        raise NotGraded(f"the file {error}".rstrip(".")) from None
    return handed_in.content


@dataclass
class _Case:
    """A submission under way: the folder it lies in, and the runs that it still needs."""

    submission: Submission
    exercise: Exercise
    folder: Path
    guarded: bool = False  # a notebook's second run
    left: set[Job] = field(default_factory=set)
    results: dict[Path, ExerciseResult] = field(default_factory=dict)  # by the tests' folder


class Cases:
    """The jobs of many submissions, one after the other, and what became of them.

    Between them come the jobs that the table of mistakes has to have run before it can say of a
    submission what it looks like.

    An iterator of its own and no generator: a notebook that failed as a whole is run once more, and
    that job may come after the last submission was begun.
    """

    def __init__(
        self,
        submissions,
        course: Course,
        seed: int,
        own: Path | None,
        folder: Path,
        table: MistakeTable,
    ):
        self._waiting, self._course, self._seed = iter(submissions), course, seed
        self._table, self._undiagnosed = table, []
        self._own, self._folder, self._number = own, folder, 0
        self._jobs: deque[Job | tuple[Job, ...]] = deque()
        self._under_way: dict[Path, _Case] = {}
        self._ended: deque[tuple[Submission, ExerciseResult]] = deque()

    def __iter__(self) -> Cases:
        return self

    def __next__(self) -> Job | tuple[Job, ...]:
        while not self._jobs:
            self._begin(next(self._waiting))
        return self._jobs.popleft()

    def take(self, job: Job, result: ExerciseResult) -> None:
        """Hear what a job has found."""
        if self._table.take(job, result):
            if not self._table.runs(job.exercise):
                self._diagnose_waiting(job.exercise)
            return
        case = self._under_way[job.target.path]
        case.left.discard(job)
        case.results[job.exercise.root] = _without(result, case.folder)
        if case.left:
            return
        problem = any(one.problem for one in case.results.values())
        if problem and is_notebook(case.submission) and not case.guarded:
            case.guarded = True
            self._run(case)
            return
        self._diagnose(case)

    def _diagnose_waiting(self, exercise: Exercise) -> None:
        """Go on with what waited for runs of this exercise's mistakes: all of them have ended."""
        waiting, self._undiagnosed = self._undiagnosed, []
        for case in waiting:
            if case.exercise.stem == exercise.stem:
                self._diagnose(case)
            else:
                self._undiagnosed.append(case)

    def _diagnose(self, case: _Case) -> None:
        """Say what the failures look like; where runs of mistakes are missing, wait for them."""
        result = case.results[case.exercise.root]
        source = (case.folder / f"{case.exercise.stem}.py").read_text("utf-8", "replace")
        waits, batches = self._table.ask(case.exercise, result, source)
        self._jobs += batches
        if waits:
            self._undiagnosed.append(case)
            return
        found = merged([case.results[one.root] for one in parts(case.exercise, self._own)])
        found.file = case.submission.name
        self._end(case, found)

    def ended(self) -> Iterator[tuple[Submission, ExerciseResult]]:
        """The results that nobody has asked for yet."""
        while self._ended:
            yield self._ended.popleft()

    def interrupted(self) -> list[Submission]:
        """What was under way when the engine ended; from now on it is not."""
        found = [case.submission for case in self._under_way.values()]
        for case in self._under_way.values():
            shutil.rmtree(case.folder, ignore_errors=True)
        self._under_way.clear()
        self._undiagnosed.clear()
        self._jobs.clear()
        self._table.forget_under_way()
        return found

    @property
    def busy(self) -> bool:
        """Is anything under way?"""
        return bool(self._under_way)

    def _begin(self, handed_in: Submission) -> None:
        if handed_in.problem or not handed_in.exercise:
            problem = handed_in.problem or "It is not clear which exercise this is."
            self._ended.append((handed_in, unjudged(handed_in, problem)))
            return
        self._number += 1
        folder = self._folder / str(self._number)
        folder.mkdir()
        case = _Case(handed_in, self._course.find(handed_in.exercise), folder)
        self._run(case)

    def _run(self, case: _Case) -> None:
        file = case.folder / f"{case.exercise.stem}.py"
        try:
            file.write_bytes(code_of(case.submission, case.exercise, case.guarded))
        except NotGraded as error:
            said = str(error)
            self._end(case, unjudged(case.submission, f"{said[:1].upper()}{said[1:]}."))
            return
        except HOSTILE as error:
            sentence = f"The file cannot be read as code ({type(error).__name__})."
            self._end(case, unjudged(case.submission, sentence))
            return
        jobs = [job_for(file, one, self._seed) for one in parts(case.exercise, self._own)]
        self._under_way[file] = case
        case.left = set(jobs)
        self._jobs += jobs

    def _end(self, case: _Case, result: ExerciseResult) -> None:
        self._under_way.pop(case.folder / f"{case.exercise.stem}.py", None)
        shutil.rmtree(case.folder, ignore_errors=True)
        self._ended.append((case.submission, result))


def parts(exercise: Exercise, own: Path | None) -> list[Exercise]:
    """The exercise with the course's tests, and with the instructor's own where there are some."""
    if own and (own / "tests" / exercise.test_file.name).is_file():
        return [exercise, replace(exercise, root=own)]
    return [exercise]


def merged(results: list[ExerciseResult]) -> ExerciseResult:
    """One result: the tests of the first, and after them those of the others."""
    first, *more = results
    for extra in more:
        for row in extra.tasks:
            same = next((task for task in first.tasks if task.task == row.task), None)
            if same:
                same.tests += row.tests
        first.problem = first.problem or extra.problem
    return first


def _without(result: ExerciseResult, folder: Path) -> ExerciseResult:
    """A result that does not tell which temporary folder the code lay in: the same every time."""
    for text in {f"{folder}/", f"{shown(folder)}/"}:
        result.problem = result.problem.replace(text, "")
        for test in (test for task in result.tasks for test in task.tests):
            for name in ("note", "where", "printed", "returned"):
                setattr(test, name, getattr(test, name).replace(text, ""))
    return result


def job_for(
    file: Path, exercise: Exercise, seed: int, seconds_per_test: float | None = None
) -> Job:
    """A run of an answer; what its failures look like, the table of mistakes says."""
    return Job(Target(file), exercise, seed, diagnose=False, seconds_per_test=seconds_per_test)
