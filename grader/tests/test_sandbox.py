"""What a worker can't do, tried by workers: each runs the source it is sent, with every right that
the sandbox leaves it. The attacks name what they reached; the tests want nothing reached."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import pytest

from grader import bubblewrap, cgroups
from grader.isolation import KINDS
from grader.sandbox import LAYERS, Limits, Sandbox, SandboxError, fork_worker
from grader.view import view

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the layers are those of Linux")

ROOT = Path(__file__).resolve().parents[2]
SECRET = "KATA_TEST_SECRET"
LIMITS = Limits(
    memory=256 << 20, wall_seconds=20, processes=24, file_bytes=1 << 20, tmp_bytes=4 << 20
)
ENTRY = """
import json

def serve(sock):
    stream = sock.makefile("rw")
    for line in stream:
        names = {}
        try:
            exec(json.loads(line), names)
            answer = names.get("answer")
        except BaseException as error:
            answer = type(error).__name__
        stream.write(json.dumps(answer) + chr(10))
        stream.flush()
"""


@pytest.fixture(scope="session")
def entry(tmp_path_factory) -> Path:
    file = tmp_path_factory.mktemp("entry") / "obeys.py"
    file.write_text(ENTRY)
    return file


@pytest.fixture(scope="session")
def sandbox(entry):
    os.environ[SECRET] = "s3cret"
    try:
        with Sandbox("obeys", code=[entry], limits=LIMITS) as whole:
            yield whole
    finally:
        del os.environ[SECRET]


@pytest.fixture
def worker(sandbox):
    with fork_worker(sandbox.control) as one:
        yield one


@pytest.fixture
def needs(sandbox):
    """Skip without these layers."""

    def check(*layers: str) -> None:
        for layer in layers:
            if layer not in sandbox.present:
                pytest.skip(f"no {LAYERS[layer]}: {sandbox.absent.get(layer)}")

    return check


def tell(worker, source: str) -> None:
    worker.socket.sendall(json.dumps(source).encode() + b"\n")


def ask(worker, source: str, seconds: float = 15):
    """What `source` leaves in `answer`, or the name of what it raised; None if the worker dies."""
    worker.socket.settimeout(seconds)
    try:
        tell(worker, source)
        line = b""
        while not line.endswith(b"\n"):
            part = worker.socket.recv(65536)
            if not part:
                return None
            line += part
    except (BrokenPipeError, ConnectionResetError):
        return None
    return json.loads(line)


def until(condition, seconds: float = 5) -> bool:
    """Whether `condition` comes true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def processes_with(mark: str) -> list[int]:
    """The processes on this machine that show `mark` in their command line or name."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                text = (folder / "cmdline").read_bytes() + (folder / "comm").read_bytes()
            except OSError:
                continue
            if mark.encode() in text:
                found.append(int(folder.name))
    return found


def named(mark: str) -> str:
    """Source that gives its process a name (at most 15 letters) to be found by from outside."""
    return f"import ctypes; ctypes.CDLL(None).prctl(15, {mark!r}.encode(), 0, 0, 0)\n"


# It works


def test_a_worker_answers(worker):
    assert ask(worker, "answer = 6 * 7") == 42
    assert ask(worker, "import zipfile, sqlite3; answer = 1") == 1, "the library is readable"
    assert worker.ended is None
    worker.close()
    assert worker.ended == "closed"


def test_the_end_is_told(sandbox):
    for source, words in (
        ("import os; os._exit(3)", "exit status 3"),
        ("import ctypes; ctypes.string_at(0)", "killed by signal 11"),
    ):
        with fork_worker(sandbox.control) as worker:
            assert ask(worker, source) is None
            assert worker.wait(5) == words


def test_a_worker_starts_fast(sandbox):
    took = []
    for _ in range(5):
        start = time.perf_counter()
        with fork_worker(sandbox.control) as worker:
            assert ask(worker, "answer = 1") == 1
            took.append(time.perf_counter() - start)
    assert min(took) < 0.1, f"{1000 * min(took):.0f} ms"


# Files


def test_files_of_the_machine_are_out_of_reach(worker, needs, tmp_path):
    needs("landlock", "mount")
    mark = tmp_path / "mark"
    mark.write_text("x")
    mark.chmod(0o644)
    paths = [ROOT, ROOT / "solutions", ROOT / "tests", ROOT / "grader", Path.home() / ".bashrc"]
    paths += [Path("/home"), Path("/etc/passwd"), Path("/etc/hostname"), mark]
    source = f"""
