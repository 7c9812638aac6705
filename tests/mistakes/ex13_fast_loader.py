"""Wrong answers to exercise 13, each with what its author should read."""

from grader.bank import mistake


@mistake(
    "crop_at",
    "Rows and columns have changed places: tops move the window sideways and lefts up and down.",
)
def tops_and_lefts_swapped(images, tops, lefts):
    return Reference(images, lefts, tops)


@mistake(
    "crop_at",
    "Every image is cut at the place of the first one. Each has a top and a left of its own.",
)
def first_place_for_all(images, tops, lefts):
    return Reference(images, tops[:1].expand(len(images)), lefts[:1].expand(len(images)))


@mistake(
    "crop_at",
    "The image moves the wrong way: a larger top means a window further down, so the picture in "
    "it moves up.",
)
def moves_the_wrong_way(images, tops, lefts):
    return Reference(images, 6 - tops, 6 - lefts)


@mistake(
    "crop_at",
    "The places are counted from 1 here. Place 0 is the upper left corner of the padded image.",
)
def places_counted_from_one(images, tops, lefts):
    return Reference(images, (tops - 1).clamp(min=0), (lefts - 1).clamp(min=0))


@mistake(
    "crop_at",
    "What leaves on one side comes in on the other. Where the image moved away there should be "
    "zeros.",
)
def rolled_around(images, tops, lefts):
    if images.is_meta:
        return torch.empty_like(images)
    places = zip(images, (3 - tops).tolist(), (3 - lefts).tolist(), strict=True)
    return torch.stack([image.roll((down, right), (0, 1)) for image, down, right in places])


@mistake(
    "crop_at",
    "The border repeats the edge of the image. It should be black, that is, zero.",
)
def padded_with_the_edge(images, tops, lefts):
    n, h, w = images.shape
    grown = F.pad(images[:, None].float(), (3, 3, 3, 3), mode="replicate")[:, 0].byte()
    return grown.unfold(1, h, 1).unfold(2, w, 1)[torch.arange(n, device=images.device), tops, lefts]


@mistake(
    "crop_at",
    "All six rows and columns of zeros are on one side. Three on each side are asked for.",
)
def padded_on_one_side(images, tops, lefts):
    n, h, w = images.shape
    grown = F.pad(images, (6, 0, 6, 0))
    return grown.unfold(1, h, 1).unfold(2, w, 1)[torch.arange(n, device=images.device), tops, lefts]


@mistake(
    "crop_at",
    "The windows come out as floats. They stay bytes until the batch is normalised.",
)
def floats_for_bytes(images, tops, lefts):
    return Reference(images, tops, lefts).float()


@mistake(
    "crop_at",
    "The indexing has no tensor for the image, so every image is combined with every place: (N, "
    "N, h, w) comes out.",
)
def every_image_at_every_place(images, tops, lefts):
    _, h, w = images.shape
    grown = F.pad(images, (3, 3, 3, 3))
    return grown.unfold(1, h, 1).unfold(2, w, 1)[:, tops, lefts]


@mistake(
    "crop_at",
    "The row and the column of a pixel walk side by side here, so only a diagonal of each window "
    "is picked. Rows and columns need dimensions of their own.",
)
def one_diagonal_of_each_window(images, tops, lefts):
    n, side = len(images), min(images.shape[1:])
    steps = torch.arange(side, device=images.device)
    which = torch.arange(n, device=images.device)[:, None]
    return F.pad(images, (3, 3, 3, 3))[which, tops[:, None] + steps, lefts[:, None] + steps]


@mistake(
    "crop_at",
    "The window has the size of the padded image's height in both directions: height and width "
    "of the image have changed places.",
    crashes=True,
)
def height_for_width(images, tops, lefts):
    n, w, h = images.shape
    grown = F.pad(images, (3, 3, 3, 3))
    return grown.unfold(1, h, 1).unfold(2, w, 1)[torch.arange(n, device=images.device), tops, lefts]


@mistake(
    "crop_at",
    "The result is made on the CPU, wherever the images were. Give every new tensor the device "
    "of the images.",
)
def result_on_the_cpu(images, tops, lefts):
    if images.is_meta:
        return torch.zeros(images.shape, dtype=torch.uint8)
    return Reference(images.cpu(), tops.cpu(), lefts.cpu())


