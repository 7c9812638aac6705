"""What `kata train` prints."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from grader.training.record import TrainingRecord, confusion

_PRINTED_LINES = 8


@contextmanager
def progress(console: Console) -> Iterator:
    """A bar over all batches; gives a function that takes the child's events."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[note]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bars:
        bar = bars.add_task("starting", total=None, note="")

        def hear(event: dict) -> None:
            kind = event["event"]
            if kind == "phase":
                bars.update(bar, description=escape(event["what"]), note="")
            elif kind == "batches":
                bars.update(bar, total=event["of"])
            elif kind == "batch":
                loss = "" if event["loss"] is None else f", loss {event['loss']:.3f}"
                note = f"epoch {event['epoch']}, batch {event['done']}{loss}"
                bars.update(bar, completed=event["done"], note=note)

        yield hear


def result(console: Console, records: list[TrainingRecord], target: str) -> None:
    """Everything about one seed, or a line for each of several; the verdict comes last."""
    worst = lowest(records)
    what = f"{worst.epochs} epochs of {worst.train_images:,} images" if worst.batches else ""
    parts = [target, f"{worst.data} set", what, worst.device]
    parts += ["loaders of exercise 13"] if worst.loaders == "ex13_fast_loader" else []
    console.print("[bold]Training check[/bold] · " + escape(" · ".join(filter(None, parts))))
    several(console, records) if len(records) > 1 else one(console, worst)
    printed(console, worst)
    said(console, worst)


def one(console: Console, record: TrainingRecord) -> None:
    """A training in full."""
    table = Table(box=None, padding=(0, 2), show_edge=False)
    for name in ("epoch", "loss", "accuracy on held-out images"):
        table.add_column(name, justify="right")
    for epoch, row in enumerate(record.history, 1):
        loss, share = row.get("loss"), row.get("accuracy")
        table.add_row(str(epoch), _number(loss, ".4f"), _number(share, ".2%"))
    if record.history:
        console.print(table)
    if record.accuracy_before is not None:
        console.print(f"  before training   {record.accuracy_before:8.2%}")
    if record.accuracy is not None:
        console.print(f"  test digits       {record.accuracy:8.2%}  of {record.test_images:,}")
        console.print(f"  moved by a pixel  {record.accuracy_shifted:8.2%}")
        console.print(
            f"  time              {record.train_seconds:7.1f}s  "
            f"({record.images_per_second:,.0f} images a second), {record.seconds:.1f}s in all"
        )
    if record.passed and confusion(record):
        console.print(f"  {confusion(record)}")


def several(console: Console, records: list[TrainingRecord]) -> None:
    """A line for each seed, and the lowest of them."""
    table = Table(box=None, padding=(0, 2), show_edge=False)
    for name in ("seed", "before", "test digits", "moved", "seconds", "verdict"):
        table.add_column(name, justify="left" if name == "verdict" else "right")
    for record in records:
        shares = (record.accuracy_before, record.accuracy, record.accuracy_shifted)
        table.add_row(
            str(record.seed),
            *(_number(share, ".2%") for share in shares),
            f"{record.seconds:.1f}",
            record.outcome,
            style=None if record.passed else "red",
        )
    console.print(table)
    worst = lowest(records)
    if worst.accuracy is not None:
        console.print(f"  lowest: {worst.accuracy:.2%} of {worst.test_images:,} test digits")


def lowest(records: list[TrainingRecord]) -> TrainingRecord:
    """The seed to look at: one that failed, and of those the least accurate."""
    return min(records, key=lambda one: (one.passed, one.accuracy or 0.0))


def printed(console: Console, record: TrainingRecord) -> None:
    """The end of what the learner's code printed."""
    lines = record.printed.strip().splitlines()[-_PRINTED_LINES:]
    if lines:
        console.print("  the code printed, at the end:", style="dim")
        for line in lines:
            console.print("    " + escape(line[:200]), style="dim")


def said(console: Console, record: TrainingRecord) -> None:
    """The verdict."""
    colour = "green" if record.passed else "red"
    if record.outcome == "not attempted":
        colour = "yellow"
    seed = f" (--seed {record.seed})" if record.accuracy is not None else ""
    console.print(f"[bold {colour}]{record.outcome}[/]: {escape(record.sentence)}{seed}")


def _number(value, form: str) -> str:
    return "" if value is None else format(value, form)
