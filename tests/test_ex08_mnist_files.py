"""Exercise 08, MNIST files: bytes on a disk, pictures in folders, tensors, and a first rule.

The IDX reader takes the sizes from the header, tells gzip by its content, and refuses any file
whose length or kind is not what the header states. Labels live in folder names, paths come
sorted, pixels come back as fractions in the order of the paths. The pixel distance of an image to
the mean three and the mean seven is the baseline that exercise 09 has to beat.
"""

import gzip
import hashlib
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from grader import expect


def idx(tensor, kind=8):
    """The bytes of an IDX file that holds this uint8 tensor."""
    sizes = b"".join(size.to_bytes(4, "big") for size in tensor.shape)
    return bytes([0, 0, kind, tensor.dim()]) + sizes + bytes(tensor.flatten().tolist())


def file(folder, name, content):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def packed(content):
    """Compressed, without the time of day: the same bytes at every run."""
    return gzip.compress(content, mtime=0)


def kind(got, wanted):
    """What came back is of this type; names the type alone, as its text may differ by run."""
    expect.that(isinstance(got, wanted), f"a {wanted.__name__}", got=f"a {type(got).__name__}")
    return got


def drawn_idx(rng, *sizes):
    return idx(rng.integers(0, 255, *sizes).to(torch.uint8))