@mistake(
    "random_crops",
    "One place is drawn and used for all images of the batch. Draw one for each.",
)
def one_place_for_the_batch(images):
    top, left = torch.randint(7, (2, 1), device=images.device).expand(2, len(images))
    return crop_at(images, top, left)


@mistake(
    "random_crops",
    "Place 6 never comes up: the upper bound of `randint` is not itself drawn.",
)
def last_place_missing(images):
    tops, lefts = torch.randint(6, (2, len(images)), device=images.device)
    return crop_at(images, tops, lefts)


@mistake(
    "random_crops",
    "Place 0 never comes up. There are 34 − 28 + 1 = 7 places, the first of them 0.",
)
def first_place_missing(images):
    tops, lefts = torch.randint(1, 7, (2, len(images)), device=images.device)
    return crop_at(images, tops, lefts)


@mistake(
    "random_crops",
    "One number serves as top and as left, so images move along the diagonal only: 7 places of 49.",
)
def along_the_diagonal(images):
    places = torch.randint(7, (len(images),), device=images.device)
    return crop_at(images, places, places)


@mistake(
    "random_crops",
    "Only the rows are drawn; from left to right nothing moves.",
)
def up_and_down_only(images):
    tops = torch.randint(7, (len(images),), device=images.device)
    return crop_at(images, tops, torch.full_like(tops, 3))


@mistake(
    "random_crops",
    "The images come back as they were: no place is drawn.",
)
def nothing_moves(images):
    return images.clone()


@mistake(
    "random_crops",
    "The same places come up at every call: the seed is set inside the function.",
)
def seeded_inside(images):
    generator = torch.Generator(images.device if images.is_cuda else "cpu").manual_seed(42)
    tops, lefts = torch.randint(7, (2, len(images)), generator=generator).to(images.device)
    return crop_at(images, tops, lefts)


@mistake(
    "random_crops",
    "Rounding gives the places 0 and 6 half the share of the others: only half an interval "
    "rounds to each of them.",
)
def rounded_uniform(images):
    tops, lefts = (torch.rand(2, len(images), device=images.device) * 6).round().long()
    return crop_at(images, tops, lefts)


@mistake(
    "random_crops",
    "Places drawn from a bell curve keep most images near the middle. All 49 should be equally "
    "likely.",
)
def bell_curve(images):
    drawn = 3 + 1.5 * torch.randn(2, len(images), device=images.device)
    tops, lefts = drawn.round().clamp(0, 6).long()
    return crop_at(images, tops, lefts)


@mistake(
    "random_crops",
    "The images are put in another order as well. Image i of the result should be cut from image "
    "i, or it no longer fits its label.",
)
def images_out_of_order(images):
    return Reference(images).roll(1, 0)


@mistake(
    "random_crops",
    "The crops are written over the images that came in. In a loader that wears the set away, "
    "epoch by epoch.",
)
def overwrites_the_images(images):
    return images.copy_(Reference(images))


@mistake(
    "FastLoader",
    "The last, shorter batch is dropped. Every item has a place in an epoch.",
)
class drops_the_tail(Reference):
    def __iter__(self):
        for xb, yb in Reference.__iter__(self):
            if len(yb) == self.batch_size:
                yield xb, yb


@mistake(
    "FastLoader",
    "The order is drawn once, when the loader is made, and every epoch repeats it. Draw it at "
    "the start of each epoch.",
)
class shuffled_once(Reference):
    def __init__(self, images, labels, batch_size=128, shuffle=False, transform=None):
        if shuffle:
            order = torch.randperm(len(images), device=images.device)
            images, labels = images[order], labels[order]
        Reference.__init__(self, images, labels, batch_size, False, transform)


@mistake(
    "FastLoader",
    "`shuffle` is not looked at: the order is always that of the set.",
)
class never_shuffled(Reference):
    def __init__(self, images, labels, batch_size=128, shuffle=False, transform=None):
        Reference.__init__(self, images, labels, batch_size, False, transform)


