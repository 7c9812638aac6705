"""`kata grade`: a class's submissions, graded; thin, as every command is."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from grader.bounds import MOST_SEED, MOST_WORKERS
from grader.isolation import Isolation

console = Console(highlight=False)


def grade(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(help="folders, files, notebooks, archives; DIR/submitted with --course"),
    ] = None,
    out: Annotated[Path, typer.Option(metavar="DIR", help="where results go")] = Path("grades"),
    workers: Annotated[
        int | None,
        typer.Option(
            min=1, max=MOST_WORKERS, help="at a time here; as many as cores when left out"
        ),
    ] = None,
    scheduler: Annotated[
        str, typer.Option(metavar="ADDRESS", help="of a Dask cluster; local starts one here")
    ] = "",
    course: Annotated[
        Path | None, typer.Option(metavar="DIR", help="scores into this nbgrader course too")
    ] = None,
    exercise: Annotated[list[str] | None, typer.Option(help="ex03; all else")] = None,
    seed: Annotated[
        int | None,
        typer.Option(
            min=0, max=MOST_SEED, help="the class's seed; drawn once and kept when left out"
        ),
    ] = None,
    isolation: Annotated[
        Isolation, typer.Option(help="open: grade even where code is not kept apart, and say so")
    ] = Isolation.CLOSED,
    train: Annotated[
        bool, typer.Option("--train", help="the training check of ex12 as well")
    ] = False,
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="write all results there")
    ] = None,
) -> None:
    """Grade a class; run again, it does only what is missing or has changed."""
    from grader import places, show
    from grader.classroom import grading
    from grader.course import CourseError
    from grader.learner import keep

    if not paths and not course:
        raise CourseError("Name what is to be graded: kata grade PATH, or --course DIR.")
    places.folder(out, "--out")
    places.report_file(json_file, "--json")
    order = grading.Order(
        paths or [course / "submitted"],
        out,
        workers,
        scheduler,
        course,
        exercise or (),
        seed,
        isolation,
        train,
    )
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ended in order: Slurm sends it
    try:
        with show.progress(console, "grading") as tick:
            found = grading.grade(order, tick, say)
    except KeyboardInterrupt:
        say(f"Interrupted. What was graded is in {out}; the same command goes on from there.")
        raise typer.Exit(2) from None
    except OSError as error:
        place = error.filename or out
        raise CourseError(
            f"{place}: {error.strerror or error}. What was graded is kept; the same command goes "
            "on from there."
        ) from None
    if json_file:
        keep.write(json_file, json.dumps(found.to_json(), indent=1) + "\n")
    _sum_up(found, out)
    raise typer.Exit(1 if found.ungraded else 0)


def say(sentence: str) -> None:
    """A sentence for the person at the terminal."""
    console.print(sentence, markup=False, soft_wrap=True)


def _sum_up(found, out: Path) -> None:
    for notice in found.notices if not found.ran else ():  # else it was said as the work began
        say(f"{notice}.")
    graded, ungraded = len(found.graded) - len(found.ungraded), found.ungraded
    without = f"{len(ungraded)} not graded, " if ungraded else ""
    say(
        f"{graded} graded, {without}{found.ran} of all run now, "
        f"seed {found.seed}: {out / 'class.html'}"
    )
    if found.others:
        say(found.others)
    trained = [one.training for one in found.graded if one.training]
    if trained:
        passed = sum(record["passed"] for record in trained)
        say(f"training: {passed} of {len(trained)} pass")
    for one in ungraded[:_SHOWN]:
        say(f"not graded: {_clean(one.submission.name)}: {_clean(one.result.problem)}")
    if len(ungraded) > _SHOWN:
        say(f"not graded: {len(ungraded) - _SHOWN} more, in {out / 'grades.csv'}")


_SHOWN = 10  # of those that were not graded


def _clean(text: str) -> str:
    from grader.classroom.names import clean

    return clean(text, 300)