@pytest.mark.task("read_idx", points=4)
class TestReadIdx:
    """An IDX file of bytes → a uint8 tensor with the sizes of its header."""

    def test_example(self, ex, tmp_path):
        labels = bytes([0, 0, 8, 1, 0, 0, 0, 3, 5, 0, 4])
        got = ex.read_idx(file(tmp_path, "labels", labels))
        expect.equal(got, torch.tensor([5, 0, 4], dtype=torch.uint8))

    def test_drawn_images(self, ex, rng, tmp_path):
        want = rng.images(*rng.sizes(3))
        expect.equal(ex.read_idx(file(tmp_path, "images", idx(want))), want)

    def test_drawn_labels(self, ex, rng, tmp_path):
        want = rng.integers(0, 9, rng.integer(257, 900)).to(torch.uint8)
        expect.equal(ex.read_idx(file(tmp_path, "labels", idx(want))), want)

    def test_drawn_images_compressed(self, ex, rng, tmp_path):
        want = rng.images(rng.integer(2, 5))
        path = file(tmp_path, "images.gz", packed(idx(want)))
        expect.equal(ex.read_idx(path), want)

    def test_real_digits(self, ex, rng, digits, tmp_path):
        first = rng.integer(0, 1900)
        want = digits.test_images[first : first + 70].clone()
        path = file(tmp_path, "t10k-images-idx3-ubyte.gz", packed(idx(want)))
        expect.equal(ex.read_idx(path), want)

    def test_gzip_is_told_by_content_not_by_name(self, ex, rng, tmp_path):
        want = rng.images(*rng.sizes(3))
        squeezed = file(tmp_path, "no-suffix", packed(idx(want)))
        plain = file(tmp_path, "unpacked.gz", idx(want))
        expect.equal(ex.read_idx(squeezed), want, what="read_idx of a gzip file without .gz")
        expect.equal(ex.read_idx(plain), want, what="read_idx of a plain file named .gz")

    def test_the_file_stays_as_it_is(self, ex, rng, tmp_path):
        content = drawn_idx(rng, 3, 4, 2)
        path = file(tmp_path, "images", content)
        ex.read_idx(path)
        expect.that(path.read_bytes() == content, "a file that only was read", what="the file")

    @pytest.mark.parametrize("cut", ["a pixel", "half", "to the header", "in the header"])
    def test_truncated(self, ex, rng, tmp_path, cut):
        content = drawn_idx(rng, *rng.sizes(3))
        length = {
            "a pixel": len(content) - 1,
            "half": len(content) // 2,
            "to the header": 16,
            "in the header": 10,
        }[cut]
        with expect.raises(ValueError, mentions="broken-off"):
            ex.read_idx(file(tmp_path, "broken-off", content[:length]))

    def test_truncated_inside_gzip(self, ex, rng, tmp_path):
        path = file(tmp_path, "short.gz", packed(drawn_idx(rng, 5, 6, 7)[:-3]))
        with expect.raises(ValueError, mentions="short.gz"):
            ex.read_idx(path)

    def test_gzip_cut_short(self, ex, rng, tmp_path):
        whole = packed(drawn_idx(rng, 5, 6, 7))
        for length in (len(whole) // 2, len(whole) - 3):
            with expect.raises(ValueError, mentions="cut.gz"):
                ex.read_idx(file(tmp_path, "cut.gz", whole[:length]))

    def test_gzip_with_a_wrong_checksum(self, ex, rng, tmp_path):
        damaged = bytearray(packed(drawn_idx(rng, 5, 6, 7)))
        damaged[-8] ^= 0xFF
        with expect.raises(ValueError, mentions="damaged.gz"):
            ex.read_idx(file(tmp_path, "damaged.gz", bytes(damaged)))

    def test_gzip_with_damaged_content(self, ex, rng, tmp_path):
        damaged = bytearray(packed(drawn_idx(rng, 5, 6, 7)))
        damaged[10] |= 0b110  # a kind of block that does not exist
        with expect.raises(ValueError, mentions="damaged.gz"):
            ex.read_idx(file(tmp_path, "damaged.gz", bytes(damaged)))

    def test_overlong(self, ex, rng, tmp_path):
        content = drawn_idx(rng, *rng.sizes(3))
        for more in (b"\0", content[16:]):
            with expect.raises(ValueError, mentions="too-long"):
                ex.read_idx(file(tmp_path, "too-long", content + more))

    def test_overlong_labels(self, ex, rng, tmp_path):
        with expect.raises(ValueError, mentions="too-long"):
            ex.read_idx(file(tmp_path, "too-long", drawn_idx(rng, 12) + b"\7"))

    @pytest.mark.parametrize("what", ["a web page", "text", "empty", "three bytes"])
    def test_foreign(self, ex, tmp_path, what):
        content = {
            "a web page": b"<html><body>404: not found</body></html>",
            "text": "label,pixel\n5,0\n0,0\n".encode("utf-16"),
            "empty": b"",
            "three bytes": b"\0\0\x08",
        }[what]
        with expect.raises(ValueError, mentions="foreign"):
            ex.read_idx(file(tmp_path, "foreign", content))

    @pytest.mark.parametrize("start", ["01 00 08", "00 01 08", "00 00 0d", "00 00 09", "00 00 00"])
    def test_foreign_first_bytes(self, ex, rng, tmp_path, start):
        content = drawn_idx(rng, *rng.sizes(3))  # of the right length, so that the start decides
        with expect.raises(ValueError, mentions="foreign"):
            ex.read_idx(file(tmp_path, "foreign", bytes.fromhex(start) + content[3:]))


@pytest.mark.task("file_md5", points=1)
class TestFileMd5:
    """The MD5 sum of a file, as a str."""

    def test_example(self, ex, tmp_path):
        got = kind(ex.file_md5(file(tmp_path, "abc", b"abc")), str)
        expect.equal(got, "900150983cd24fb0d6963f7d28e17f72")

    def test_drawn_bytes(self, ex, rng, tmp_path):
        content = bytes(rng.integers(0, 255, rng.integer(50, 500)).tolist())
        got = kind(ex.file_md5(file(tmp_path, "drawn", content)), str)
        expect.equal(got, hashlib.md5(content).hexdigest())

    def test_drawn_large_file(self, ex, rng, tmp_path):
        content = rng.generator.initial_seed().to_bytes(8, "big", signed=True) * 400_001
        got = kind(ex.file_md5(file(tmp_path, "large", content)), str)
        expect.equal(got, hashlib.md5(content).hexdigest())

    def test_bytes_as_they_lie_on_the_disk(self, ex, tmp_path):
        content = b"first\r\nsecond\n\rthird\r\n\n\x1a end \n"
        got = kind(ex.file_md5(file(tmp_path, "lines", content)), str)
        expect.equal(got, hashlib.md5(content).hexdigest())

    def test_gzip_is_not_unpacked(self, ex, rng, tmp_path):
        content = packed(drawn_idx(rng, 30))
        got = kind(ex.file_md5(file(tmp_path, "labels.gz", content)), str)
        expect.equal(got, hashlib.md5(content).hexdigest())


def files_below(root):
    """The path of every file below root, as text, sorted."""
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())