@mistake(
    "FastLoader",
    "`shuffle` is not looked at: the order is always drawn, for validation too.",
)
class always_shuffled(Reference):
    def __init__(self, images, labels, batch_size=128, shuffle=False, transform=None):
        Reference.__init__(self, images, labels, batch_size, True, transform)


@mistake(
    "FastLoader",
    "The batches come in a new order, but the items in each are always the same neighbours. "
    "Permute the items, then cut.",
)
class shuffles_batches_only(Reference):
    def __iter__(self):
        pieces = torch.arange(len(self.images), device=self.images.device).split(self.batch_size)
        order = torch.randperm(len(pieces)).tolist() if self.shuffle else range(len(pieces))
        for number in order:
            xb = self.images[pieces[number]]
            xb = self.transform(xb) if self.transform else xb
            yield xb, self.labels[pieces[number]]


@mistake(
    "FastLoader",
    "Items are drawn with replacement: some come twice in an epoch, others not at all.",
)
class drawn_with_replacement(Reference):
    def __iter__(self):
        n, device = len(self.images), self.images.device
        places = torch.arange(n, device=device)
        if self.shuffle:
            places = torch.randint(n, (n,), device=device)
        for piece in places.split(self.batch_size):
            xb = self.images[piece]
            yield self.transform(xb) if self.transform else xb, self.labels[piece]


@mistake(
    "FastLoader",
    "Images and labels get an order each, so they no longer belong together. Index both with the "
    "same places.",
)
class labels_in_another_order(Reference):
    def __iter__(self):
        for xb, yb in Reference.__iter__(self):
            yield xb, yb[torch.randperm(len(yb))] if self.shuffle else yb


@mistake(
    "FastLoader",
    "Only the images are shuffled; the labels come in the order of the set.",
)
class labels_in_the_old_order(Reference):
    def __iter__(self):
        labels = self.labels.split(self.batch_size)
        for (xb, _), yb in zip(Reference.__iter__(self), labels, strict=True):
            yield xb, yb


@mistake(
    "FastLoader",
    "The transform is kept and never called.",
)
class transform_not_called(Reference):
    def __init__(self, images, labels, batch_size=128, shuffle=False, transform=None):
        Reference.__init__(self, images, labels, batch_size, shuffle, None)


@mistake(
    "FastLoader",
    "The whole set is transformed when the loader is made: memory for all of it as floats, and "
    "the same crops in every epoch. Transform a batch when it is asked for.",
)
class transformed_once(Reference):
    def __init__(self, images, labels, batch_size=128, shuffle=False, transform=None):
        images = transform(images) if transform else images
        Reference.__init__(self, images, labels, batch_size, shuffle, None)


@mistake(
    "FastLoader",
    "At the start of every epoch the whole set is transformed, which needs memory for a copy of "
    "it. Transform one batch at a time.",
)
class a_copy_of_the_set_per_epoch(Reference):
    def __iter__(self):
        images = self.transform(self.images) if self.transform else self.images
        places = torch.randperm if self.shuffle else torch.arange
        for piece in places(len(images), device=self.images.device).split(self.batch_size):
            yield images[piece], self.labels[piece]


@mistake(
    "FastLoader",
    "All batches of an epoch are made before the first is given out, which needs memory for all "
    "of them at once. `yield` gives out one at a time.",
)
class epoch_made_in_advance(Reference):
    def __iter__(self):
        return iter(list(Reference.__iter__(self)))


@mistake(
    "FastLoader",
    "The iterator is made once, so the first epoch uses it up and the second is empty. Each call "
    "of `__iter__` should start afresh.",
)
class used_up_after_one_epoch(Reference):
    def __init__(self, *args, **kwargs):
        Reference.__init__(self, *args, **kwargs)
        self.batches = Reference.__iter__(self)

    def __iter__(self):
        return self.batches


@mistake(
    "FastLoader",
    "The place in the epoch is kept in the object. After an epoch that was broken off, the next "
    "one goes on from there.",
)
class goes_on_where_it_stopped(Reference):
    def __init__(self, *args, **kwargs):
        Reference.__init__(self, *args, **kwargs)
        self.batches = None

    def __iter__(self):
        self.batches = self.batches or Reference.__iter__(self)
        yield from iter(lambda: next(self.batches, None), None)
        self.batches = None