import os
answer = []
for path in {[str(path) for path in paths]!r}:
    try:
        os.listdir(path) if os.path.isdir(path) else open(path).read()
        answer.append(path)
    except OSError:
        pass
"""
    assert ask(worker, source) == []


def test_the_course_cannot_be_imported(worker):
    source = """
import importlib
answer = []
for name in ("solutions", "tests", "grader._course", "grader.data", "grader.expect"):
    try:
        answer.append(str(importlib.import_module(name)))
    except ImportError:
        pass
"""
    assert ask(worker, source) == []


# The ways in which files are kept from a worker, the best one first.
WAYS = {
    "bubblewrap": (),
    "root": ("bubblewrap",),
    "mount": ("bubblewrap", "root"),
    "landlock": ("bubblewrap", "root", "mount", "other user"),
}
EVERY_WAY = pytest.mark.parametrize("way", WAYS)


@pytest.fixture
def home():
    """A folder that everybody may look into, as homes often are."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        os.chmod(folder, 0o755)
        yield Path(folder)


def boxed(way: str, entry: Path, **options) -> Sandbox:
    """A started sandbox that keeps files away in this way; skips where this machine has it not."""
    box = Sandbox("obeys", code=[entry], limits=LIMITS, without=WAYS[way], **options)
    box.start()
    if way not in box.present:
        reason = box.absent[way]
        box.close()
        pytest.skip(f"no {LAYERS[way]}: {reason}")
    return box


@EVERY_WAY
def test_packages_are_read_from_where_they_lie_and_no_copy_of_the_course(
    entry, home, monkeypatch, way
):
    """A further folder of packages, as a user's or Debian's, with an older wheel of ours in it."""
    packages = home / "lib" / "python3.11" / "site-packages"
    for name in ("grader/_course/solutions/ex01_tensors.py", "kata_in_use/__init__.py"):
        (packages / name).parent.mkdir(parents=True)
        (packages / name).write_text("secret = 1")
    monkeypatch.syspath_prepend(packages)
    copy = packages / "grader/_course/solutions/ex01_tensors.py"
    source = f"""
import kata_in_use
try:
    answer = open({str(copy)!r}).read()
except OSError:
    answer = kata_in_use.secret
"""
    with boxed(way, entry, preload=["kata_in_use"]) as box, fork_worker(box.control) as one:
        assert ask(one, source) == 1


@EVERY_WAY
def test_a_folder_that_is_not_for_packages_shows_no_more_than_those_in_use(
    entry, home, monkeypatch, way
):
    """PYTHONPATH may name a home, and a checkout may have packages in it."""
    for name in ("kata_in_use/__init__.py", "private/letter.py", "solutions/ex01_tensors.py"):
        (home / name).parent.mkdir(parents=True)
        (home / name).write_text("secret = 1")
    monkeypatch.syspath_prepend(home)
    private = [str(home / name) for name in ("private/letter.py", "solutions/ex01_tensors.py")]
    source = f"""
import glob, kata_in_use
answer = []
for path in glob.glob({str(home)!r} + "/**/*.py", recursive=True) + {private!r}:
    try:
        answer += [path] if "kata_in_use" not in path and open(path).read() else []
    except OSError:
        pass
"""
    options = {"preload": ["kata_in_use"], "hide": [home / "solutions"]}
    with boxed(way, entry, **options) as box, fork_worker(box.control) as one:
        assert ask(one, source) == []