def picture(path, root):
    """The pixels of a greyscale PNG file as a tensor; anything else is a wrong answer."""
    name = path.relative_to(root).as_posix()
    try:
        with Image.open(path) as image:
            kind, pixels = f"{image.format} of mode {image.mode}", np.array(image)
    except OSError:
        kind, pixels = "no picture", None
    expect.that(kind == "PNG of mode L", "a PNG of mode L, 8-bit greyscale", got=kind, what=name)
    return torch.from_numpy(pixels)


def expect_tree(root, want):
    """Below root lie these files and no others: want is path as text → pixels."""
    expect.equal(files_below(root), sorted(want), what="the files below root")
    for name, pixels in want.items():
        expect.equal(picture(root / name, root), pixels, what=f"the pixels of {name}")


@pytest.mark.task("export_png_tree", points=3)
class TestExportPngTree:
    """A file root/split/label/index.png for each image."""

    def test_example(self, ex, tmp_path):
        images = (torch.arange(3 * 28 * 28) % 251).to(torch.uint8).reshape(3, 28, 28)
        want = {f"train/{label}/{i}.png": images[i].clone() for i, label in enumerate([7, 3, 7])}
        ex.export_png_tree(images, torch.tensor([7, 3, 7]), tmp_path, "train")
        expect_tree(tmp_path, want)

    def test_drawn_images(self, ex, rng, tmp_path):
        n, height, width = rng.integer(11, 15), *rng.sizes(2, low=5, high=20)
        images, labels = rng.images(n, height, width), rng.integers(0, 9, n)
        split = rng.choice(["train", "valid", "test"])
        want = {f"{split}/{labels[i]}/{i}.png": images[i].clone() for i in range(n)}
        ex.export_png_tree(images, labels, tmp_path, split)
        expect_tree(tmp_path, want)

    def test_drawn_real_digits(self, ex, rng, digits, tmp_path):
        first = rng.integer(0, 1900)
        images = digits.test_images[first : first + 15].clone()
        labels = digits.test_labels[first : first + 15].clone()
        want = {f"valid/{labels[i]}/{i}.png": images[i].clone() for i in range(15)}
        ex.export_png_tree(images, labels, tmp_path, "valid")
        expect_tree(tmp_path, want)

    def test_returns_their_number(self, ex, rng, tmp_path):
        n = rng.integer(3, 8)
        got = ex.export_png_tree(rng.images(n, 5, 6), torch.full((n,), 4), tmp_path, "train")
        expect.equal(got, n)

    def test_root_is_made_where_it_is_missing(self, ex, rng, tmp_path):
        root, images = tmp_path / "data" / "digits", rng.images(1, 4, 6)
        want = {"train/8/0.png": images[0].clone()}
        ex.export_png_tree(images, torch.tensor([8]), root, "train")
        expect_tree(root, want)

    def test_a_second_split_joins_the_first(self, ex, rng, tmp_path):
        images = rng.images(4, 6, 5)
        want = {"train/1/0.png": images[0].clone(), "train/2/1.png": images[1].clone()}
        want |= {"valid/2/0.png": images[2].clone(), "valid/1/1.png": images[3].clone()}
        ex.export_png_tree(images[:2].clone(), torch.tensor([1, 2]), tmp_path, "train")
        ex.export_png_tree(images[2:].clone(), torch.tensor([2, 1]), tmp_path, "valid")
        expect_tree(tmp_path, want)

    def test_again_over_the_first(self, ex, rng, tmp_path):
        images, labels = rng.images(4, 6, 5), torch.tensor([5, 6])
        want = {"train/5/0.png": images[2].clone(), "train/6/1.png": images[3].clone()}
        ex.export_png_tree(images[:2].clone(), labels, tmp_path, "train")
        ex.export_png_tree(images[2:].clone(), labels, tmp_path, "train")
        expect_tree(tmp_path, want)

    def test_arguments_stay_as_they_are(self, ex, rng, tmp_path):
        images, labels = rng.images(3, 5, 4), rng.integers(0, 9, 3)
        with expect.unchanged(images, labels):
            ex.export_png_tree(images, labels, tmp_path, "train")


def make_files(root, names):
    for name in names:
        file(root, name, b"")


def expect_paths(got, root, want):
    """A list of Paths, each root and one of the names in want, in that order."""
    for path in kind(got, list):
        kind(path, Path)
        expect.that(root in path.parents, "a path that starts with root", got=path.parts[-1])
    expect.equal([path.relative_to(root).as_posix() for path in got], want, "the paths below root")


