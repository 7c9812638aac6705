"""nbgrader's commands as a person would run them, forked from a process that has imported it.

Each has a process, a folder and a home of its own; what is saved is the seconds that nbgrader takes
to start, for each of some dozens of runs.
"""

from __future__ import annotations

import atexit
import gc
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path


@dataclass
class Done:
    """A command that has ended: its exit status, and what it printed."""

    returncode: int
    said: str


class Commands:
    """A process to fork nbgrader's commands from, for as long as the `with` lasts."""

    def __enter__(self) -> Commands:
        self._server = subprocess.Popen(
            [sys.executable, "-m", __name__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self

    def __exit__(self, *_) -> None:
        self._server.stdin.close()
        self._server.wait(20)
        self._server.stdout.close()

    def run(self, cwd: Path, *words: str, home: Path | None = None) -> Done:
        """`nbgrader WORDS…` in a folder, by someone whose home is `home`."""
        order = {"words": words, "cwd": str(cwd), "home": str(home or cwd)}
        self._server.stdin.write(json.dumps(order) + "\n")
        self._server.stdin.flush()
        return Done(**json.loads(self._server.stdout.readline()))


def serve() -> None:
    """Run what comes in, a line for each command."""
    from nbgrader.apps.nbgraderapp import NbGraderApp  # noqa: F401  # for the commands to come

    gc.freeze()
    for line in sys.stdin:
        order = json.loads(line)
        with tempfile.TemporaryFile() as out:
            pid = os.fork()
            if pid == 0:
                _command(order, out.fileno())
            status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
            out.seek(0)
            said = out.read().decode("utf-8", "replace")
        print(json.dumps({"returncode": status, "said": said}), flush=True)


def _command(order: dict, out: int) -> None:
    code = 1
    try:
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0), os.dup2(out, 1), os.dup2(out, 2)
        os.chdir(order["cwd"])
        os.environ["HOME"] = order["home"]
        sys.argv = ["nbgrader", *order["words"]]
        from nbgrader.apps.nbgraderapp import main

        main()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    finally:
        atexit._run_exitfuncs()
        sys.stdout.flush()
        os._exit(code)


if __name__ == "__main__":
    serve()
