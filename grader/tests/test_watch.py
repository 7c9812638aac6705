"""`kata watch` in a real terminal: a learner's way through, and everything it has to survive."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from grader import bank, course
from grader.engine import CAN_FORK
from grader.tests import forked
from grader.tests.conftest import ROOT

pexpect = pytest.importorskip("pexpect")
pytestmark = pytest.mark.skipif(not CAN_FORK, reason="needs a terminal and fork")

COMMAND = [sys.executable, "-m", "grader", "watch"]
ENVIRONMENT = os.environ | {"TERM": "dumb", "COLUMNS": "200"}
PATIENCE = 60  # seconds; a busy machine may take long, a right answer ends the wait


class Session:
    """A watch in a terminal of its own, on a copy of the course."""

    def __init__(self, folder: Path, *words: str):
        self.folder = folder
        self.course = course.load(folder)
        self.process = pexpect.spawn(
            COMMAND[0],
            [*COMMAND[1:], *words],
            cwd=str(folder),
            env=ENVIRONMENT,
            encoding="utf-8",
            codec_errors="replace",
            timeout=PATIENCE,
            echo=False,
        )

    def sees(self, *texts: str) -> str:
        """Wait for texts, in order; everything printed up to the last of them."""
        seen = ""
        for text in texts:
            try:
                self.process.expect_exact(text)
            except (pexpect.TIMEOUT, pexpect.EOF):
                end = (seen + (self.process.before or ""))[-3000:]
                raise AssertionError(f"no {text!r} in what it printed:\n{end}") from None
            seen += self.process.before + self.process.after
        return seen

    def press(self, key: str) -> None:
        self.process.send(key)

    def save(self, name: str, text: str) -> Path:
        path = self.course.find(name).stub
        path.write_text(text, "utf-8")
        return path

    def solution(self, name: str) -> str:
        return self.course.find(name).solution.read_text("utf-8")

    def passes(self, name: str) -> None:
        """Save the solution, as a save that nobody has seen before, and see it pass."""
        self.save(name, self.solution(name) + f"# {time.time_ns()}\n")
        self.sees(f"checking {name}", f"{name} passes.")

    def warm_parent(self) -> int:
        [pid] = _children(self.process.pid)
        return pid

    def ends(self) -> None:
        """The watch ends by itself, in order, and leaves no process behind."""
        below = _below(self.process.pid)
        self.process.expect(pexpect.EOF)
        self.process.close()
        assert self.process.exitstatus == 0, self.process.before
        assert "Traceback" not in self.process.before
        _gone(below)


@pytest.fixture(scope="module")
def copied(tmp_path_factory):
    """A copy of the whole course, with the grader in it, as a learner has cloned it."""
    folder = tmp_path_factory.mktemp("watch").resolve()
    unwanted = shutil.ignore_patterns("__pycache__", "grader/tests", "spellings", "golden")
    for name in ("exercises", "solutions", "tests", "grader"):
        shutil.copytree(ROOT / name, folder / name, ignore=unwanted)
    for exercise in course.load(ROOT).exercises:
        shutil.copy(exercise.stub, folder / "exercises")
    for exercise in course.load(ROOT).exercises[7:]:  # what needs torchvision starts slower
        (folder / "tests" / exercise.test_file.name).unlink()
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


@pytest.fixture(scope="module")
def session(copied):
    """One watch for all tests below, started as a learner would."""
    started = Session(copied)
    started.sees("watching exercises", "q quit", "ex01 Tensors", "checking ex01…")
    started.sees("not attempted", "next   describe in", "h gives a hint")
    yield started
    started.process.close(force=True)


def test_a_learner_goes_through_three_exercises(session):
    for name, following in (("ex01", "ex02"), ("ex02", "ex03"), ("ex03", "ex04")):
        exercise = session.course.find(name)
        task = exercise.tasks[0].name
        mistake = bank.mistakes(exercise, task)[0]
        session.save(name, _with(exercise, mistake))
        session.sees(f"checking {name}…", "looks like", mistake.message[:40])
        session.sees(f"next   {task} in")
        for level, label in enumerate(course.LEVELS, 1):
            session.press("h")
            session.sees(f"{name} {task}  hint {level} of 3", f"{label}: ")
        session.save(name, session.solution(name))
        session.sees(f"checking {name}…", f"{name} passes.", f"n goes on to {following}")
        session.press("n")
        session.sees(f"checking {following}…", "not attempted", "next   ", "h gives a hint")


def test_the_other_keys(session):
    session.press("s")
    session.sees("ex04 does not pass yet")
    session.press("l")
    session.sees("✓", "✓", "✓", "▸", "ex04", "kata hint ex04")
    session.press("?")
    session.sees("h hint", "q quit")
    mine = session.course.find("ex04").stub
    session.passes("ex04")
    text = mine.read_text("utf-8")
    session.press("s")
    session.sees("def ")
    session.press("x")
    session.sees("y/n")
    session.press("n")
    session.sees("Left as it is.")
    assert mine.read_text("utf-8") == text
    session.press("x")
    session.sees("y/n")
    session.press("y")
    session.sees("Yours is kept", "checking ex04…", "not attempted", "h gives a hint")
    [kept] = (session.folder / ".kata" / "backup").glob("ex04*")
    assert kept.read_text("utf-8") == text
    session.press("t")
    session.sees("kata train")
    session.press("q")
    session.sees("The training check has ended")


def test_a_deleted_file_and_one_that_is_renamed_into_place(session):
    session.passes("ex05")
    path = session.course.find("ex05").stub
    path.unlink()
    session.sees("checking ex05…", "ex05_lr_step.py is not there", "kata reset ex05", "next ")
    other = path.with_name(path.name + "~")
    other.write_text(session.solution("ex05"), "utf-8")
    other.rename(path)
    session.sees("checking ex05…", "ex05 passes.")


def test_a_syntax_error_is_shown_with_its_line(session):
    session.save("ex05", "def step(params, lr):\n    return params +* lr\n")
    session.sees("checking ex05…", "SyntaxError in line 2", "return params +* lr", "next ")
    session.passes("ex05")


def test_a_save_ends_an_endless_loop(session):
    session.save("ex05", _spoiled(session, "while True: pass"))
    session.sees("checking ex05…")
    _wait_for(lambda: _children(session.warm_parent()))
    session.save("ex05", session.solution("ex05"))
    seen = session.sees("ex05 passes.")
    assert "timed out" not in seen


def test_another_exercise_goes_first_and_the_cancelled_one_is_not_lost(session):
    session.save("ex05", _spoiled(session, "import time; time.sleep(0.2)"))
    session.sees("checking ex05…")
    _wait_for(lambda: _children(session.warm_parent()))
    session.save("ex06", session.solution("ex06"))
    session.sees("checking ex06…", "ex06 passes.", "checking ex05…", "next   largest_stable_lr in")


def test_a_torrent_of_saves_is_judged_once_it_ends(session):
    text = session.solution("ex05")
    session.passes("ex05")
    for number in range(100):
        session.save("ex05", f"{_spoiled(session, f'return {number}')}\n")
        time.sleep(0.02)  # the torrent itself, not a wait
    session.save("ex05", text)
    seen = session.sees("ex05 passes.")
    assert seen.count("exercises pass, seed") <= 12, seen
    session.passes("ex05")


def test_a_file_that_is_half_written_is_not_judged(session):
    session.passes("ex05")
    path, text = session.course.find("ex05").stub, session.solution("ex05")
    with path.open("w", encoding="utf-8") as file:
        for start in range(0, len(text), 800):
            file.write(text[start : start + 800])
            file.flush()
            time.sleep(0.002)
    seen = session.sees("ex05 passes.")
    assert "Error" not in seen
    assert "empty" not in seen


def test_a_print_of_50_megabytes(session):
    session.save(
        "ex05", _spoiled(session, "print('x' * 99 + chr(10), end='') or print('y' * 50_000_000)")
    )
    seen = session.sees("checking ex05…", "printed", "next   largest_stable_lr in")
    assert len(seen) < 20_000
    session.passes("ex05")


def test_a_killed_warm_parent_is_started_again(session):
    session.save("ex05", _spoiled(session, "import time; time.sleep(3)"))
    session.sees("checking ex05…")
    _wait_for(lambda: _children(session.warm_parent()))
    children = _children(session.warm_parent())
    os.kill(session.warm_parent(), signal.SIGKILL)
    session.sees("started again, and the run repeated")
    session.passes("ex05")
    _gone(children)


@pytest.mark.whole
def test_a_warm_parent_killed_between_two_runs_is_started_again(session):
    os.kill(session.warm_parent(), signal.SIGKILL)
    session.sees("started again.")
    session.passes("ex05")


@pytest.mark.whole
def test_a_change_of_the_course_runs_again(session):
    tests = session.course.find("ex05").test_file
    text = tests.read_text("utf-8")
    extra = "\n    def test_more(self, ex):\n        assert False, 'a new test'\n"
    head, mark, rest = text.partition('"""\n\n    def test_example')
    tests.write_text(head + '"""\n' + extra + "\n    def test_example" + rest, "utf-8")
    assert mark
    session.sees("test_ex05_lr_step.py changed", "checking ex05…", "test_more", "next ")
    tests.write_text("def broken(:\n", "utf-8")
    session.sees("could not be collected", "next ")
    tests.write_text(text, "utf-8")
    session.sees("changed", "checking ex05…", "ex05 passes.")
    parent = session.warm_parent()
    (session.folder / "grader" / "new.py").write_text("")
    session.sees("new.py changed", "checking ex05…", "ex05 passes.")
    assert session.warm_parent() != parent


