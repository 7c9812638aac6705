"""No defence is decoration: with each an attack fails, and without it the same attack succeeds."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import socket
import sys
import tempfile
import time
from pathlib import Path

import pytest
import torch

from grader import limits
from grader.boundary import faults, folder, frames, judge, link, packing, tensors
from grader.boundary.faults import Ended
from grader.engine import Job
from grader.isolation import KINDS
from grader.loading import CannotLoad
from grader.report import TaskResult, TestResult, Verdict
from grader.sandbox import Limits, Sandbox, fork_worker
from grader.target import Target
from grader.tests import attacks
from grader.tests.apart import remote
from grader.tests.conftest import ROOT
from grader.tests.test_sandbox import ENTRY

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="forks, and the layers of Linux")
WIRE = (Path(attacks.__file__).parent / "wire.txt").read_text("utf-8")
BOTH = pytest.mark.parametrize("defended", [True, False], ids=["with", "without"])


@pytest.fixture
def apart():
    """`apart(source)`: a learner's code in a worker, which ends with the test."""
    started = []

    def start(source: str, **more):
        started.append(remote(WIRE + source, **more))
        return started[-1]

    yield start
    for one in started:
        one.close()


@BOTH
def test_a_file_that_did_not_load_has_not_passed(apart, monkeypatch, defended):
    if not defended:
        monkeypatch.setattr(judge, "_NOT_LOADED", set(Verdict))
    source = "wire_raw(wire_answer(wire_asked()[0], ['l', 'well', 'passed']))"
    with pytest.raises(Ended if defended else CannotLoad) as raised:
        apart(source)
    assert defended or raised.value.verdict is Verdict.PASSED  # all points, for nothing


@BOTH
def test_a_class_that_claims_to_be_a_list(apart, monkeypatch, defended):
    source = """
class Sly(list): pass
from grader.boundary.worker import KNOWN_TYPES
KNOWN_TYPES["builtins.list"] = list
def f(): return Sly()
"""
    if not defended:
        monkeypatch.setitem(judge.KNOWN_TYPES, "builtins.list", list)
    assert isinstance(apart(source).find("f")(), list) is not defended


@BOTH
def test_numbers_of_requests_cannot_be_foreseen(apart, monkeypatch, defended):
    if not defended:
        numbers = itertools.count(1)
        monkeypatch.setattr(link.secrets, "randbits", lambda bits: next(numbers))
    source = """
def f():
    number, _ = wire_asked()
    link = wire_link()
    real = link._send
    def late(*args):
        real(*args)
        wire_raw(wire_answer(number + 1, ["l", 6.0]))
        link._send = real
    link._send = late
    return 5.0
"""
    code = apart(source)
    assert code.find("f")() == 5.0
    if defended:
        with pytest.raises(Ended):
            code.ask("name", "f")
    else:  # answered before it was asked
        assert code.ask("name", "f") == [6.0]


@BOTH
def test_a_reference_is_good_for_one_test(apart, monkeypatch, defended):
    if not defended:
        real = judge.Objects.clear

        def clear(self):
            real(self) if not hasattr(self, "_own") else self._theirs.clear()

        monkeypatch.setattr(judge.Objects, "clear", clear)
    called = []
    code = apart("def keep(f):\n    global kept\n    kept = f\ndef use(): return kept(1)")
    code.find("keep")(lambda x: called.append(x))
    code.begin(2, lambda: None)
    with contextlib.nullcontext() if not defended else pytest.raises(Ended):
        code.find("use")()
    assert called == ([] if defended else [1])


@BOTH
def test_an_object_of_the_test_does_what_it_is_for_and_no_more(apart, monkeypatch, defended):
    if not defended:
        monkeypatch.setattr(judge.Objects, "allows", lambda self, thing, what: True)

    class Callback:
        wanted = {"answer": 6.0}

        def __call__(self, x):
            return x

        def __getitem__(self, name):
            return self.wanted[name]

    code = apart("def f(call): return call.kata_link.ask('item', call, 'answer')")
    if defended:
        with pytest.raises(Ended):
            code.find("f")(Callback())
    else:
        assert code.find("f")(Callback()) == 6.0


@BOTH
def test_a_view_stays_within_what_was_handed_over(apart, monkeypatch, defended):
    if not defended:
        monkeypatch.setattr(tensors, "_last", lambda sizes, strides: -(10**9))
    source = """
def beyond(head, blobs):
    if "a" in head and wire_asked()[1] == "call":
        told = {"i": 5002, "r": False, "k": "leaf", "s": [1, 2, "torch.float32", [2], [1]]}
        return head | {"body": ["n", told]}, blobs
    return head, blobs
wire_hook(beyond)
def f(x): return x
"""
    memory = torch.tensor([1.0, 2.0, 70.0, 30.0])  # two numbers for the code, then two labels
    code = apart(source)
    if defended:
        with pytest.raises(Ended):
            code.find("f")(memory[:2])
    else:
        assert code.find("f")(memory[:2]).tolist() == [70.0, 30.0]


