"""What commands print, drawn from plain results."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from grader import course
from grader.course import Course, Exercise, Task
from grader.report import Report, Verdict, exercise_lines, replay_of

_COLOURS = {"passed": "green", "not attempted": "yellow"}


@contextmanager
def progress(console: Console, what: str) -> Iterator[Callable[[int, int], None]]:
    """A bar that disappears when the work is done; nothing where there is no terminal."""
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bars:
        bar = bars.add_task(what, total=None)
        yield lambda done, of: bars.update(bar, completed=done, total=of)


def status(console: Console, loaded: Course, kept) -> None:
    """Every exercise with the tasks that pass, and the one that is next."""
    table = Table(box=None, padding=(0, 2), pad_edge=False)
    for heading in ("", "exercise", "tasks", "points"):
        table.add_column(heading, justify="right" if heading in ("tasks", "points") else "left")
    following = None
    for exercise in loaded.exercises:
        row = kept.of(exercise) or {"tasks": {}, "earned": 0.0}
        passed = sum(verdict == "passed" for verdict in row["tasks"].values())
        done = passed == len(exercise.tasks)
        following = following or (None if done else exercise)
        table.add_row(
            "[green]✓[/green]" if done else "[yellow]▸[/yellow]" if exercise is following else " ",
            f"{exercise.id} {exercise.title}",
            f"{passed}/{len(exercise.tasks)}",
            f"{row['earned']:g}/{exercise.points:g}",
        )
    console.print(table)
    if following is None:
        console.print("[green]All exercises pass.[/green] `kata train` is the full training check.")
        return
    console.print(
        f"\nnext   {course.shown(following.stub)}\n"
        f"check  pytest {course.shown(following.test_file)}\nhint   kata hint {following.id}"
    )


def report(console: Console, found: Report) -> None:
    """Every task's verdict, and below a task that failed what its author should read."""
    for exercise in found.exercises:
        points = f"{exercise.earned:.3g}/{exercise.points:g} points"
        console.print(f"[bold]{exercise.exercise}[/bold]  {points}  [dim]{exercise.file}[/dim]")
        for line in exercise_lines(exercise, replay_of(found)):
            verdict = next((v for v in Verdict if f" {v} " in line and line[:3] != "   "), None)
            style = _COLOURS.get(verdict, "red") if verdict else None
            console.print(line, style=style, markup=False, soft_wrap=True)
    cold = "" if found.warm else " (no fork on this system: a cold process for each exercise)"
    passed = sum(exercise.passed for exercise in found.exercises)
    console.print(
        f"{passed} of {len(found.exercises)} exercises pass, seed {found.seed}, "
        f"{found.seconds:.2f} s{cold}"
    )


def hints(console: Console, exercise: Exercise, tasks: Iterable[Task], level: int) -> None:
    """The hints up to a level, and how to see the next."""
    for task in tasks:
        console.print(f"[bold]{exercise.id} {task.name}[/bold]")
        for label, text in list(zip(course.LEVELS, exercise.hints(task.name), strict=True))[:level]:
            console.print(f"  [cyan]{label}[/cyan]: {escape(text)}")
    if level < len(course.LEVELS):
        only = f" {tasks[0].name}" if len(tasks) == 1 else ""
        console.print(f"[dim]more: kata hint {exercise.id}{only} --level {level + 1}[/dim]")


def solution(
    console: Console, exercise: Exercise, tasks: Iterable[Task], own: str | None = None
) -> None:
    """The reference code of some tasks; with the learner's own source, theirs beside it."""
    for task in tasks:
        reference = course.reference(exercise, task.name)
        theirs = course.definition_in(own, task.name) if own else None
        if theirs is None:
            console.print(_code(reference))
        else:
            _beside(console, {"yours": theirs, "the reference": reference})


def _beside(console: Console, codes: dict[str, str]) -> None:
    """Pieces of code side by side where they fit, else one below the other."""
    widths = [max(map(len, code.splitlines())) for code in codes.values()]
    if sum(widths) + 4 * len(codes) <= console.width:
        table = Table(box=None, padding=(0, 2), pad_edge=False)
        for heading in codes:
            table.add_column(heading)
        table.add_row(*map(_code, codes.values()))
        console.print(table)
        return
    for heading, code in codes.items():
        console.print(f"[bold]{heading}[/bold]")
        console.print(_code(code))


