"""Wrong answers to exercise 11, each with what its author should read."""

import torch
from torch.utils.data import RandomSampler

from grader.bank import mistake


@mistake(
    "item_transforms",
    "34 × 34 comes out: the image was padded, and nothing was cut out of it afterwards. First "
    "make room, then cut a window of 28.",
)
def padded_and_not_cropped():
    return v2.Pad(3)


@mistake(
    "item_transforms",
    "The image comes back as it was: a window as large as its ground has one place to stand, and "
    "so has one that always stands in the middle. Where does the room to move in come from, and "
    "who draws the place?",
)
def cropped_and_not_padded():
    return v2.RandomCrop(28)


@mistake(
    "item_transforms",
    "This returns floats in 0..1. Items stay uint8 here: the scale is changed once, for the "
    "whole batch, in the batch transform.",
)
def floats_already_on_the_item():
    shift = v2.Compose([v2.Pad(3), v2.RandomCrop(28)])
    return lambda image: shift(image) / 255


@mistake(
    "item_transforms",
    "The room around the image is filled with copies of its edge. Around a digit lies black "
    "background, so fill with zeros.",
)
def edge_padding():
    return v2.Compose([v2.Pad(3, padding_mode="edge"), v2.RandomCrop(28)])


@mistake(
    "item_transforms",
    "The room around the image is filled with white. A stroke of ink is white in these files, "
    "the background is 0.",
)
def white_padding():
    return v2.Compose([v2.Pad(3, fill=255), v2.RandomCrop(28)])


@mistake(
    "item_transforms",
    "Rows are added on one side only, so the image can move in one direction and not back. "
    "Padding belongs on all four sides.",
)
def padded_on_one_side():
    return v2.Compose([v2.Pad([6, 6, 0, 0]), v2.RandomCrop(28)])


@mistake(
    "item_transforms",
    "The place of the window is drawn once, when the transform is made, and then used for every "
    "image. Draw inside the callable.",
)
def one_crop_for_all():
    top, left = torch.randint(0, 7, (2,)).tolist()
    return lambda image: v2.functional.pad(image, [3])[:, top : top + 28, left : left + 28]


@mistake(
    "item_transforms",
    "The last row and the last column of places never come up. An upper bound of `randint` is "
    "not itself drawn: count the places from 0 to 34 − 28.",
)
def last_place_missing():
    def shift(image):
        top, left = torch.randint(0, 6, (2,)).tolist()
        return v2.functional.pad(image, [3])[:, top : top + 28, left : left + 28]

    return shift


@mistake(
    "item_transforms",
    "One number is drawn for both directions, so the image moves along the diagonal only: 7 "
    "windows out of 49.",
)
def along_the_diagonal():
    def shift(image):
        place = int(torch.randint(0, 7, ()))
        return v2.functional.pad(image, [3])[:, place : place + 28, place : place + 28]

    return shift


@mistake(
    "item_transforms",
    "What moves out on one side comes in on the other. The window should show zeros where the "
    "image has moved away.",
)
def rolled_around():
    def shift(image):
        rows, columns = torch.randint(-3, 4, (2,)).tolist()
        return image.roll((rows, columns), (1, 2))

    return shift


@mistake(
    "item_transforms",
    "The picture is moved inside the image that came in, so the dataset's own digit is worn away "
    "call by call. Return a new tensor.",
)
def moves_the_original():
    shift = v2.Compose([v2.Pad(3), v2.RandomCrop(28)])
    return lambda image: image.copy_(shift(image))


@mistake(
    "mean_std",
    "These numbers are on the scale 0..255. The batch transform divides by 255 first, so mean "
    "and deviation belong to the scale 0..1.",
)
def bytes_not_scaled(dataset):
    pixels = torch.stack([x for x, _ in dataset]).float()
    return pixels.mean().item(), pixels.std().item()


@mistake(
    "mean_std",
    "This averages the deviation within each image. How the images differ from one another is "
    "lost: measure all pixels together.",
)
def mean_of_each_image_s_std(dataset):
    images = [x / 255 for x, _ in dataset]
    mean = sum(x.mean().item() for x in images) / len(images)
    return mean, sum(x.std().item() for x in images) / len(images)


@mistake(
    "mean_std",
    "The second number is the variance, in squared units. The deviation is its square root.",
)
def variance_for_std(dataset):
    pixels = torch.stack([x for x, _ in dataset]) / 255
    return pixels.mean().item(), pixels.var().item()