def test_only_its_own_folder_is_writable(worker, needs):
    needs("landlock")
    source = f"""
import os, sys, tempfile
answer = []
roots = [sys.prefix, sys.base_prefix, os.path.dirname(os.__file__), "/", "/usr", "/etc", "/var/tmp",
         "/kata", {str(ROOT)!r}, "/dev", "/proc"]
for root in roots:
    for flags in (os.O_CREAT | os.O_WRONLY,):
        try:
            os.close(os.open(os.path.join(root, "kata-was-here"), flags))
            answer.append(root)
        except OSError:
            pass
with tempfile.NamedTemporaryFile("w+") as file:
    file.write("x")
open("here", "w").close()
"""
    assert ask(worker, source) == []


def test_workers_do_not_see_each_others_files(sandbox, needs):
    needs("mount")
    with fork_worker(sandbox.control) as first, fork_worker(sandbox.control) as second:
        write = "open('/tmp/note', 'w').write('1'); open('/dev/shm/note', 'w').write('1')"
        ask(first, write)
        look = "import os; answer = os.listdir('/tmp') + os.listdir('/dev/shm')"
        assert ask(first, look) == ["note", "note"]
        assert ask(second, look) == []
    with fork_worker(sandbox.control) as third:
        assert ask(third, look) == []


def test_files_have_a_largest_size_and_all_together_too(worker, needs):
    needs("limits", "mount")
    source = "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
    assert ask(worker, source + "open('big', 'wb').write(bytes(2 << 20))") == "OSError"
    source = """
for folder in ("/tmp", "/dev/shm"):
    written = 0
    try:
        for number in range(64):
            with open(f"{folder}/{number}", "wb") as file:
                written += file.write(bytes(900_000))
    except OSError:
        pass
    answer = max(written, globals().get("answer", 0))
"""
    assert 0 < ask(worker, source) <= 4 << 20


# Processes


def test_other_processes_are_out_of_sight(worker, needs):
    needs("pid", "mount")
    seen = ask(worker, "import os; answer = os.listdir('/proc')")
    assert seen in ([], "PermissionError")
    assert ask(worker, "import os; answer = [os.getpid(), os.getppid()]") == [1, 0]


def test_neither_zygote_nor_judge_can_be_signalled_or_read(worker, sandbox, needs):
    needs("pid", "privileges")
    source = f"""
import ctypes, os, signal
answer = []
libc = ctypes.CDLL(None, use_errno=True)
for pid in [*range(2, 300), {os.getpid()}, {sandbox._process.pid}]:
    for attack in (lambda: os.kill(pid, signal.SIGKILL), lambda: open(f"/proc/{{pid}}/mem", "r+b")):
        try:
            attack()
            answer.append(pid)
        except OSError:
            pass
    if libc.ptrace(16, pid, 0, 0) == 0:
        answer.append(pid)
try:
    os.kill(-1, signal.SIGTERM)  # everyone it may signal: nobody
except OSError:
    pass
"""
    assert ask(worker, source) == []
    with fork_worker(sandbox.control) as next_one:
        assert ask(next_one, "answer = 1") == 1


def test_no_capability_and_no_way_to_one(worker, needs):
    needs("privileges", "seccomp")
    source = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
answer = [name for name, flag in (("user", 0x10000000), ("mount", 0x20000), ("pid", 0x20000000))
          if libc.unshare(flag) == 0]
answer += ["mount"] * (libc.mount(b"x", b"/tmp", b"tmpfs", 0, None) == 0)
answer += ["umount"] * (libc.umount2(b"/proc", 2) == 0)
for attempt in (lambda: os.setuid(0), lambda: os.chroot("/tmp"), lambda: os.setgroups([0])):
    try:
        attempt()
        answer.append("root")
    except OSError:
        pass