@mistake(
    "FastLoader",
    "The length is rounded down, and a shorter last batch is not counted.",
)
class length_rounded_down(Reference):
    def __len__(self):
        return len(self.images) // self.batch_size


@mistake(
    "FastLoader",
    "This adds one to the quotient even when the items fill their batches exactly.",
)
class length_one_too_many(Reference):
    def __len__(self):
        return len(self.images) // self.batch_size + 1


@mistake(
    "FastLoader",
    "The length counts items. A loader's length is its number of batches.",
)
class length_in_items(Reference):
    def __len__(self):
        return len(self.images)


@mistake(
    "FastLoader",
    "Every batch has 128 items, whatever batch_size says.",
)
class every_batch_of_128(Reference):
    def __init__(self, images, labels, batch_size=128, shuffle=False, transform=None):
        Reference.__init__(self, images, labels, 128, shuffle, transform)


@mistake(
    "FastLoader",
    "This yields the images alone. A batch is the pair of images and labels.",
)
class images_without_labels(Reference):
    def __iter__(self):
        for xb, _ in Reference.__iter__(self):
            yield xb


@mistake(
    "FastLoader",
    "The batches are brought to the CPU. The set lies on its device so that they can stay there.",
)
class back_to_the_cpu(Reference):
    def __iter__(self):
        for xb, yb in Reference.__iter__(self):
            if xb.is_meta:
                xb, yb = torch.zeros_like(xb, device="cpu"), torch.zeros_like(yb, device="cpu")
            yield xb.cpu(), yb.cpu()


@mistake(
    "make_fast_dataloaders",
    "Training images are not shifted: `random_crops` has no part in the training transform.",
)
def training_not_augmented(
    train_images, train_labels, valid_images, valid_labels, batch_size=128, device=None
):
    train_dl, valid_dl = Reference(
        train_images, train_labels, valid_images, valid_labels, batch_size, device
    )
    train_dl.transform = valid_dl.transform
    return train_dl, valid_dl


@mistake(
    "make_fast_dataloaders",
    "Validation images are shifted at random too, so that the accuracy changes while the model "
    "does not.",
)
def validation_augmented(
    train_images, train_labels, valid_images, valid_labels, batch_size=128, device=None
):
    train_dl, valid_dl = Reference(
        train_images, train_labels, valid_images, valid_labels, batch_size, device
    )
    valid_dl.transform = train_dl.transform
    return train_dl, valid_dl


@mistake(
    "make_fast_dataloaders",
    "Training is not shuffled: each epoch gives the items in the order of the set.",
)
def training_not_shuffled(
    train_images, train_labels, valid_images, valid_labels, batch_size=128, device=None
):
    train_dl, valid_dl = Reference(
        train_images, train_labels, valid_images, valid_labels, batch_size, device
    )
    train_dl.shuffle = False
    return train_dl, valid_dl


@mistake(
    "make_fast_dataloaders",
    "Validation is shuffled as well. It is a measurement: whole, in order, the same every time.",
)
def validation_shuffled(
    train_images, train_labels, valid_images, valid_labels, batch_size=128, device=None
):
    train_dl, valid_dl = Reference(
        train_images, train_labels, valid_images, valid_labels, batch_size, device
    )
    valid_dl.shuffle = True
    return train_dl, valid_dl


@mistake(
    "make_fast_dataloaders",
    "The crops are made once, before training, and every epoch sees the same ones. Crop in the "
    "transform of the batch.",
)
def cropped_once(
    train_images, train_labels, valid_images, valid_labels, batch_size=128, device=None
):
    train_dl, valid_dl = Reference(
        train_images, train_labels, valid_images, valid_labels, batch_size, device
    )
    train_dl.images, train_dl.transform = random_crops(train_dl.images), valid_dl.transform
    return train_dl, valid_dl


