"""Right answers to exercise 10, written another way; each passes every test."""

from collections import defaultdict

import numpy as np
import torch
from PIL import Image, ImageOps
from torch.utils.data import Dataset
from torchvision.io import ImageReadMode, read_image

from grader.bank import variant


@variant("open_grey", "torchvision's own reader")
def read_by_torchvision(path):
    return read_image(str(path), mode=ImageReadMode.GRAY)


@variant("open_grey", "through numpy, the channel added in front")
def through_numpy(path):
    pixels = np.array(Image.open(path).convert("L"))
    return torch.from_numpy(pixels)[None]


@variant("open_grey", "Pillow's grayscale and the raw bytes")
def raw_bytes(path):
    with open(path, "rb") as file:
        image = ImageOps.grayscale(Image.open(file).convert("RGB"))
    pixels = torch.tensor(list(image.tobytes()), dtype=torch.uint8)
    return pixels.reshape(1, image.height, image.width)


@variant("Vocab", "without a dict, the error spelled out")
class by_position:
    def __init__(self, labels):
        self.names = []
        for label in sorted(labels):
            if label not in self.names:
                self.names.append(label)

    def __len__(self):
        return len(self.names)

    def __getitem__(self, label):
        if label not in self.names:
            raise KeyError(f"{label!r} is not one of {self.names}")
        return self.names.index(label)

    def label(self, index):
        return self.names[index]


@variant("Vocab", "a dict for each way, itself a dict")
class two_dicts(dict):
    def __init__(self, labels):
        super().__init__(zip(sorted(set(labels)), range(len(labels)), strict=False))
        self.back = {index: label for label, index in self.items()}

    def label(self, index):
        return self.back[index]


@variant("split_by_parent", "one pass that sorts items into groups")
def one_pass(items, train, valid):
    groups = defaultdict(list)
    for item in items:
        groups[item.parents[1].name].append(item)
    return groups[train], groups[valid]


@variant("split_by_parent", "the third part from the end, a list of two lists")
def by_parts(items, train, valid):
    return [[item for item in items if item.parts[-3] == split] for split in (train, valid)]


@variant("DigitDataset", "the labels read at the start, identity for no transform")
class labels_at_start(Dataset):
    def __init__(self, paths, transform=None):
        self.items = [(path, int(path.parent.name)) for path in paths]
        self.transform = transform or (lambda x: x)

    def __len__(self):
        return len(self.items)

    def __getitem__(self, index):
        path, y = self.items[index]
        return self.transform(open_grey(path)), y


@variant("DigitDataset", "paths kept as text, negative indices worked out by hand")
class paths_as_text(Dataset):
    def __init__(self, paths, transform=None):
        self.texts, self.apply = tuple(str(path) for path in paths), transform

    def __len__(self):
        return len(self.texts)

    def __getitem__(self, index):
        if index < 0:
            index += len(self)
        if index < 0 or index >= len(self):
            raise IndexError(f"no item {index} of {len(self)}")
        path = self.texts[index]
        x = open_grey(path)
        if self.apply:
            x = self.apply(x)
        return [x, int(path.replace("\\", "/").split("/")[-2])]


@variant("DigitDataset", "no base class at all, pixels remembered but transforms drawn anew")
class remembers_pixels:
    def __init__(self, paths, transform=None):
        self.paths, self.transform, self.pixels = list(paths), transform, {}

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, index):
        path = self.paths[index]
        if path not in self.pixels:
            self.pixels[path] = open_grey(path)
        x = self.pixels[path]
        return (x if self.transform is None else self.transform(x)), int(path.parent.name)
