"""The digits that ship with the course, the sample of them, and folders that hold others."""

import errno
import gzip
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from grader import mnist
from grader.mnist import DataError


def header(*sizes: int) -> bytes:
    """An IDX header: two zeros, 8 for unsigned bytes, the number of sizes, the sizes."""
    return bytes([0, 0, 8, len(sizes)]) + b"".join(size.to_bytes(4, "big") for size in sizes)


@pytest.fixture
def small(monkeypatch):
    """Four tiny files that stand for the originals: name → uncompressed content."""
    files = {}
    for part, n in {"train": 5, "t10k": 3}.items():
        pixels = bytes(i % 251 for i in range(n * 784))
        files[f"{part}-images-idx3-ubyte"] = header(n, 28, 28) + pixels
        files[f"{part}-labels-idx1-ubyte"] = header(n) + bytes(range(n))
    sums = {name: mnist.md5sum(content) for name, content in files.items()}
    monkeypatch.setattr(mnist, "ORIGINALS", sums)
    return files


def put(files: dict[str, bytes], folder: Path, compress=False) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        if compress:
            (folder / f"{name}.gz").write_bytes(gzip.compress(content))
        else:
            (folder / name).write_bytes(content)
    return folder


def is_small(digits) -> bool:
    return (
        digits.name == "full"
        and digits.train_images.shape == (5, 28, 28)
        and digits.test_images.flatten()[:3].tolist() == [0, 1, 2]
        and digits.train_labels.tolist() == [0, 1, 2, 3, 4]
        and digits.test_labels.tolist() == [0, 1, 2]
    )


class TestSample:
    def test_shapes_types_and_classes(self):
        digits = mnist.load()
        assert digits.name == "sample"
        for images, labels, n in (
            (digits.train_images, digits.train_labels, 10_000),
            (digits.test_images, digits.test_labels, 2_000),
        ):
            assert images.shape == (n, 28, 28) and images.dtype == torch.uint8
            assert labels.shape == (n,) and labels.dtype == torch.int64
            assert (labels.bincount(minlength=10) > 0.085 * n).all()
            assert len({image.numpy().tobytes() for image in images}) == n

    def test_read_once_a_process(self):
        assert mnist.load("sample") is mnist.load_sample()

    def test_any_prefix_is_a_fair_draw(self):
        assert (mnist.load_sample().train_labels[:1000].bincount(minlength=10) > 60).all()

    def test_it_starts_no_thread(self):
        code = (
            "import os; from grader import mnist; import torch; torch.zeros(1)\n"
            "before = len(os.listdir('/proc/self/task')); mnist.load_sample()\n"
            "print(len(os.listdir('/proc/self/task')) - before)"
        )
        if not Path("/proc/self/task").is_dir():
            pytest.skip("threads are counted in /proc, which this system has not")
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert done.stdout == "0\n", done.stderr


class TestShipped:
    def test_the_full_set(self):
        digits = mnist.load("full")
        assert digits.name == "full"
        assert digits.train_images.shape == (60_000, 28, 28)
        assert digits.test_images.shape == (10_000, 28, 28)
        assert digits.train_labels[:8].tolist() == [5, 0, 4, 1, 9, 2, 1, 3]
        assert digits.test_labels[:8].tolist() == [7, 2, 1, 0, 4, 1, 4, 9]

    def test_the_sample_is_a_part_of_it(self):
        digits, sample = mnist.load("full"), mnist.load_sample()
        known = {image.numpy().tobytes(): label for image, label in pairs(digits)}
        assert all(known[image.numpy().tobytes()] == label for image, label in pairs(sample))

    def test_torchvision_reads_it(self, tmp_path):
        from torchvision.datasets import MNIST

        raw = shutil.copytree(mnist.SHIPPED / "MNIST" / "raw", tmp_path / "MNIST" / "raw")
        for packed in raw.iterdir():
            packed.with_suffix("").write_bytes(gzip.decompress(packed.read_bytes()))
        theirs = MNIST(tmp_path, train=False)
        assert torch.equal(theirs.data, mnist.load("full").test_images)

    @pytest.mark.parametrize("file", ["MNIST/raw/t10k-labels-idx1-ubyte.gz", "sample.npz"])
    @pytest.mark.parametrize("left", [0, -20])
    def test_damage_is_told(self, monkeypatch, tmp_path, file, left):
        folder = shutil.copytree(mnist.SHIPPED, tmp_path / "data")
        content = (folder / file).read_bytes()
        (folder / file).write_bytes(content[:left] if left else b"")
        monkeypatch.setattr(mnist, "SHIPPED", folder)
        monkeypatch.setattr(mnist, "SAMPLE", folder / "sample.npz")
        with pytest.raises(DataError, match=rf"(?s){Path(file).name}.*Install gradkata again"):
            mnist.load_sample.__wrapped__()


