"""Exercise 11, data loaders: items become shuffled, shifted, normalised batches on a device.

Training items are shifted at random, each on its own and anew each time, and come in a new order
each epoch. Validation is whole, in order and not shifted. Both are normalised with the mean and
the standard deviation of the training set, and the batches lie on the device that was asked for.
"""

from collections import Counter

import pytest
import torch

from grader import expect
from grader.recorder import repeated


def windows(images):
    """All 49 windows of uint8 images (N, 28, 28) on a black 34 × 34 ground: (N, 49, 28, 28)."""
    ground = torch.zeros(len(images), 34, 34, dtype=torch.uint8)
    ground[:, 3:31, 3:31] = images
    places = [(top, left) for top in range(7) for left in range(7)]
    return torch.stack([ground[:, t : t + 28, x : x + 28] for t, x in places], dim=1)


def first_of(places):
    """The first few of places 0..48, as (top, left)."""
    shown = ", ".join(str(divmod(place, 7)) for place in sorted(places)[:7])
    return shown + (", …" if len(places) > 7 else "")


def coded_image(rng):
    """Noise whose 7 × 7 middle pixels differ, so that one pixel of a window tells which it is."""
    image = rng.images(1).clamp(min=1)
    image[0, 11:18, 11:18] = torch.tensor(rng.shuffled(range(1, 256))[:49]).view(7, 7)
    return image


def drawn_items(rng, n, low=0, high=255):
    """Items (noise image with bytes in low..high, label): no two images are alike."""
    images = [rng.integers(low, high, 1, 28, 28).to(torch.uint8) for _ in range(n)]
    return [(image, rng.integer(0, 9)) for image in images]


def digit_items(images, labels):
    """Items of real digits."""
    return list(zip(images[:, None].clone(), labels.tolist(), strict=True))


def pixel_statistics(items):
    """Mean and standard deviation of all pixels, worked out in float64."""
    pixels = torch.stack([image for image, _ in items]).double() / 255
    return pixels.mean().item(), pixels.std(unbiased=False).item()


