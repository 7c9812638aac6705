"""Exercise 13, a fast loader: the set lies on the device, a batch is a few tensor operations.

Each image is cut at a place of its own from its padded copy; an epoch gives every item once, with
its label, in a new order; batches are made when they are asked for, and look like exercise 11's.
"""

from collections import Counter

import pytest
import torch

from grader import expect


def padded(images):
    """The images with three rows and columns of zeros on every side."""
    n, height, width = images.shape
    ground = torch.zeros(n, height + 6, width + 6, dtype=torch.uint8)
    ground[:, 3 : 3 + height, 3 : 3 + width] = images
    return ground


def cut(images, tops, lefts):
    """Each image's window at its place, one image at a time."""
    _, height, width = images.shape
    places = zip(padded(images), tops.tolist(), lefts.tolist(), strict=True)
    return torch.stack([image[t : t + height, x : x + width] for image, t, x in places])


def windows(images):
    """All 49 windows of images (N, h, w): (N, 49, h, w), row by row."""
    n = len(images)
    places = [(top, left) for top in range(7) for left in range(7)]
    every = [cut(images, torch.full((n,), t), torch.full((n,), x)) for t, x in places]
    return torch.stack(every, dim=1)


@pytest.mark.task("crop_at", points=3)
class TestCropAt:
    """A window of each padded image, each at its own place."""

    def test_example(self, ex):
        image = torch.tensor([[1, 2, 3, 4], [5, 6, 7, 8]], dtype=torch.uint8)
        images = torch.stack([image, image, image])
        want = torch.tensor(
            [
                [[1, 2, 3, 4], [5, 6, 7, 8]],  # at (3, 3): as it was
                [[5, 6, 7, 8], [0, 0, 0, 0]],  # at (4, 3): up by one
                [[0, 0, 1, 2], [0, 0, 5, 6]],  # at (3, 1): right by two
            ],
            dtype=torch.uint8,
        )
        expect.equal(ex.crop_at(images, torch.tensor([3, 4, 3]), torch.tensor([3, 3, 1])), want)

    def test_drawn_places(self, ex, rng):
        for _ in range(3):
            n, height, width = rng.sizes(3, low=8, high=16)
            images = rng.images(n, height, width)
            tops, lefts = rng.integers(0, 6, n), rng.integers(0, 6, n)
            want = cut(images, tops, lefts)
            expect.equal(ex.crop_at(images, tops, lefts), want)

    def test_drawn_all_49_places(self, ex, rng):
        image = rng.images(1, 28, 28)
        tops, lefts = torch.arange(49) // 7, torch.arange(49) % 7
        want = windows(image)[0]
        expect.equal(ex.crop_at(image.repeat(49, 1, 1), tops, lefts), want)

    def test_stays_on_the_device(self, ex, device):
        for place in ("meta", device):
            images = torch.zeros(5, 12, 9, dtype=torch.uint8, device=place)
            tops = torch.zeros(5, dtype=torch.int64, device=place)
            got = ex.crop_at(images, tops, tops.clone())
            expect.tensor(got, shape=(5, 12, 9), dtype=torch.uint8, device=place)

    def test_arguments_are_unchanged(self, ex, rng):
        images, tops, lefts = rng.images(4), rng.integers(0, 6, 4), rng.integers(0, 6, 4)
        with expect.unchanged(images, tops, lefts):
            ex.crop_at(images, tops, lefts)


def coded_images(rng, n):
    """n copies of an image whose 7 × 7 middle pixels differ, so that one pixel tells the window."""
    image = rng.images(1, 15, 13)
    image[0, 4:11, 3:10] = torch.tensor(rng.shuffled(range(256))[:49]).view(7, 7)
    return image.repeat(n, 1, 1)


def first_of(places):
    """The first few of places 0..48, as (top, left)."""
    shown = ", ".join(str(divmod(place, 7)) for place in sorted(places)[:7])
    return shown + (", …" if len(places) > 7 else "")


