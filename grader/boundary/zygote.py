"""The process that workers are forked from: it has torch, and nothing of tests or solutions.

It starts as a fresh interpreter, imports what it is told, tries out every layer of `confine` with
a worker that does nothing, reports, and then forks one worker for each message on `control`. The
message holds the limits and two descriptors: the worker's stream socket, and a lifeline. When the
other end of the lifeline closes, the worker dies, and with it all it has started; before that, the
lifeline tells the other end how the worker ended. The zygote reads nothing that a worker writes.
"""

from __future__ import annotations

import array
import gc
import importlib
import json
import os
import selectors
import signal
import socket
import sys
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from grader.boundary import confine, family, landlock, linux, namespaces, probe
from grader.boundary.running import Running

_MESSAGE = 4096  # bytes of one request
_SCRATCH = ("/tmp", "/mnt", "/media", "/srv")  # an interpreter may lie below the first
_LOOK = 0.1  # seconds between looks at the workers' memory
_NOT_STARTED = 125  # exit status of a worker that could not lock itself in
_TRIAL = 20.0  # seconds for a worker that does nothing
_PAGE = os.sysconf("SC_PAGE_SIZE")
_TOO_MUCH = 1.25  # times its limit: the look is rough, and RLIMIT_DATA comes first


class Zygote:
    def __init__(self, config: dict, control: socket.socket, session: socket.socket):
        self.config, self.control, self.session = config, control, session
        self.layers = frozenset({*confine.LAYERS, "root", "watch"}) - config["without"].keys()
        self.absent: dict[str, str] = dict(config["without"])
        self.outside = self.null = -1
        self.workers: list[Running] = []
        self.born = 0
        self.entry = None
        self.open: dict[str, str] = {}  # what a worker reaches that it should not
        self.next_look = 0.0
        self.highest = 0

    # Before the first worker

    def prepare(self) -> None:
        """Lock the zygote itself away, then import what the workers need."""
        self.null = os.open(os.devnull, os.O_RDWR)
        self.highest = os.sysconf("SC_OPEN_MAX")
        self._leave()
        sys.path[:] = [sys.path[0], *self.config["path"]]
        for name in self.config["preload"]:
            importlib.import_module(name)
        self.entry = importlib.import_module(self.config["entry"])
        if hasattr(self.entry, "warm"):
            self.entry.warm()
        if threading.active_count() > 1:
            raise RuntimeError("a preloaded module left a thread running: workers would hang")
        if sys.platform == "linux":
            linux.set_dumpable(False)
        gc.collect()
        gc.freeze()
        linux.into_huge_pages()
        self._try_layers()
        report = {"layers": sorted(self.layers), "absent": self.absent, "open": self.open}
        with suppress(OSError):
            report["landlock"] = landlock.version()
        self.session.sendall(json.dumps(report).encode() + b"\n")

    def _leave(self) -> None:
        """Without bubblewrap around it, the zygote leaves the namespaces it was started in.

        What can't be left, a layer of the workers misses later, and says why.
        """
        if sys.platform != "linux":
            return
        linux.die_with_parent()
        if self.config["inside"]:
            self.layers -= {"root"}  # that one is better
        else:
            lost = namespaces.leave(self.layers, self.config, (self.control, self.session))
            if "root" in self.layers and lost:
                self._lose("root", lost)
        with suppress(OSError):
            self.outside = os.open("/proc/self/ns/pid", os.O_RDONLY)

    def _try_layers(self) -> None:
        """Leave out, and name, every layer that a trial worker can't have."""
        spare = self.layers & {"user namespace"}  # only for want of another user
        if "other user" in self.layers and (reason := confine.no_other_user()):
            self._lose("other user", reason)
        if "other user" in self.layers:
            self.layers -= spare
        if "watch" in self.layers and not family.sees_processes():
            self._lose("watch", "no /proc of its own")
        if "pid" in self.layers and (reason := confine.no_pids(self.outside)):
            self._lose("pid", reason)
        while failed := self._try_once():
            layer, reason = failed
            if layer not in self.layers:
                raise RuntimeError(reason)
            self._lose(layer, reason)
            if layer == "other user":
                self.layers |= spare
        self._probe()

    def _probe(self) -> None:
        """What stays open, tried in a worker.

        Joining a group takes 2 to 10 ms. Where it could only count processes, it is left out if a
        worker can't fork without end but for it: RLIMIT_NPROC holds for some users, not for root.
        """
        layers = self.layers
        if "cgroup" in layers and not self.config["memory group"]:
            self.layers = layers - {"cgroup"}
            self.open = self._look()
            if "processes" not in self.open:
                self._lose("cgroup", "they could count processes only, and the limits do that")
                return
            self.layers = layers
        self.open = self._look()

    def _look(self) -> dict[str, str]:
        """What a worker finds that looks around; `RuntimeError` when it can't say."""
        line = self._trial(self.config["limits"] | {"processes": probe.PROCESSES}, True)
        answer = json.loads(line or "{}")
        if "open" not in answer:
            raise RuntimeError(f"a trial worker ended: {answer.get('reason', 'without a word')}")
        return answer["open"]

    def _lose(self, layer: str, reason: str) -> None:
        self.layers -= {layer}
        self.absent[layer] = reason

    def _try_once(self) -> tuple[str, str] | None:
        """The layer that a worker which does nothing lacks, and why; None when it has them all."""
        try:
            line = self._trial(self.config["limits"])
        except confine.NoLayer as error:
            return error.layer, error.reason
        failed = json.loads(line or '{"layer": "", "reason": "a worker died before it was ready"}')
        return (failed["layer"], failed["reason"]) if failed else None

    def _trial(self, limits: dict, probing: bool = False) -> bytes:
        """What a worker says that runs no code of anybody; nothing if it died."""
        ours, theirs = socket.socketpair()
        ours.settimeout(_TRIAL)
        with ours, theirs:
            running = self._fork(limits, None, theirs.dup(), probing)
            theirs.close()
            try:
                line = ours.recv(_MESSAGE)
            except OSError:
                line = b""
        self._kill(running, None)
        self._bury(running)
        return line

    # Workers

    def _fork(self, limits: dict, channel, lifeline, probing: bool = False) -> Running:
        """A worker on the socket `channel`, or a trial without one."""
        self.born += 1
        cell = self._cell(limits)
        if "mount" not in cell.layers:
            confine.make_folder(cell)
        apart = "pid" in cell.layers
        if apart:
            with confine.layer("pid"):
                linux.unshare(linux.NEW_PID)
        try:
            pid = os.fork()
            if pid == 0:
                self._become_worker(cell, channel, lifeline, probing)
        finally:
            if apart:
                linux.rejoin(self.outside, linux.NEW_PID)
        deadline = time.monotonic() + limits["wall_seconds"]
        watch = os.pidfd_open(pid) if hasattr(os, "pidfd_open") else -1
        return Running(cell, pid, lifeline, deadline, watch)

    def _cell(self, limits: dict) -> confine.Cell:
        folder = self._scratch()
        if "mount" not in self.layers:
            folder = os.path.join(tempfile.gettempdir(), f"kata-{os.getpid()}-{self.born}")
        return confine.Cell(
            self.born,
            self.layers,
            limits,
            confine.data_bytes(),
            tuple(self.config["readable"]),
            tuple(self.config["hidden"]),
            folder,
            tuple(self.config["groups"]),
        )

    def _scratch(self) -> str:
        """A folder that a worker's own can be mounted over: nothing that it needs lies below."""
        needed = [Path(path) for path in self.config["readable"]]
        for folder in _SCRATCH:
            if os.path.isdir(folder) and not any(path.is_relative_to(folder) for path in needed):
                return folder
        return _SCRATCH[0]

    def _become_worker(self, cell, channel, lifeline, probing: bool) -> NoReturn:
        """Run in the child, from the fork to its end."""
        status = _NOT_STARTED
        try:
            if channel is not None:
                lifeline.sendall(b"\n")  # from which the other end knows this process
            confine.enter(cell)
            if probing:
                lifeline.sendall(json.dumps({"open": probe.look(self.config["bait"])}).encode())
            elif channel is None:
                lifeline.sendall(b"{}")
            else:
                status = self._serve(channel)
        except confine.NoLayer as error:
            failed = {
                "layer": error.layer,
                "reason": error.reason,
                "ended": f"not started, {error}",
            }
            lifeline.sendall(json.dumps(failed).encode() + b"\n")
        except SystemExit as error:
            status = error.code & 0xFF if isinstance(error.code, int) else 1
        except BaseException:
            status = 1
        finally:
            os._exit(status)

    def _serve(self, channel: socket.socket) -> int:
        """Keep three empty descriptors and the socket, and hand over to the entry module."""
        for standard in (0, 1, 2):
            os.dup2(self.null, standard)
        os.dup2(channel.fileno(), 3)
        channel.detach()
        os.closerange(4, self.highest)
        self.entry.serve(socket.socket(fileno=3))
        return 0

    def _kill(self, running: Running, why: str | None) -> None:
        """End a worker; with a namespace of its own, all that it started ends with it."""
        running.verdict = running.verdict or why
        if "pid" not in running.cell.layers:
            with suppress(ProcessLookupError, PermissionError):  # it may not lead a group yet
                os.killpg(running.pid, signal.SIGKILL)
        with suppress(ProcessLookupError):
            os.kill(running.pid, signal.SIGKILL)

    def _bury(self, running: Running) -> None:
        """Take a dead worker's status, tell its lifeline, and clear away what is left of it."""
        running.is_dead(wait=True)
        if running.watch >= 0:
            os.close(running.watch)
        if "mount" not in running.cell.layers:
            confine.drop_folder(running.cell.folder)
        for group in running.cell.groups if "cgroup" in running.cell.layers else ():
            confine.drop_group(group, running.cell)
        with running.lifeline, suppress(OSError):
            running.lifeline.sendall(json.dumps({"ended": running.ended}).encode() + b"\n")

    # The loop

    def serve(self) -> None:
        """Fork a worker for each message, and end those whose time or judge is gone."""
        with selectors.DefaultSelector() as selector:
            for source in (self.control, self.session):
                selector.register(source, selectors.EVENT_READ, None)
            while True:
                for key, _ in selector.select(self._patience()):
                    if key.fileobj is self.session:
                        return
                    if key.fileobj is self.control:
                        self._answer(selector)
                    elif key.fileobj is key.data.lifeline:
                        self._kill(key.data, "closed")
                        selector.unregister(key.fileobj)
                self._look_after(selector)

    def _patience(self) -> float | None:
        """Seconds until something other than a message may want doing."""
        if not self.workers:
            return None
        if any(running.verdict or running.watch < 0 for running in self.workers):
            return 0.01
        first = min(running.deadline for running in self.workers)
        return max(0.0, min(_LOOK, first - time.monotonic()))

    def _answer(self, selector: selectors.BaseSelector) -> None:
        message, descriptors = _receive(self.control)
        if not message:  # nobody is left who could ask
            selector.unregister(self.control)
            return
        if len(descriptors) != 2:
            for descriptor in descriptors:
                os.close(descriptor)
            return
        channel, lifeline = (socket.socket(fileno=number) for number in descriptors)
        limits = json.loads(message) or self.config["limits"]
        try:
            running = self._fork(limits, channel, lifeline)
        except (OSError, confine.NoLayer) as error:
            with lifeline, suppress(OSError):
                lifeline.sendall(json.dumps({"ended": f"not started, {error}"}).encode() + b"\n")
        else:
            self.workers.append(running)
            for source in (lifeline, running.watch):
                if source != -1:
                    selector.register(source, selectors.EVENT_READ, running)
        finally:
            channel.close()

    def _look_after(self, selector: selectors.BaseSelector) -> None:
        now = time.monotonic()
        for running in self.workers:
            if now > running.deadline and not running.verdict:
                self._kill(running, "out of time")
        if "watch" in self.layers and now >= self.next_look:
            self.next_look = now + _LOOK
            self._look_at_memory()
        for running in [one for one in self.workers if one.is_dead()]:
            self.workers.remove(running)
            for source in (running.lifeline, running.watch):
                with suppress(KeyError, ValueError):
                    selector.unregister(source)
            self._bury(running)

    def _look_at_memory(self) -> None:
        """End workers that hold too much in all their processes together, which RLIMIT_DATA, a
        limit on each, does not bound."""
        if not self.workers:
            return
        ours = family.private_pages(os.getpid())
        below = family.children()
        for running in self.workers:
            members = family.family(running.pid, below)
            pages = sum(max(0, family.private_pages(pid) - ours) for pid in members)
            if pages * _PAGE > running.cell.limits["memory"] * _TOO_MUCH:
                self._kill(running, "out of memory")

    def close(self) -> None:
        for running in self.workers:
            self._kill(running, "closed")
        for running in self.workers:
            self._bury(running)


def _receive(control: socket.socket) -> tuple[bytes, list[int]]:
    """One message, and the descriptors that came with it."""
    numbers = array.array("i")
    room = socket.CMSG_SPACE(2 * numbers.itemsize)
    message, extras, _, _ = control.recvmsg(_MESSAGE, room)
    for level, kind, data in extras:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            numbers.frombytes(data[: len(data) - len(data) % numbers.itemsize])
    return message, list(numbers)


def main() -> None:
    """The last argument is the configuration as JSON, the descriptors included."""
    config = json.loads(sys.argv.pop())
    sys.orig_argv.clear()
    control, session = (socket.socket(fileno=config[name]) for name in ("control", "session"))
    zygote = Zygote(config, control, session)
    try:
        zygote.prepare()
    except BaseException as error:
        session.sendall(json.dumps({"failed": f"{type(error).__name__}: {error}"}).encode() + b"\n")
        raise
    try:
        zygote.serve()
    finally:
        zygote.close()
    os._exit(0)  # at once: a command waits, and torch takes its time to be unloaded
