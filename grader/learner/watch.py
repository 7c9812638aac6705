"""`kata watch`: one loop over what happens, fed by threads that wait for files, keys and runs.

Everything is decided and printed here, in one thread. A save while a run is under way cancels the
run; what was saved last is judged first, once it holds still, and only as it is then.
"""

from __future__ import annotations

import contextlib
import queue
from collections.abc import Iterable
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from grader import course as courses
from grader import show
from grader.course import Course, CourseError, Exercise, shown
from grader.learner import keys
from grader.learner.coach import Coach, where
from grader.learner.events import Finished, Key, NoMoreKeys, Quit, Saved, Trained, Trouble
from grader.learner.progress import Progress
from grader.learner.reset import reset
from grader.learner.runner import Runner
from grader.learner.saves import Settling, Watcher, state_of
from grader.learner.trainer import Trainer
from grader.target import Target

_GIVE_UP = 3  # warm parents that die in one exercise
_COURSE_CALM = 0.1  # seconds from a change of the course to the run
_LOOK = 1.0  # seconds between two looks at what nobody tells of, while nothing happens


class Watch:
    """The state of one watch."""

    def __init__(self, console: Console, course: Course, first: Exercise | None = None):
        self._console, self._course = console, course
        self._events: queue.SimpleQueue = queue.SimpleQueue()  # may be fed by a signal handler
        self._coach = Coach(console)
        self._current = first or self._coach.first(course)
        self._settling = Settling()
        self._running: Exercise | None = None
        self._cancelled = False
        self._announced: Exercise | None = None
        self._asking: Exercise | None = None  # whether to reset it
        self._trainer = Trainer(course.root, self._events.put)
        self._seen: dict[Path, str] = {}  # the course's own files, as they were
        self._grader_changed = False
        self._deaths = 0
        self._over = False

    def run(self, poll: bool = False, manual: bool = False) -> None:
        """Watch until q or Ctrl-C."""
        tell = self._events.put
        watcher = contextlib.nullcontext() if manual else Watcher(self._course.root, tell, poll)
        self._manual = manual
        with (
            keys.ending(tell),
            Runner(self._course, tell) as self._runner,
            watcher,
            keys.Keyboard(tell) as keyboard,
        ):
            self._greet(keyboard.single)
            self._check(self._current)
            while not self._over:
                try:
                    self._handle(self._next())
                    self._go_on()
                except (CourseError, SyntaxError, UnicodeError, FileNotFoundError) as error:
                    self._say(f"[yellow]The course can't be read:[/yellow] {escape(str(error))}")
            self._trainer.stop()
        self._say("Bye. `kata watch` goes on where you are.")

    def _next(self) -> object:
        if self._running or self._trainer.busy:
            return self._events.get()
        patience = self._settling.patience()
        with contextlib.suppress(queue.Empty):
            return self._events.get(timeout=_LOOK if patience is None else min(patience, _LOOK))
        if patience is not None or self._manual:
            return None
        # Polling tells times apart by the second, and some file systems tell of no save at all.
        return Saved(frozenset([_file(self._current)]))

    def _handle(self, event: object) -> None:
        match event:
            case Saved(paths):
                self._saved(paths)
            case Key(name):
                self._key(name)
            case Finished():
                self._finished(event)
            case Trained(status):
                self._trainer.ended()
                self._console.show_cursor()
                self._say(f"The training check has ended (exit status {status}).")
            case Trouble(sentence):
                self._say(f"[yellow]{sentence}[/yellow]")
            case NoMoreKeys():
                self._over = self._manual  # nothing could ever happen again
            case Quit():
                self._over = not self._trainer.stop()

    def _go_on(self) -> None:
        """Begin what is waiting, when nothing is under way."""
        if self._running or self._trainer.busy or self._over:
            return
        if self._grader_changed:
            self._grader_changed = False
            self._runner.restart(self._course)
        elif self._runner.died:
            self._say("[yellow]The warm process was ended from outside: started again.[/yellow]")
            self._runner.start()
        path = self._settling.take()
        if path is not None:
            exercise = self._course.find(path)
            self._announce(exercise)
            self._running, self._cancelled = exercise, False
            self._runner.begin(exercise)

    def _check(self, exercise: Exercise, calm: float = 0.0) -> None:
        """Judge an exercise next, whether its file has changed or not."""
        self._cancel(but=exercise)
        self._announce(exercise)
        self._settling.again(_file(exercise), calm)

    def _saved(self, paths: Iterable[Path]) -> None:
        root, mine, others = self._course.root, [], []
        stems = {exercise.stem: exercise for exercise in self._course.exercises}
        for path in sorted(paths):
            room = path.relative_to(root).parts
            if room[0] != "exercises":
                others.append(path)
            elif len(room) == 2 and path.stem in stems:
                mine.append(path)
        self._course_saved(others)
        hurried = self._running is not None
        changed = [path for path in mine if self._settling.add(path, hurried)]
        if changed:
            self._current = stems[changed[-1].stem]
            self._cancel(but=self._current)
            self._announce(self._current)

    def _course_saved(self, paths: list[Path]) -> None:
        """Tests, mistakes, solutions or the grader itself have changed."""
        states = {path: state_of(path) for path in paths}
        changed = [path for path, state in states.items() if self._seen.get(path) != state]
        changed = [path for path in changed if "grader/tests" not in path.as_posix()]
        self._seen |= states
        if not changed:
            return
        more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
        self._say(f"{shown(changed[0])}{more} changed: the course is read again")
        self._grader_changed |= any((self._course.root / "grader") in p.parents for p in changed)
        courses.load.cache_clear()
        self._course = courses.load(self._course.root)
        stems = {exercise.stem: exercise for exercise in self._course.exercises}
        self._current = stems.get(self._current.stem, self._course.exercises[0])
        found = {stems.get(path.stem.removeprefix("test_")) for path in changed} - {None}
        self._check(found.pop() if len(found) == 1 else self._current, _COURSE_CALM)

    def _cancel(self, but: Exercise) -> None:
        """Stop the run under way; unless it is about to be repeated, it gets in line again."""
        if self._running and not self._cancelled:
            self._cancelled = True
            self._runner.cancel()
            if self._running.stem != but.stem:
                self._settling.again(_file(self._running), last=True)

    def _finished(self, event: Finished) -> None:
        self._running = None
        if self._cancelled:
            return
        if event.died:
            self._deaths += 1
            if self._deaths < _GIVE_UP:
                self._say(
                    "[yellow]The warm process was ended from outside: started again, "
                    "and the run repeated.[/yellow]"
                )
                self._announced = None
                self._runner.start()
                self._settling.again(_file(event.exercise))
                return
        self._deaths = 0
        self._announced = None
        if event.report is None:
            reason = event.trouble or "it ended without a result"
            self._say(f"[red]{event.exercise.id} could not be run:[/red] {reason}. r tries again.")
            return
        current = self._settling.unchanged(_file(event.exercise))
        self._coach.verdict(self._course, event.exercise, event.report, current)

    def _key(self, key: str) -> None:
        if self._trainer.busy:
            if key in "qt":
                self._trainer.stop()
            return
        if self._asking:
            return self._answer(key)
        match key:
            case "r" | keys.ENTER:
                self._check(self._current)
            case "h":
                self._coach.hint(self._course, self._current)
            case "n":
                self._move_on()
            case "l":
                show.status(self._console, self._course, Progress(self._course))
            case "x":
                self._asking = self._current
                self._say(f"Put the fresh stub in the place of {shown(self._current.stub)}? y/n")
            case "s":
                self._coach.solution(self._course, self._current)
            case "t":
                self._train()
            case "q":
                self._over = True
            case "?":
                self._coach.keys()

    def _answer(self, key: str) -> None:
        exercise, self._asking = self._asking, None
        if key == "y":
            reset(self._console, exercise)
            self._check(exercise)
        else:
            self._say("Left as it is.")

    def _move_on(self) -> None:
        after = self._coach.following(self._course, self._current)
        if after is None:
            return self._say("No other exercise is open. t is the full training check.")
        self._current = after
        self._say(where(after))
        self._check(after)

    def _train(self) -> None:
        self._cancel(but=self._current)
        self._say("kata train: the full training check; q stops it")
        self._trainer.start()

    def _announce(self, exercise: Exercise) -> None:
        if self._announced is None or self._announced.stem != exercise.stem:
            self._announced = exercise
            self._say(f"checking {exercise.id}…")

    def _greet(self, single: bool) -> None:
        self._say(f"watching {shown(self._course.root / 'exercises')}: save a file, and it is run")
        if self._manual:
            self._say("Saves are not watched: r or Enter runs the exercise.")
        if not single:
            self._say("No terminal for keys here: send a letter and Enter, or end with Ctrl-C.")
        self._coach.keys()
        self._say(where(self._current))

    def _say(self, text: str) -> None:
        self._console.print(text, soft_wrap=True)


def _file(exercise: Exercise) -> Path:
    return Target(exercise.root / "exercises").file(exercise.stem)