"""
    with_root = ask(worker, "import os; answer = os.getuid() == 0")
    if not with_root:
        assert ask(worker, source) == []


def test_a_fork_bomb_is_bounded(sandbox, worker, needs):
    needs("limits")
    if "processes" in sandbox.openings:
        pytest.skip(f"it is said to be open: {sandbox.openings['processes']}")
    source = (
        named("katabomb")
        + """
import os, time
made = 0
try:
    while made < 500:
        if os.fork() == 0:
            time.sleep(60)
        made += 1
except OSError:
    pass
answer = made
"""
    )
    assert 0 < ask(worker, source) < LIMITS.processes
    with fork_worker(sandbox.control) as next_one:
        assert ask(next_one, "import os; answer = (os.fork() or os._exit(0)) > 0"), "apart"
    worker.close()
    assert until(lambda: not processes_with("katabomb"))


def test_daemons_die_with_the_worker(sandbox, worker, needs):
    needs("pid")
    source = (
        named("katadaemon")
        + """
import os, signal, time
if os.fork() == 0:
    os.setsid()
    for number in range(1, 32):
        try:
            signal.signal(number, signal.SIG_IGN)
        except (OSError, ValueError):
            pass
    if os.fork():
        os._exit(0)
    while True:
        time.sleep(60)
os.wait()
answer = 1
"""
    )
    assert ask(worker, source) == 1
    assert len(processes_with("katadaemon")) == 2
    worker.close()
    assert not processes_with("katadaemon"), "dead on return"


def test_what_ignores_signals_dies_by_close(worker):
    source = """
import signal
for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGALRM):
    signal.signal(number, signal.SIG_IGN)
answer = 1
"""
    assert ask(worker, source) == 1
    tell(worker, "while True: pass")
    start = time.monotonic()
    worker.close()
    assert time.monotonic() - start < 2
    assert worker.ended == "closed"


def test_time_ends_on_the_wall_and_on_the_processor(sandbox, needs):
    with fork_worker(sandbox.control, replace(LIMITS, wall_seconds=0.3)) as worker:
        assert ask(worker, "import time; time.sleep(30)") is None
        assert worker.wait(5) == "out of time"
    needs("limits")
    with fork_worker(sandbox.control, replace(LIMITS, cpu_seconds=1)) as worker:
        assert ask(worker, "while True: pass") is None
        assert worker.wait(5) == "out of processor time"


def test_a_dead_judge_takes_its_worker_along(sandbox):
    """The process that holds the worker is killed, and nothing of it can run any more."""
    ready, told = os.pipe()
    judge = os.fork()
    if judge == 0:
        held = fork_worker(sandbox.control)
        ask(held, named("kataorphan"))
        os.write(told, b"1")
        time.sleep(60)
        os._exit(0)
    os.read(ready, 1)
    assert processes_with("kataorphan")
    os.kill(judge, signal.SIGKILL)
    os.waitpid(judge, 0)
    os.close(ready)
    os.close(told)
    assert until(lambda: not processes_with("kataorphan"))


def test_a_copy_of_the_lifeline_keeps_nothing_alive(sandbox):
    worker = fork_worker(sandbox.control)
    ask(worker, named("katacopy"))
    holder = os.fork()
    if holder == 0:
        time.sleep(30)
        os._exit(0)
    worker.close()
    assert not processes_with("katacopy")
    os.kill(holder, signal.SIGKILL)
    os.waitpid(holder, 0)


# Memory


def test_memory_ends_in_an_error_and_the_next_worker_works(sandbox, worker, needs):
    needs("limits")
    assert ask(worker, "answer = len(bytearray(100 << 20))") == 100 << 20
    assert ask(worker, "answer = len(bytearray(400 << 20))") in ("MemoryError", None)
    with fork_worker(sandbox.control) as next_one:
        assert ask(next_one, "answer = 1") == 1


def test_memory_that_the_limit_does_not_count_is_refused(worker, needs):
    needs("limits", "seccomp")
    source = """
