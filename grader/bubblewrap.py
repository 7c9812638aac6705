"""The command line of bubblewrap: a root that holds an interpreter, its libraries and our code."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

CODE = Path("/kata")  # where the sandbox finds the code that is ours
_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64")
_ETC = ("ld.so.cache", "localtime", "fonts", "alternatives", "ssl/certs", "mime.types")
_HARDWARE = "/sys/devices/system/cpu"  # torch asks it for caches and cores
# What the zygote needs to lock its workers in; it hands on none of them.
_RIGHTS = ("SYS_ADMIN", "SETUID", "SETGID", "SETPCAP", "KILL", "CHOWN", "SETFCAP")
_NAME = __package__.partition(".")[0]
_TRIAL = 20.0  # seconds


def prefixes() -> list[Path]:
    """The folders that the interpreter and its packages live in, those of every link between
    `sys.executable` and the program itself included."""
    found = [Path(sys.prefix), Path(sys.base_prefix), Path(sys.exec_prefix)]
    link = Path(os.path.abspath(sys.executable))
    while True:
        found.append(link.parent.parent)
        if not link.is_symlink():
            break
        link = Path(os.path.normpath(link.parent / os.readlink(link)))
    found += [path.resolve() for path in found]
    kept: list[Path] = []
    for path in sorted(set(found), key=lambda path: len(path.parts)):
        inside = any(path.is_relative_to(other) for other in [*kept, *map(Path, _SYSTEM)])
        if path != Path("/") and path.is_dir() and not inside:
            kept.append(path)
    return kept


def readable() -> list[str]:
    """What a worker may read: nothing of a home, nothing of the course."""
    etc = [f"/etc/{name}" for name in _ETC]
    return [*map(str, prefixes()), *_SYSTEM, *etc, _HARDWARE]


def course_folders() -> list[Path]:
    """Where tests, solutions and digits lie: the checkout around this package, or, where it is
    installed among others, the package; and every other copy in a folder of packages."""
    package = Path(__file__).resolve().parent
    around = package.parent
    ours = around if (around / "pyproject.toml").is_file() else package
    roots = [*prefixes(), Path("/usr"), Path("/usr/local")]
    copies = {copy for root in roots for copy in root.glob(f"lib*/python*/*-packages/{_NAME}")}
    return [ours, *sorted(copies - {ours})]


def missing() -> str | None:
    """Why there is no bubblewrap here."""
    if sys.platform != "linux":
        return f"bubblewrap is for Linux, this is {sys.platform}"
    return None if shutil.which("bwrap") else "bubblewrap is not installed"


def command(folder: Path, network: bool, size: int) -> list[str]:
    """The words that come before an interpreter's: `folder` is read as `CODE`; `size` in bytes
    is that of the zygote's own temporary folder."""
    words = [shutil.which("bwrap") or "bwrap", "--unshare-pid", "--unshare-ipc", "--unshare-uts"]
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
    for path in _parents([*prefixes(), *map(Path, readable())]):
        words += ["--perms", "0755", "--dir", str(path)]  # bubblewrap's own would be 0700
    for path in _SYSTEM:
        if os.path.islink(path):
            words += ["--symlink", os.readlink(path), path]
        elif os.path.isdir(path):
            words += ["--ro-bind", path, path]
    for path in prefixes():
        words += ["--ro-bind", str(path.resolve()), str(path)]
    for path in [*(f"/etc/{name}" for name in _ETC), _HARDWARE]:
        words += ["--ro-bind-try", path, path]
    for path in hidden():
        words += ["--tmpfs", str(path)]
    words += ["--ro-bind", str(folder), str(CODE), "--dev", "/dev", "--proc", "/proc"]
    words += ["--size", str(size), "--perms", "1777", "--tmpfs", "/tmp", "--chdir", "/tmp"]
    return [*words, "--clearenv"]


def _parents(paths: list[Path]) -> list[Path]:
    """The folders above these, outermost first, outside the folders of the system."""
    above = {folder for path in paths for folder in path.parents if folder != Path("/")}
    kept = {folder for folder in above if not any(folder.is_relative_to(top) for top in _SYSTEM)}
    return sorted(kept, key=lambda folder: len(folder.parts))


def hidden() -> list[Path]:
    """The folders of the course that lie below something that a worker may read."""
    shown = [Path(path) for path in readable()]
    return [
        folder for folder in course_folders() if any(folder.is_relative_to(path) for path in shown)
    ]


def refusal(words: list[str]) -> str | None:
    """Why bubblewrap can't start an interpreter with this command line; None when it can."""
    for path in prefixes():
        if path.is_relative_to("/tmp"):
            return f"it puts an empty folder in the place of /tmp, and {path} lies below it"
        if not os.access(path, os.R_OK | os.X_OK):
            return f"it can't mount the interpreter, since this user may not read {path}"
    try:
        done = subprocess.run(
            [*words, sys.executable, "-I", "-S", "-c", ""],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_TRIAL,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    if done.returncode == 0:
        return None
    said = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
    if "Permission denied" in said and "source path" in said:
        return f"it can't mount the interpreter, since this user may not read it all ({said})"
    return said


def environment(folder: str) -> dict[str, str]:
    """All that a worker sees of the environment."""
    threads = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    return {
        "PATH": "/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "MPLBACKEND": "Agg",
        "HOME": folder,
        "TMPDIR": folder,
        "MPLCONFIGDIR": os.path.join(folder, "matplotlib"),
        **dict.fromkeys(threads, "1"),
    }
