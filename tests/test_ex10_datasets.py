"""Exercise 10, datasets: paths in, items (x, y) out, each made when it is asked for.

Images are opened as one grey channel, labels are translated both ways, splits are told by the
folder above the label, and a dataset makes item i from i alone, so that worker processes give the
same items. Pictures are small, never square, and written by the tests themselves.
"""

import multiprocessing
from pathlib import Path

import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader

from grader import expect
from grader.recorder import beside


def write_grey(path, pixels, mode="L"):
    """Write a uint8 (height, width) picture, in the mode L or RGB."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels.numpy()).convert(mode).save(path)


def write_palette(path, pixels):
    """Write the picture as numbers into a table of greys that runs from white to black."""
    height, width = pixels.shape
    image = Image.new("P", (width, height))
    image.putdata((255 - pixels).flatten().tolist())
    image.putpalette([grey for number in range(256) for grey in [255 - number] * 3])
    image.save(path)


def drawn_picture(rng):
    """A uint8 picture of noise that is not square."""
    return rng.images(1, *rng.sizes(2, 3, 8))[0]


def tree(rng, root, n):
    """n pictures of one size below root: their paths, pixels and digits, none of which is 0."""
    height, width = rng.sizes(2, 3, 8)
    pixels = rng.images(n, height, width)
    digits = [rng.integer(1, 9) for _ in range(n)]
    # A file's own name is a number too, and not its digit.
    paths = [root / "training" / str(y) / f"{10 + i}.png" for i, y in enumerate(digits)]
    for path, image in zip(paths, pixels, strict=True):
        write_grey(path, image)
    return paths, pixels.unsqueeze(1), digits


def check_item(item, x, y, what="the item"):
    """An item (x, y) with exactly this tensor and this int."""
    got_x, got_y = expect.unpack(item, 2, what=f"{what} (x, y)")
    expect.equal(got_x, x, what=f"x of {what}")
    expect.equal(got_y, y, what=f"y of {what}")


@pytest.mark.task("open_grey", points=2)
class TestOpenGrey:
    """Any picture file as one grey channel, uint8 (1, height, width)."""

    def test_example(self, ex, tmp_path):
        pixels = torch.tensor([[0, 10, 20], [100, 200, 255]], dtype=torch.uint8)
        write_grey(tmp_path / "two_rows.png", pixels)
        expect.equal(ex.open_grey(tmp_path / "two_rows.png"), pixels.unsqueeze(0))

    def test_drawn_picture(self, ex, rng, tmp_path):
        pixels = drawn_picture(rng)
        write_grey(tmp_path / "grey.png", pixels)
        expect.equal(ex.open_grey(tmp_path / "grey.png"), pixels.unsqueeze(0))

    def test_colour_file(self, ex, rng, tmp_path):
        pixels = drawn_picture(rng)
        write_grey(tmp_path / "colour.png", pixels, mode="RGB")
        expect.equal(ex.open_grey(tmp_path / "colour.png"), pixels.unsqueeze(0))

    def test_palette_file(self, ex, rng, tmp_path):
        pixels = drawn_picture(rng)
        write_palette(tmp_path / "palette.png", pixels)
        expect.equal(ex.open_grey(tmp_path / "palette.png"), pixels.unsqueeze(0))


@pytest.mark.task("Vocab", points=3)
class TestVocab:
    """Sorted unique labels, from label to index and back."""

    WORDS = ("ape", "bee", "cow", "dog", "elk", "fox", "gnu", "hen", "ibis", "jay")

    def test_example(self, ex):
        vocab = ex.Vocab(["dog", "ape", "dog", "cat"])
        self.check(vocab, ["ape", "cat", "dog"])

    def test_drawn_words(self, ex, rng):
        words = sorted(rng.shuffled(self.WORDS)[: rng.integer(4, 7)])
        self.check(ex.Vocab(self.repeated(rng, words)), words)

    def test_drawn_numbers(self, ex, rng):
        # As text, 10 would come before 9.
        numbers = sorted({9, 10, rng.integer(20, 40), rng.integer(50, 89), rng.integer(100, 199)})
        self.check(ex.Vocab(self.repeated(rng, numbers)), numbers)

    def test_unknown_word(self, ex, rng):
        *known, unknown = rng.shuffled(self.WORDS)[:5]
        vocab = ex.Vocab(known)
        with expect.raises(KeyError, mentions=unknown):
            vocab[unknown]

    def test_unknown_number_is_no_index(self, ex, rng):
        vocab, unknown = ex.Vocab([30, 20, 40]), rng.integer(0, 2)
        with expect.raises(KeyError, mentions=str(unknown)):
            vocab[unknown]

    def test_labels_are_left_alone(self, ex, rng):
        labels = self.repeated(rng, ["ape", "bee", "cow"])
        before = list(labels)
        ex.Vocab(labels)
        expect.equal(labels, before, what="labels after the call")

    def repeated(self, rng, labels):
        """The labels from last to first, and some again."""
        return list(reversed(labels)) + rng.shuffled(labels)[: rng.integer(1, 3)]

    def check(self, vocab, labels):
        for index, label in enumerate(labels):
            expect.equal(vocab[label], index, what=f"vocab[{label!r}]")
            expect.equal(vocab.label(index), label, what=f"vocab.label({index})")
        expect.equal(len(vocab), len(labels), what="len(vocab)")


@pytest.mark.task("split_by_parent", points=2)
class TestSplitByParent:
    """Two lists, told apart by the folder above the label and by nothing else."""

    def test_example(self, ex):
        a, b, c = (
            Path("mnist/testing/3/1.png"),
            Path("mnist/training/3/2.png"),
            Path("x/other/7/3.png"),
        )
        self.check(ex.split_by_parent([a, b, c], "training", "testing"), [b], [a])

    def test_drawn_items(self, ex, rng):
        train, valid, other = rng.shuffled(["training", "testing", "spare", "north", "south"])[:3]
        items = self.drawn(rng, train, 5) + self.drawn(rng, valid, 4) + self.drawn(rng, other, 3)
        items = rng.shuffled(items)
        want_train = [item for item in items if item.parts[-3] == train]
        want_valid = [item for item in items if item.parts[-3] == valid]
        self.check(ex.split_by_parent(items, train, valid), want_train, want_valid)

    def test_only_the_folder_above_the_label_counts(self, ex, rng):
        train, valid = rng.shuffled(["training", "testing"])
        a = Path(train, "data", valid, "3", "1.png")
        b = Path(valid, "data", train, "7", "2.png")
        c = Path("data", valid, train, "3.png")
        d = Path("data", "other", "3", f"{train}.png")
        self.check(ex.split_by_parent([a, b, c, d], train, valid), [b], [a, c])

    def test_the_whole_name_counts(self, ex, rng):
        items = [Path("data", name, "3", "1.png") for name in ("train", "training", "untrain")]
        items += [Path("data", name, "7", "1.png") for name in ("valid", "valid_old", "invalid")]
        self.check(ex.split_by_parent(rng.shuffled(items), "train", "valid"), items[:1], items[3:4])

    def test_a_split_may_be_empty(self, ex, rng):
        items = self.drawn(rng, "training", 3)
        self.check(ex.split_by_parent(items, "training", "testing"), items, [])

    def test_items_are_left_alone(self, ex, rng):
        items = rng.shuffled(self.drawn(rng, "training", 6) + self.drawn(rng, "testing", 5))
        before = list(items)
        ex.split_by_parent(items, "training", "testing")
        expect.equal(items, before, what="items after the call")

    def drawn(self, rng, split, n):
        """n paths of a split, from high numbers to low ones."""
        return [Path("data", split, str(rng.integer(0, 9)), f"{n - i}.png") for i in range(n)]

    def check(self, result, want_train, want_valid):
        train, valid = expect.unpack(result, 2, what="(train items, valid items)")
        expect.equal(train, want_train, what="train items")
        expect.equal(valid, want_valid, what="valid items")


@pytest.mark.task("DigitDataset", points=4)
class TestDigitDataset:
    """Item i is (x, y): the picture, opened now and transformed, and the digit of its folder."""

    def test_example(self, ex, tmp_path):
        pixels = torch.tensor([[0, 10, 20], [100, 200, 255]], dtype=torch.uint8)
        path = tmp_path / "training" / "3" / "7.png"
        write_grey(path, pixels)
        dataset = ex.DigitDataset([path])
        expect.equal(len(dataset), 1, what="len(dataset)")
        check_item(dataset[0], pixels.unsqueeze(0), 3)

    def test_drawn_items_in_any_order(self, ex, rng, tmp_path):
        n = rng.integer(4, 7)
        paths, pixels, digits = tree(rng, tmp_path, n)
        dataset = ex.DigitDataset(paths)
        first = rng.integer(1, n - 1)
        for index in [first, first, *rng.shuffled(range(n))]:
            check_item(dataset[index], pixels[index], digits[index], f"dataset[{index}]")

    def test_any_length(self, ex, rng):
        # No file is there, and none is needed yet.
        for n in (0, rng.integer(2, 9), rng.integer(300, 500)):
            dataset = ex.DigitDataset([Path("training", "3", f"{i}.png") for i in range(n)])
            expect.equal(len(dataset), n, what=f"len of a dataset of {n} paths")

    def test_negative_index(self, ex, rng, tmp_path):
        n = rng.integer(3, 5)
        paths, pixels, digits = tree(rng, tmp_path, n)
        dataset = ex.DigitDataset(paths)
        for index in (-1, -n):
            check_item(dataset[index], pixels[index], digits[index], f"dataset[{index}]")

    def test_past_either_end(self, ex, rng, tmp_path):
        n = rng.integer(2, 4)
        dataset = ex.DigitDataset(tree(rng, tmp_path, n)[0])
        for index in (n, -n - 1):
            with expect.raises(IndexError):
                dataset[index]

    def test_file_is_opened_when_its_item_is_asked_for(self, ex, rng, tmp_path):
        paths, pixels, digits = tree(rng, tmp_path, 3)
        dataset = ex.DigitDataset(paths)
        for path, image in zip(paths, 255 - pixels, strict=True):
            path.unlink()
            write_grey(path, image[0])
        index = rng.integer(0, 2)
        check_item(dataset[index], 255 - pixels[index], digits[index], f"dataset[{index}]")

    def test_colour_file(self, ex, rng, tmp_path):
        pixels = drawn_picture(rng)
        path = tmp_path / "training" / "7" / "1.png"
        write_grey(path, pixels, mode="RGB")
        check_item(ex.DigitDataset([path])[0], pixels.unsqueeze(0), 7)

    def test_transform_makes_x(self, ex, rng, tmp_path):
        paths, pixels, digits = tree(rng, tmp_path, 3)
        index, factor = rng.integer(0, 2), rng.number(1.1, 3.0)
        transform = expect.spy(lambda x: x * factor, "transform")
        dataset = ex.DigitDataset(paths, transform)
        check_item(dataset[index], pixels[index] * factor, digits[index])
        expect.equal(len(transform.calls), 1, what="calls of transform for one item")
        (given,) = expect.unpack(transform.calls[0], 1, what="what transform was given")
        expect.equal(given, pixels[index], what="what transform was given")

    def test_transform_is_asked_anew_each_time(self, ex, rng, tmp_path):
        paths, pixels, digits = tree(rng, tmp_path, 2)
        shifts = iter(rng.sizes(4, 1, 50))
        seen = []

        def transform(x):
            seen.append(next(shifts))
            return x.long() + seen[-1]

        dataset = ex.DigitDataset(paths, transform=transform)
        for index in (1, 0, 1):
            item = dataset[index]
            shift = seen[-1] if seen else 0
            check_item(item, pixels[index].long() + shift, digits[index], f"dataset[{index}]")
        expect.equal(len(seen), 3, what="calls of transform for three items")

    def test_same_items_from_worker_processes(self, ex, rng, tmp_path):
        if "fork" not in multiprocessing.get_all_start_methods():
            pytest.skip("worker processes are forked here, and this system has no fork")
        paths, pixels, digits = tree(rng, tmp_path, 5)
        dataset = ex.DigitDataset(paths, transform=torch.Tensor.float)
        check_item(dataset[4], pixels[4].float(), digits[4], "dataset[4]")
        order = rng.shuffled(range(5))
        loader = beside(ex, DataLoader)(
            dataset, batch_size=2, sampler=order, num_workers=2, multiprocessing_context="fork"
        )
        xs, ys = [], []
        for batch in loader:
            xb, yb = expect.unpack(batch, 2, what="a batch (xb, yb) of two workers")
            expect.tensor(xb, what="xb")
            expect.tensor(yb, what="yb")
            xs, ys = xs + list(xb), ys + list(yb)
        expect.equal(torch.stack(xs), pixels[order].float(), what=f"x of the items {order}")
        expect.equal(torch.stack(ys), torch.tensor(digits)[order], what=f"y of the items {order}")