@BOTH
@pytest.mark.parametrize("kind", ["too long", "negative"])
def test_shapes_are_checked_before_anything_is_made(apart, monkeypatch, defended, kind):
    if not defended:
        monkeypatch.setattr(packing, "sizes_of", lambda shape: shape)
    size = 1 << 50 if kind == "too long" else -1
    source = f"""
def huge(head, blobs):
    if "a" in head and wire_asked()[1] == "call":
        return head | {{"body": ["v", ["float32", [{size}], "meta", None]]}}, blobs
    return head, blobs
wire_hook(huge)
def f(): return 1
"""
    code = apart(source)
    if defended or kind == "negative":
        with pytest.raises(Ended, match="no shape" if defended else "no "):
            code.find("f")()
    else:
        assert code.find("f")().numel() == 1 << 50


@BOTH
@pytest.mark.parametrize(
    "module, cap", [(link, "_RECEIVED"), (tensors, "_CROSSING"), (frames, "BLOBS")]
)
def test_a_worker_cannot_spend_the_judges_memory(apart, monkeypatch, defended, module, cap):
    """With a cap a hundredth of the real one, the hundredth of an attack."""
    code = apart("import torch\ndef f(): return [torch.zeros(300_000) for _ in range(5)]")
    monkeypatch.setattr(module, cap, 5 << 20 if defended else 1 << 40)
    if defended:
        with pytest.raises(Ended, match="too m|too large"):
            code.find("f")()
    else:
        assert len(code.find("f")()) == 5


@BOTH
def test_what_is_printed_steers_no_terminal(apart, monkeypatch, capsys, defended):
    if not defended:
        monkeypatch.setattr(link, "printable", lambda text, most: text)
    apart("def f(): print('\\x1b[2J')").find("f")()
    assert ("\x1b" in capsys.readouterr().out) is not defended


@BOTH
def test_an_exception_cannot_end_the_judge(apart, monkeypatch, defended):
    if not defended:
        monkeypatch.setattr(faults, "_builtin", lambda name: KeyboardInterrupt)
    raised = None
    try:
        apart("def f(): raise KeyboardInterrupt").find("f")()
    except BaseException as error:
        raised = error
    assert isinstance(raised, KeyboardInterrupt) is not defended


@BOTH
def test_files_stay_in_their_folder(apart, monkeypatch, tmp_path, defended):
    if not defended:
        monkeypatch.setattr(folder.Folder, "_inside", lambda self, name: self.path / name)
    source = """
def outside(head, blobs):
    if "a" in head and wire_asked()[1] == "written":
        return head | {"body": ["l", ["l", "../stray", ["b", len(blobs)]]]}, [*blobs, b"here"]
    return head, blobs
wire_hook(outside)
def f(path): pass
"""
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "file").write_text("of the test")
    code = apart(source, folder=inside)
    with pytest.raises(Ended) if defended else contextlib.nullcontext():
        code.find("f")(inside)
    assert (tmp_path / "stray").exists() is not defended


@BOTH
@pytest.mark.parametrize("cap", ["BYTES", "ENTRIES"])
def test_a_submission_cannot_fill_the_judges_disk(apart, monkeypatch, tmp_path, defended, cap):
    """What it may write, it may in all tests together, whatever it deletes in between."""
    low = {"BYTES": 5 << 20, "ENTRIES": 5}[cap]
    monkeypatch.setattr(folder, cap, low if defended else 1 << 40)
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "file").write_text("of the test")
    source = """
def f(path, name):
    for old in path.iterdir():
        old.unlink()
    (path / name).write_bytes(bytes(1 << 20))
"""
    code = apart(source, folder=inside)
    with pytest.raises(Ended, match="more files") if defended else contextlib.nullcontext():
        for number in range(7):
            code.find("f")(inside, str(number))
    assert (inside / "6").exists() is not defended


@BOTH
def test_a_timer_reaches_the_start_of_a_test(apart, monkeypatch, defended):
    code = apart("""
import time
def slow(head, blobs):
    if wire_asked()[1] == "begin" and (time.sleep(1.5) or True):
        pass
    return head, blobs
def f(): wire_hook(slow)
""")
    code.find("f")()
    if not defended:
        monkeypatch.setattr(limits, "interruptible", contextlib.nullcontext)
    started = time.monotonic()
    with contextlib.suppress(limits.TimedOut), limits.time_limit(0.2):
        code.begin(2, lambda: None)
    assert (time.monotonic() - started < 1) is defended


def test_side_conditions_alone_earn_nothing():
    """What a share for every test would give to code that does nothing."""
    names = {"test_example": False, "test_drawn_values": False, "test_leaves_x_alone": True}
    tests = [
        TestResult("ex", "task", f"T::{name}", Verdict.PASSED if ok else Verdict.WRONG)
        for name, ok in names.items()
    ]
    task = TaskResult("ex", "task", 3.0, tests)
    assert task.earned == 0
    assert task.points * sum(test.passed for test in tests) / len(tests) == 1


