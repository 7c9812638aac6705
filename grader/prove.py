"""The proof that the tests are good ones: one function per promise that the course makes.

A stub is *not attempted*, a solution passes, every known mistake is caught by a test of its own
task and named by the diagnosis, every right variant is accepted; on several seeds.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field, replace

from grader import bank
from grader.bank import REFERENCE, Entry
from grader.course import Course, CourseError, Exercise, solutions
from grader.engine import Engine, Job
from grader.preload import preload_for
from grader.report import (
    ExerciseResult,
    TaskResult,
    TestResult,
    Verdict,
    failure_text,
    summary_line,
)
from grader.target import Target

_LINES, _WIDTH = 25, 160  # at most, in the text about one task
_OURS = ("Traceback", "site-packages", "_pytest", "pluggy", "grader/", REFERENCE)


@dataclass
class Row:
    """What was found for one exercise; a fault names what broke which promise."""

    exercise: str
    tests: int = 0
    mistakes: int = 0
    caught: int = 0
    named: int = 0
    variants: int = 0
    accepted: int = 0
    faults: list[str] = field(default_factory=list)
    unnamed: list[str] = field(default_factory=list)  # mistakes that the diagnosis did not name


@dataclass
class Proof:
    """The kill matrix and its faults."""

    seeds: list[int]
    rows: list[Row]

    @property
    def holds(self) -> bool:
        return bool(self.rows) and not any(row.faults for row in self.rows)

    def to_json(self) -> dict:
        return asdict(self) | {"holds": self.holds}


@dataclass
class Subject:
    """One piece of code that a promise is about, and what its runs have shown."""

    exercise: Exercise
    promise: Callable[[list[TestResult], Entry | None], str]
    entry: Entry | None = None
    faults: list[str] = field(default_factory=list)
    diagnosis: str = ""
    tests: int = 0

    @property
    def tests_asked(self) -> tuple[str, ...]:
        """A mistake meets its own task's tests; a right answer all, since others build on it."""
        if self.promise is mistake_is_caught:
            return (self.exercise.task(self.entry.task).test_class,)
        return ()

    @property
    def name(self) -> str:
        if self.entry:
            return f"{self.entry.kind} {self.entry.task}/{self.entry.name}"
        return "the stub" if self.promise is stub_is_not_attempted else "the solution"

    def take(self, result: ExerciseResult, seed: int) -> None:
        tests = _tests(result)
        self.tests = len(tests)
        fault = self.promise(tests, self.entry) if tests else f"ran no test: {result.problem}"
        if not fault and self.promise is mistake_is_caught:
            fault = "; ".join(fault for task in result.tasks for fault in unreadable(task))
        if fault:
            self.faults.append(f"{self.name}, seed {seed}: {fault}")
        for task in result.tasks:
            self.diagnosis = task.diagnosis.mistake if task.diagnosis else self.diagnosis


def stub_is_not_attempted(tests: list[TestResult], entry: Entry | None) -> str:
    """Nothing passes, and nothing crashes, before the learner has written a line."""
    return _first(tests, Verdict.NOT_ATTEMPTED)


def right_answer_passes(tests: list[TestResult], entry: Entry | None) -> str:
    """Solutions and variants pass every test of the exercise."""
    return _first(tests, Verdict.PASSED)


def mistake_is_caught(tests: list[TestResult], entry: Entry | None) -> str:
    """A test of the mistake's own task says *wrong*; a crash counts where it is the mistake."""
    verdicts = {test.verdict for test in tests}
    if verdicts == {Verdict.PASSED}:
        return f"survives all {len(tests)} tests of its task"
    if Verdict.WRONG in verdicts or (entry.crashes and Verdict.CRASHED in verdicts):
        return ""
    return "not caught as wrong: " + _first(tests, Verdict.PASSED)


def unreadable(task: TaskResult) -> list[str]:
    """What is not as promised in the text that a learner reads about a task that failed."""
    test = task.first_failure
    lines = [summary_line(task), *failure_text(task, lambda test: f"pytest {test.name}")]
    found = [f"its text has {len(lines)} lines"] if len(lines) > _LINES else []
    found += [f"a line of {len(line)} characters: {line}" for line in lines if len(line) > _WIDTH]
    found += [f"{ours} in its text" for ours in _OURS if ours in "\n".join(lines)]
    if not test.called:
        found.append(f"{test.name} does not say what was called")
    if test.verdict is Verdict.WRONG and not (test.returned and test.expected):
        found.append(f"{test.name} does not say what came back and what was expected")
    if not any(line.startswith("      replay ") for line in lines):
        found.append("it does not say how to replay it")
    return found


def gaps(exercise: Exercise) -> list[str]:
    """A proof over nothing proves nothing: every task needs a mistake, a variant and hints."""
    found = [] if exercise.tasks else [f"{exercise.test_file.name} has no tasks"]
    for task in exercise.tasks:
        if not bank.mistakes(exercise, task.name):
            found.append(f"no mistake of {task.name} is known: add one to {exercise.mistakes}")
        if not bank.variants(exercise, task.name):
            found.append(f"no variant of {task.name} is known: add one to {exercise.variants}")
        texts = Counter(entry.message for entry in bank.mistakes(exercise, task.name))
        found += [f"two mistakes of {task.name} say {text!r}" for text in texts if texts[text] > 1]
        try:
            exercise.hints(task.name)
        except CourseError as error:
            found.append(str(error))
    known = {task.name for task in exercise.tasks}
    for entry in bank.mistakes(exercise) + bank.variants(exercise):
        if entry.task not in known:
            found.append(f"{entry.kind} {entry.name} is of a task {entry.task!r} without tests")
    return found


