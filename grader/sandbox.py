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

from grader import bubblewrap, cgroups, isolation
from grader.boundary import probe
from grader.view import SYSTEM, View, ViewError, view
from grader.worker import Limits, SandboxError, Worker, fork_worker

__all__ = ["LAYERS", "Limits", "Sandbox", "SandboxError", "Worker", "fork_worker"]

_PACKAGE = Path(__file__).resolve().parent
_READY = 120.0  # seconds for a zygote to import torch on a slow disk
_CLOSED = 5.0  # seconds for the zygote to end
_WORDS = 4096  # bytes of what it says
# What is tried in turn, each with the layers that it does without besides.
_ATTEMPTS = ((), ("bubblewrap",), ("bubblewrap", "root"))
_START = "import sys; sys.path.insert(0, {!r}); from grader.boundary.zygote import main; main()"

# Every layer, in the words of the report.
LAYERS = {
    "bubblewrap": "bubblewrap",
    "pid": "own processes",
    "mount": "own mounts",
    "root": "own root",
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


def _boundary() -> list[Path]:
    return [_PACKAGE / "__init__.py", *sorted((_PACKAGE / "boundary").glob("*.py"))]


class Sandbox:
    """A zygote; a context manager, or `start` and `close`.

    `preload` names modules that it imports before `entry`, whose `serve(socket)` a worker calls,
    and whose `warm()`, if there is one, the zygote calls. `code` are files to show it besides
    those of grader.boundary: those of this package under their names, others as modules of their
    own. `without` names layers (keys of `LAYERS`) to leave out; `hide` folders of courses besides
    ours. With `require`, `SandboxError` where files, network, processes or sockets stay open.
    """

    def __init__(
        self,
        entry: str = "grader.boundary.worker",
        preload: Iterable[str] = (),
        code: Iterable[Path] = (),
        require: bool = False,
        limits: Limits = Limits(),  # noqa: B008 (frozen)
        without: Iterable[str] = (),
        hide: Iterable[Path] = (),
    ):
        self.entry, self.preload, self.code = entry, list(preload), [*_boundary(), *code]
        self.require, self.limits, self.hide = require, limits, [*hide]
        self.without = {name: "switched off" for name in without}
        if unknown := self.without.keys() - LAYERS.keys():
            raise ValueError(f"no such layers: {', '.join(sorted(unknown))}")
        self.control = -1
        self._report: dict | None = None  # of the zygote, once it is ready
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

        Without `wait`, workers may be asked for at once and answer when the zygote is ready. One
        that was started already is at most waited for.
        """
        if not hasattr(os, "fork") or not hasattr(socket, "AF_UNIX"):
            raise SandboxError(f"{sys.platform} cannot fork, so it has no sandbox: grade on Linux")
        try:
            if self.control != -1 and self._report and self._process.poll() is not None:
                self.close()  # it was ended by somebody else
            if self.control == -1:
                self._launch()
            if wait:
                self.wait()
        except BaseException:
            self.close()
            raise

    def _launch(self) -> None:
        self._report, self._absent, self._groups = None, {}, cgroups.Groups()
        self._control, self._their_control = _pair()
        self.control = self._control.fileno()
        os.set_inheritable(self.control, True)
        self._folder = Path(tempfile.mkdtemp(prefix="kata-", dir=self._place()))
        self._copy_code()
        secrets = [root / name for root in self.hide for name in ("solutions", "tests")]
        self._bait = probe.Bait(self._place(), [__file__, *map(str, secrets)])
        try:
            self._view = view([*self.preload, self.entry], self.hide)
        except ViewError as error:
            raise SandboxError(str(error)) from None
        if os.geteuid() != 0 and "other user" not in self.without:
            self._absent["other user"] = "only root can change the user"
        self._attempts = iter(_ATTEMPTS)
        self._attempt(next(self._attempts))

    def _attempt(self, without: Iterable[str]) -> None:
        """Start a zygote that does without these layers too."""
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 (open until `close`)
        self._session, session = socket.socketpair()
        words = self._bubblewrap(self._view) if "bubblewrap" not in without else []
        code = bubblewrap.CODE if words else self._folder
        groups = self._make_groups()
        control = self._their_control
        config = {
            "control": control.fileno(),
            "session": session.fileno(),
            "entry": self.entry,
            "preload": self.preload,
            "limits": asdict(self.limits),
            "without": {**dict.fromkeys(without, "tried"), **self.without, **self._absent},
            "inside": bool(words),
            "path": self._view.path,
            "readable": [*self._view.shown, str(code)],
            "hidden": self._view.hidden,
            "root": self._root(),
            "bait": self._bait.words,
            "groups": groups,
            "memory group": "memory" in self._groups.has,
        }
        scratch = "/tmp" if words else str(self._folder / "tmp")
        environment = bubblewrap.environment(scratch)
        for name, value in environment.items() if words else ():
            words += ["--setenv", name, value]
        # (As -I, but that the environment, which is all ours, fixes the order of sets.)
        start = ["-P", "-s", "-c", _START.format(str(code)), json.dumps(config)]
        try:
            self._process = subprocess.Popen(
                [*words, self._view.program, *start],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._errors,
                env=environment,
                cwd="/",
                pass_fds=[control.fileno(), session.fileno(), *groups],
                start_new_session=True,
            )
        finally:
            session.close()
            for group in groups:
                os.close(group)

    def _root(self) -> dict:
        """What `grader.boundary.root` makes a root of, where bubblewrap is not."""
        place = self._folder / "root"
        place.mkdir(exist_ok=True)
        return {
            "place": str(place),
            "system": SYSTEM,
            "mounts": self._view.mounts(),
            "code": str(self._folder),
            "size": self.limits.tmp_bytes * 4,
        }

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

    def _bubblewrap(self, seen: View) -> list[str]:
        """The words that start bubblewrap; none, and the reason in `_absent`, without it."""
        if "bubblewrap" in self.without:
            return []
        reason = bubblewrap.missing()
        if reason is None:
            words = bubblewrap.command(
                seen, self._folder, "net" in self.without, self.limits.tmp_bytes * 4
            )
            reason = bubblewrap.refusal(words, seen.program)
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
        """Wait until the zygote is ready; `SandboxError` with its last words if it never is.

        Where it can't start in the strongest sandbox it is started in a weaker one.
        """
        self._wait()
        if self.require and (refusal := isolation.refusal(self.isolation)):
            raise SandboxError(refusal)

    def _wait(self) -> None:
        first = ""
        while self._report is None:
            report = self._answer()
            if "layers" in report:
                self._report = report
                self._their_control.close()
                self._bait.close()
                return
            reason = report.get("failed") or self._last_words() or "it ended without a word"
            first = first or reason
            if not self._again(reason):
                raise SandboxError(f"the sandbox did not start: {first}")

    def _answer(self) -> dict:
        self._session.settimeout(_READY)
        try:
            return json.loads(self._session.makefile().readline() or "{}")
        except TimeoutError:
            return {"failed": f"not ready after {_READY:g} s"}
        except OSError as error:
            return {"failed": str(error)}

    def _again(self, reason: str) -> bool:
        """Try the next weaker sandbox, if this one was stronger; False when there is none."""
        for without in self._attempts:
            dropped = [name for name in without if name not in self.without]
            if not dropped or (dropped == ["bubblewrap"] and "bubblewrap" in self._absent):
                continue
            for name in dropped:
                self._absent.setdefault(name, f"with it the sandbox does not start ({reason})")
            self._end()
            self._attempt(without)
            return True
        return False

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
        self._their_control.close()
        self._end()
        self._bait.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _end(self) -> None:
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

    # What it is

    @property
    def present(self) -> frozenset[str]:
        """The layers that a worker has (keys of `LAYERS`), tried out and not supposed."""
        self._wait()
        around = {"bubblewrap"} - self._missing().keys()
        return frozenset(self._report["layers"]) | around

    @property
    def absent(self) -> dict[str, str]:
        """The layers that a worker lacks, and why."""
        self._wait()
        absent = self._missing()
        if self._groups.has and "cgroup" not in self.without:
            absent.pop("cgroup", None)
            absent |= {
                f"control group for {name}": why for name, why in self._groups.absent.items()
            }
        if "other user" in self.present:
            absent.pop("user namespace", None)  # it stands in for the other user
        if "root" in absent and "bubblewrap" in self.present:
            del absent["root"]
        folder = str(self._folder)  # has another name each time, and a report is always the same
        return {name: why.replace(folder, "its folder") for name, why in absent.items()}

    @property
    def openings(self) -> dict[str, str]:
        """What a worker reaches that it should not (of `isolation.KINDS`), and what showed it."""
        self._wait()
        return dict(self._report["open"])

    @property
    def notice(self) -> str:
        """What stays open, in a sentence without its full stop; empty where nothing does."""
        return isolation.notice(self.openings)

    @property
    def isolation(self) -> str:
        """What stays open, if anything, then the layers; each that is missing, with its reason."""
        reasons = ", ".join(f"{kind}: {why}" for kind, why in self.openings.items())
        return "; ".join(filter(None, (self.notice, reasons, self.layers)))

    @property
    def layers(self) -> str:
        """The layers in one line; each one that is not there, with its reason."""
        present, absent = self.present, self.absent
        names = [words for name, words in LAYERS.items() if name in present]
        reasons = "; ".join(f"no {LAYERS.get(name, name)}: {why}" for name, why in absent.items())
        line = " + ".join(names) or "none"
        return f"{line} ({reasons})" if reasons else line

    def _missing(self) -> dict[str, str]:
        return {**self.without, **self._absent, **self._report["absent"]}


def _pair() -> tuple[socket.socket, socket.socket]:
    """Two ends that keep messages apart; macOS has no SOCK_SEQPACKET."""
    with suppress(OSError):
        return socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