@pytest.mark.task("image_paths", points=2)
class TestImagePaths:
    """Every .png file below root, sorted."""

    def test_example(self, ex, tmp_path):
        names = ["train/7/0.png", "train/3/1.png", "valid/3/0.png", "train/3/0.png"]
        make_files(tmp_path, names)
        want = ["train/3/0.png", "train/3/1.png", "train/7/0.png", "valid/3/0.png"]
        expect_paths(ex.image_paths(tmp_path), tmp_path, want)

    def test_drawn_trees(self, ex, rng, tmp_path):
        names = [
            f"{split}/{label}/{index}.png"
            for split in ("train", "valid")
            for label in rng.shuffled(range(10))[:4]
            for index in rng.shuffled(range(30))[:6]
        ]
        make_files(tmp_path, rng.shuffled(names))
        expect_paths(ex.image_paths(tmp_path), tmp_path, sorted(names))

    def test_drawn_depths(self, ex, rng, tmp_path):
        # Sorted means by the whole path: not by the file's name, not level by level.
        names = ["b9.png", "a/b8.png", "a/c/b7.png", "c/a/a/b6.png", "c/b5.png", "d4.png"]
        make_files(tmp_path, rng.shuffled(names))
        expect_paths(ex.image_paths(tmp_path), tmp_path, sorted(names))

    def test_other_files_are_left_out(self, ex, tmp_path):
        others = ["notes.txt", "3/0.jpg", "3/0.png.txt", "3/0.png~", "3/png", "png/3.gif"]
        make_files(tmp_path, [*others, "3/1.png"])
        expect_paths(ex.image_paths(tmp_path), tmp_path, ["3/1.png"])

    def test_none_at_all(self, ex, tmp_path):
        make_files(tmp_path, ["3/notes.txt"])
        expect_paths(ex.image_paths(tmp_path), tmp_path, [])


@pytest.mark.task("label_of", points=1)
class TestLabelOf:
    """The name of the folder right above, as an int."""

    def test_example(self, ex):
        expect.equal(ex.label_of(Path("digits", "train", "7", "0.png")), 7)

    def test_drawn_paths(self, ex, rng):
        for _ in range(5):
            run, split, label, index = (str(size) for size in rng.sizes(4, low=0, high=9))
            expect.equal(ex.label_of(Path("run", run, split, label, f"{index}.png")), int(label))

    def test_drawn_labels_of_two_digits(self, ex, rng):
        tens, ones, index = rng.sizes(3, low=1, high=9)
        path = Path("plates", f"{tens}{ones}", f"{index}.png")
        expect.equal(ex.label_of(path), 10 * tens + ones)

    def test_drawn_depths(self, ex, rng):
        label, index = rng.sizes(2, low=0, high=9)
        expect.equal(ex.label_of(Path(str(label), f"{index}.png")), label)
        expect.equal(ex.label_of(Path(os.sep, "1", "2", "3", str(label), f"{index}.png")), label)


def picture_files(images, folder, names):
    """Write uint8 images as greyscale PNG files with these names."""
    paths = [folder / name for name in names]
    for image, path in zip(images, paths, strict=True):
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image.numpy()).save(path)
    return paths


def fractions(images):
    """What the bytes stand for, worked out in double precision: byte / 255."""
    return (images.double() / 255).float()


@pytest.mark.task("load_stack", points=2)
class TestLoadStack:
    """Paths → float32 (N, 28, 28) in 0..1."""

    def test_example(self, ex, tmp_path):
        images = torch.zeros(2, 28, 28, dtype=torch.uint8)
        images[0, 3, 5], images[1] = 51, 255
        want = torch.zeros(2, 28, 28)
        want[0, 3, 5], want[1] = 0.2, 1.0
        got = ex.load_stack(picture_files(images, tmp_path, ["3/0.png", "7/1.png"]))
        expect.close(got, want)

    def test_drawn_images(self, ex, rng, tmp_path):
        n = rng.integer(2, 6)
        images = rng.images(n)
        want = fractions(images)
        names = rng.shuffled([f"{i % 3}/{i}.png" for i in range(n)])
        expect.close(ex.load_stack(picture_files(images, tmp_path, names)), want)

    def test_drawn_order_is_that_of_the_paths(self, ex, rng, tmp_path):
        images = rng.images(3) // 2  # nothing brighter than 127
        want = fractions(images)
        paths = picture_files(images, tmp_path, ["b.png", "c.png", "a.png"])
        expect.close(ex.load_stack(paths), want)

    def test_one_image_is_still_a_stack(self, ex, rng, tmp_path):
        images = rng.images(1)
        want = fractions(images)
        expect.close(ex.load_stack(picture_files(images, tmp_path, ["3/0.png"])), want)

    def test_the_list_of_paths_stays_as_it_is(self, ex, rng, tmp_path):
        paths = picture_files(rng.images(3), tmp_path, ["b.png", "c.png", "a.png"])
        before = list(paths)
        ex.load_stack(paths)
        expect.that(paths == before, "the order it had", got="another order", what="paths")