def _code(text: str):
    from rich.syntax import Syntax

    return Syntax(text, "python", background_color="default", word_wrap=True)


def proof(console: Console, found) -> None:
    """The kill matrix, then every fault in a line of its own."""
    table = Table(title=f"seeds {found.seeds[0]} to {found.seeds[-1]}", box=None, padding=(0, 2))
    for heading in ("exercise", "tests", "mistakes caught", "named", "variants accepted", "faults"):
        table.add_column(heading, justify="left" if heading == "exercise" else "right")
    for row in found.rows:
        table.add_row(
            row.exercise,
            str(row.tests),
            f"{row.caught}/{row.mistakes}",
            f"{row.named}/{row.mistakes}",
            f"{row.accepted}/{row.variants}",
            str(len(row.faults)),
            style="red" if row.faults else None,
        )
    console.print(table)
    for row in found.rows:
        for kind, colour, lines in (
            ("diagnosis", "yellow", row.unnamed),
            ("fault", "red", row.faults),
        ):
            for line in lines:
                text = f"[{colour}]{kind}[/{colour}] {row.exercise}: {escape(line)}"
                console.print(text, soft_wrap=True)
    caught, mistakes, named, accepted, variants = (
        sum(getattr(row, column) for row in found.rows)
        for column in ("caught", "mistakes", "named", "accepted", "variants")
    )
    console.print(
        f"{caught} of {mistakes} mistakes caught, {named} named; "
        f"{accepted} of {variants} variants accepted; {len(found.seeds)} seeds: "
        + ("[green]the proof holds[/green]" if found.holds else "[red]the proof fails[/red]"),
        soft_wrap=True,
    )


def comparison(console: Console, found) -> None:
    """Verdicts reached in one process and apart: every one that differs in a line of its own."""
    for line in found.differences:
        console.print(f"[red]differs[/red] {escape(line)}", soft_wrap=True)
    console.print(f"isolation: {escape(found.isolation)}", soft_wrap=True)
    console.print(
        f"{found.subjects} subjects, {len(found.seeds)} seeds, {found.verdicts} verdicts in one "
        f"process and apart: {len(found.differences)} differ",
        style="green" if found.holds else "red",
        soft_wrap=True,
    )


def scores(console: Console, found) -> None:
    """How the mutants fared, then every survivor and every fault in a line of its own."""
    table = Table(title=f"seeds {found.seeds[0]} to {found.seeds[-1]}", box=None, padding=(0, 2))
    for heading in ("exercise", "mutants", "killed", "equivalent", "survivors", "score"):
        table.add_column(heading, justify="left" if heading == "exercise" else "right")
    for row in found.rows:
        numbers = (row.mutants, row.killed, row.equivalent, len(row.survivors))
        style = None if row.holds else "red"
        table.add_row(row.exercise, *map(str, numbers), f"{row.score:.1%}", style=style)
    console.print(table)
    for row in found.rows:
        for kind, colour, lines in (
            ("survivor", "yellow", row.survivors),
            ("fault", "red", row.faults),
        ):
            for line in lines:
                text = f"[{colour}]{kind}[/{colour}] {row.exercise}: {escape(line)}"
                console.print(text, soft_wrap=True)
    killed, made, equivalent = (
        sum(getattr(row, column) for row in found.rows)
        for column in ("killed", "mutants", "equivalent")
    )
    console.print(
        f"{killed} of {made} mutants killed, {equivalent} equivalent; {len(found.seeds)} seeds: "
        + ("[green]the tests hold[/green]" if found.holds else "[red]the tests have gaps[/red]"),
        soft_wrap=True,
    )


def bench(console: Console, found) -> None:
    """A measured claim as a table."""
    table = Table(title=found.title, box=None, padding=(0, 2))
    for number, heading in enumerate(found.headings):
        table.add_column(heading, justify="right" if number else "left", no_wrap=not number)
    for row in found.rows:
        table.add_row(*map(_measured, row))
    console.print(table)
    for note in found.notes:
        console.print(f"  {note}", markup=False)


def _measured(value: str | float) -> str:
    """A cell of that table; a measurement has three digits, or all of those before its point."""
    if isinstance(value, str | int):
        return str(value)
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"
