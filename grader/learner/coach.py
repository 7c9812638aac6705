"""What a watching learner is told about an exercise: the next step, a hint, what comes after."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape

from grader import show
from grader.course import LEVELS, Course, CourseError, Exercise, shown
from grader.learner.progress import Progress
from grader.loading import CannotLoad
from grader.report import ExerciseResult, Report
from grader.target import Target, read_source

KEYS = (
    ("r", "run"),
    ("h", "hint"),
    ("n", "next"),
    ("l", "list"),
    ("x", "reset"),
    ("s", "solution"),
    ("t", "train"),
    ("q", "quit"),
    ("?", "keys"),
)


class Coach:
    """Knows what was found last, and how many hints were given."""

    def __init__(self, console: Console):
        self._console = console
        self._found: dict[str, dict[str, str]] = {}  # exercise: task: verdict
        self._level: dict[tuple[str, str], int] = {}

    def keys(self) -> None:
        """The keys in a line."""
        shown_keys = "  ".join(f"[bold]{key}[/bold] {what}" for key, what in KEYS)
        self._console.print(shown_keys, soft_wrap=True)

    def verdict(self, course: Course, exercise: Exercise, report: Report, current: bool) -> None:
        """Show a report, remember it while the file is what was judged, and say what is next."""
        [found] = report.exercises
        self._found[exercise.stem] = {task.task: str(task.verdict) for task in found.tasks}
        show.report(self._console, report)
        if current and found.tasks:
            Progress(course).take(exercise, found)
        self._next_step(course, exercise, found)

    def hint(self, course: Course, exercise: Exercise) -> None:
        """The next hint for the first task that does not pass."""
        task = self._open_task(course, exercise)
        if task is None:
            self._console.print(f"{exercise.id} passes: no hint is needed.")
            return
        level = min(self._level.get((exercise.stem, task), 0) + 1, len(LEVELS))
        text = exercise.hints(task)[level - 1]
        self._level[exercise.stem, task] = level
        self._console.print(
            f"[bold]{exercise.id} {task}[/bold]  hint {level} of {len(LEVELS)}\n"
            f"  [cyan]{LEVELS[level - 1]}[/cyan]: {escape(text)}"
        )
        if level == len(LEVELS):
            self._console.print("  [dim]This is the last hint for this task.[/dim]")

    def solution(self, course: Course, exercise: Exercise) -> None:
        """The reference code, once the exercise passes."""
        if self._verdicts(course, exercise) and self._open_task(course, exercise) is None:
            try:
                own = read_source(Target(exercise.root / "exercises").file(exercise.stem))
            except CannotLoad as error:  # it was taken away since it passed
                raise CourseError(str(error)) from None
            show.solution(self._console, exercise, exercise.tasks, own)
        else:
            self._console.print(f"{exercise.id} does not pass yet: h gives a hint.")

    def following(self, course: Course, exercise: Exercise) -> Exercise | None:
        """The next exercise that does not pass, after this one or else from the start."""
        place = course.exercises.index(exercise)
        ordered = course.exercises[place + 1 :] + course.exercises[:place]
        return next((one for one in ordered if self._open_task(course, one)), None)

    def first(self, course: Course) -> Exercise:
        """Where a learner goes on: the first exercise that does not pass."""
        open_ones = (one for one in course.exercises if self._open_task(course, one))
        return next(open_ones, course.exercises[0])

    def _next_step(self, course: Course, exercise: Exercise, found: ExerciseResult) -> None:
        if not found.passed:
            task = next((t.task for t in found.tasks if t.verdict != "passed"), "")
            what = f"[bold]{task}[/bold] in {found.file}" if task else found.file
            self._console.print(f"next   {what}, then save; h gives a hint", soft_wrap=True)
            return
        after = self.following(course, exercise)
        if after is None:
            text = "[green]All exercises pass.[/green] t is the full training check"
        else:
            text = f"[green]{exercise.id} passes.[/green] n goes on to {after.id} {after.title}"
        self._console.print(f"next   {text}; s shows our solution", soft_wrap=True)

    def _verdicts(self, course: Course, exercise: Exercise) -> dict[str, str]:
        row = Progress(course).of(exercise)
        return row["tasks"] if row else self._found.get(exercise.stem, {})

    def _open_task(self, course: Course, exercise: Exercise) -> str | None:
        """The first task that does not pass, as far as is known."""
        verdicts = self._verdicts(course, exercise)
        names = [task.name for task in exercise.tasks]
        return next((name for name in names if verdicts.get(name) != "passed"), None)


def where(exercise: Exercise) -> str:
    """`ex05 The step: … · exercises/ex05_lr_step.py`"""
    return f"[bold]{exercise.id} {exercise.title}[/bold]  [dim]{shown(exercise.stub)}[/dim]"
