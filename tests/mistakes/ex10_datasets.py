"""Wrong answers to exercise 10, each with what its author should read."""

import random

import numpy as np
import torch
from PIL import Image
from torchvision.transforms.functional import pil_to_tensor, to_tensor

from grader.bank import mistake


@mistake(
    "open_grey",
    "Three channels come back. The model wants one; look at the mode that the image is converted "
    "to.",
)
def colour(path):
    with Image.open(path) as image:
        return pil_to_tensor(image.convert("RGB"))


@mistake(
    "open_grey",
    "The pixels are taken as the file holds them. A colour file then has three channels, and a "
    "palette file has numbers into its table instead of brightness.",
)
def not_converted(path):
    with Image.open(path) as image:
        return pil_to_tensor(image)


@mistake(
    "open_grey",
    "The pixels are already floats in 0..1. Scaling comes later, for a whole batch at once; a "
    "file's bytes stay uint8.",
)
def floats(path):
    with Image.open(path) as image:
        return to_tensor(image.convert("L"))


@mistake(
    "open_grey",
    "The channel dimension is missing: an image is (1, height, width), also when it is grey.",
)
def without_channel(path):
    with Image.open(path) as image:
        return torch.from_numpy(np.array(image.convert("L")))


@mistake(
    "open_grey",
    "The channel stands last, as in numpy. In torch it stands first: (1, height, width).",
)
def channel_last(path):
    with Image.open(path) as image:
        return torch.from_numpy(np.array(image.convert("L"))).unsqueeze(-1)


@mistake(
    "open_grey",
    "Rows and columns are confused. Pillow's size is (width, height), a tensor is (height, width).",
)
def width_before_height(path):
    with Image.open(path) as image:
        pixels = torch.from_numpy(np.array(image.convert("L")))
        return pixels.reshape(1, *image.size)


@mistake("open_grey", "Black and white only: the mode 1 has one bit a pixel. Grey is another mode.")
def one_bit(path):
    with Image.open(path) as image:
        return pil_to_tensor(image.convert("1").convert("L"))


@mistake("open_grey", "A Pillow image comes back where a tensor is asked for.")
def still_an_image(path):
    with Image.open(path) as image:
        return image.convert("L")


@mistake(
    "Vocab",
    "The labels keep the order in which they turn up, so another order of files gives other "
    "numbers, and a trained model reads wrongly. Sort them.",
)
class order_of_appearance(Reference):
    def __init__(self, labels):
        self.labels = list(dict.fromkeys(labels))
        self.index = {label: i for i, label in enumerate(self.labels)}


@mistake(
    "Vocab",
    "Repeated labels are kept, so the vocabulary is too long and its numbers have gaps. Each "
    "label counts once.",
)
class repeats_kept(Reference):
    def __init__(self, labels):
        self.labels = sorted(labels)
        self.index = {label: i for i, label in enumerate(self.labels)}


@mistake(
    "Vocab",
    "The labels are sorted as text, where 10 comes before 9. Numbers have an order of their own.",
)
class sorted_as_text(Reference):
    def __init__(self, labels):
        self.labels = sorted(set(labels), key=str)
        self.index = {label: i for i, label in enumerate(self.labels)}


@mistake(
    "Vocab",
    "All labels are turned into text, so a label that was a number is not found and does not come"
    " back as one. Leave labels what they are.",
    crashes=True,
)
class labels_as_text(Reference):
    def __init__(self, labels):
        self.labels = sorted({str(label) for label in labels})
        self.index = {label: i for i, label in enumerate(self.labels)}


@mistake(
    "Vocab",
    "The caller's list is sorted in place: afterwards its labels stand in another order than the "
    "images that they belong to. Sort a copy.",
)
class sorts_the_callers_list(Reference):
    def __init__(self, labels):
        labels.sort()
        self.labels = sorted(set(labels))
        self.index = {label: i for i, label in enumerate(self.labels)}