def test_q_ends_it_and_the_terminal_is_as_it_was(session):
    session.press("q")
    session.ends()


def test_ctrl_c_ends_a_run_under_way_without_orphans(copied):
    session = Session(copied, "ex05")
    session.save("ex05", _spoiled(session, "while True: pass"))
    session.sees("checking ex05…")
    _wait_for(lambda: _children(session.warm_parent()))
    session.process.sendintr()
    session.ends()


def test_polling_without_a_terminal(copied):
    exercise = course.load(copied).find("ex05")
    stub, saved = exercise.stub, copied / "saved"
    stub.write_text("")
    saved.write_text(exercise.solution.read_text("utf-8"), "utf-8")
    for path in (stub, saved):  # polling tells times apart by the second: it misses this save
        os.utime(path, (1e9, 1e9))
    with (
        open(os.devnull) as nothing,
        _piped(copied, "ex05", "--poll", stdin=nothing.fileno()) as watch,
    ):
        seen = _read_until(watch, "exercises pass, seed")
        assert seen.count("No terminal for keys here") == 1
        saved.replace(stub)
        assert "checking ex05…" in _read_until(watch, "ex05 passes.")
        watch.send_signal(signal.SIGTERM)
        assert watch.wait(PATIENCE) == 0


def test_by_hand_from_a_pipe(copied):
    with _piped(copied, "ex05", "--manual") as watch:
        _read_until(watch, "exercises pass, seed")
        for line in (b"\n", b"r\n"):
            watch.stdin.write(line)
            watch.stdin.flush()
            _read_until(watch, "exercises pass, seed")
        watch.stdin.close()  # no more lines: nothing could ever happen
        assert watch.wait(PATIENCE) == 0


