"""Submissions per minute through `kata grade`, beside nbgrader's own autograding of the same."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from grader import bank, bench_nbgrader
from grader.classroom import course as classes
from grader.course import Course, CourseError, Exercise

HEADINGS = ["what", "submissions", "s", "s each", "a minute", "median GB", "peak GB"]
NOTES = [
    "Each row is one command from its start to its end. Memory: what all its processes hold "
    "together, shared pages counted once, looked at every few seconds; the peak may be where a "
    "look has met a submission that fills its own, up to the limit of a worker.",
    "The class: solutions and variants, known mistakes, two in one file, stubs, and in every tenth "
    "submission code that exits, raises at import, fills its memory or kills; one in some hundreds "
    "never ends.",
    "nbgrader: one `nbgrader autograde` an exercise, a process each, of the same notebooks.",
]
_STUDENTS = 16  # at most, whose notebooks nbgrader grades too: it takes seconds for each
_SPARE = 40  # seconds between looks at the memory for each that a look takes
_HOSTILE = (
    "import os\nos._exit(0)\n",
    "raise SystemExit\n",
    "kept = [b'x' * 10_000_000 for _ in range(1000)]\n",
    "import sys\nsys.modules['torch'] = None\n",
    "import signal, os\nos.kill(os.getppid(), signal.SIGKILL)\n",
)
_LOOP = "\n\ndef {task}(*args, **kwargs):\n    while True:\n        pass\n"


def measure(
    course: Course, exercises: tuple[Exercise, ...], runs: int, tick: Callable[[int, int], None]
) -> list[list[str | float]]:
    """Rows for a tenth of `runs` submissions, for all of them, and for notebooks both ways."""
    rows: list[list[str | float]] = []
    with tempfile.TemporaryDirectory(prefix="kata-") as name:
        folder = Path(name).resolve()
        for done, number in enumerate((max(len(exercises), runs // 10), runs)):
            tick(done, 3)
            handed_in = folder / f"class{number}"
            hand_in(exercises, number, handed_in)
            rows.append(["kata grade", number, *_grade(folder, handed_in, number)])
        tick(2, 3)
        rows += _notebooks(course, exercises, folder, min(_STUDENTS, max(2, runs // 12)))
    return rows


def hand_in(exercises: tuple[Exercise, ...], number: int, folder: Path) -> None:
    """`number` files of a class made from the bank: right, wrong, mixed, unfinished, hostile."""
    for place in range(number):
        exercise = exercises[place % len(exercises)]
        student = folder / f"student{place // len(exercises):04}"
        student.mkdir(parents=True, exist_ok=True)
        text = _answer(exercise, place // len(exercises), place)
        (student / f"{exercise.stem}.py").write_text(text, "utf-8")


def _answer(exercise: Exercise, student: int, place: int) -> str:
    solved = exercise.solution.read_text("utf-8")
    mistakes, variants = bank.mistakes(exercise), bank.variants(exercise)
    one, other = (mistakes[(student * step) % len(mistakes)] for step in (1, 7))
    match place % 10:  # of every exercise all kinds, in a small class as in a large one
        case 0 | 1 | 2:
            return solved
        case 3:
            return f"{solved}\n\n{variants[student % len(variants)].text}"
        case 4 | 5 | 6:
            return f"{solved}\n\n{one.text}"
        case 7:
            return f"{solved}\n\n{one.text}\n\n{other.text}"
        case 8:
            return exercise.stub.read_text("utf-8")
    if place % 500 == 499:  # it takes a test's whole time, so not too many of them
        return solved + _LOOP.format(task=exercise.tasks[-1].name)
    return solved + "\n" + _HOSTILE[place // 10 % len(_HOSTILE)]


def _grade(folder: Path, handed_in: Path, number: int) -> list[float]:
    words = ["grade", str(handed_in), "--out", str(folder / f"out-{handed_in.name}"), "--seed", "1"]
    words += ["--isolation", "open"]  # it is measured on any machine
    started = time.perf_counter()
    command = subprocess.Popen(
        [sys.executable, "-m", "grader", *words],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    with _Memory(command.pid) as memory:
        said = command.communicate()[0]
    seconds = time.perf_counter() - started
    if f"{number} graded" not in said:
        raise CourseError(f"kata grade did not grade all {number}:\n{said[-2000:]}")
    return [seconds, seconds / number, 60 * number / seconds, *memory.gigabytes()]


def _notebooks(
    course: Course, exercises: tuple[Exercise, ...], folder: Path, students: int
) -> list[list]:
    place, number = folder / "course", students * len(exercises)
    classes.write(course, place)
    for exercise in exercises:
        bench_nbgrader.nbgrader(place, "generate_assignment", exercise.stem)
        bench_nbgrader.hand_in(place, exercise, students)
    ours = _grade(folder, place / "submitted", number)
    (place / "nbgrader_config.py").write_text(bench_nbgrader.PLAIN, "utf-8")
    started = time.perf_counter()
    for exercise in exercises:
        bench_nbgrader.nbgrader(place, "autograde", exercise.stem)
    seconds = time.perf_counter() - started
    theirs = [seconds, seconds / number, 60 * number / seconds]
    ratio = [theirs[0] / ours[0], theirs[1] / ours[1], ours[2] / theirs[2]]
    return [
        ["kata grade, notebooks", number, *ours],
        ["nbgrader autograde, the same", number, *theirs, "", ""],
        ["times as many", "", *ratio, "", ""],
    ]


class _Memory:
    """Looks at what a process and all that it has started hold, again and again."""

    def __init__(self, pid: int):
        self._pid = pid
        self._looks: list[int] = []
        self._ended = threading.Event()
        self._looking = threading.Thread(target=self._look)

    def __enter__(self) -> _Memory:
        self._looking.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        self._looking.join()

    def gigabytes(self) -> tuple[float, float]:
        """The median of what was seen, and the most."""
        looks = self._looks or [0]
        return statistics.median(looks) / 1e9, max(looks) / 1e9

    def _look(self) -> None:
        patience = 1.0
        while not self._ended.wait(patience):
            started = time.thread_time()
            self._looks.append(sum(_held(pid) for pid in _family(self._pid)))
            patience = max(1.0, _SPARE * (time.thread_time() - started))


def _family(pid: int) -> list[int]:
    found = [pid]
    for one in found:
        try:
            for thread in os.listdir(f"/proc/{one}/task"):
                children = Path(f"/proc/{one}/task/{thread}/children").read_text()
                found += map(int, children.split())
        except OSError:  # it has just ended, or this is no Linux
            continue
    return found


def _held(pid: int) -> int:
    """Bytes that a process holds, its share of what several hold."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in text.splitlines() if line.startswith("Pss:"))