@mistake(
    "Vocab",
    "An unknown label gives None, and the mistake shows much later, far from here. Asking for "
    "what is not there is an error.",
)
class none_for_unknown(Reference):
    def __getitem__(self, label):
        return self.index.get(label)


@mistake(
    "Vocab",
    "An unknown label is a ValueError here, which is what a list's index method raises. For a "
    "lookup by name the usual error is a KeyError that names what is missing.",
)
class value_error(Reference):
    def __getitem__(self, label):
        return self.labels.index(label)


@mistake(
    "Vocab",
    "The KeyError does not say which label is unknown; with ten thousand files that is what one "
    "wants to know.",
)
class nameless_error(Reference):
    def __getitem__(self, label):
        if label not in self.index:
            raise KeyError("unknown label")
        return self.index[label]


@mistake("Vocab", "The indices start at 1. A network's outputs are counted from 0.")
class counts_from_one(Reference):
    def __init__(self, labels):
        self.labels = sorted(set(labels))
        self.index = {label: i for i, label in enumerate(self.labels, start=1)}


@mistake(
    "Vocab",
    "label answers with an index again: it is the way back, from an index to the label.",
    crashes=True,
)
class no_way_back(Reference):
    def label(self, index):
        return self.index[index]


@mistake("Vocab", "The labels are sorted from last to first.")
class backwards(Reference):
    def __init__(self, labels):
        self.labels = sorted(set(labels), reverse=True)
        self.index = {label: i for i, label in enumerate(self.labels)}


@mistake("Vocab", "The length counts the labels that were given, not the different ones.")
class length_of_the_list(Reference):
    def __init__(self, labels):
        self.given = labels
        self.labels = sorted(set(labels))
        self.index = {label: i for i, label in enumerate(self.labels)}

    def __len__(self):
        return len(self.given)


@mistake(
    "split_by_parent",
    "The name is looked for anywhere in the path, so an item below data/training/… of another "
    "split lands in two lists. Only the folder above the label counts.",
)
def anywhere_in_the_path(items, train, valid):
    return (
        [item for item in items if train in item.parts],
        [item for item in items if valid in item.parts],
    )


@mistake(
    "split_by_parent",
    "The name is looked for inside the path's text, so parts of other names match too. Compare "
    "one whole folder name.",
)
def inside_the_text(items, train, valid):
    return (
        [item for item in items if train in str(item)],
        [item for item in items if valid in str(item)],
    )


@mistake(
    "split_by_parent",
    "The right folder, but its name only has to begin with the split's name. Ask for equality.",
)
def begins_with(items, train, valid):
    return (
        [item for item in items if item.parent.parent.name.startswith(train)],
        [item for item in items if item.parent.parent.name.startswith(valid)],
    )


@mistake(
    "split_by_parent",
    "One folder too low: the file's own folder is the label. The split is the one above.",
)
def label_for_split(items, train, valid):
    return (
        [item for item in items if item.parent.name == train],
        [item for item in items if item.parent.name == valid],
    )


@mistake(
    "split_by_parent",
    "The first folder of the path decides, and it changes with the place where the data lies. "
    "Count from the file upwards.",
)
def first_folder(items, train, valid):
    return (
        [item for item in items if item.parts[0] == train],
        [item for item in items if item.parts[0] == valid],
    )


@mistake(
    "split_by_parent",
    "What is not training goes to validation. There may be other folders, and they belong to "
    "neither.",
)
def rest_is_validation(items, train, valid):
    chosen = [item for item in items if item.parent.parent.name == train]
    return chosen, [item for item in items if item not in chosen]


@mistake(
    "split_by_parent",
    "What is not validation goes to training. There may be other folders, and they belong to "
    "neither.",
)
def rest_is_training(items, train, valid):
    chosen = [item for item in items if item.parent.parent.name == valid]
    return [item for item in items if item not in chosen], chosen


@mistake("split_by_parent", "The two lists are swapped: training comes first.")
def swapped(items, train, valid):
    train_items, valid_items = Reference(items, train, valid)
    return valid_items, train_items


