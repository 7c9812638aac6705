"""Where a learner's code runs while it is graded: a worker without files, network or neighbours.

A `Sandbox` starts one zygote (grader/boundary/zygote.py) for a grading session; `fork_worker` asks
it, through the descriptor `control`, for a worker per submission. Any process that inherited
`control` may ask, also one that the process with the `Sandbox` forked.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from grader import bubblewrap, cgroups
from grader.worker import Limits, SandboxError, Worker, fork_worker

__all__ = ["LAYERS", "Limits", "Sandbox", "SandboxError", "Worker", "fork_worker"]

_PACKAGE = Path(__file__).resolve().parent
_READY = 120.0  # seconds for a zygote to import torch on a slow disk
_CLOSED = 5.0  # seconds for the zygote to end
_WORDS = 4096  # bytes of what it says
_START = "import sys; sys.path.insert(0, {!r}); from grader.boundary.zygote import main; main()"

# Every layer, in the words of the report.
LAYERS = {
    "bubblewrap": "bubblewrap",
    "pid": "own processes",
    "mount": "own mounts",
    "net": "own network",
    "other user": "other user",
    "user namespace": "own user namespace",
    "privileges": "dropped privileges",
    "landlock": "Landlock",
    "seccomp": "seccomp",
    "limits": "limits",
    "watch": "memory watch",
    "cgroup": "control groups",
}
_HINT = "on Linux, install bubblewrap (apt install bubblewrap) and allow user namespaces"


def _boundary() -> list[Path]:
    return [_PACKAGE / "__init__.py", *sorted((_PACKAGE / "boundary").glob("*.py"))]


class Sandbox:
    """A zygote; a context manager, or `start` and `close`.

    `preload` names modules that it imports before `entry`, whose `serve(socket)` a worker calls,
    and whose `warm()`, if there is one, the zygote calls. `code` are files to show it besides
    those of grader.boundary: those of this package under their names, others as modules of their
    own. `without` names layers (keys of `LAYERS`) to leave out. With `require`, `SandboxError`
    unless files, network and processes are all isolated.
    """

    def __init__(
        self,
        entry: str = "grader.boundary.worker",
        preload: Iterable[str] = (),
        code: Iterable[Path] = (),
        require: bool = False,
        limits: Limits = Limits(),  # noqa: B008 (frozen)
        without: Iterable[str] = (),
    ):
        self.entry, self.preload, self.code = entry, list(preload), [*_boundary(), *code]
        self.require, self.limits = require, limits
        self.without = {name: "switched off" for name in without}
        if unknown := self.without.keys() - LAYERS.keys():
            raise ValueError(f"no such layers: {', '.join(sorted(unknown))}")
        self.control = -1
        self._report: dict | None = None
        self._process: subprocess.Popen | None = None
        self._absent: dict[str, str] = {}
        self._groups = cgroups.Groups()

    def __enter__(self) -> Sandbox:
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    # Start and end

    def start(self, wait: bool = True) -> None:
        """Start the zygote, from the main thread: it dies with the thread that started it.

        Without `wait`, workers may be asked for at once and answer when the zygote is ready.
        """
        if not hasattr(os, "fork") or not hasattr(socket, "AF_UNIX"):
            raise SandboxError(f"{sys.platform} cannot fork, so it has no sandbox: grade on Linux")
        try:
            self._launch()
            if wait:
                self.wait()
        except BaseException:
            self.close()
            raise

    def _launch(self) -> None:
        ours, theirs = _pair()
        self._session, session = socket.socketpair()
        self._control = ours
        self.control = ours.fileno()
        os.set_inheritable(self.control, True)
        self._folder = Path(tempfile.mkdtemp(prefix="kata-", dir=self._place()))
        self._copy_code()
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 (open until `close`)
        words = self._bubblewrap()
        groups = self._make_groups()
        if os.geteuid() != 0 and "other user" not in self.without:
            self._absent["other user"] = "only root can change the user"
        code = bubblewrap.CODE if words else self._folder
        config = {
            "control": theirs.fileno(),
            "session": session.fileno(),
            "entry": self.entry,
            "preload": self.preload,
            "limits": asdict(self.limits),
            "without": {**self.without, **self._absent},
            "inside": bool(words),
            "readable": [*bubblewrap.readable(), str(code)],
            "hidden": [str(folder) for folder in bubblewrap.hidden()],
            "forget": [str(folder) for folder in bubblewrap.course_folders()],
            "groups": groups,
            "memory group": "memory" in self._groups.has,
        }
        scratch = "/tmp" if words else str(self._folder / "tmp")
        environment = bubblewrap.environment(scratch)
        for name, value in environment.items() if words else ():
            words += ["--setenv", name, value]
        start = [sys.executable, "-I", "-c", _START.format(str(code)), json.dumps(config)]
        descriptors = [theirs.fileno(), session.fileno(), *groups]
        try:
            self._process = subprocess.Popen(
                [*words, *start],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._errors,
                env=environment,
                cwd="/",
                pass_fds=descriptors,
                start_new_session=True,
            )
        finally:
            theirs.close()
            session.close()
            for group in groups:
                os.close(group)

    def _place(self) -> str | None:
        """Workers have a /tmp of their own; without bubblewrap, the code must lie elsewhere."""
        return "/var/tmp" if os.access("/var/tmp", os.W_OK) else None

    def _copy_code(self) -> None:
        """The code that the sandbox sees: copies, so that no edit reaches a session midway."""
        self._folder.chmod(0o755)
        for file in map(Path, self.code):
            file = file.resolve()
            inside = file.is_relative_to(_PACKAGE)
            name = file.relative_to(_PACKAGE.parent) if inside else Path(file.name)
            copy = self._folder / name
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, copy)
            copy.chmod(0o644)
        (self._folder / "tmp").mkdir()
        (self._folder / "tmp").chmod(0o711)

    def _bubblewrap(self) -> list[str]:
        """The words that start bubblewrap; none, and the reason in `_absent`, without it."""
        if "bubblewrap" in self.without:
            return []
        reason = bubblewrap.missing()
        if reason is None:
            words = bubblewrap.command(
                self._folder, "net" in self.without, self.limits.tmp_bytes * 4
            )
            reason = bubblewrap.refusal(words)
        if reason is None:
            return words
        self._absent["bubblewrap"] = reason
        return []

    def _make_groups(self) -> list[int]:
        if "cgroup" in self.without:
            return []
        groups = self._groups.make()
        if not groups:
            self._absent["cgroup"] = "; ".join(dict.fromkeys(self._groups.absent.values()))
        return groups

    def wait(self) -> None:
        """Wait until the zygote is ready; `SandboxError` with its last words if it never is."""
        if self._report is not None:
            return
        self._session.settimeout(_READY)
        try:
            report = json.loads(self._session.makefile().readline() or "{}")
        except TimeoutError:
            report = {"failed": f"not ready after {_READY:g} s"}
        if "layers" not in report:
            said = report.get("failed") or self._last_words() or "it ended without a word"
            raise SandboxError(f"the sandbox did not start: {said}")
        self._report = report
        self._session.settimeout(None)
        if self.require and (open_doors := self._open_doors()):
            raise SandboxError(f"not isolated: {'; '.join(open_doors)}; {_HINT}")

    def _last_words(self) -> str:
        with suppress(OSError, subprocess.TimeoutExpired):
            self._process.wait(1)
            self._errors.seek(0)
            lines = self._errors.read()[-_WORDS:].decode(errors="replace").strip().splitlines()
            return lines[-1] if lines else ""
        return ""

    def close(self) -> None:
        """End the zygote and every worker; a second time does nothing."""
        if self.control == -1:
            return
        self.control = -1
        self._control.close()
        with suppress(OSError):
            self._session.shutdown(socket.SHUT_RDWR)
        self._session.close()
        if self._process is not None:
            try:
                self._process.wait(_CLOSED)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._groups.close()
        self._errors.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    # What it is

    @property
    def present(self) -> frozenset[str]:
        """The layers that a worker has (keys of `LAYERS`), tried out and not supposed."""
        self.wait()
        around = {"bubblewrap"} - self._missing().keys()
        return frozenset(self._report["layers"]) | around

    @property
    def absent(self) -> dict[str, str]:
        """The layers that a worker lacks, and why."""
        self.wait()
        absent = self._missing()
        if self._groups.has and "cgroup" not in self.without:
            absent.pop("cgroup", None)
            absent |= {
                f"control group for {name}": why for name, why in self._groups.absent.items()
            }
        if "other user" in self.present:
            absent.pop("user namespace", None)  # it stands in for the other user
        if self._course_is_open():
            absent["hiding of the course"] = "it lies below the interpreter's own folders"
        return absent

    @property
    def isolation(self) -> str:
        """The layers in one line; each one that is not there, with its reason."""
        present, absent = self.present, self.absent
        names = [words for name, words in LAYERS.items() if name in present]
        reasons = "; ".join(f"no {LAYERS.get(name, name)}: {why}" for name, why in absent.items())
        weak = not present - {"limits", "watch", "privileges"}
        said = " + ".join(names) + (" only" if weak and names else "") if names else "none"
        return f"{said} ({reasons})" if reasons else said

    def _missing(self) -> dict[str, str]:
        return {**self.without, **self._absent, **self._report["absent"]}

    def _course_is_open(self) -> bool:
        return bool(bubblewrap.hidden()) and not self.present & {"bubblewrap", "mount"}

    def _open_doors(self) -> list[str]:
        """What a worker reaches that it should not, in words."""
        doors = {"the files": {"bubblewrap", "landlock"}, "the network": {"net"}}
        doors["other processes"] = {"pid"}
        missing = self._missing()
        found = []
        for door, layers in doors.items():
            if not layers & self.present:
                reasons = "; ".join(f"no {LAYERS[layer]}: {missing[layer]}" for layer in layers)
                found.append(f"a worker reaches {door} ({reasons})")
        if self._course_is_open():
            found.append("a worker reaches the installed course")
        return found


def _pair() -> tuple[socket.socket, socket.socket]:
    """Two ends that keep messages apart; macOS has no SOCK_SEQPACKET."""
    with suppress(OSError):
        return socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