class Impatience:
    """Ends a process that takes too long to say something."""

    def __init__(self, process: forked.Served):
        self._timer = threading.Timer(PATIENCE, process.kill)
        self._timer.start()

    def close(self) -> None:
        self._timer.cancel()


def _with(exercise: course.Exercise, entry: bank.Entry) -> str:
    """The solution with a mistake in a task's place."""
    return f"{exercise.solution.read_text('utf-8')}\n\n{entry.text}"


def _spoiled(session: Session, line: str) -> str:
    return session.solution("ex05") + f"\n\ndef largest_stable_lr(curvature):\n    {line}\n"


def _piped(folder: Path, *words: str, stdin=None) -> forked.Served:
    return forked.Served("kata", ["watch", *words], folder, ENVIRONMENT, stdin)


def _read_until(process: forked.Served, text: str) -> str:
    """What a process prints, up to the line with a text."""
    seen = ""
    with contextlib.closing(Impatience(process)):
        for line in map(bytes.decode, process.stdout):
            seen += line
            if text in line:
                return seen
    raise AssertionError(f"no {text!r} in {seen}")


def _processes() -> list[tuple[int, int]]:
    """Every living process and its parent."""
    if Path("/proc/self/stat").exists():  # `ps` takes longer than the wait between two looks
        return list(_in_proc())
    shown = subprocess.run(["ps", "-eo", "pid=,ppid=,stat=,comm="], capture_output=True, text=True)
    rows = [line.split() for line in shown.stdout.splitlines()]
    return [(int(row[0]), int(row[1])) for row in rows if row[2][0] != "Z"]


def _in_proc():
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):  # it has ended meanwhile
            state, parent, *_ = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            if state != "Z":
                yield int(pid), int(parent)


def _children(pid: int) -> list[int]:
    return [child for child, parent in _processes() if parent == pid]


def _below(pid: int) -> list[int]:
    """The processes that one has started, and theirs."""
    own = _children(pid)
    return own + [below for child in own for below in _below(child)]


def _gone(pids: list[int]) -> None:
    _wait_for(lambda: not {pid for pid, _ in _processes()} & set(pids))


def _wait_for(condition) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)