def l1(image, mean):
    return (image.double() - mean.double()).abs().mean().item()


def nearer_to_three(images, mean3, mean7):
    """The answer by a loop, and how close the closest call is."""
    margins = [l1(image, mean7) - l1(image, mean3) for image in images]
    return torch.tensor([margin > 0 for margin in margins]), min(map(abs, margins))


@pytest.mark.task("is_three", points=2)
class TestIsThree:
    """Is an image nearer to the mean three than to the mean seven?"""

    def test_example(self, ex):
        mean3, mean7 = torch.full((28, 28), 0.2), torch.full((28, 28), 0.8)
        images = torch.stack([torch.full((28, 28), grey) for grey in (0.1, 0.9, 0.4)])
        expect.equal(ex.is_three(images, mean3, mean7), torch.tensor([True, False, True]))

    def test_drawn_images(self, ex, rng):
        means = rng.uniform(2, 28, 28)
        kinds = rng.shuffled([0, 0, 1, 1, *(rng.integer(0, 1) for _ in range(5))])
        images = means[kinds] + rng.uniform(9, 28, 28, low=-0.3, high=0.3)
        want, _ = nearer_to_three(images, *means)
        expect.equal(ex.is_three(images, *means), want)

    def test_drawn_real_digits(self, ex, rng, digits):
        train, labels = digits.train_images.float() / 255, digits.train_labels
        mean3, mean7 = train[labels == 3].mean(0), train[labels == 7].mean(0)
        chosen = ((digits.test_labels == 3) | (digits.test_labels == 7)).nonzero().flatten()
        chosen = chosen[rng.shuffled(range(len(chosen)))[:100]]
        images = digits.test_images[chosen].float() / 255
        clear = [nearer_to_three(image[None], mean3, mean7)[1] > 1e-5 for image in images]
        images = images[torch.tensor(clear)]
        want, _ = nearer_to_three(images, mean3, mean7)
        expect.equal(ex.is_three(images, mean3, mean7), want)

    def test_drawn_l1_not_squares(self, ex, rng):
        # Far off in a few pixels, or a little off in all: squares and absolute values disagree.
        image, few = rng.uniform(28, 28, low=0.3, high=0.4), torch.zeros(784)
        few[rng.shuffled(range(784))[:4]] = 0.5
        spiked, shaded = image + few.reshape(28, 28), image + 0.01
        images = torch.stack([image, image])
        expect.equal(ex.is_three(images, spiked, shaded), torch.tensor([True, True]))
        expect.equal(ex.is_three(images, shaded, spiked), torch.tensor([False, False]))

    def test_every_pixel_counts(self, ex, rng):
        # The means differ in one pixel alone, a corner or an edge; so do the images.
        places = [(0, 0), (0, 27), (27, 0), (27, 27), (rng.integer(1, 26), 27)]
        for row, column in places:
            mean3 = torch.full((28, 28), 0.5)
            mean7 = mean3.clone()
            mean3[row, column], mean7[row, column] = 0.9, 0.1
            images = torch.stack([mean3, mean7, mean7])
            expect.equal(ex.is_three(images, mean3, mean7), torch.tensor([True, False, False]))

    def test_one_image_is_still_a_stack(self, ex, rng):
        mean3, mean7 = rng.uniform(28, 28), rng.uniform(28, 28)
        expect.equal(ex.is_three(mean3[None].clone(), mean3, mean7), torch.tensor([True]))

    def test_arguments_stay_as_they_are(self, ex, rng):
        images, mean3, mean7 = rng.uniform(4, 28, 28), rng.uniform(28, 28), rng.uniform(28, 28)
        with expect.unchanged(images, mean3, mean7):
            ex.is_three(images, mean3, mean7)
