"""`kata`: every command is thin, and calls one room."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

app = typer.Typer(
    name="kata",
    help="gradkata: from a first tensor to a model that reads handwritten digits.",
    no_args_is_help=False,
    add_completion=False,
    pretty_exceptions_enable=False,
)
console = Console(highlight=False)
errors = Console(stderr=True, highlight=False)

Names = Annotated[list[str] | None, typer.Argument(help="ex03, 3 or backward; all when left out")]
JsonFile = Annotated[Path | None, typer.Option("--json", help="write everything found there")]


@app.callback(invoke_without_command=True)
def status(context: typer.Context) -> None:
    """Without a command: where am I? Every exercise, what passes, what is next."""
    if context.invoked_subcommand is None:
        raise NotImplementedError


@app.command()
def prove(
    names: Names = None,
    seeds: Annotated[int, typer.Option(help="how many seeds")] = 5,
    seed: Annotated[int | None, typer.Option(help="the first seed; drawn when left out")] = None,
    json_file: JsonFile = None,
) -> None:
    """Prove the tests: stubs, solutions, known mistakes and right variants, on several seeds."""
    from grader import course, engine, show
    from grader.prove import prove as run_proof

    loaded = course.load()
    first = engine.draw_seed() if seed is None else seed
    with show.progress(console, "proving") as tick:
        found = run_proof(loaded, loaded.select(names), list(range(first, first + seeds)), tick)
    _write_json(json_file, found.to_json())
    show.proof(console, found)
    raise typer.Exit(0 if found.holds else 1)


def _write_json(path: Path | None, data: dict) -> None:
    if path:
        path.write_text(json.dumps(data, indent=1) + "\n", "utf-8")


def main() -> None:
    """Run a command; what can't be done is said in a sentence, with exit status 2."""
    from grader.course import CourseError
    from grader.engine import EngineError

    try:
        app()
    except (CourseError, EngineError) as error:
        errors.print(f"[red]{error}[/red]")
        raise SystemExit(2) from None