def places_of(got, images):
    """The place 0..48 of every window in `got`, of copies of one coded image."""
    expect.tensor(got, shape=images.shape, dtype=torch.uint8)
    possible = windows(images[:1])[0]
    codes = possible[:, 7, 6].tolist()
    places = torch.zeros(256, dtype=torch.int64)
    places[codes] = torch.arange(49)
    found = places[got[:, 7, 6].cpu().long()]
    expect.that(
        torch.equal(possible[found], got.cpu()),
        "windows of the images padded by 3 zeros on every side",
        got=got,
    )
    return found.tolist()


@pytest.mark.task("random_crops", points=2)
class TestRandomCrops:
    """A window of each image at a place drawn for it alone."""

    def test_example(self, ex):
        white = torch.full((8, 28, 28), 255, dtype=torch.uint8)
        possible = windows(white[:1])[0]
        got = ex.random_crops(white)
        expect.tensor(got, shape=(8, 28, 28), dtype=torch.uint8)
        for index, image in enumerate(got.unbind()):
            expect.that(
                bool((possible == image).flatten(1).all(1).any()),
                "the white image, moved by up to 3 pixels each way, zeros where it moved away",
                got=image,
                what=f"result[{index}]",
            )

    def test_drawn_images_are_cut_from_their_own_padded_copy(self, ex, rng):
        n, height, width = rng.sizes(3, low=8, high=16)
        images = rng.images(n, height, width)
        possible = windows(images)
        got = ex.random_crops(images)
        expect.tensor(got, shape=(n, height, width), dtype=torch.uint8)
        for index, image in enumerate(got.unbind()):
            expect.that(
                bool((possible[index] == image).flatten(1).all(1).any()),
                f"one of the 49 windows of images[{index}], padded with zeros",
                got=image,
                what=f"result[{index}]",
            )

    def test_all_49_places_come_about_as_often(self, ex, rng):
        # By Chernoff's bound: one of 49 places, 163 times expected, comes fewer than 65 or more
        # than 280 times with probability < 1e-13; one of 14 rows and columns, 1143 times expected,
        # fewer than 893 or more than 1393 times with probability < 1e-11.
        images = coded_images(rng, 8000)
        counts = Counter(places_of(ex.random_crops(images), images))
        expect.that(
            len(counts) == 49,
            "all 49 places among 8000 images",
            got=f"{len(counts)} different places, at (top, left) {first_of(counts)}",
            what="among 8000 images",
        )
        rows, columns = Counter(), Counter()
        for place, count in counts.items():
            rows[place // 7] += count
            columns[place % 7] += count
        lines = [*rows.values(), *columns.values()]
        expect.that(
            min(counts.values()) >= 65 and max(counts.values()) <= 280,
            "each place about 163 times",
            got=f"the rarest {min(counts.values())} times, the most frequent "
            f"{max(counts.values())} times",
            what="among 8000 images",
        )
        expect.that(
            min(lines) >= 893 and max(lines) <= 1393,
            "each row and each column of places about 1143 times",
            got=f"the rarest {min(lines)} times, the most frequent {max(lines)} times",
            what="among 8000 images",
        )

    def test_each_call_draws_anew(self, ex, rng):
        # Two draws for 20 images agree by chance with probability 49^-20 ≈ 2e-34.
        images = coded_images(rng, 20)
        first, second = (places_of(ex.random_crops(images), images) for _ in range(2))
        expect.that(first != second, "new places in the next call", got="the same places twice")

    def test_stays_on_the_device(self, ex, device):
        for place in ("meta", device):
            images = torch.zeros(5, 12, 9, dtype=torch.uint8, device=place)
            got = ex.random_crops(images)
            expect.tensor(got, shape=(5, 12, 9), dtype=torch.uint8, device=place)

    def test_images_are_unchanged(self, ex, rng):
        images = rng.images(4)
        with expect.unchanged(images):
            ex.random_crops(images)


def epoch(dl, shape, dtype=torch.uint8, what="the loader"):
    """One pass over a loader: a list of (xb, yb), xb (N, *shape), each checked for its kind."""
    try:
        batches = iter(dl)
    except TypeError:
        expect.that(False, "something to iterate over, batch by batch", got=dl, what=what)
    found = []
    for batch in batches:
        xb, yb = expect.unpack(batch, 2, what=f"batches (xb, yb) from {what}")
        expect.tensor(yb, dtype=torch.int64, what=f"yb of {what}")
        expect.that(yb.dim() == 1, "yb of shape (N,)", got=yb, what=f"yb of {what}")
        expect.tensor(xb, shape=(len(yb), *shape), dtype=dtype, what=f"xb of {what}")
        found.append((xb, yb))
    expect.that(
        len(found) > 0, "batches, in every epoch", got="an epoch without a batch", what=what
    )
    return found


def joined(batches):
    """The batches of an epoch, put back together."""
    return torch.cat([xb for xb, _ in batches]), torch.cat([yb for _, yb in batches])


def sizes_of(n, size):
    """Sizes of the batches of an epoch of n items."""
    full, rest = divmod(n, size)
    return [size] * full + [rest] * (rest > 0)


def numbered_set(rng, n):
    """Images that carry their own number in every pixel, and labels that go with it."""
    images = torch.arange(n, dtype=torch.uint8)[:, None, None].expand(n, 3, 5).contiguous()
    return images, rng.integers(0, 1000, n)


@pytest.mark.task("FastLoader", points=4)
class TestFastLoader:
    """Batches of a set held in two tensors, in order or in a new order each epoch."""

    def test_example(self, ex):
        images, labels = torch.arange(5, dtype=torch.uint8)[:, None, None], torch.arange(10, 15)
        loader = ex.FastLoader(images, labels, batch_size=2)
        expect.equal(len(loader), 3, what="len(loader)")
        found = epoch(loader, (1, 1))
        got = [(xb.flatten().tolist(), yb.tolist()) for xb, yb in found]
        want = [([0, 1], [10, 11]), ([2, 3], [12, 13]), ([4], [14])]
        expect.equal(got, want, what="the batches of an epoch, as lists")

    def test_drawn_set_in_order(self, ex, rng):
        for n in (rng.integer(31, 34), 30):
            images, labels = rng.images(n, 6, 5), rng.integers(0, 9, n)
            want = images.clone(), labels.clone()
            size = rng.choice([5, 6])
            loader = ex.FastLoader(images, labels, batch_size=size)
            for _ in range(2):
                found = epoch(loader, (6, 5))
                got = [len(yb) for _, yb in found]
                expect.equal(got, sizes_of(n, size), what="sizes of the batches")
                xs, ys = joined(found)
                expect.equal(xs, want[0], what="the images of an epoch")
                expect.equal(ys, want[1], what="the labels of an epoch")

    def test_drawn_set_shuffled(self, ex, rng):
        for n in (rng.integer(31, 34), 30):
            images, labels = numbered_set(rng, n)
            want = labels.tolist()
            size = rng.choice([5, 6])
            loader = ex.FastLoader(images, labels, batch_size=size, shuffle=True)
            found = epoch(loader, (3, 5))
            got = [len(yb) for _, yb in found]
            expect.equal(got, sizes_of(n, size), what="sizes of the batches")
            xs, ys = joined(found)
            numbers = xs[:, 0, 0].tolist()
            expect.equal(sorted(numbers), list(range(n)), what="items of an epoch, sorted")
            pairs = [want[number] for number in numbers]
            expect.equal(ys.tolist(), pairs, what="labels of an epoch, image by image")

    def test_order_is_new_each_epoch(self, ex, rng):
        # Two orders of 25 items agree by chance with probability 1 / 25! ≈ 6e-26.
        images, labels = numbered_set(rng, 25)
        loader = ex.FastLoader(images, labels, batch_size=10, shuffle=True)
        orders = [joined(epoch(loader, (3, 5)))[0][:, 0, 0].tolist() for _ in range(2)]
        expect.that(
            orders[0] != sorted(orders[0]),
            "another order than that of the set",
            got=f"items {orders[0]}",
            what="order of an epoch",
        )
        expect.that(
            orders[0] != orders[1],
            "a new order in each epoch",
            got=f"items {orders[0]} in two epochs in a row",
            what="order of an epoch",
        )

    def test_items_change_company_from_epoch_to_epoch(self, ex, rng):
        # 30 items in groups of 5: 30! / (5!^6 · 6!) ≈ 1e17 ways to group them.
        images, labels = numbered_set(rng, 30)
        loader = ex.FastLoader(images, labels, batch_size=5, shuffle=True)
        groups = [
            {frozenset(xb[:, 0, 0].tolist()) for xb, _ in epoch(loader, (3, 5))} for _ in range(2)
        ]
        in_order = {frozenset(range(start, start + 5)) for start in range(0, 30, 5)}
        expect.that(
            groups[0] not in (groups[1], in_order),
            "other items together in a batch in the next epoch",
            got="the same groups of items in each epoch",
            what="the batches",
        )

    def test_default_batch_size(self, ex, rng):
        images, labels = rng.images(130, 3, 2), rng.integers(0, 9, 130)
        loader = ex.FastLoader(images, labels)
        got = [len(yb) for _, yb in epoch(loader, (3, 2))]
        expect.equal(got, [128, 2], what="sizes of the batches of 130 items")

    def test_length_is_the_number_of_batches(self, ex, rng):
        for n, size in ((24, 6), (25, 6), (29, 6), (3, 10)):
            loader = ex.FastLoader(rng.images(n, 3, 2), rng.integers(0, 9, n), batch_size=size)
            want = len(sizes_of(n, size))
            expect.equal(len(loader), want, what=f"len of {n} items in batches of {size}")

    def test_drawn_transform_sees_each_batch_when_it_is_asked_for(self, ex, rng):
        images, labels = numbered_set(rng, 23)
        shift = rng.number(1.0, 3.0)
        transform = expect.spy(lambda xb: xb.float() + shift, name="transform")
        loader = ex.FastLoader(images, labels, batch_size=6, shuffle=True, transform=transform)
        expect.equal(len(transform.calls), 0, what="calls of transform before the first batch")
        for start in (0, 4):
            for number, batch in enumerate(loader, start=start + 1):
                xb, _ = expect.unpack(batch, 2, what="batches (xb, yb)")
                expect.equal(
                    len(transform.calls), number, what=f"calls of transform at batch {number}"
                )
                (given,) = expect.unpack(transform.calls[-1], 1, what="arguments of transform")
                rest = 5 if number in (4, 8) else 6
                expect.tensor(
                    given, shape=(rest, 3, 5), dtype=torch.uint8, what="transform's argument"
                )
                expect.equal(xb, given.float() + shift, what="xb")
            expect.equal(len(transform.calls), start + 4, what="calls of transform after an epoch")

    def test_a_broken_off_epoch_leaves_nothing_behind(self, ex, rng):
        images, labels = numbered_set(rng, 11)
        want = labels.clone()
        loader = ex.FastLoader(images, labels, batch_size=4)
        for _ in loader:
            break
        expect.equal(joined(epoch(loader, (3, 5)))[1], want, what="the labels of the next epoch")

    def test_batches_stay_on_the_device(self, ex, device):
        for place in ("meta", device):
            images = torch.zeros(7, 4, 3, dtype=torch.uint8, device=place)
            labels = torch.zeros(7, dtype=torch.int64, device=place)
            for shuffle in (False, True):
                loader = ex.FastLoader(images, labels, batch_size=4, shuffle=shuffle)
                for xb, yb in epoch(loader, (4, 3)):
                    expect.tensor(xb, device=place, what="xb")
                    expect.tensor(yb, device=place, what="yb")

    def test_set_is_unchanged(self, ex, rng):
        images, labels = rng.images(9, 4, 3), rng.integers(0, 9, 9)
        with expect.unchanged(images, labels):
            epoch(ex.FastLoader(images, labels, batch_size=4, shuffle=True), (4, 3))


def loaders(ex, *args, **kwargs):
    """The two loaders of the learner's `make_fast_dataloaders`."""
    found = ex.make_fast_dataloaders(*args, **kwargs)
    return expect.unpack(found, 2, what="(train_dl, valid_dl)")


def batches_of(dl, what):
    """One epoch of batches like exercise 11's."""
    return epoch(dl, (1, 28, 28), torch.float32, what)


def statistics(images):
    """Mean and standard deviation of all pixels, worked out in float64."""
    pixels = images.double() / 255
    return pixels.mean().item(), pixels.std(unbiased=False).item()


def drawn_set(rng, n, low=0, high=255):
    """Noise images with bytes in low..high, and labels."""
    return rng.integers(low, high, n, 28, 28).to(torch.uint8), rng.integers(0, 9, n)


def recognised(batches, images):
    """Which image, in which of its 49 windows, each image of training batches is."""
    mean, std = statistics(images)
    possible = windows(images).flatten(2)
    read = (joined(batches)[0].cpu().double() * std + mean) * 255
    rounded = read.nan_to_num(-1).round()
    # n or n − 1 in std moves a byte by less than 0.05.
    fits = bool((read - rounded).abs().max() < 0.2)
    fits = fits and bool(((rounded >= 0) & (rounded <= 255)).all())
    expect.that(
        fits,
        "x / 255 less the mean of the training images, divided by their standard deviation",
        got=batches[0][0],
        what="xb of train_dl",
    )
    pairs = []
    for crop in rounded.to(torch.uint8).flatten(1):
        match = (possible[..., 400:416] == crop[400:416]).all(2).nonzero()  # the middle tells
        expect.that(
            len(match) == 1 and torch.equal(possible[tuple(match[0])], crop),
            "a window of 28 × 28 of a training image padded with zeros to 34 × 34, normalised",
            got=crop.view(28, 28),
            what="an image of train_dl, brought back to bytes",
        )
        pairs.append(tuple(match[0].tolist()))
    return pairs


@pytest.mark.task("make_fast_dataloaders", points=3)
class TestMakeFastDataloaders:
    """Loaders that stand in for exercise 11's."""

    def test_example(self, ex, digits, device):
        train = digits.train_images[:14].clone(), digits.train_labels[:14].clone()
        valid = digits.test_images[:10].clone(), digits.test_labels[:10].clone()
        mean, std = statistics(train[0])
        want = ((valid[0].double() / 255 - mean) / std).float()[:, None].to(device)
        labels = valid[1].clone().to(device)
        train_dl, valid_dl = loaders(ex, *train, *valid, batch_size=4)
        found = batches_of(valid_dl, "valid_dl")
        expect.equal([len(yb) for _, yb in found], [4, 4, 2], what="sizes of valid_dl's batches")
        xs, ys = joined(found)
        # n or n − 1 in the deviation shifts values by up to 5e-5 of themselves.
        expect.close(xs, want, what="xb of valid_dl", rtol=3e-4)
        expect.equal(ys, labels, what="yb of valid_dl")
        found = batches_of(train_dl, "train_dl")
        got = [len(yb) for _, yb in found]
        expect.equal(got, [4, 4, 4, 2], what="sizes of train_dl's batches")
        for xb, yb in found:
            expect.tensor(xb, device=device, what="xb of train_dl")
            expect.tensor(yb, device=device, what="yb of train_dl")

    def test_drawn_validation_is_whole_and_in_order(self, ex, rng, device):
        train, valid = drawn_set(rng, 12, 20, 120), drawn_set(rng, rng.integer(15, 19))
        mean, std = statistics(train[0])
        want = ((valid[0].double() / 255 - mean) / std).float()[:, None].to(device)
        labels = valid[1].clone().to(device)
        size = rng.choice([6, 7])
        _, valid_dl = loaders(ex, *train, *valid, batch_size=size)
        for _ in range(2):
            found = batches_of(valid_dl, "valid_dl")
            got = [len(yb) for _, yb in found]
            expect.equal(got, sizes_of(len(labels), size), what="sizes of valid_dl's batches")
            xs, ys = joined(found)
            expect.equal(ys, labels, what="yb of valid_dl")
            # n or n − 1 in the deviation shifts values by up to 6e-5 of themselves.
            expect.close(xs, want, what="xb of valid_dl", rtol=3e-4)

    def test_drawn_training_epoch_gives_each_item_once(self, ex, rng):
        n, size = rng.integer(19, 23), rng.choice([6, 7])
        train, valid = drawn_set(rng, n), drawn_set(rng, 3)
        labels = train[1].tolist()
        train_dl, _ = loaders(ex, *train, *valid, batch_size=size)
        for _ in range(2):
            found = batches_of(train_dl, "train_dl")
            got = [len(yb) for _, yb in found]
            expect.equal(got, sizes_of(n, size), what="sizes of train_dl's batches")
            items = [item for item, _ in recognised(found, train[0])]
            expect.equal(sorted(items), list(range(n)), what="items of an epoch, sorted")
            want = [labels[item] for item in items]
            expect.equal(joined(found)[1].tolist(), want, what="yb of train_dl, image by image")

    def test_order_and_crops_are_new_each_epoch(self, ex, rng):
        # Two orders of 18 items agree with probability 1 / 18! ≈ 2e-16, their crops with 49^-18.
        train, valid = drawn_set(rng, 18), drawn_set(rng, 3)
        train_dl, _ = loaders(ex, *train, *valid, batch_size=6)
        first, second = (recognised(batches_of(train_dl, "train_dl"), train[0]) for _ in range(2))
        expect.that(
            [item for item, _ in first] != [item for item, _ in second],
            "a new order in each epoch",
            got="the same order in two epochs",
            what="order of an epoch of train_dl",
        )
        expect.that(
            set(first) != set(second),
            "new windows in the next epoch",
            got="every image cut at the same place in two epochs",
            what="xb of train_dl",
        )

    def test_each_training_image_gets_a_crop_of_its_own(self, ex, rng):
        # 3 batches of 6 with one window each, by chance: 49^-15 ≈ 4e-26.
        train, valid = drawn_set(rng, 18), drawn_set(rng, 3)
        train_dl, _ = loaders(ex, *train, *valid, batch_size=6)
        places = [place for _, place in recognised(batches_of(train_dl, "train_dl"), train[0])]
        batches = [places[start : start + 6] for start in range(0, 18, 6)]
        expect.that(
            any(len(set(batch)) > 1 for batch in batches),
            "a window drawn for each image",
            got="all images of a batch cut at the same place",
            what="xb of train_dl",
        )

    def test_batches_lie_on_the_named_device(self, ex, rng, device):
        train, valid = drawn_set(rng, 7), drawn_set(rng, 5)
        for place in ("meta", "cpu", device):
            dls = loaders(ex, *train, *valid, batch_size=4, device=place)
            for dl, what in zip(dls, ("train_dl", "valid_dl"), strict=True):
                for xb, yb in batches_of(dl, what):
                    expect.tensor(xb, device=place, what=f"xb of {what} for device={place}")
                    expect.tensor(yb, device=place, what=f"yb of {what} for device={place}")

    def test_default_batch_size(self, ex, rng):
        images, labels = drawn_set(rng, 130)
        for dl, what in zip(
            loaders(ex, images, labels, images, labels), ("train_dl", "valid_dl"), strict=True
        ):
            got = [len(yb) for _, yb in batches_of(dl, what)]
            expect.equal(got, [128, 2], what=f"sizes of {what}'s batches for 130 items")

    def test_loaders_have_a_length(self, ex, rng):
        train, valid = drawn_set(rng, 11), drawn_set(rng, 7)
        train_dl, valid_dl = loaders(ex, *train, *valid, batch_size=4)
        expect.equal(len(train_dl), 3, what="len(train_dl)")
        expect.equal(len(valid_dl), 2, what="len(valid_dl)")

    def test_arguments_are_unchanged(self, ex, rng):
        train, valid = drawn_set(rng, 7), drawn_set(rng, 5)
        with expect.unchanged(train, valid):
            for dl in loaders(ex, *train, *valid, batch_size=4):
                batches_of(dl, "the loader")
