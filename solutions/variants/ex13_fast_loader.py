"""Right answers to exercise 13, written differently: each must pass."""

import math

from grader.bank import variant


@variant("crop_at", "rows and columns of every window, by broadcasting")
def rows_and_columns(images, tops, lefts):
    n, height, width = images.shape
    ground = images.new_zeros(n, height + 6, width + 6)
    ground[:, 3:-3, 3:-3] = images
    rows = tops[:, None] + torch.arange(height, device=images.device)
    columns = lefts[:, None] + torch.arange(width, device=images.device)
    which = torch.arange(n, device=images.device)
    return ground[which[:, None, None], rows[:, :, None], columns[:, None, :]]


@variant("crop_at", "flat places and gather")
def by_gather(images, tops, lefts):
    n, h, w = images.shape
    flat = F.pad(images, [3] * 4).reshape(n, -1)
    window = torch.arange(h, device=images.device)[:, None] * (w + 6)
    window = (window + torch.arange(w, device=images.device)).flatten()
    corner = tops * (w + 6) + lefts
    return flat.gather(1, corner[:, None] + window).view(n, h, w)


@variant("crop_at", "an image at a time: slow, and right")
def one_by_one(images, tops, lefts):
    _, h, w = images.shape
    out = torch.zeros_like(images)
    if images.device.type == "meta":
        return out
    for i, (top, left) in enumerate(zip(tops.tolist(), lefts.tolist(), strict=True)):
        out[i] = F.pad(images[i], (3, 3, 3, 3))[top : top + h, left : left + w]
    return out


@variant("random_crops", "one draw of 0..48, split into row and column")
def one_draw_for_both(images):
    places = torch.randint(0, 49, (images.shape[0],), device=images.device)
    return crop_at(images, places // 7, places % 7)


@variant("random_crops", "floats cut down to whole numbers, two draws")
def from_uniform(images):
    tops = (torch.rand(len(images), device=images.device) * 7).long()
    lefts = torch.rand(len(images), device=images.device).mul(7).floor().to(torch.int64)
    return crop_at(images, tops, lefts)


@variant("FastLoader", "slices when in order, a permutation when not")
class slices_in_order:
    def __init__(self, images, labels, batch_size=128, shuffle=False, transform=None):
        self.set = images, labels
        self.size, self.shuffle = batch_size, shuffle
        self.transform = transform or (lambda xb: xb)

    def __len__(self):
        return math.ceil(len(self.set[1]) / self.size)

    def __iter__(self):
        images, labels = self.set
        order = torch.randperm(len(labels), device=labels.device) if self.shuffle else None
        for start in range(0, len(labels), self.size):
            stop = start + self.size
            where = slice(start, stop) if order is None else order[start:stop]
            yield self.transform(images[where]), labels[where]


@variant("FastLoader", "an iterator object with a state of its own")
class an_iterator_object:
    def __init__(self, images, labels, batch_size=128, shuffle=False, transform=None):
        self.images, self.labels, self.batch_size = images, labels, batch_size
        self.shuffle, self.transform = shuffle, transform

    def __len__(self):
        return (len(self.labels) + self.batch_size - 1) // self.batch_size

    def __iter__(self):
        n = self.labels.shape[0]
        order = torch.rand(n).argsort() if self.shuffle else torch.arange(n)
        chunks = order.to(self.images.device).split(self.batch_size)
        return map(self.batch, chunks)

    def batch(self, chunk):
        images = self.images.index_select(0, chunk)
        if self.transform is not None:
            images = self.transform(images)
        return [images, self.labels.index_select(0, chunk)]


@variant("make_fast_dataloaders", "moved first and measured on the device, without the helpers")
def measured_on_the_device(
    train_images, train_labels, valid_images, valid_labels, batch_size=128, device=None
):
    if device is None:
        device = "cpu"
        if torch.accelerator.is_available():
            device = torch.accelerator.current_accelerator()
    xs, ys = train_images.to(device), train_labels.to(device)
    floats = xs.float() / 255
    mean, std = floats.mean(), floats.std(correction=0)

    def augment(images):
        return ((random_crops(images).float() / 255 - mean) / std)[:, None]

    def convert(images):
        return ((images.float() / 255 - mean) / std)[:, None]

    train_dl = FastLoader(xs, ys, batch_size, shuffle=True, transform=augment)
    valid = valid_images.to(device), valid_labels.to(device)
    return train_dl, FastLoader(*valid, batch_size, transform=convert)


@variant("make_fast_dataloaders", "numbers of Python, all tensors moved in a row, a list")
def python_numbers(
    train_images, train_labels, valid_images, valid_labels, batch_size=128, device=None
):
    mean, std = (number.item() for number in mean_std(train_images))
    if not device:
        device = torch.zeros(1).device
        if torch.accelerator.is_available():
            device = torch.accelerator.current_accelerator()
    moved = [part.to(device) for part in (train_images, train_labels, valid_images, valid_labels)]
    return [
        FastLoader(
            *moved[:2],
            batch_size=batch_size,
            shuffle=True,
            transform=lambda xb: normalise(random_crops(xb), mean, std),
        ),
        FastLoader(
            *moved[2:],
            batch_size=batch_size,
            transform=lambda xb: normalise(xb, mean, std),
        ),
    ]
