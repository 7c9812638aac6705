"""`kata course` and `kata grades`: thin, as every command is."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

console = Console(highlight=False)


def course(
    folder: Annotated[Path, typer.Argument(help="where the class lives")],
    only: Annotated[str, typer.Option(metavar="03,05", help="these exercises; all else")] = "",
    points: Annotated[
        Path | None, typer.Option(metavar="FILE", help="TOML: \\[ex03], then slope = 5")
    ] = None,
    due: Annotated[str | None, typer.Option(metavar="DATE", help="2026-12-01T18:00+01:00")] = None,
    tests: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="own test_ex….py, for grading only")
    ] = None,
    own_words: Annotated[
        float | None, typer.Option(metavar="POINTS", help="for the answer in words; 0: none")
    ] = None,
    install: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="what pip is asked for where the course is missing"),
    ] = None,
) -> None:
    """Write an nbgrader course, or update its sources; submissions and grades stay as they are."""
    from grader import course as courses
    from grader.classroom.course import write
    from grader.course import shown

    chosen = only.split(",")
    changed = write(
        courses.load(courses.nearest()), folder, chosen, points, due, tests, own_words, install
    )
    for path in changed:
        console.print(f"wrote {shown(path)}")
    console.print(f"{len(changed)} files written; {shown(folder / 'README.md')} says how to go on")


def grades(
    folder: Annotated[Path, typer.Argument(help="the class, as `kata course` wrote it")],
    to: Annotated[str, typer.Option(help="canvas or moodle")],
    out: Annotated[Path, typer.Option(metavar="FILE", help="the CSV file to import there")],
    roster: Annotated[
        Path | None, typer.Option(metavar="FILE", help="the grades that Canvas or Moodle exports")
    ] = None,
) -> None:
    """Write the gradebook's scores as a file that Canvas or Moodle imports."""
    from grader.classroom.lms import export
    from grader.course import shown

    sheet = export(folder, to, out, roster)
    console.print(f"wrote {shown(out)}, {sheet.students} students", markup=False, soft_wrap=True)
    if sheet.ungraded:
        console.print(f"left empty, not graded yet: {', '.join(sheet.ungraded)}", markup=False)
    if sheet.strangers:
        found = ", ".join(sheet.strangers)
        console.print(f"left out, not told apart by the roster: {found}", markup=False)
    raise typer.Exit(1 if sheet.strangers or sheet.ungraded else 0)
