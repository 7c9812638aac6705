"""Real digits: the sample that ships with the course, and the full MNIST set.

MNIST is by Yann LeCun, Corinna Cortes and Christopher J. C. Burges, CC BY-SA 3.0.
Nothing is handed out before its MD5 sum has been checked.
"""

from __future__ import annotations

import errno
import functools
import gzip
import hashlib
import json
import struct
import zlib
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

SAMPLE = Path(__file__).parent / "data"

# The four original files, and the MD5 sums of their uncompressed content.
ORIGINALS = {
    "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
    "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
    "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
    "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
}


class DataError(Exception):
    """Digits could not be had; the text names the file, what is wrong, and what to do."""


@dataclass(frozen=True, eq=False)
class Digits:
    """Images uint8 (N, 28, 28), labels int64 (N,); name is "sample" or "full"."""

    train_images: Tensor
    train_labels: Tensor
    test_images: Tensor
    test_labels: Tensor
    name: str


def load(data: str | Path = "sample", progress: bool = True) -> Digits:
    """Digits from the sample, the full set (fetched when it is not here yet), or a folder."""
    if data == "sample":
        return load_sample()
    if data == "full":
        from grader import fetch  # rich, platformdirs, subprocess: not for the sample

        return fetch.full_set(progress)
    return read(Path(data).expanduser(), ORIGINALS, "full")


@functools.cache
def load_sample() -> Digits:
    """10,000 training and 2,000 test images, read once a process. Not to be changed in place."""
    try:
        sums = json.loads((SAMPLE / "sample.json").read_text(encoding="utf-8"))["md5"]
        return read(SAMPLE, sums, "sample")
    except (DataError, OSError, ValueError, KeyError) as error:
        raise DataError(
            f"The sample of digits is damaged: {error}\nInstall gradkata again."
        ) from error


def read(folder: Path, sums: dict[str, str], name: str) -> Digits:
    """The four files of `folder`, each checked against its MD5 sum, as tensors."""
    contents = {file: checked(path, sums[file]) for file, path in locate(folder).items()}
    images_and_labels = (
        _tensor(content) if "images" in file else _tensor(content).long()
        for file, content in contents.items()
    )
    return Digits(*images_and_labels, name=name)


def _tensor(idx: bytes) -> Tensor:
    """What an IDX file of bytes holds; its sum has been checked, so its header is as it should be.

    torchvision reads such files too, but takes a second to import, which every run would wait for.
    The format: https://yann.lecun.com/exdb/mnist (two zeros, the type, the number of dimensions,
    each of their sizes as a big-endian int32, then the values).
    """
    import torch

    dimensions = idx[3]
    shape = struct.unpack_from(f">{dimensions}i", idx, 4)
    values = torch.frombuffer(bytearray(idx), dtype=torch.uint8, offset=4 + 4 * dimensions)
    return values.reshape(shape)


def locate(folder: Path) -> dict[str, Path]:
    """Where the four files are: in the folder or below MNIST/raw or raw, with .gz or without."""
    with explained(folder):
        if not folder.exists():
            raise DataError(f"{folder}: there is no such folder. Check the path given with --data.")
        if not folder.is_dir():
            raise DataError(
                f"{folder} is a file. Give the folder that holds the four MNIST files with --data."
            )
        found = {}
        for file in ORIGINALS:
            for place in (folder, folder / "MNIST" / "raw", folder / "raw"):
                for path in (place / file, place / f"{file}.gz"):
                    if path.is_file():
                        found.setdefault(file, path)
    missing = [file for file in ORIGINALS if file not in found]
    if missing:
        raise DataError(
            f"{folder} does not hold {', '.join(missing)} (with .gz or without, there or in "
            "MNIST/raw). Give a folder that holds the four MNIST files with --data."
        )
    return found


def checked(path: Path, md5: str) -> bytes:
    """The uncompressed content of a file, if it has this MD5 sum."""
    with explained(path):
        try:
            content = path.read_bytes()
            if path.suffix == ".gz":
                content = gzip.decompress(content)
        except EOFError as error:
            raise DataError(
                f"{path} is cut short: the gzip stream ends too early. {AGAIN}"
            ) from error
        except (gzip.BadGzipFile, zlib.error) as error:
            raise DataError(f"{path} is not a whole gzip file: {error}. {AGAIN}") from error
    if (actual := md5sum(content)) != md5:
        raise DataError(
            f"{path} is not the right file, or damaged: its content ({len(content):,} bytes) has "
            f"the MD5 sum {actual}, not {md5}. {AGAIN}"
        )
    return content


AGAIN = "Fetch or copy it again."


def md5sum(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


@contextmanager
def explained(path: Path):
    """What the system refuses, said as a DataError about `path`."""
    try:
        yield
    except OSError as error:
        where = error.filename or path
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            todo = "The disk is full: free about 150 MB there, or point XDG_CACHE_HOME elsewhere."
        elif isinstance(error, PermissionError) or error.errno == errno.EROFS:
            todo = "Permission denied: change its permissions, or use another folder."
        else:
            todo = f"{error.strerror or error}. Check the path."
        raise DataError(f"{where}: {todo}") from error
