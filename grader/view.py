"""What a worker may read: an interpreter, the packages in use from where they lie, and no course.

Packages are shown from wherever this process would import them: the environment's own folder, a
`.pth` entry, PYTHONPATH, the user's or Debian's. A folder that is for packages is shown as a
whole; of any other, which may hold anything, only the distributions in use.
"""

from __future__ import annotations

import os
import re
import sys
import sysconfig
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import machinery, metadata
from pathlib import Path

SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64")
_ETC = ("ld.so.cache", "localtime", "fonts", "alternatives", "ssl/certs", "mime.types")
_HARDWARE = "/sys/devices/system/cpu"  # torch asks it for caches and cores
_PACKAGES = ("site-packages", "dist-packages")  # names of folders that are for packages
_NAME = __package__.partition(".")[0]
_PACKAGE = Path(__file__).resolve().parent
# Whatever an exercise imports, the worker's libraries begin with these.
_LIBRARIES = ("torch", "numpy", "torchvision", "matplotlib")


class ViewError(Exception):
    """What a worker needs cannot be shown without the course; the text names the folder."""


@dataclass(frozen=True)
class View:
    """Files and folders under their own names; a link keeps its name and shows what it leads to."""

    program: str  # the interpreter
    path: tuple[str, ...]  # `sys.path` of a worker, our own code not included
    shown: tuple[str, ...]  # what exists of it is read, and nothing else
    hidden: tuple[str, ...]  # folders of the course below something shown: seen as empty

    def mounts(self) -> list[tuple[str, bool]]:
        """Paths outside the system's own, outermost first, each with whether it is shown."""
        listed = [(path, True) for path in self.shown if path not in SYSTEM]
        listed += [(path, False) for path in self.hidden]
        # What is shown below something hidden comes after it: an environment in a checkout.
        return sorted(listed, key=lambda entry: entry[0].count("/"))


def view(modules: Iterable[str] = (), courses: Iterable[Path] = ()) -> View:
    """What a worker reads that imports `modules`; `courses` are kept from it, as ours always is.

    `ViewError` where a folder of packages is itself a course.
    """
    entries, parts = _packages({*_LIBRARIES, *(name.partition(".")[0] for name in modules)})
    program = os.path.realpath(getattr(sys, "_base_executable", None) or sys.executable)
    stdlib = sysconfig.get_path("stdlib")
    roots = {Path(sys.base_prefix), Path(sys.base_exec_prefix), Path(program).parents[1]}
    around = [stdlib, *(str(root / name) for root in roots for name in ("lib", "lib64"))]
    around += library_path()
    system = [*SYSTEM, *(f"/etc/{name}" for name in _ETC), _HARDWARE]
    shown = _outermost([*system, *around, program, *parts, *_shared_libraries(around)])
    ours = {*course_folders(parts), *(Path(path).resolve() for path in courses)}
    hidden = {name for path in shown for folder in ours if (name := _below(folder, path))}
    if shared := hidden.intersection(shown):
        folder = min(shared)
        raise ViewError(f"{folder} holds packages and the course: install them in separate folders")
    standard = [path for path in sys.path if _is_standard(path, stdlib)]
    path = dict.fromkeys([*standard, *entries])
    return View(program, tuple(path), tuple(shown), tuple(sorted(hidden)))


def _below(folder: Path, path: str) -> str | None:
    """The name of `folder` below `path`, which may be a link; None where it lies elsewhere."""
    real = os.path.realpath(path)
    if not folder.is_relative_to(real):
        return None
    return os.path.normpath(os.path.join(path, folder.relative_to(real)))


def _is_standard(path: str, stdlib: str) -> bool:
    zipped = re.fullmatch(r"python\d+\.zip", os.path.basename(path)) is not None
    return zipped or (Path(path).is_relative_to(stdlib) and not _is_for_packages(path))


def _is_for_packages(folder: str) -> bool:
    return os.path.basename(os.path.normpath(folder)) in _PACKAGES