@pytest.mark.task("item_transforms", points=2)
class TestItemTransforms:
    """A callable that pads one image to 34 and cuts a random window of 28."""

    def test_example(self, ex):
        white = torch.full((1, 28, 28), 255, dtype=torch.uint8)
        shift = ex.item_transforms()
        expect.that(callable(shift), "something to call with an image", got=shift)
        got = shift(white.clone())
        expect.tensor(got, shape=(1, 28, 28), dtype=torch.uint8, what="the shifted image")
        expect.that(
            bool((windows(white)[0] == got).flatten(1).all(1).any()),
            "the white image, moved by up to 3 pixels each way, with zeros where it moved away",
            got=got,
            what="the shifted image",
        )

    def test_drawn_images_are_cut_from_their_padded_copy(self, ex, rng):
        shift = ex.item_transforms()
        expect.that(callable(shift), "something to call with an image", got=shift)
        for _ in range(20):
            image = rng.images(1)
            possible = windows(image)[0]
            got = shift(image)
            expect.tensor(got, shape=(1, 28, 28), dtype=torch.uint8, what="the shifted image")
            expect.that(
                bool((possible == got).flatten(1).all(1).any()),
                "one of the 49 windows of the image padded with zeros to 34 × 34",
                got=got,
                what="the shifted image",
            )

    def test_all_49_windows_turn_up_about_as_often(self, ex, rng):
        # Of 1500 windows one of 49 is missing with probability 49 · (48/49)^1500 < 2e-12; a row or
        # column (1500 / 7 ≈ 214 expected) comes fewer than 110 or more than 320 times with
        # probability < 1e-10 (Chernoff, 14 of them).
        image = coded_image(rng)
        possible = windows(image)[0]
        place_of = {window[14, 14].item(): place for place, window in enumerate(possible)}
        shift = ex.item_transforms()
        expect.that(callable(shift), "something to call with an image", got=shift)
        seen = Counter()
        for got in repeated(shift, 1500, image):
            expect.tensor(got, shape=(1, 28, 28), dtype=torch.uint8, what="the shifted image")
            place = place_of.get(got[0, 14, 14].item())
            expect.that(
                place is not None and torch.equal(got[0], possible[place]),
                "one of the 49 windows of the image padded with zeros to 34 × 34",
                got=got,
                what="the shifted image",
            )
            seen[place] += 1
        expect.that(
            len(seen) == 49,
            "all 49 windows in 1500 calls",
            got=f"{len(seen)} different windows, at (top, left) {first_of(seen)}",
            what="in 1500 calls",
        )
        rows, columns = Counter(), Counter()
        for place, count in seen.items():
            rows[place // 7] += count
            columns[place % 7] += count
        counts = [*rows.values(), *columns.values()]
        expect.that(
            min(counts) >= 110 and max(counts) <= 320,
            "each row and each column about 214 times",
            got=f"the rarest {min(counts)} times, the most frequent {max(counts)} times",
            what="in 1500 calls",
        )

    def test_image_is_unchanged(self, ex, rng):
        image = rng.images(1)
        shift = ex.item_transforms()
        expect.that(callable(shift), "something to call with an image", got=shift)
        with expect.unchanged(image):
            shift(image)


@pytest.mark.task("mean_std", points=2)
class TestMeanStd:
    """Mean and standard deviation over all pixels of a dataset, on the scale 0..1."""

    def test_example(self, ex):
        black = torch.zeros(1, 28, 28, dtype=torch.uint8)
        white = torch.full((1, 28, 28), 255, dtype=torch.uint8)
        got = ex.mean_std([(black, 0), (white, 1), (white, 2), (white, 3)])
        mean, std = expect.unpack(got, 2, what="(mean, std)")
        expect.close(mean, 0.75, what="mean")
        expect.close(std, 0.1875**0.5, what="std", rtol=3e-4)  # n or n − 1: 1.6e-4 apart

    def test_drawn_datasets(self, ex, rng):
        for _ in range(3):
            items = []
            for _ in range(rng.integer(8, 14)):
                low = rng.integer(0, 200)
                items += drawn_items(rng, 1, low, rng.integer(low + 20, 255))
            want_mean, want_std = pixel_statistics(items)
            mean, std = expect.unpack(ex.mean_std(items), 2, what="(mean, std)")
            expect.close(mean, want_mean, what="mean")
            expect.close(std, want_std, what="std", rtol=3e-4)  # n or n − 1: up to 8e-5 apart

    def test_real_digits(self, ex, digits):
        items = digit_items(digits.train_images[:40], digits.train_labels[:40])
        want_mean, want_std = pixel_statistics(items)
        mean, std = expect.unpack(ex.mean_std(items), 2, what="(mean, std)")
        expect.close(mean, want_mean, what="mean")
        expect.close(std, want_std, what="std", rtol=3e-4)

    def test_dataset_is_unchanged(self, ex, rng):
        items = drawn_items(rng, 4)
        with expect.unchanged(items):
            ex.mean_std(items)


@pytest.mark.task("BatchTransform", points=3)
class TestBatchTransform:
    """(x / 255 − mean) / std as float32 on the batch's device; a pair keeps its labels."""

    def test_example(self, ex):
        to_floats = ex.BatchTransform(0.5, 0.25)
        got = to_floats(torch.tensor([0, 51, 255], dtype=torch.uint8))
        expect.close(got, torch.tensor([-2.0, -1.2, 2.0]))

    def test_drawn_batches(self, ex, rng):
        for _ in range(3):
            mean, std = rng.number(0.1, 0.9), rng.number(0.2, 0.8)
            batch = rng.images(*rng.sizes(3, low=2, high=9))[:, None]
            want = ((batch.double() / 255 - mean) / std).float()
            expect.close(ex.BatchTransform(mean, std)(batch), want)

    def test_drawn_pairs_keep_their_labels(self, ex, rng):
        for kind in (tuple, list):
            mean, std = rng.number(0.1, 0.9), rng.number(0.2, 0.8)
            batch, labels = rng.images(5, 4, 6)[:, None], rng.integers(0, 9, 5)
            want, same = ((batch.double() / 255 - mean) / std).float(), labels.clone()
            pair = kind([batch, labels])
            xb, yb = expect.unpack(ex.BatchTransform(mean, std)(pair), 2, what="(xb, yb)")
            expect.close(xb, want, what="xb")
            expect.equal(yb, same, what="yb")

    def test_stays_on_the_device(self, ex, device):
        to_floats = ex.BatchTransform(0.5, 0.25)
        for place in ("meta", device):
            batch = torch.zeros(3, 1, 28, 28, dtype=torch.uint8, device=place)
            got = to_floats(batch)
            expect.tensor(got, shape=(3, 1, 28, 28), dtype=torch.float32, device=place)
            labels = torch.zeros(3, dtype=torch.int64, device=place)
            xb, yb = expect.unpack(to_floats((batch, labels)), 2, what="(xb, yb)")
            expect.tensor(xb, dtype=torch.float32, device=place, what="xb")
            expect.tensor(yb, dtype=torch.int64, device=place, what="yb")

    def test_two_transforms_do_not_share_their_numbers(self, ex):
        first, second = ex.BatchTransform(0.5, 0.25), ex.BatchTransform(0.25, 0.5)
        batch = torch.tensor([[0, 255]], dtype=torch.uint8)
        expect.close(first(batch), torch.tensor([[-2.0, 2.0]]), what="the first transform's result")
        expect.close(
            second(batch), torch.tensor([[-0.5, 1.5]]), what="the second transform's result"
        )

    def test_batch_is_unchanged(self, ex, rng):
        batch, labels = rng.images(3)[:, None], rng.integers(0, 9, 3)
        with expect.unchanged(batch, labels):
            ex.BatchTransform(0.5, 0.25)((batch, labels))


def loaders(ex, *args, **kwargs):
    """The two loaders of the learner's `make_dataloaders`."""
    return expect.unpack(ex.make_dataloaders(*args, **kwargs), 2, what="(train_dl, valid_dl)")


def epoch(dl, what):
    """One pass over a loader: a list of (xb, yb), each checked for its kind."""
    try:
        batches = iter(dl)
    except TypeError:
        expect.that(False, "something to iterate over, batch by batch", got=dl, what=what)
    found = []
    for batch in batches:
        xb, yb = expect.unpack(batch, 2, what=f"batches (xb, yb) from {what}")
        expect.tensor(yb, dtype=torch.int64, what=f"yb of {what}")
        expect.that(yb.dim() == 1, "yb of shape (N,)", got=yb, what=f"yb of {what}")
        shape = (len(yb), 1, 28, 28)
        expect.tensor(xb, shape=shape, dtype=torch.float32, what=f"xb of {what}")
        found.append((xb, yb))
    expect.that(
        len(found) > 0, "batches, in every epoch", got="an epoch without a batch", what=what
    )
    return found


MIDDLE = slice(400, 416)  # 16 pixels of noise: enough to find a window among all of them


def recognised(batches, items):
    """Which item, in which of its 49 windows, each image of training batches is.

    Undoes the normalisation with the statistics of `items` and looks for the bytes that come out.
    """
    mean, std = pixel_statistics(items)
    possible = windows(torch.cat([image for image, _ in items])).flatten(2)
    found = []
    for xb, _ in batches:
        read = (xb.cpu().double() * std + mean) * 255
        rounded = read.nan_to_num(-1).round()
        # n or n − 1 in std moves a byte by less than 0.05.
        fits = bool((read - rounded).abs().max() < 0.2)
        fits = fits and bool(((rounded >= 0) & (rounded <= 255)).all())
        expect.that(
            fits,
            "x / 255 less the mean of the training images, divided by their standard deviation",
            got=xb,
            what="xb of train_dl",
        )
        crops = rounded.to(torch.uint8).flatten(1)
        pairs = []
        for crop in crops:
            match = (possible[..., MIDDLE] == crop[MIDDLE]).all(2).nonzero()
            expect.that(
                len(match) == 1 and torch.equal(possible[tuple(match[0])], crop),
                "a window of 28 × 28 of a training image padded with zeros to 34 × 34, normalised",
                got=crop.view(28, 28),
                what="an image of train_dl, brought back to bytes",
            )
            pairs.append(tuple(match[0].tolist()))
        found.append(pairs)
    return found


@pytest.mark.task("make_dataloaders", points=4)
class TestMakeDataloaders:
    """Training shuffled and shifted anew each epoch, validation whole and in order."""

    def test_example(self, ex, digits, device):
        train = digit_items(digits.train_images[:12], digits.train_labels[:12])
        valid = digit_items(digits.test_images[:10], digits.test_labels[:10])
        mean, std = pixel_statistics(train)
        pixels = torch.stack([image for image, _ in valid]).double()
        want = ((pixels / 255 - mean) / std).float().to(device)
        labels = digits.test_labels[:10].to(device)
        train_dl, valid_dl = loaders(ex, train, valid, batch_size=4)
        found = epoch(valid_dl, "valid_dl")
        expect.equal([len(yb) for _, yb in found], [4, 4, 2], what="sizes of valid_dl's batches")
        # n or n − 1 in the deviation shifts values by up to 6e-5 of themselves.
        got = torch.cat([xb for xb, _ in found])
        expect.close(got, want, what="xb of valid_dl", rtol=3e-4)
        expect.equal(torch.cat([yb for _, yb in found]), labels, what="yb of valid_dl")
        xb, yb = epoch(train_dl, "train_dl")[0]
        expect.tensor(xb, shape=(4, 1, 28, 28), device=device, what="the first xb of train_dl")
        expect.tensor(yb, shape=(4,), device=device, what="the first yb of train_dl")

    def test_drawn_validation_is_whole_and_in_order(self, ex, rng, device):
        train, valid = drawn_items(rng, 12, 20, 120), drawn_items(rng, rng.integer(15, 19))
        size = rng.choice([6, 7])
        mean, std = pixel_statistics(train)
        pixels = torch.stack([image for image, _ in valid]).double()
        want = ((pixels / 255 - mean) / std).float().to(device)
        labels = torch.tensor([label for _, label in valid], device=device)
        full, rest = divmod(len(valid), size)
        sizes = [size] * full + [rest] * (rest > 0)
        _, valid_dl = loaders(ex, train, valid, batch_size=size)
        for _ in range(2):
            found = epoch(valid_dl, "valid_dl")
            expect.equal([len(yb) for _, yb in found], sizes, what="sizes of valid_dl's batches")
            expect.equal(torch.cat([yb for _, yb in found]), labels, what="yb of valid_dl")
            # n or n − 1 in the deviation shifts values by up to 6e-5 of themselves.
            got = torch.cat([xb for xb, _ in found])
            expect.close(got, want, what="xb of valid_dl", rtol=3e-4)

    def test_drawn_training_epoch_gives_each_item_once(self, ex, rng):
        train, valid = drawn_items(rng, rng.integer(19, 23)), drawn_items(rng, 3)
        size = rng.choice([6, 7])
        full, rest = divmod(len(train), size)
        whole = [size] * full + [rest] * (rest > 0)
        train_dl, _ = loaders(ex, train, valid, batch_size=size)
        for _ in range(2):
            found = epoch(train_dl, "train_dl")
            sizes = [len(yb) for _, yb in found]
            if sizes != [size] * full:  # a dropped last batch is left open
                expect.equal(sizes, whole, what="sizes of train_dl's batches")
            items = [item for batch in recognised(found, train) for item, _ in batch]
            expect.that(
                len(set(items)) == len(items),
                "every item at most once in an epoch",
                got=f"items {sorted(items)}",
                what="items of an epoch of train_dl",
            )
            labels = torch.cat([yb for _, yb in found]).tolist()
            want = [train[item][1] for item in items]
            expect.equal(labels, want, what="yb of train_dl, image by image")

    def test_training_order_is_new_each_epoch(self, ex, rng):
        # Two orders of 18 items are the same by chance once in 18! / 6! ≈ 9e12 or more.
        train = drawn_items(rng, 18)
        train_dl, _ = loaders(ex, train, drawn_items(rng, 3), batch_size=7)
        orders = []
        for _ in range(2):
            found = recognised(epoch(train_dl, "train_dl"), train)
            orders.append([item for batch in found for item, _ in batch])
        expect.that(
            sorted(orders[0]) != orders[0],
            "another order than that of the dataset",
            got=f"items {orders[0]}",
            what="order of an epoch of train_dl",
        )
        expect.that(
            orders[0] != orders[1],
            "a new order in each epoch",
            got=f"items {orders[0]} in two epochs in a row",
            what="order of an epoch of train_dl",
        )

    def test_each_training_image_gets_a_crop_of_its_own(self, ex, rng):
        # 3 batches of 6 with one window each, by chance: 49^-15 ≈ 4e-26.
        train = drawn_items(rng, 18)
        train_dl, _ = loaders(ex, train, drawn_items(rng, 3), batch_size=6)
        found = recognised(epoch(train_dl, "train_dl"), train)
        shared = [len({window for _, window in batch}) == 1 for batch in found]
        expect.that(
            not all(shared),
            "a window drawn for each image",
            got="all images of a batch cut at the same place",
            what="xb of train_dl",
        )

    def test_crops_are_new_each_epoch(self, ex, rng):
        # 12 items in the same windows twice, by chance: 49^-12 ≈ 5e-21.
        train = drawn_items(rng, 12)
        train_dl, _ = loaders(ex, train, drawn_items(rng, 3), batch_size=6)
        first, second = (
            {pair for batch in recognised(epoch(train_dl, "train_dl"), train) for pair in batch}
            for _ in range(2)
        )
        expect.that(
            first != second,
            "new windows in the next epoch",
            got="every image cut at the same place in two epochs",
            what="xb of train_dl",
        )

    def test_batches_lie_on_the_named_device(self, ex, rng, device):
        train, valid = drawn_items(rng, 7), drawn_items(rng, 5)
        for place in ("meta", "cpu", device):
            for dl, what in zip(
                loaders(ex, train, valid, batch_size=4, device=place),
                ("train_dl", "valid_dl"),
                strict=True,
            ):
                for xb, yb in epoch(dl, what):
                    expect.tensor(xb, device=place, what=f"xb of {what} for device={place}")
                    expect.tensor(yb, device=place, what=f"yb of {what} for device={place}")

    def test_default_batch_size(self, ex):
        items = [(torch.full((1, 28, 28), n, dtype=torch.uint8), n % 10) for n in range(130)]
        train_dl, valid_dl = loaders(ex, items, items)
        got = [len(yb) for _, yb in epoch(valid_dl, "valid_dl")]
        expect.equal(got, [128, 2], what="sizes of valid_dl's batches for 130 items")
        got = [len(yb) for _, yb in epoch(train_dl, "train_dl")]
        expect.equal(got[0], 128, what="size of train_dl's first batch")

    def test_loaders_have_a_length(self, ex, rng):
        train, valid = drawn_items(rng, 11), drawn_items(rng, 9)
        dls = loaders(ex, train, valid, batch_size=4)
        for dl, what in zip(dls, ("train_dl", "valid_dl"), strict=True):
            try:
                got = len(dl)
            except TypeError:
                expect.that(False, "a loader with a length", got=dl, what=what)
            expect.equal(got, len(epoch(dl, what)), what=f"len({what})")

    def test_datasets_are_unchanged(self, ex, rng):
        train, valid = drawn_items(rng, 7), drawn_items(rng, 5)
        with expect.unchanged(train, valid):
            for dl in loaders(ex, train, valid, batch_size=4):
                epoch(dl, "the loader")


def pictures(fig):
    """Title and picture of every axes that shows one, in their order in the figure."""
    try:
        axes = fig.get_axes()
    except AttributeError:
        expect.that(False, "a matplotlib Figure", got=fig)
    found = []
    for ax in axes:
        for image in ax.get_images():
            array = torch.tensor(image.get_array().tolist(), dtype=torch.float64)
            expect.tensor(array, shape=(28, 28), what="a picture of the grid")
            found.append((ax.get_title(), array))
    return found


def stretched(image):
    """The image with its darkest pixel at 0 and its brightest at 1, as `imshow` shows it."""
    image = image.double()
    return (image - image.min()) / (image.max() - image.min())


@pytest.mark.task("show_batch", points=2)
class TestShowBatch:
    """A figure with the first 9 images, each titled by its label."""

    def test_example(self, ex):
        xb = torch.zeros(3, 1, 28, 28)
        xb[0, 0, 4:24, 14] = 1.0  # a one
        xb[1, 0, 6, 8:20] = xb[1, 0, 6:24, 19] = 1.0  # a seven
        xb[2, 0, 4:24, 8:20] = 1.0
        xb[2, 0, 6:22, 10:18] = 0.0  # a nought
        want = [stretched(image[0]) for image in xb]
        fig = ex.show_batch((xb, torch.tensor([1, 7, 0])))
        found = pictures(fig)
        expect.equal([title for title, _ in found], ["1", "7", "0"], what="titles of the pictures")
        for index, ((_, got), image) in enumerate(zip(found, want, strict=True)):
            expect.close(stretched(got), image, what=f"picture {index}", atol=0.01)
        shown = [len(ax.get_images()) for ax in fig.get_axes()]
        expect.that(max(shown, default=0) <= 1, "one picture an axes", got=shown)
        titled = sum(ax.get_title() != "" for ax in fig.get_axes())
        expect.equal(titled, 3, what="the number of axes with a title, for 3 images")

    def test_drawn_batches_show_their_first_9(self, ex, rng, device):
        n = rng.integer(18, 25)
        xb, yb = rng.normal(n, 1, 28, 28), rng.integers(0, 9, n)
        want, titles = [stretched(x[0]) for x in xb[:9]], [str(y) for y in yb[:9].tolist()]
        xb, yb = xb.to(device), yb.to(device)
        with expect.unchanged(xb, yb):
            fig = ex.show_batch((xb, yb))
        found = pictures(fig)
        expect.equal([title for title, _ in found], titles, what="titles of the pictures")
        for index, ((_, got), image) in enumerate(zip(found, want, strict=True)):
            expect.close(stretched(got), image, what=f"picture {index}", atol=0.01)