@mistake(
    "mean_std",
    "These are 0-d tensors; two Python floats are asked for.",
)
def tensors_for_floats(dataset):
    pixels = torch.stack([x for x, _ in dataset]) / 255
    return pixels.mean(), pixels.std()


@mistake(
    "mean_std",
    "The two numbers are there, the deviation before the mean. The name gives the order.",
)
def std_before_mean(dataset):
    return Reference(dataset)[::-1]


@mistake(
    "mean_std",
    "This measures the first image and leaves out the others.",
)
def first_image_only(dataset):
    return Reference([dataset[0]])


@mistake(
    "mean_std",
    "These are the numbers of the real MNIST training set, whatever the dataset holds. Measure "
    "the one that is given.",
)
def known_constants(dataset):
    return 0.1307, 0.3081


@mistake(
    "mean_std",
    "Black pixels are left out here. The network sees the background too, and it is most of a "
    "digit: all pixels count.",
)
def ink_only(dataset):
    pixels = torch.stack([x for x, _ in dataset]) / 255
    pixels = pixels[pixels > 0]
    return pixels.mean().item(), pixels.std().item()


@mistake(
    "mean_std",
    "The deviation is taken around 0 instead of around the mean: the root of the mean square.",
)
def deviation_from_zero(dataset):
    pixels = torch.stack([x for x, _ in dataset]) / 255
    return pixels.mean().item(), pixels.square().mean().sqrt().item()