import ctypes, mmap, os
answer = []
ways = {
    "shared": lambda: mmap.mmap(-1, 100 << 30),
    "memfd": lambda: os.memfd_create("x"),
    "grows down": lambda: mmap.mmap(-1, 1 << 30, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x100),
    "zero": lambda: mmap.mmap(os.open("/dev/zero", os.O_RDWR), 1 << 30),
}
for name, way in ways.items():
    try:
        way()
        answer.append(name)
    except OSError:
        pass
libc = ctypes.CDLL(None)
if libc.shmget(0, 1 << 20, 0o1600) != -1:
    answer.append("System V")
"""  # noqa: E501
    assert ask(worker, source) == []


def test_many_processes_together_are_held_to_the_limit(worker, needs):
    needs("watch", "limits")
    source = """
import os, time
for _ in range(6):
    if os.fork() == 0:
        held = bytearray(100 << 20)
        time.sleep(60)
time.sleep(60)
"""
    assert ask(worker, source) is None
    assert worker.wait(5) == "out of memory"


# Network and surroundings


def test_there_is_no_network(worker, needs):
    needs("net")
    name = f"\0kata-{os.getpid()}"
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket(socket.AF_UNIX) as local:
        local.bind(name)
        local.listen()
        source = f"""
import socket
answer = []
for family, address in ((socket.AF_INET, ("127.0.0.1", {server.getsockname()[1]})),
                        (socket.AF_INET, ("1.1.1.1", 53)), (socket.AF_UNIX, {name!r})):
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        try:
            sock = socket.socket(family, kind)
            sock.settimeout(0.2)
            sock.connect(address)
            answer.append(repr(address))
        except OSError:
            pass
"""
        assert ask(worker, source) == []


def test_two_workers_do_not_reach_each_other(sandbox, needs):
    needs("net", "pid")
    with fork_worker(sandbox.control) as first, fork_worker(sandbox.control) as second:
        source = """
import socket
global sock
sock = socket.socket(socket.AF_UNIX)
sock.bind(chr(0) + "kata-meeting")
sock.listen()
answer = 1
"""
        assert ask(first, source) == 1
        meet = "import socket; socket.socket(socket.AF_UNIX).connect(chr(0) + 'kata-meeting')"
        assert ask(second, meet) == "ConnectionRefusedError"
        assert ask(first, "answer = 2") == 2


def test_the_surroundings_hold_no_secret(worker):
    environment = ask(worker, "import os; answer = dict(os.environ)")
    assert SECRET not in environment
    assert "s3cret" not in json.dumps(environment)
    assert set(environment) <= {*bubblewrap.environment(""), "PWD", "LC_CTYPE"}
    assert ask(worker, "import sys; answer = sys.argv[1:]") == [], "nor the arguments"
    open_ones = """
import os
answer = []
for number in range(200):
    try:
        os.fstat(number)
        answer.append(number)
    except OSError:
        pass