@mistake("split_by_parent", "Positions come back where the items themselves are asked for.")
def positions(items, train, valid):
    names = [item.parent.parent.name for item in items]
    return (
        [i for i, name in enumerate(names) if name == train],
        [i for i, name in enumerate(names) if name == valid],
    )


@mistake("split_by_parent", "The lists are sorted. The order of items is to be kept.")
def sorts(items, train, valid):
    train_items, valid_items = Reference(items, train, valid)
    return sorted(train_items), sorted(valid_items)


@mistake(
    "split_by_parent",
    "The caller's own list is put in another order on the way. Build new lists and leave it alone.",
)
def sorts_the_callers_items(items, train, valid):
    items.sort()
    return Reference(items, train, valid)


@mistake(
    "split_by_parent",
    "This splits at random, four to one. MNIST is split already, by writer; look at the folders.",
)
def at_random(items, train, valid):
    items = random.sample(items, len(items))
    cut = len(items) * 4 // 5
    return items[:cut], items[cut:]


@mistake("split_by_parent", "The paths come back as text. Give the items as they came.")
def paths_as_text(items, train, valid):
    return tuple([str(item) for item in part] for part in Reference(items, train, valid))


@mistake(
    "DigitDataset",
    "Files are opened when the dataset is made. With ten thousand of them that takes minutes and "
    "memory before the first item, a file that is not there yet stops it, and files held open are"
    " shared by worker processes, which read over each other's heads.",
    crashes=True,
)
class opens_all_at_start(Reference):
    def __init__(self, paths, transform=None):
        super(DigitDataset, self).__init__(paths, transform)
        self.images = [open_grey(path) for path in paths]

    def __getitem__(self, index):
        x, path = self.images[index], self.paths[index]
        if self.transform is not None:
            x = self.transform(x)
        return x, int(path.parent.name)


@mistake("DigitDataset", "Images are opened in colour: three equal channels where one is wanted.")
class in_colour(Reference):
    def __getitem__(self, index):
        path = self.paths[index]
        with Image.open(path) as image:
            x = pil_to_tensor(image.convert("RGB"))
        if self.transform is not None:
            x = self.transform(x)
        return x, int(path.parent.name)


@mistake(
    "DigitDataset",
    "The pixels are scaled to 0..1 already. An item holds uint8; scaling comes with the batch.",
)
class scaled(Reference):
    def __getitem__(self, index):
        path = self.paths[index]
        x = open_grey(path) / 255
        if self.transform is not None:
            x = self.transform(x)
        return x, int(path.parent.name)


@mistake("DigitDataset", "y is the folder's name, a piece of text. A loss wants a number.")
class label_as_text(Reference):
    def __getitem__(self, index):
        path = self.paths[index]
        x = open_grey(path)
        if self.transform is not None:
            x = self.transform(x)
        return x, path.parent.name


@mistake(
    "DigitDataset",
    "y is a tensor. An item's label is a plain int; the loader makes tensors of a batch of them.",
)
class label_as_tensor(Reference):
    def __getitem__(self, index):
        x, y = super(DigitDataset, self).__getitem__(index)
        return x, torch.tensor(y)


@mistake(
    "DigitDataset",
    "y is the label's place in a vocabulary of the digits that occur, not the digit: without "
    "zeros, a 1 becomes 0. Read the number off the folder.",
)
class index_for_digit(Reference):
    def __init__(self, paths, transform=None):
        super(DigitDataset, self).__init__(paths, transform)
        self.vocab = Vocab([path.parent.name for path in paths])

    def __getitem__(self, index):
        x, y = super(DigitDataset, self).__getitem__(index)
        return x, self.vocab[str(y)]


@mistake(
    "DigitDataset",
    "y is read off the file's own name. The digit is the name of the folder that holds it.",
)
class label_of_the_file(Reference):
    def __getitem__(self, index):
        x, _ = super(DigitDataset, self).__getitem__(index)
        return x, int(self.paths[index].stem)


