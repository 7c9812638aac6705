"""Run a command as a person would, but forked from a process that has the imports behind it.

The commands are the real ones, in a process of their own; what is saved is the seconds that torch
takes to import, for each of some dozens of runs.
"""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import tempfile
from pathlib import Path

PRELOAD = [
    "torch",
    "torchvision.transforms.v2",
    "matplotlib.pyplot",
    "pytest",
    "_pytest.pathlib",
    "pytest_timeout",
    "typer",
    "rich.progress",
    "rich.syntax",
    "jupytext",
    "nbgrader.preprocessors",
    "grader.plugin",
    "grader.bench",
]
ENVIRONMENT = {"COLUMNS": "200", "NO_COLOR": "1", "PYTEST_ADDOPTS": "--disable-warnings"}


def run(program: str, words: tuple[str, ...], cwd: Path) -> subprocess.CompletedProcess:
    """`kata …` or `pytest …`; what it printed, and its exit status."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        module = {"kata": "grader", "pytest": "pytest"}[program]
        return cold([sys.executable, "-m", module, *words], cwd)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOAD)
    with tempfile.TemporaryDirectory() as folder:
        out, err = Path(folder, "out"), Path(folder, "err")
        child = context.Process(target=_main, args=(program, words, str(cwd), str(out), str(err)))
        child.start()
        child.join(240)
        assert child.exitcode is not None, f"{program} {words} does not end"
        shown = [path.read_text("utf-8", "replace") for path in (out, err)]
        return subprocess.CompletedProcess([program, *words], child.exitcode, *shown)


def cold(command: list[str], cwd: Path) -> subprocess.CompletedProcess:
    """A command in a process that starts from nothing."""
    return subprocess.run(
        command,
        cwd=cwd,
        env=os.environ | ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def _main(program: str, words: tuple[str, ...], cwd: str, out: str, err: str) -> None:
    os.chdir(cwd)
    os.environ |= ENVIRONMENT
    for number, path in ((1, out), (2, err)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT), number)
    sys.stdout, sys.stderr = (
        os.fdopen(number, "w", encoding="utf-8", closefd=False) for number in (1, 2)
    )
    sys.argv = [program, *words]
    try:
        if program == "kata":
            from grader.cli import main

            main()
            code = 0
        else:
            import pytest

            code = int(pytest.main(list(words)))
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