"""
    assert ask(worker, open_ones) == [0, 1, 2, 3], "three empty ones, and its socket"


# Layers


def test_every_absent_layer_is_named(entry):
    for without in (["bubblewrap"], list(LAYERS)):
        with Sandbox("obeys", code=[entry], limits=LIMITS, without=without) as bare:
            assert bare.present.isdisjoint(without)
            for layer in without:
                if layer != "user namespace":
                    assert f"no {LAYERS[layer]}: switched off" in bare.isolation
            with fork_worker(bare.control) as worker:
                assert ask(worker, "answer = 1") == 1
                worker.close()
                assert worker.ended == "closed"
    assert set(bare.openings) == set(KINDS)
    assert bare.notice == "not isolated: files, network, processes and sockets stay open"
    assert bare.isolation.startswith(bare.notice) and bare.layers.startswith("none (")


def test_required_isolation_refuses_to_do_without(entry):
    without = ["bubblewrap", "root", "landlock", "net", "seccomp"]
    message = r"files, network.*open; .*it sees.*no Landlock.*pip install 'gradkata\[sandbox\]'"
    with pytest.raises(SandboxError, match=message):
        Sandbox("obeys", code=[entry], require=True, without=without).start()


def test_required_isolation_is_content_where_nothing_is_open(entry, sandbox):
    if sandbox.openings:
        pytest.skip(sandbox.notice)
    with Sandbox("obeys", code=[entry], require=True) as whole:
        assert not whole.notice and whole.isolation == whole.layers


def fake_bubblewrap(folder: Path, last: str) -> Path:
    """A program that starts an interpreter when it is tried, and does `last` when it is needed."""
    file = folder / "bwrap"
    file.write_text(f'#!/bin/sh\ncase "$*" in *" -S -c "*) exit 0;; esac\n{last}\n')
    file.chmod(0o755)
    return file


@pytest.mark.parametrize("last", ["echo loopback: not permitted >&2; exit 1", "exit 0"])
def test_weaker_layers_are_tried_where_bubblewrap_fails(entry, tmp_path, monkeypatch, last):
    """Asked for before it is ready, a worker comes from the sandbox that could be had."""
    file = fake_bubblewrap(tmp_path, last)
    monkeypatch.setattr(bubblewrap, "program", lambda: str(file))
    box = Sandbox("obeys", code=[entry], limits=LIMITS)
    box.start(wait=False)
    with box, fork_worker(box.control) as worker:
        assert "bubblewrap" in box.absent and "bubblewrap" not in box.present
        assert "with it the sandbox does not start" in box.isolation
        assert ("loopback: not permitted" in box.isolation) is ("loopback" in last)
        assert ask(worker, "answer = 1") == 1


def test_weaker_layers_are_tried_where_a_root_cannot_be_made(entry, monkeypatch):
    made = Sandbox._root
    nowhere = {"place": "/var/tmp/kata-nowhere"}
    monkeypatch.setattr(Sandbox, "_root", lambda self: made(self) | nowhere)
    with Sandbox("obeys", code=[entry], limits=LIMITS, without=["bubblewrap"]) as box:
        assert "root" not in box.present and box.absent["root"]
        assert {"files", "sockets"} <= box.openings.keys()
        with fork_worker(box.control) as worker:
            assert ask(worker, "answer = 1") == 1


@EVERY_WAY
def test_a_course_that_a_worker_sees_after_all_is_noticed(entry, monkeypatch, way):
    """No list of folders is trusted: a worker has looked."""

    def careless(*names, right=view):
        seen = right(*names)
        return replace(seen, shown=(*seen.shown, str(ROOT)), hidden=())

    monkeypatch.setattr("grader.sandbox.view", careless)
    with boxed(way, entry) as box:
        assert box.openings["files"] == "it sees the course"


def test_a_zygote_that_cannot_start_says_why(tmp_path):
    (tmp_path / "broken.py").write_text("import no_such_module\n")
    with pytest.raises(SandboxError, match="No module named 'no_such_module'"):
        Sandbox("broken", code=[tmp_path / "broken.py"]).start()


def test_a_sandbox_that_was_ended_starts_again(entry):
    with Sandbox("obeys", code=[entry], limits=LIMITS) as box:
        first = box._process
        box.start()
        assert box._process is first, "it is there"
        first.kill()
        first.wait()
        box.start()
        with fork_worker(box.control) as worker:
            assert ask(worker, "answer = 1") == 1
        box.close()
        box.start(wait=False)
        with fork_worker(box.control) as worker:
            assert ask(worker, "answer = 1") == 1


def test_a_closed_sandbox_leaves_nothing(entry, monkeypatch, tmp_path):
    monkeypatch.setattr(Sandbox, "_place", lambda self: str(tmp_path))
    box = Sandbox("obeys", code=[entry], limits=LIMITS)
    box.start()
    box.start()
    control = os.dup(box.control)
    worker = fork_worker(control)
    ask(worker, named("kataleft"))
    folder = box._folder
    box.close()
    assert until(lambda: not processes_with("kataleft"))
    assert not folder.exists() and not list(tmp_path.iterdir())
    with pytest.raises(SandboxError, match="the sandbox is gone"):
        fork_worker(control)
    os.close(control)
    assert worker.ended in ("closed", "the sandbox is gone")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
@pytest.mark.parametrize("without", [[], ["bubblewrap"]], ids=["bubblewrap", "none around"])
def test_without_root(tmp_path, without, entry):
    """As a user without rights, with the system's interpreter, which everybody may read."""
    python = shutil.which("python3", path="/usr/bin")
    if python is None:
        pytest.skip("there is no interpreter that another user may read")
    folder = Path("/var/tmp") / f"kata-test-{os.getpid()}"
    try:
        shutil.copytree(ROOT / "grader/boundary", folder / "grader/boundary")
        for name in ("__init__", "sandbox", "worker", "bubblewrap", "cgroups", "isolation", "view"):
            shutil.copy(ROOT / "grader" / f"{name}.py", folder / "grader")
        shutil.copy(entry, folder)
        script = f"""
import sys; sys.path.insert(0, {str(folder)!r})
from pathlib import Path
from grader.sandbox import Sandbox, fork_worker
with Sandbox("obeys", code=[Path({str(folder)!r}) / "obeys.py"], without={without!r}) as box:
    with fork_worker(box.control) as worker:
        worker.socket.sendall(b"\\"import os; answer = os.listdir('/tmp')\\"\\n")
        print(worker.socket.recv(99), sorted(box.present), box.isolation)
"""
        done = subprocess.run(
            [python, "-I", "-c", script],
            user=65534, group=65534, extra_groups=[], cwd="/", capture_output=True, text=True,
            timeout=60,
        )  # fmt: skip
    except PermissionError as error:
        pytest.skip(f"this root has not all of its rights: {error}")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("b'[]"), done.stdout
    assert "no other user: only root can change the user" in done.stdout


