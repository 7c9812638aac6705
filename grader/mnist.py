"""Real digits: the four MNIST files that ship with the course, and a sample drawn from them.

MNIST is by Yann LeCun, Corinna Cortes and Christopher J. C. Burges, CC BY-SA 3.0.
Nothing is handed out before its MD5 sum has been checked.
"""

from __future__ import annotations

import functools
import gzip
import hashlib
import os
import struct
import zipfile
import zlib
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from numpy import ndarray
    from torch import Tensor

SHIPPED = Path(__file__).parent / "data"
# Positions in the training and the test set, drawn once with every digit in its share, in the order
# of the draw: uint16 "train" (10000,) and "t10k" (2000,).
SAMPLE = SHIPPED / "sample.npz"

# The four original files, and the MD5 sums of their uncompressed content.
ORIGINALS = {
    "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
    "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
    "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
    "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
}


_MOST = 48 << 20  # bytes: more than the largest of them has, and an end to what is packed


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


def load(data: str | Path = "sample") -> Digits:
    """Digits from the sample, the full set, or a folder that holds the four files.

    `DataError` where they are not to be had.
    """
    if data == "sample":
        return load_sample()
    return _digits(shipped() if data == "full" else read(Path(os.path.expanduser(data))), "full")


@functools.cache
def load_sample() -> Digits:
    """10,000 training and 2,000 test images, read once a process. Not to be changed in place.

    `DataError` where a file that ships with the course is damaged.
    """
    import numpy

    arrays = shipped()
    try:
        with numpy.load(SAMPLE) as chosen:
            positions = {part: chosen[part] for part in ("train", "t10k")}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise DataError(f"{SAMPLE} is damaged: {error}\nInstall gradkata again.") from error
    return _digits(
        {file: array[positions[file.partition("-")[0]]] for file, array in arrays.items()}, "sample"
    )


def shipped() -> dict[str, ndarray]:
    """The arrays of the four files of the course; `DataError` if it is to be installed again."""
    try:
        return read(SHIPPED)
    except DataError as error:
        raise DataError(
            f"The digits of the course are damaged: {error}\nInstall gradkata again."
        ) from error


def read(folder: Path) -> dict[str, ndarray]:
    """The four files of `folder`, each checked against its MD5 sum: uint8 arrays by file name."""
    return {file: _array(checked(path, ORIGINALS[file])) for file, path in locate(folder).items()}


def _digits(arrays: dict[str, ndarray], name: str) -> Digits:
    """Copied in numpy: a tensor's own copy starts threads, which a warm parent must not have."""
    import torch

    return Digits(
        *(
            torch.from_numpy(array.astype("uint8" if "images" in file else "int64"))
            for file, array in arrays.items()
        ),
        name=name,
    )


def _array(idx: bytes) -> ndarray:
    """What an IDX file of bytes holds; its sum has been checked, so its header is as it should be.

    torchvision reads such files too, but takes a second to import, which every run would wait for.
    The format: https://yann.lecun.com/exdb/mnist (two zeros, the type, the number of dimensions,
    each of their sizes as a big-endian int32, then the values).
    """
    import numpy

    dimensions = idx[3]
    shape = struct.unpack_from(f">{dimensions}i", idx, 4)
    return numpy.frombuffer(idx, numpy.uint8, offset=4 + 4 * dimensions).reshape(shape)


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
            with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
                content = file.read(_MOST)
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


AGAIN = "Copy it again, or leave --data out: the digits ship with the course."


def md5sum(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


@contextmanager
def explained(path: Path):
    """What the system refuses, said as a DataError about `path`."""
    try:
        yield
    except OSError as error:
        where = error.filename or path
        if isinstance(error, PermissionError):
            todo = "Permission denied: change its permissions, or use another folder."
        else:
            todo = f"{error.strerror or error}. Check the path."
        raise DataError(f"{where}: {todo}") from error
