"""What commands print, drawn from plain results."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from grader.prove import Proof


@contextmanager
def progress(console: Console, what: str) -> Iterator[Callable[[int, int], None]]:
    """A bar that disappears when the work is done; nothing where there is no terminal."""
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bars:
        bar = bars.add_task(what, total=None)
        yield lambda done, of: bars.update(bar, completed=done, total=of)


def proof(console: Console, found: Proof) -> None:
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
        for line in row.unnamed:
            console.print(f"[yellow]diagnosis[/yellow] {row.exercise}: {escape(line)}")
        for line in row.faults:
            console.print(f"[red]fault[/red] {row.exercise}: {escape(line)}")
    mistakes = sum(row.mistakes for row in found.rows)
    caught = sum(row.caught for row in found.rows)
    accepted = sum(row.accepted for row in found.rows)
    variants = sum(row.variants for row in found.rows)
    console.print(
        f"{caught} of {mistakes} mistakes caught, {accepted} of {variants} variants accepted, "
        f"{sum(row.named for row in found.rows)} mistakes named: "
        + ("[green]the proof holds[/green]" if found.holds else "[red]the proof fails[/red]")
    )
