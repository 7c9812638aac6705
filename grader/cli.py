"""`kata`: every command is thin, and calls one room.

Exit status: 0 all passed, 1 something did not, 2 the command could not do its work.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from grader.bounds import MOST_RUNS, MOST_SEED, MOST_SUBMISSIONS
from grader.classroom.command import grade
from grader.classroom.instructor import course as classroom
from grader.classroom.instructor import grades

app = typer.Typer(
    name="kata",
    help="gradkata: from a first tensor to a model that reads handwritten digits.",
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(grade)
console = Console(highlight=False)
errors = Console(stderr=True, highlight=False)

Names = Annotated[list[str] | None, typer.Argument(help="ex03, 3 or backward; all when left out")]
NamesOrFile = Annotated[
    list[str] | None, typer.Argument(help="ex03, 3 or backward; a file to run; all when left out")
]
Name = Annotated[str, typer.Argument(help="ex03, 3 or backward")]
TaskName = Annotated[str | None, typer.Argument(help="one task; all when left out")]
TargetText = Annotated[
    str, typer.Option(help="exercises, solutions, or any folder, file or notebook")
]
Seed = Annotated[
    int | None, typer.Option(min=0, max=MOST_SEED, help="replay a seed; drawn when left out")
]
JsonFile = Annotated[
    Path | None, typer.Option("--json", metavar="FILE", help="write the whole report there")
]


def _say_version(asked: bool) -> None:
    from importlib.metadata import version

    if asked:
        console.print(f"gradkata {version('gradkata')}")
        raise typer.Exit()


@app.callback(invoke_without_command=True)
def status(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_say_version, is_eager=True, help="say which")
    ] = False,
) -> None:
    """Without a command: where am I? Every exercise, what passes, what is next."""
    if context.invoked_subcommand is not None:
        return
    from grader import course, engine, show
    from grader.learner import given
    from grader.learner.progress import Progress
    from grader.target import Target

    loaded = course.load()
    progress = Progress(loaded)
    changed = [exercise for exercise in loaded.select(None) if progress.of(exercise) is None]
    if changed:
        target = Target.parse("exercises", loaded.root)
        with show.progress(console, "running what is new") as tick:
            for found in engine.each(loaded.root, target, changed, engine.draw_seed(), tick):
                progress.take(loaded.find(found.exercise), found)
    show.status(console, loaded, progress)
    if progress.trouble:
        errors.print(progress.trouble, style="yellow", markup=False, soft_wrap=True)
    if given.is_behind(loaded.root):
        console.print("\nThe installed course is another one: `kata upgrade` brings it here.")


@app.command()
def init(folder: Annotated[Path, typer.Argument(help="a new folder, or your workspace")]) -> None:
    """Make a folder to work in; an older one is brought up to date, with your work in it."""
    from grader.learner import workspace

    workspace.say(console, workspace.init(folder))


@app.command()
def upgrade() -> None:
    """Bring your workspace up to the installed course; your work is carried into the new stubs."""
    from grader import course
    from grader.learner import workspace

    workspace.say(console, workspace.upgrade(course.find_root()))


@app.command()
def test(
    names: NamesOrFile = None,
    target: TargetText = "exercises",
    seed: Seed = None,
    json_file: JsonFile = None,
) -> None:
    """Run the tests of one exercise, some, or all, and say what to look at."""
    from grader import course, engine, places, show
    from grader.learner.progress import Progress
    from grader.target import Target

    loaded = course.load()
    places.report_file(json_file, "--json")
    where, exercises = Target.named(names or [], target, loaded)
    chosen = engine.draw_seed() if seed is None else seed
    report = engine.run(where, exercises, chosen)
    progress = Progress(loaded)
    if where.path == loaded.root / "exercises":
        for found in report.exercises:
            progress.take(loaded.find(found.exercise), found)
    _write_json(json_file, report.to_json())
    show.report(console, report)
    if progress.trouble:
        errors.print(progress.trouble, style="yellow", markup=False, soft_wrap=True)
    raise typer.Exit(0 if report.passed else 1)


@app.command()
def watch(
    name: Annotated[str | None, typer.Argument(help="where to start; else what is next")] = None,
    poll: Annotated[bool, typer.Option("--poll", help="where file events do not arrive")] = False,
    manual: Annotated[
        bool, typer.Option("--manual", help="run on r or Enter, not on save")
    ] = False,
) -> None:
    """Rerun an exercise whenever you save it; keys for hints and more."""
    from grader import course
    from grader.learner.watch import Watch

    loaded = course.load()
    Watch(console, loaded, loaded.find(name) if name else None).run(poll, manual)


@app.command()
def hint(name: Name, task: TaskName = None, level: int = 1) -> None:
    """Show a hint for a task: --level 1 the idea, 2 the tool, 3 nearly there."""
    from grader import course, show

    if not 1 <= level <= len(course.LEVELS):
        raise course.CourseError(f"--level is 1 to {len(course.LEVELS)}, not {level}.")
    exercise = course.load().find(name)
    tasks = [exercise.task(task)] if task else exercise.tasks
    show.hints(console, exercise, tasks, level)


@app.command()
def reset(name: Name) -> None:
    """Put the fresh stub in the place of your file, which is kept as a backup."""
    from grader import course
    from grader.learner import reset as resetting

    resetting.reset(console, course.load().find(name))


@app.command()
def solution(
    name: Name,
    task: TaskName = None,
    anyway: Annotated[bool, typer.Option("--anyway", help="before it passes")] = False,
) -> None:
    """Show the reference code, beside yours once you pass; before that with --anyway."""
    from grader import course, show
    from grader.learner.progress import Progress
    from grader.target import Target, read_source

    loaded = course.load()
    exercise = loaded.find(name)
    row = Progress(loaded).of(exercise)
    passed = row is not None and set(row["tasks"].values()) == {"passed"}
    if not passed and not anyway:
        console.print(
            f"{exercise.id} does not pass yet. `kata hint {exercise.id}` helps; "
            f"`kata solution {exercise.id} --anyway` shows it now."
        )
        raise typer.Exit(1)
    tasks = [exercise.task(task)] if task else exercise.tasks
    own = read_source(Target(loaded.root / "exercises").file(exercise.stem)) if passed else None
    show.solution(console, exercise, tasks, own)


@app.command()
def show(
    name: Name,
    target: TargetText = "exercises",
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="write there (.png, .svg, .pdf)")
    ] = None,
) -> None:
    """Draw the picture of an exercise with your own code, and open it."""
    from grader.learner import showing

    showing.show(console, name, target, out)


@app.command()
def report(
    target: TargetText = "exercises",
    out: Annotated[Path, typer.Option(metavar="FILE", help="the page")] = Path("report.html"),
) -> None:
    """Write one HTML page with everything: verdicts, diagnoses, pictures, the training."""
    from grader import course
    from grader.learner import page
    from grader.target import Target

    loaded = course.load()
    where = Target.asked(target, loaded.root)
    found = page.write(loaded, where, out)
    passed = sum(exercise.passed for exercise in found.exercises)
    console.print(f"wrote {_short(out)}: {passed} of {len(found.exercises)} exercises pass")


@app.command()
def train(
    target: TargetText = "exercises",
    data: Annotated[str, typer.Option(help="sample, full, or a folder with the files")] = "full",
    device: Annotated[str | None, typer.Option(help="cpu, cuda, mps; found when left out")] = None,
    seeds: Annotated[
        int, typer.Option(min=1, max=MOST_RUNS, help="repeat with this many seeds")
    ] = 1,
    seed: Seed = None,
    fast: Annotated[bool, typer.Option("--fast", help="over the loader of ex13")] = False,
    epochs: Annotated[
        int | None, typer.Option(min=1, max=MOST_RUNS, help="3 on the full set when left out")
    ] = None,
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="folder for the pictures")] = None,
    json_file: JsonFile = None,
) -> None:
    """The full training check: your loaders, model and loop, judged on real digits."""
    from grader.training import train_command

    status = train_command(
        target, data, device, seeds, json_file, fast, epochs=epochs, out=out, seed=seed
    )
    raise typer.Exit(status)


@app.command()
def build(
    check: Annotated[bool, typer.Option("--check", help="only say what is out of date")] = False,
) -> None:
    """Write exercises/ from solutions/, or check that it is what would be written."""
    from grader import build as builder
    from grader import course

    loaded = course.load()
    if not check:
        for path, kept in builder.build(loaded):
            console.print(f"wrote {_short(path)}" + (f", yours: {_short(kept)}" if kept else ""))
        return
    stale = builder.check(loaded)
    for found in stale:
        console.print(f"[red]out of date[/red] {_short(found.path)}")
        console.print(found.difference, markup=False)
    if stale:
        console.print("`kata build` writes them anew.")
        raise typer.Exit(1)
    console.print(f"{len(loaded.exercises)} stubs are what solutions/ builds")


@app.command()
def prove(
    names: Names = None,
    seeds: Annotated[
        int | None,
        typer.Option(min=1, max=MOST_RUNS, help="how many seeds; 5, of mutants 2, when left out"),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(min=0, max=MOST_SEED, help="the first seed; drawn when left out"),
    ] = None,
    mutants: Annotated[
        bool, typer.Option("--mutants", help="spoil the solutions in every small way instead")
    ] = False,
    apart: Annotated[
        bool, typer.Option("--apart", help="compare with the same verdicts reached in a sandbox")
    ] = False,
    json_file: JsonFile = None,
) -> None:
    """Prove the tests: stubs, solutions, known mistakes and right variants, on several seeds."""
    from grader import course, engine, mutate, places, prove_apart, show
    from grader.prove import prove as run_proof

    loaded = course.load()
    places.report_file(json_file, "--json")
    first = engine.draw_seed() if seed is None else seed
    seeds = seeds or (2 if mutants else 5)
    if mutants:
        with show.progress(console, "mutating") as tick:
            chosen = loaded.select(names)
            scores = mutate.judge(loaded, chosen, list(range(first, first + seeds)), tick)
        _write_json(json_file, scores.to_json())
        show.scores(console, scores)
        raise typer.Exit(0 if scores.holds else 1)
    if apart:
        chosen = loaded.select(names)
        with show.progress(console, "comparing") as tick:
            compared = prove_apart.compare(
                loaded,
                chosen,
                list(range(first, first + seeds)),
                tick,
            )
        _write_json(json_file, compared.to_json())
        show.comparison(console, compared)
        raise typer.Exit(0 if compared.holds else 1)
    with show.progress(console, "proving") as tick:
        found = run_proof(loaded, loaded.select(names), list(range(first, first + seeds)), tick)
    _write_json(json_file, found.to_json())
    show.proof(console, found)
    raise typer.Exit(0 if found.holds else 1)


app.command(name="course")(classroom)
app.command()(grades)


@app.command()
def bench(
    name: Annotated[str, typer.Argument(help="which measured claim")] = "engine",
    names: Annotated[list[str] | None, typer.Option("--exercise", help="ex03; all else")] = None,
    runs: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=MOST_SUBMISSIONS,
            help="measurements of each, or submissions; 7, of nbgrader 20, else",
        ),
    ] = None,
    json_file: JsonFile = None,
) -> None:
    """Measure what the course claims about speed, side by side in one run."""
    from grader import bench as benches
    from grader import course, places, show

    loaded = course.load()
    places.report_file(json_file, "--json")
    with show.progress(console, "measuring") as tick:
        found = benches.run(name, loaded, loaded.select(names), runs, tick)
    _write_json(json_file, found.to_json())
    show.bench(console, found)


def _write_json(path: Path | None, data: dict) -> None:
    from grader.learner import keep

    if path:
        keep.write(path, json.dumps(data, indent=1) + "\n")


def _short(path: Path) -> str:
    from grader.course import shown

    return shown(path)


def main() -> None:
    """Run a command; what can't be done is said in a sentence, with exit status 2."""
    from grader import terminal
    from grader.course import CourseError
    from grader.engine import EngineError
    from grader.loading import CannotLoad

    terminal.take_any_character()
    try:
        with terminal.written_out():
            app()
    except (CourseError, EngineError, CannotLoad) as error:
        errors.print(str(error), style="red", markup=False, soft_wrap=True)
    except OSError as error:
        errors.print(terminal.sentence(error), style="red", markup=False, soft_wrap=True)
    else:
        return
    raise SystemExit(2)