@mistake(
    "DigitDataset",
    "One folder too high: that is the split, and its name is no number.",
    crashes=True,
)
class label_of_the_split(Reference):
    def __getitem__(self, index):
        path = self.paths[index]
        x = open_grey(path)
        if self.transform is not None:
            x = self.transform(x)
        return x, int(path.parent.parent.name)


@mistake("DigitDataset", "The transform is kept and never used.")
class transform_forgotten(Reference):
    def __getitem__(self, index):
        path = self.paths[index]
        return open_grey(path), int(path.parent.name)


@mistake(
    "DigitDataset",
    "The transform is applied to y as well. A crop or a flip is for the picture; a label stays "
    "what it is.",
)
class transform_on_both(Reference):
    def __getitem__(self, index):
        x, y = super(DigitDataset, self).__getitem__(index)
        return x, y if self.transform is None else self.transform(torch.tensor(y))


@mistake(
    "DigitDataset",
    "The transform is given the pair (x, y). It is a function for one picture.",
    crashes=True,
)
class transform_on_the_pair(Reference):
    def __getitem__(self, index):
        path = self.paths[index]
        item = open_grey(path), int(path.parent.name)
        return item if self.transform is None else self.transform(item)


@mistake(
    "DigitDataset",
    "The transform is given the Pillow image. It gets x, the uint8 tensor.",
    crashes=True,
)
class transform_on_the_image(Reference):
    def __getitem__(self, index):
        path = self.paths[index]
        with Image.open(path) as image:
            image = image.convert("L")
        if self.transform is None:
            return pil_to_tensor(image), int(path.parent.name)
        return self.transform(image), int(path.parent.name)


@mistake(
    "DigitDataset",
    "An item is transformed once and remembered. A transform draws anew each time, or every epoch"
    " sees the same crops; and memory fills up.",
)
class remembers_items(Reference):
    def __init__(self, paths, transform=None):
        super(DigitDataset, self).__init__(paths, transform)
        self.items = {}

    def __getitem__(self, index):
        if index not in self.items:
            self.items[index] = super(DigitDataset, self).__getitem__(index)
        return self.items[index]


@mistake(
    "DigitDataset",
    "A cursor decides which item comes next, and the index is ignored. Workers each move a cursor"
    " of their own, and nobody gets what they asked for. Make item i from i alone.",
)
class cursor(Reference):
    def __init__(self, paths, transform=None):
        super(DigitDataset, self).__init__(paths, transform)
        self.next = 0

    def __getitem__(self, index):
        if not -len(self.paths) <= index < len(self.paths):
            raise IndexError(index)
        self.next += 1
        return super(DigitDataset, self).__getitem__((self.next - 1) % len(self.paths))


@mistake(
    "DigitDataset",
    "Negative indices are refused. A dataset counts them from the end, as a list does.",
    crashes=True,
)
class no_negative_index(Reference):
    def __getitem__(self, index):
        if not 0 <= index < len(self.paths):
            raise IndexError(index)
        return super(DigitDataset, self).__getitem__(index)


@mistake(
    "DigitDataset",
    "An index past the end starts over at the beginning, so a for loop over the dataset never "
    "ends.",
)
class starts_over(Reference):
    def __getitem__(self, index):
        return super(DigitDataset, self).__getitem__(index % len(self.paths))


@mistake("DigitDataset", "Only the picture comes back. An item is the pair of picture and label.")
class picture_only(Reference):
    def __getitem__(self, index):
        return super(DigitDataset, self).__getitem__(index)[0]


@mistake("DigitDataset", "Label first, picture second: an item is (x, y).")
class label_first(Reference):
    def __getitem__(self, index):
        x, y = super(DigitDataset, self).__getitem__(index)
        return y, x


@mistake(
    "DigitDataset",
    "The length is fixed at that of the full training set. Ask the paths how many they are.",
)
class fixed_length(Reference):
    def __len__(self):
        return 60_000