def _packages(names: set[str]) -> tuple[list[str], list[str]]:
    """The entries of `sys.path` that hold these modules and what they require, and what to show
    of each of them."""
    entries: dict[str, set[str]] = {}
    # Our own code is copied into the sandbox, and the folder that it lies in has the course.
    ours_or_standard = {_NAME, *sys.builtin_module_names, *sys.stdlib_module_names}
    for name in sorted(names - ours_or_standard):
        if spec := _spec(name):
            folders = list(spec.submodule_search_locations or ())
            for place in folders or [spec.origin]:
                entries.setdefault(os.path.dirname(place), set()).add(os.path.basename(place))
    for distribution in _required(names):
        folder = os.path.normpath(str(distribution.locate_file("")))
        tops = entries.setdefault(folder, set())
        if not _is_for_packages(folder):
            files = distribution.files or ()
            tops |= {file.parts[0] for file in files if ".." not in file.parts}
    listed = [path for path in sys.path if os.path.normpath(path) in entries]
    unlisted = [path for path in entries if path not in map(os.path.normpath, listed)]
    parts = []
    for folder, tops in entries.items():
        whole = _is_for_packages(folder)
        parts += [folder] if whole else [os.path.join(folder, top) for top in sorted(tops)]
    return [*listed, *unlisted], parts


def _spec(name: str):
    """Where a module would come from, without importing anything; None where there is none."""
    for finder in sys.meta_path:  # an editable install brings a finder of its own
        try:
            spec = finder.find_spec(name, None)
        except Exception:  # some are for other names, and say so in their own way
            continue
        if spec and (spec.submodule_search_locations or isinstance(spec.origin, str)):
            builtin = spec.loader in (machinery.BuiltinImporter, machinery.FrozenImporter)
            return None if builtin else spec
    return None


def _required(names: Iterable[str]) -> list[metadata.Distribution]:
    """The installed distributions of these names, and those that they require."""
    waiting, seen = list(names), {}
    while waiting:
        name = re.sub(r"[-_.]+", "-", waiting.pop()).lower()
        if name in seen or name in (_NAME, "gradkata"):
            continue
        try:
            seen[name] = metadata.distribution(name)
        except (metadata.PackageNotFoundError, ValueError):
            seen[name] = None
            continue
        for wish in seen[name].requires or ():
            if "extra ==" not in wish:
                waiting.append(re.match(r"[\w.-]+", wish)[0])
    return [distribution for distribution in seen.values() if distribution]


def library_path() -> list[str]:
    """The entries of LD_LIBRARY_PATH that are for libraries, as modules of a cluster set them."""
    entries = os.environ.get("LD_LIBRARY_PATH", "").split(":")
    return [path for path in entries if os.path.basename(path) in ("lib", "lib64")]


def _shared_libraries(around: Iterable[str]) -> list[str]:
    """The shared libraries of this process that lie elsewhere than a system has them."""
    try:
        lines = Path("/proc/self/maps").read_text(errors="replace").splitlines()
    except OSError:
        return []
    paths = {line.split(maxsplit=5)[5] for line in lines if ".so" in line and line.count("/")}
    known = (*SYSTEM, *around)
    return [
        path
        for path in paths
        if os.path.isfile(path)
        and not any(Path(path).is_relative_to(folder) for folder in known)
        and not any(f"/{name}/" in path for name in _PACKAGES)
        and not Path(path).is_relative_to(_checkout())
    ]


def _outermost(paths: Iterable[str]) -> list[str]:
    """Those that exist, without what lies below another of them."""
    kept: list[str] = []
    for path in sorted(set(map(os.path.normpath, paths)), key=lambda path: path.count("/")):
        if not any(Path(path).is_relative_to(above) for above in kept) and os.path.lexists(path):
            kept.append(path)
    return kept


def _checkout() -> Path:
    """The checkout around this package, or, where it is installed among others, the package."""
    around = _PACKAGE.parent
    return around if (around / "pyproject.toml").is_file() else _PACKAGE


def course_folders(parts: Iterable[str] = ()) -> list[Path]:
    """Where tests, solutions and digits lie: ours, and every other copy in a folder of packages."""
    roots = {sys.prefix, sys.base_prefix, sys.base_exec_prefix, "/usr", "/usr/local"}
    folders = [folder for root in roots for folder in Path(root).glob("lib*/python*/*-packages")]
    folders += [Path(part) for part in parts if _is_for_packages(part)]
    copies = {(folder / _NAME).resolve() for folder in folders if (folder / _NAME).is_dir()}
    return [_checkout(), *sorted(copies - {_checkout()})]