def pairs(digits):
    """Each image of both parts with its label."""
    yield from zip(digits.train_images, digits.train_labels.tolist(), strict=True)
    yield from zip(digits.test_images, digits.test_labels.tolist(), strict=True)


class TestFolder:
    @pytest.mark.parametrize("compress", [False, True])
    @pytest.mark.parametrize("below", [".", "raw", "MNIST/raw"])
    def test_layouts(self, small, tmp_path, compress, below):
        put(small, tmp_path / below, compress)
        assert is_small(mnist.load(tmp_path))
        assert is_small(mnist.load(str(tmp_path)))

    def test_missing_folder(self, tmp_path):
        with pytest.raises(DataError, match="nowhere: there is no such folder.*--data"):
            mnist.load(tmp_path / "nowhere")

    def test_a_file_for_a_folder(self, tmp_path):
        (tmp_path / "mnist.zip").write_bytes(b"PK")
        with pytest.raises(DataError, match="mnist.zip is a file. Give the folder"):
            mnist.load(tmp_path / "mnist.zip")

    def test_files_missing(self, small, tmp_path):
        put(small, tmp_path)
        (tmp_path / "t10k-labels-idx1-ubyte").unlink()
        with pytest.raises(DataError, match="does not hold t10k-labels-idx1-ubyte .*--data"):
            mnist.load(tmp_path)

    def test_wrong_checksum(self, small, tmp_path):
        put(small, tmp_path)
        path = tmp_path / "train-images-idx3-ubyte"
        path.write_bytes(path.read_bytes()[:-1] + b"\x07")
        with pytest.raises(DataError, match="train-images.* damaged.*MD5 sum .*again"):
            mnist.load(tmp_path)

    def test_what_is_packed_without_end_has_an_end(self, small, monkeypatch, tmp_path):
        put(small, tmp_path, compress=True)
        monkeypatch.setattr(mnist, "_MOST", 1000)
        with pytest.raises(DataError, match=r"not the right file.*\(1,000 bytes\)"):
            mnist.load(tmp_path)

    def test_truncated_gzip(self, small, tmp_path):
        put(small, tmp_path, compress=True)
        path = tmp_path / "train-images-idx3-ubyte.gz"
        path.write_bytes(path.read_bytes()[:-30])
        with pytest.raises(DataError, match="train-images.*gz is cut short.*again"):
            mnist.load(tmp_path)

    def test_not_gzip_at_all(self, small, tmp_path):
        put(small, tmp_path, compress=True)
        (tmp_path / "train-labels-idx1-ubyte.gz").write_bytes(b"<html>404</html>")
        with pytest.raises(DataError, match="train-labels.*gz is not a whole gzip file"):
            mnist.load(tmp_path)

    @pytest.mark.parametrize("place", ["header", "middle"])
    def test_a_flipped_byte_in_gzip(self, small, tmp_path, place):
        put(small, tmp_path, compress=True)
        path = tmp_path / "train-images-idx3-ubyte.gz"
        content = bytearray(path.read_bytes())
        content[1 if place == "header" else len(content) // 2] ^= 0xFF
        path.write_bytes(content)
        with pytest.raises(DataError, match="train-images.*again"):
            mnist.load(tmp_path)

    def test_permission_denied(self, small, tmp_path, monkeypatch):
        put(small, tmp_path)

        def refuse(self, *args):
            raise PermissionError(errno.EACCES, "Permission denied", str(self))

        monkeypatch.setattr(Path, "open", refuse)
        with pytest.raises(DataError, match="train-images.*Permission denied: change"):
            mnist.load(tmp_path)