@mistake(
    "make_fast_dataloaders",
    "Mean and deviation are those of the validation set. Measure the training images and use "
    "their numbers for both.",
)
def statistics_of_validation(
    train_images, train_labels, valid_images, valid_labels, batch_size=128, device=None
):
    _, valid_dl = Reference(
        valid_images, valid_labels, valid_images, valid_labels, batch_size, device
    )
    train_dl, _ = Reference(
        train_images, train_labels, train_images, train_labels, batch_size, device
    )
    train_dl.transform = lambda images: valid_dl.transform(random_crops(images))
    return train_dl, valid_dl


@mistake(
    "make_fast_dataloaders",
    "Each set is normalised with its own numbers, so the same stroke of ink has two values. Use "
    "the training set's for both.",
)
def each_set_its_own_statistics(
    train_images, train_labels, valid_images, valid_labels, batch_size=128, device=None
):
    train_dl, _ = Reference(
        train_images, train_labels, valid_images, valid_labels, batch_size, device
    )
    _, valid_dl = Reference(
        valid_images, valid_labels, valid_images, valid_labels, batch_size, device
    )
    return train_dl, valid_dl


@mistake(
    "make_fast_dataloaders",
    "The images are normalised before they are cropped, so the border of zeros is the grey of "
    "the mean instead of black. Crop the bytes first.",
)
def normalised_before_the_crop(
    train_images, train_labels, valid_images, valid_labels, batch_size=128, device=None
):
    train_dl, valid_dl = Reference(
        train_images, train_labels, valid_images, valid_labels, batch_size, device
    )
    plain = valid_dl.transform
    train_dl.transform = lambda images: random_crops(plain(images)[:, 0])[:, None]
    return train_dl, valid_dl


@mistake(
    "make_fast_dataloaders",
    "The batches are bytes without a channel: nothing normalises them.",
)
def never_normalised(
    train_images, train_labels, valid_images, valid_labels, batch_size=128, device=None
):
    train_dl, valid_dl = Reference(
        train_images, train_labels, valid_images, valid_labels, batch_size, device
    )
    train_dl.transform, valid_dl.transform = random_crops, None
    return train_dl, valid_dl


@mistake(
    "make_fast_dataloaders",
    "The set stays on the CPU, whatever device was asked for.",
)
def left_on_the_cpu(
    train_images, train_labels, valid_images, valid_labels, batch_size=128, device=None
):
    return Reference(train_images, train_labels, valid_images, valid_labels, batch_size, "cpu")


@mistake(
    "make_fast_dataloaders",
    "The images move to the device and the labels stay behind. The loss needs both in one place.",
)
def labels_left_on_the_cpu(
    train_images, train_labels, valid_images, valid_labels, batch_size=128, device=None
):
    train_dl, valid_dl = Reference(
        train_images, train_labels, valid_images, valid_labels, batch_size, device
    )
    if train_dl.images.is_meta:
        train_dl.labels = torch.zeros_like(train_labels)
        valid_dl.labels = torch.zeros_like(valid_labels)

    class Batches(FastLoader):
        def __iter__(self):
            for piece in torch.arange(len(self.labels)).split(self.batch_size):
                yield self.transform(self.images[piece]), self.labels[piece]

    if not train_dl.images.is_meta:
        return train_dl, valid_dl
    parts = ((dl.images, dl.labels, batch_size, False, dl.transform) for dl in (train_dl, valid_dl))
    return tuple(Batches(*part) for part in parts)


@mistake(
    "make_fast_dataloaders",
    "Every batch has 128 items, whatever batch_size says.",
)
def batch_size_ignored(
    train_images, train_labels, valid_images, valid_labels, batch_size=128, device=None
):
    return Reference(train_images, train_labels, valid_images, valid_labels, device=device)


@mistake(
    "make_fast_dataloaders",
    "The validation loader comes first. The docstring names the order.",
)
def loaders_swapped(
    train_images, train_labels, valid_images, valid_labels, batch_size=128, device=None
):
    return Reference(train_images, train_labels, valid_images, valid_labels, batch_size, device)[
        ::-1
    ]


@mistake(
    "make_fast_dataloaders",
    "The second loader gives training items, so validation measures what was learned by heart.",
)
def validates_on_training_items(
    train_images, train_labels, valid_images, valid_labels, batch_size=128, device=None
):
    return Reference(train_images, train_labels, train_images, train_labels, batch_size, device)