# The sandbox: layers that guard one thing are taken away together

# Of a kind that the sandbox names, it says by itself whether it stays open: that must be true.
REACH = {
    "files": (
        {"bubblewrap", "root", "mount", "landlock", "other user"},
        f"import os\nanswer = os.path.exists({str(ROOT / 'solutions' / 'ex03_backward.py')!r})",
    ),
    "network": (
        {"bubblewrap", "net", "landlock", "seccomp"},
        """
import socket
try:
    socket.create_connection(("127.0.0.1", {port}), 1)
    answer = True
except OSError:
    answer = False
""",
    ),
    "sockets": (
        {"bubblewrap", "root", "mount", "landlock", "other user"},
        """
import socket
try:
    socket.socket(socket.AF_UNIX).connect({path})
    answer = True
except OSError:
    answer = False
""",
    ),
    "processes": (
        {"limits", "cgroup"},
        """
import os, time
children = []
try:
    while len(children) < 48:
        child = os.fork()
        if child == 0:
            time.sleep(20)
            os._exit(0)
        children.append(child)
except OSError:
    pass
answer = len(children) == 48
""",
    ),
    "memory": (
        {"limits", "watch", "cgroup"},
        """
try:
    answer = len(bytearray(400 << 20)) > 0
except MemoryError:
    answer = False
""",
    ),
    "one file": (
        {"limits", "mount"},
        """
import signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
try:
    answer = open("large", "wb").write(bytes(8 << 20)) > 0
except OSError:
    answer = False
""",
    ),
    "descriptors": (
        {"limits"},
        """
import os
try:
    answer = len([os.dup(0) for _ in range(400)]) > 0
except OSError:
    answer = False
""",
    ),
}


@BOTH
@pytest.mark.parametrize("reached", REACH)
def test_a_layer_of_the_sandbox_holds_something_back(tmp_path, reached, defended):
    layers, source = REACH[reached]
    file = tmp_path / "obeys.py"
    file.write_text(ENTRY)
    lowest = Limits(memory=128 << 20, file_bytes=1 << 20, processes=24)
    with (
        listening() as (port, path),
        Sandbox("obeys", code=[file], limits=lowest, without=[] if defended else layers) as box,
        fork_worker(box.control) as one,
    ):
        assert box.openings.keys() <= set(KINDS)
        expected = reached in box.openings if defended or reached in KINDS else True
        source = source.replace("{port}", str(port)).replace("{path}", repr(path))
        one.socket.settimeout(20)
        one.socket.sendall(json.dumps(source).encode() + b"\n")
        assert json.loads(one.socket.makefile().readline()) is expected
    assert expected or defended


@contextlib.contextmanager
def listening():
    """A port, and a path in a folder that everybody may enter, where the judge's user listens."""
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        tempfile.TemporaryDirectory(dir="/var/tmp") as folder,
        socket.socket(socket.AF_UNIX) as local,
    ):
        os.chmod(folder, 0o755)
        path = os.path.join(folder, "socket")
        local.bind(path)
        local.listen()
        os.chmod(path, 0o777)
        yield server.getsockname()[1], path


LOCK = """
import fcntl, glob, os
global file
file = open(os.__file__)
try:
    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    answer = "locked"
except BlockingIOError:
    answer = "held by another"
except PermissionError:
    answer = "refused"
"""


@BOTH
def test_a_lock_on_a_library_tells_another_worker_nothing(tmp_path, defended):
    file = tmp_path / "obeys.py"
    file.write_text(ENTRY)
    with Sandbox("obeys", code=[file], without=[] if defended else ["seccomp"]) as box:
        if defended and "seccomp" not in box.present:
            pytest.skip(f"no seccomp: {box.absent['seccomp']}")
        with fork_worker(box.control) as first, fork_worker(box.control) as second:
            heard = []
            for one in (first, second):
                one.socket.settimeout(20)
                one.socket.sendall(json.dumps(LOCK).encode() + b"\n")
                heard.append(json.loads(one.socket.makefile().readline()))
    assert heard == (["refused"] * 2 if defended else ["locked", "held by another"])


@pytest.mark.whole
@BOTH
def test_a_solution_that_can_be_read_earns_all_points(loaded, tmp_path, defended):
    from grader.engine import apart

    (one,) = (one for one in attacks.corpus() if one.name == "peek/solution_files")
    exercise = loaded.find(one.exercise)
    file = tmp_path / f"{one.exercise}.py"
    text = one.source(exercise)
    file.write_text(text, "utf-8")
    without = () if defended else REACH["files"][0]
    with apart(ROOT, [exercise], without=without) as engine:
        [(_, result)] = engine.map([Job(Target(file), exercise, 7, diagnose=False)])
    assert result.earned == (0 if defended else result.points)