def test_why_bubblewrap_cannot_start_is_told(tmp_path):
    file = fake_bubblewrap(tmp_path, "")
    for words, reason in (
        ("Can't find source path /x: Permission denied", "it can't mount what this user may not"),
        ("setting up uid map: Permission denied", "setting up uid map: Permission denied"),
    ):
        file.write_text(f'#!/bin/sh\necho "bwrap: {words}" >&2\nexit 1\n')
        assert reason in bubblewrap.refusal([str(file)], sys.executable)


def test_groups_are_made_only_where_they_are_ours(tmp_path, monkeypatch):
    """A group that a user owns was handed to that user, as systemd does it."""
    for name in ("memory/other", "pids"):
        (tmp_path / name).mkdir(parents=True)
    table = tmp_path / "table"
    table.write_text("8:pids:/\n4:memory:/other\n")
    for delegated in (False, True):
        monkeypatch.setattr(cgroups, "_delegated", lambda folder, answer=delegated: answer)
        groups = cgroups.Groups(tmp_path, table)
        descriptors = groups.make()
        for descriptor in descriptors:
            os.close(descriptor)
        assert groups.has == (["memory", "pids"] if delegated else ["pids"])
        assert len(descriptors) == len(groups.has)
        refused = {"memory": "the group /other belongs to another program"}
        assert groups.absent == ({} if delegated else refused)
        groups.close()
        assert not list(tmp_path.glob("*/gradkata-*")) + list(tmp_path.glob("*/*/gradkata-*"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root owns every group, and has none handed over")
def test_a_group_of_ones_own_was_handed_over(tmp_path):
    assert cgroups._delegated(tmp_path) and not cgroups._delegated(Path("/sys"))