@mistake(
    "mean_std",
    "An integer division turns every pixel below 255 into 0, and nearly the whole picture is gone.",
)
def integer_division(dataset):
    pixels = (torch.stack([x for x, _ in dataset]) // 255).float()
    return pixels.mean().item(), pixels.std().item()


@mistake(
    "mean_std",
    "This is the mean of one value per image, and the deviation between the images. The pixels "
    "are what the numbers should describe.",
)
def std_between_the_images(dataset):
    means = torch.stack([(x / 255).mean() for x, _ in dataset])
    return means.mean().item(), means.std().item()


@mistake(
    "BatchTransform",
    "This normalises bytes with numbers for 0..1, and scales afterwards. The mean belongs to the "
    "scale 0..1: which step has to come first?",
)
class normalise_before_scale(Reference):
    def __call__(self, batch):
        if isinstance(batch, (tuple, list)):
            return self(batch[0]), batch[1]
        return (batch - self.mean) / self.std / 255


@mistake(
    "BatchTransform",
    "The division by 255 is missing. A white pixel comes in as 255 and the mean is below 1.",
)
class never_scaled(Reference):
    def __call__(self, batch):
        if isinstance(batch, (tuple, list)):
            return self(batch[0]), batch[1]
        return (batch.float() - self.mean) / self.std


@mistake(
    "BatchTransform",
    "The pixels are scaled to 0..1 and left there. The two numbers that were given are not used.",
)
class only_scaled(Reference):
    def __call__(self, batch):
        if isinstance(batch, (tuple, list)):
            return self(batch[0]), batch[1]
        return batch / 255


@mistake(
    "BatchTransform",
    "The integer division sends every pixel below 255 to 0 before it is normalised.",
)
class integer_scale(Reference):
    def __call__(self, batch):
        if isinstance(batch, (tuple, list)):
            return self(batch[0]), batch[1]
        return ((batch // 255).float() - self.mean) / self.std


@mistake(
    "BatchTransform",
    "Each batch is measured anew, so the same digit gets other numbers in other company. Use the "
    "mean and the deviation that were given.",
)
class statistics_of_the_batch(Reference):
    def __call__(self, batch):
        if isinstance(batch, (tuple, list)):
            return self(batch[0]), batch[1]
        floats = batch / 255
        return (floats - floats.mean()) / floats.std()


@mistake(
    "BatchTransform",
    "Mean and deviation have changed places.",
)
class mean_and_std_swapped(Reference):
    def __init__(self, mean, std):
        self.mean, self.std = std, mean


@mistake(
    "BatchTransform",
    "This multiplies by the deviation. A spread of 0.3 should become 1, not smaller still.",
)
class multiplied_by_std(Reference):
    def __call__(self, batch):
        if isinstance(batch, (tuple, list)):
            return self(batch[0]), batch[1]
        return (batch / 255 - self.mean) * self.std


@mistake(
    "BatchTransform",
    "The mean is added, which moves the values away from zero.",
)
class mean_added(Reference):
    def __call__(self, batch):
        if isinstance(batch, (tuple, list)):
            return self(batch[0]), batch[1]
        return (batch / 255 + self.mean) / self.std


@mistake(
    "BatchTransform",
    "The numbers come out as float64. Models hold float32, and the two don't multiply.",
)
class double_precision(Reference):
    def __call__(self, batch):
        if isinstance(batch, (tuple, list)):
            return self(batch[0]), batch[1]
        return (batch.double() / 255 - self.mean) / self.std


@mistake(
    "BatchTransform",
    "For a pair, the images come back alone and the labels are lost.",
)
class labels_lost(Reference):
    def __call__(self, batch):
        return Reference.__call__(self, batch[0] if isinstance(batch, (tuple, list)) else batch)


@mistake(
    "BatchTransform",
    "The labels are turned into floats as well. They are class numbers and stay int64.",
)
class labels_made_floats(Reference):
    def __call__(self, batch):
        if isinstance(batch, (tuple, list)):
            return self(batch[0]), batch[1].float()
        return Reference.__call__(self, batch)


@mistake(
    "BatchTransform",
    "This knows pairs in a tuple only. `DataLoader` gives its batches as lists, which pass "
    "through here as if they were one tensor.",
    crashes=True,
)
class tuples_only(Reference):
    def __call__(self, batch):
        if isinstance(batch, tuple):
            return self(batch[0]), batch[1]
        return (batch / 255 - self.mean) / self.std


@mistake(
    "BatchTransform",
    "The result is made on the CPU, wherever the batch was. Arithmetic on the batch itself stays "
    "on its device.",
)
class result_on_the_cpu(Reference):
    def __call__(self, batch):
        if isinstance(batch, (tuple, list)):
            return self(batch[0]), batch[1]
        floats = torch.zeros(batch.shape) if batch.is_meta else batch.cpu() / 255
        return (floats - self.mean) / self.std


@mistake(
    "BatchTransform",
    "The numbers are kept in the class, where all transforms share them: the second one that is "
    "made changes the first. Keep them in `self`.",
)
class numbers_kept_in_the_class(Reference):
    def __init__(self, mean, std):
        BatchTransform.mean, BatchTransform.std = mean, std


@mistake(
    "BatchTransform",
    "A constant is added to the deviation, which changes every result. The training set's "
    "deviation is far from 0 and needs no guard.",
)
class guarded_division(Reference):
    def __call__(self, batch):
        if isinstance(batch, (tuple, list)):
            return self(batch[0]), batch[1]
        return (batch / 255 - self.mean) / (self.std + 1e-3)


@mistake(
    "make_dataloaders",
    "Training goes through the items in the order of the dataset, epoch after epoch. Files "
    "sorted by label then give batches of one digit each.",
)
def training_not_shuffled(train, valid, batch_size=128, device=None):
    shuffled, valid_dl = Reference(train, valid, batch_size, device)
    return DataLoader(train, batch_size, collate_fn=shuffled.collate_fn), valid_dl


@mistake(
    "make_dataloaders",
    "The items are shuffled once, before the loader is made. Each epoch then repeats the same "
    "order; let the loader draw it.",
)
def shuffled_once(train, valid, batch_size=128, device=None):
    train_dl, valid_dl = Reference(train, valid, batch_size, device)
    order = torch.randperm(len(train)).tolist()
    mixed = [train[i] for i in order]
    return DataLoader(mixed, batch_size, collate_fn=train_dl.collate_fn), valid_dl


@mistake(
    "make_dataloaders",
    "Items are drawn with replacement, so some come twice in an epoch and others not at all. "
    "Shuffling gives each of them once.",
)
def drawn_with_replacement(train, valid, batch_size=128, device=None):
    train_dl, valid_dl = Reference(train, valid, batch_size, device)
    sampler = RandomSampler(train, replacement=True)
    collate = train_dl.collate_fn
    return DataLoader(train, batch_size, sampler=sampler, collate_fn=collate), valid_dl


@mistake(
    "make_dataloaders",
    "Validation is shuffled too. It is a measurement: whole, in order, the same every time.",
)
def validation_shuffled(train, valid, batch_size=128, device=None):
    train_dl, valid_dl = Reference(train, valid, batch_size, device)
    collate = valid_dl.collate_fn
    return train_dl, DataLoader(valid, batch_size, shuffle=True, collate_fn=collate)


@mistake(
    "make_dataloaders",
    "Validation images are shifted at random like training images. Then the accuracy changes "
    "from one look to the next while the model stays the same.",
)
def validation_augmented(train, valid, batch_size=128, device=None):
    train_dl, _ = Reference(train, valid, batch_size, device)
    return train_dl, DataLoader(valid, batch_size, collate_fn=train_dl.collate_fn)


@mistake(
    "make_dataloaders",
    "The last, shorter batch of validation is dropped, so some items are never judged.",
)
def validation_truncated(train, valid, batch_size=128, device=None):
    train_dl, valid_dl = Reference(train, valid, batch_size, device)
    collate = valid_dl.collate_fn
    return train_dl, DataLoader(valid, batch_size, drop_last=True, collate_fn=collate)


@mistake(
    "make_dataloaders",
    "Training images arrive as they are in the dataset: the item transform is not used.",
)
def training_not_augmented(train, valid, batch_size=128, device=None):
    _, valid_dl = Reference(train, valid, batch_size, device)
    collate = valid_dl.collate_fn
    return DataLoader(train, batch_size, shuffle=True, collate_fn=collate), valid_dl


@mistake(
    "make_dataloaders",
    "The crops are drawn once, before training, and every epoch sees the same ones. Transform an "
    "item each time the loader asks for it.",
)
def one_crop_for_the_whole_run(train, valid, batch_size=128, device=None):
    _, valid_dl = Reference(train, valid, batch_size, device)
    shift = item_transforms()
    shifted = [(shift(x), y) for x, y in train]
    collate = valid_dl.collate_fn
    return DataLoader(shifted, batch_size, shuffle=True, collate_fn=collate), valid_dl


@mistake(
    "make_dataloaders",
    "The crop is drawn once for a whole batch, since it is made on the stacked images: all of "
    "them move the same way. Each image should get its own.",
)
def one_crop_for_the_batch(train, valid, batch_size=128, device=None):
    _, valid_dl = Reference(train, valid, batch_size, device)
    shift, collate = item_transforms(), valid_dl.collate_fn

    def shifted(items):
        images = shift(torch.stack([x for x, _ in items]))
        return collate([(x, y) for x, (_, y) in zip(images, items, strict=True)])

    return DataLoader(train, batch_size, shuffle=True, collate_fn=shifted), valid_dl


@mistake(
    "make_dataloaders",
    "Mean and deviation are measured on the validation set. It stands for data that nobody has "
    "seen yet: measure the training set and use its numbers for both.",
)
def statistics_of_validation(train, valid, batch_size=128, device=None):
    found = torch.accelerator.is_available()
    device = device or (torch.accelerator.current_accelerator() if found else "cpu")
    shift, to_floats = item_transforms(), BatchTransform(*mean_std(valid))

    def plain(items):
        return to_floats([t.to(device) for t in default_collate(items)])

    def shifted(items):
        return plain([(shift(x), y) for x, y in items])

    train_dl = DataLoader(train, batch_size, shuffle=True, collate_fn=shifted)
    return train_dl, DataLoader(valid, batch_size, collate_fn=plain)


@mistake(
    "make_dataloaders",
    "Training and validation are normalised with different numbers, each with its own. The same "
    "stroke of ink then has two values; use the training set's numbers for both.",
)
def each_set_its_own_statistics(train, valid, batch_size=128, device=None):
    train_dl, _ = Reference(train, valid, batch_size, device)
    _, valid_dl = Reference(valid, valid, batch_size, device)
    return train_dl, valid_dl


@mistake(
    "make_dataloaders",
    "Mean and deviation are measured over both sets together, so validation images take part in "
    "preparing the training.",
)
def statistics_of_both(train, valid, batch_size=128, device=None):
    both = list(train) + list(valid)
    collate = Reference(both, valid, batch_size, device)[0].collate_fn
    train_dl = DataLoader(train, batch_size, shuffle=True, collate_fn=collate)
    return train_dl, Reference(both, valid, batch_size, device)[1]


@mistake(
    "make_dataloaders",
    "The batches stay on the CPU, whatever device was asked for. Move both parts of a batch.",
)
def left_on_the_cpu(train, valid, batch_size=128, device=None):
    return Reference(train, valid, batch_size, "cpu")


@mistake(
    "make_dataloaders",
    "The images move to the device and the labels stay behind. The loss needs both in one place.",
)
def labels_left_on_the_cpu(train, valid, batch_size=128, device=None):
    found = torch.accelerator.is_available()
    target = device or (torch.accelerator.current_accelerator() if found else "cpu")
    shift, to_floats = item_transforms(), BatchTransform(*mean_std(train))

    def plain(items):
        xb, yb = default_collate(items)
        return to_floats(xb.to(target)), yb

    def shifted(items):
        return plain([(shift(x), y) for x, y in items])

    train_dl = DataLoader(train, batch_size, shuffle=True, collate_fn=shifted)
    return train_dl, DataLoader(valid, batch_size, collate_fn=plain)


@mistake(
    "make_dataloaders",
    "Validation batches stay on the CPU while training batches move. Both go to the device.",
)
def validation_left_on_the_cpu(train, valid, batch_size=128, device=None):
    return Reference(train, valid, batch_size, device)[0], Reference(train, valid, batch_size)[1]


@mistake(
    "make_dataloaders",
    "The batches are still bytes: the batch transform is not used.",
)
def never_normalised(train, valid, batch_size=128, device=None):
    found = torch.accelerator.is_available()
    device = device or (torch.accelerator.current_accelerator() if found else "cpu")
    shift = item_transforms()

    def plain(items):
        xb, yb = default_collate(items)
        return xb.to(device), yb.to(device)

    def shifted(items):
        return plain([(shift(x), y) for x, y in items])

    train_dl = DataLoader(train, batch_size, shuffle=True, collate_fn=shifted)
    return train_dl, DataLoader(valid, batch_size, collate_fn=plain)


@mistake(
    "make_dataloaders",
    "Every batch has 128 items, whatever batch_size says.",
)
def batch_size_ignored(train, valid, batch_size=128, device=None):
    return Reference(train, valid, device=device)


@mistake(
    "make_dataloaders",
    "The validation loader comes first. The docstring names the order.",
)
def loaders_swapped(train, valid, batch_size=128, device=None):
    return Reference(train, valid, batch_size, device)[::-1]


@mistake(
    "make_dataloaders",
    "The second loader gives training items. Then validation measures what was learned by heart.",
)
def validates_on_training_items(train, valid, batch_size=128, device=None):
    return Reference(train, train, batch_size, device)


@mistake(
    "make_dataloaders",
    "These are generators: after one epoch they are used up, and the second epoch is empty. A "
    "loader starts afresh each time it is iterated over.",
)
def used_up_after_one_epoch(train, valid, batch_size=128, device=None):
    train_dl, valid_dl = Reference(train, valid, batch_size, device)
    return (batch for batch in train_dl), (batch for batch in valid_dl)


@mistake(
    "make_dataloaders",
    "All batches are made at once and kept in a list. Order and crops are then drawn once, and "
    "every epoch is the same.",
)
def one_epoch_kept_in_a_list(train, valid, batch_size=128, device=None):
    train_dl, valid_dl = Reference(train, valid, batch_size, device)
    return list(train_dl), list(valid_dl)


@mistake(
    "make_dataloaders",
    "Images and labels are shuffled apart from one another, so an image comes with the label of "
    "another one.",
)
def labels_out_of_step(train, valid, batch_size=128, device=None):
    train_dl, valid_dl = Reference(train, valid, batch_size, device)
    collate = train_dl.collate_fn

    def mixed(items):
        xb, yb = collate(items)
        return xb, yb.roll(1)

    return DataLoader(train, batch_size, shuffle=True, collate_fn=mixed), valid_dl


@mistake(
    "make_dataloaders",
    "The mean and the deviation are measured on shifted copies, which hold more black than the "
    "images themselves. Measure the dataset as it is.",
)
def statistics_after_the_crop(train, valid, batch_size=128, device=None):
    shift = item_transforms()
    shifted = [(shift(x), y) for x, y in train for _ in range(3)]
    collate = Reference(shifted, valid, batch_size, device)[0].collate_fn
    train_dl = DataLoader(train, batch_size, shuffle=True, collate_fn=collate)
    return train_dl, Reference(shifted, valid, batch_size, device)[1]


@mistake(
    "show_batch",
    "The figure is shown, or drawn, and then lost: nothing is returned.",
)
def returns_nothing(batch):
    Reference(batch)


@mistake(
    "show_batch",
    "The axes are returned; the figure that holds them is asked for.",
)
def returns_the_axes(batch):
    return Reference(batch).axes


@mistake(
    "show_batch",
    "All pictures are there and none has a title. A grid without labels can't show a wrong label.",
)
def no_titles(batch):
    fig = Reference(batch)
    for ax in fig.axes:
        ax.set_title("")
    return fig


@mistake(
    "show_batch",
    "The titles read `tensor(7)`: the label is still a tensor when it becomes text.",
)
def tensors_as_titles(batch):
    fig = Reference(batch)
    for ax, y in zip(fig.axes, batch[1].cpu(), strict=False):
        ax.set_title(str(y))
    return fig


@mistake(
    "show_batch",
    "The pictures lie on their side: rows and columns have changed places.",
)
def lying_on_their_side(batch):
    return Reference((batch[0].mT, batch[1]))


@mistake(
    "show_batch",
    "Every place of the grid shows the first image, under the labels of the others.",
)
def the_same_picture_everywhere(batch):
    xb, yb = batch
    return Reference((xb[:1].expand(len(xb), -1, -1, -1), yb))


@mistake(
    "show_batch",
    "The grid shows the last images of the batch instead of the first.",
)
def the_last_instead_of_the_first(batch):
    return Reference((batch[0][-9:], batch[1][-9:]))


@mistake(
    "show_batch",
    "Titles and pictures are out of step by one: each label stands over its neighbour.",
)
def labels_off_by_one(batch):
    return Reference((batch[0], batch[1].roll(1)))


@mistake(
    "show_batch",
    "The grid fills column by column. It should follow the batch row by row, as the axes of a "
    "figure do.",
)
def column_by_column(batch):
    xb, yb = batch
    fig, axes = plt.subplots(3, 3)
    for ax, x, y in zip(axes.T.flat, xb.cpu(), yb.tolist(), strict=False):
        ax.imshow(x[0], cmap="gray")
        ax.set_title(str(y))
    return fig


@mistake(
    "show_batch",
    "This always asks for 9 images, and a last, shorter batch doesn't have them.",
    crashes=True,
)
def needs_nine(batch):
    xb, yb = batch
    fig, axes = plt.subplots(3, 3)
    for i in range(9):
        axes.flat[i].imshow(xb[i, 0].cpu(), cmap="gray")
        axes.flat[i].set_title(str(yb[i].item()))
    return fig


@mistake(
    "show_batch",
    "matplotlib takes pictures as (height, width) or with the colours last; the channel in front "
    "is one dimension too many.",
    crashes=True,
)
def channel_not_taken_off(batch):
    xb, yb = batch
    fig, axes = plt.subplots(3, 3)
    for ax, x, y in zip(axes.flat, xb.cpu(), yb.tolist(), strict=False):
        ax.imshow(x, cmap="gray")
        ax.set_title(str(y))
    return fig


@mistake(
    "show_batch",
    "All pictures are drawn into the same axes, one over the other. A grid has axes for each.",
)
def all_in_one_axes(batch):
    xb, yb = batch
    fig, ax = plt.subplots()
    for x, y in zip(xb[:9].cpu(), yb.tolist(), strict=False):
        ax.imshow(x[0], cmap="gray")
        ax.set_title(str(y))
    return fig


@mistake(
    "show_batch",
    "Four images are shown; the grid asked for has room for nine.",
)
def four_of_nine(batch):
    return Reference((batch[0][:4], batch[1][:4]))


@mistake(
    "show_batch",
    "Values below 0 are cut off before they are drawn. Normalised black is below 0, so the "
    "background and the faint strokes become one.",
)
def negative_values_cut_off(batch):
    return Reference((batch[0].clamp(0, 1), batch[1]))


@mistake(
    "show_batch",
    "The images are normalised in place on the way to the picture, so the batch that comes out "
    "is not the one that goes into training.",
)
def changes_the_batch(batch):
    xb, yb = batch
    fig = Reference((xb.clone(), yb))
    xb -= xb.min()
    return fig