def prove(
    course: Course,
    exercises: Iterable[Exercise],
    seeds: list[int],
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> Proof:
    """Run everything that is known about the exercises on every seed."""
    exercises = tuple(exercises)
    known = [subject for exercise in exercises for subject in subjects(exercise)]
    queue = _Queue(course, known, seeds)
    with Engine(course.root, preload_for(exercises)) as engine:
        for done, (job, result) in enumerate(engine.map(queue), 1):
            queue.take(job, result)
            progress(done, queue.total)
    return Proof(seeds, [_row(exercise, known) for exercise in exercises])


class _Queue:
    """The runs of a proof in their order; what one shows decides how the next ones are asked.

    The first seed runs every test of a mistake's task, and all tests on a right answer. On each
    further seed the test that caught a mistake goes alone, and only where it lets the mistake pass
    do the others get their say; a right answer meets the tests of the tasks that it can reach.
    """

    def __init__(self, course: Course, subjects: list[Subject], seeds: list[int]):
        self._seeds = seeds
        self._subject: dict[int, Subject] = {}  # by the identity of the job
        self._batches: deque[tuple[Job, ...]] = deque()
        self.total = 0
        for subject in subjects:
            self._add(subject, [first_job(course, subject, seeds[0])])

    def __iter__(self) -> Iterator[tuple[Job, ...]]:
        return self

    def __next__(self) -> tuple[Job, ...]:
        if not self._batches:
            raise StopIteration
        return self._batches.popleft()

    def take(self, job: Job, result: ExerciseResult) -> None:
        """Judge a run, and ask for those that follow from it."""
        subject = self._subject.pop(id(job))
        alone = subject.promise is mistake_is_caught and job.tests != subject.tests_asked
        if alone and mistake_is_caught(_tests(result), subject.entry):
            return self._add(subject, [replace(job, tests=subject.tests_asked)])
        subject.take(result, job.seed)
        if job.seed == self._seeds[0] and subject.promise is not stub_is_not_attempted:
            by = _next_tests(_tests(result), subject)
            further = [
                replace(job, seed=seed, diagnose=False, tests=by) for seed in self._seeds[1:]
            ]
            if further:
                self._add(subject, further)
        return None

    def _add(self, subject: Subject, jobs: list[Job]) -> None:
        self._subject |= {id(job): subject for job in jobs}
        self._batches.append(tuple(jobs))
        self.total += len(jobs)


def _next_tests(tests: list[TestResult], subject: Subject) -> tuple[str, ...]:
    """What a further seed has to run: for a mistake the fastest test that catches it, or all that
    were asked where none does; for a variant the tests of every task that it can reach."""
    if subject.promise is not mistake_is_caught:
        tasks = subject.exercise.building_on(subject.entry.task) if subject.entry else ()
        return tuple(task.test_class for task in tasks)
    catching = [test for test in tests if not mistake_is_caught([test], subject.entry)]
    catching.sort(key=lambda test: test.seconds)
    return (catching[0].name,) if catching else subject.tests_asked


def _tests(result: ExerciseResult) -> list[TestResult]:
    return [test for task in result.tasks for test in task.tests]


def subjects(exercise: Exercise) -> list[Subject]:
    """Everything that is known of an exercise."""
    tasks = {task.name for task in exercise.tasks}
    found = [
        Subject(exercise, stub_is_not_attempted),
        Subject(exercise, right_answer_passes),
    ]
    for entry in bank.mistakes(exercise) + bank.variants(exercise):
        promise = mistake_is_caught if entry.kind == "mistake" else right_answer_passes
        if entry.task in tasks:
            found.append(Subject(exercise, promise, entry))
    return found


def first_job(course: Course, subject: Subject, seed: int, diagnose: bool = True) -> Job:
    """The run that shows what a promise says, diagnosed where it is about a mistake."""
    stubs = subject.promise is stub_is_not_attempted
    target = Target(course.root / "exercises" if stubs else solutions(course.root), subject.entry)
    named = diagnose and subject.promise is mistake_is_caught
    return Job(target, subject.exercise, seed, diagnose=named, tests=subject.tests_asked)


def _row(exercise: Exercise, subjects: list[Subject]) -> Row:
    row = Row(exercise.stem, faults=gaps(exercise))
    for subject in (subject for subject in subjects if subject.exercise is exercise):
        row.faults += subject.faults
        kind = subject.entry.kind if subject.entry else ""
        if kind == "mistake":
            row.mistakes += 1
            row.caught += not subject.faults
            row.named += subject.diagnosis == subject.entry.name
            if subject.diagnosis != subject.entry.name:
                named = f"named as {subject.diagnosis}" if subject.diagnosis else "not named"
                row.unnamed.append(f"{subject.name} is {named}")
        elif kind == "variant":
            row.variants += 1
            row.accepted += not subject.faults
        else:
            row.tests = subject.tests or row.tests
    return row


def _first(tests: list[TestResult], wanted: Verdict) -> str:
    """What is said of the first test whose verdict is not the wanted one."""
    for test in tests:
        if test.verdict is not wanted:
            seen = f" {test.what or 'returned'} {test.returned}, expected {test.expected}."
            why = (seen if test.expected else "") + (f" {test.note}" if test.note else "")
            return f"{test.name} is {test.verdict}: {test.called}{why}"
    return ""
