"""Wrong answers to exercise 01, each with what its author should read."""

import torch

from grader.bank import mistake

# describe


@mistake(
    "describe",
    "`len` of a tensor counts along its first direction only: the rows of a matrix, the images of "
    "a batch. Here every number in the tensor counts.",
    crashes=True,
)
def counts_rows(t):
    return t.shape, t.dtype, len(t)


@mistake(
    "describe",
    "The last item is the number of directions, the length of the shape. The number of elements "
    "is how many numbers the tensor holds.",
)
def counts_directions(t):
    return t.shape, t.dtype, t.dim()


@mistake(
    "describe",
    "The last item is the number of bytes. A float32 takes four of them, a float64 eight; count "
    "the numbers, whatever their size.",
)
def counts_bytes(t):
    return t.shape, t.dtype, t.numel() * t.element_size()


@mistake(
    "describe",
    "The number of elements comes back as a tensor. It is asked for as a Python int; some methods "
    "of a tensor return one directly.",
)
def count_is_a_tensor(t):
    return t.shape, t.dtype, torch.tensor(t.shape).prod()


@mistake(
    "describe",
    "The dtype comes back as text. It prints like that, but a dtype is an object of its own, "
    "which you can compare and hand to other functions.",
)
def dtype_as_text(t):
    return t.shape, str(t.dtype), t.numel()


@mistake(
    "describe",
    "The shape comes back as a list. A shape is a tuple: torch gives it as one, and a tuple "
    "cannot be changed by accident.",
)
def shape_is_a_list(t):
    return list(t.shape), t.dtype, t.numel()


@mistake(
    "describe",
    "The three facts are right, in a list. A tuple is asked for: values with commas between them.",
)
def returns_a_list(t):
    return [t.shape, t.dtype, t.numel()]


@mistake(
    "describe",
    "The three facts stand in another order than asked for. Look at the order in the docstring.",
)
def other_order(t):
    return t.dtype, t.shape, t.numel()


# stack_images


@mistake(
    "stack_images",
    "The pixels are floats now, but still run from 0 to 255. Which value should the brightest "
    "byte become?",
)
def not_scaled(images):
    return torch.stack(images).float()


@mistake(
    "stack_images",
    "`//` is a division of whole numbers: everything below 255 becomes 0, and all the greys are "
    "lost. Look again at which division keeps the fraction.",
)
def whole_number_division(images):
    return (torch.stack(images) // 255).float()


@mistake(
    "stack_images",
    "This divides by 256, the number of different bytes. The largest byte is one less, so white "
    "does not quite reach 1.0.",
)
def divides_by_256(images):
    return torch.stack(images).float() / 256


@mistake(
    "stack_images",
    "This divides by the brightest pixel of the stack, so a faint stack is turned bright, and the "
    "same byte means something else in every batch. The scale should be the same for all images.",
)
def divides_by_the_brightest(images):
    stack = torch.stack(images).float()
    return stack / stack.max()


@mistake(
    "stack_images",
    "Each image is divided by its own brightest pixel, so a faint image becomes as bright as the "
    "others. The scale should be the same for all images.",
)
def divides_each_by_its_brightest(images):
    return torch.stack([image.float() / image.max().clamp(min=1) for image in images])


@mistake(
    "stack_images",
    "The values are centred on their mean and divided by their spread. That comes later in the "
    "course; here black is 0.0 and white is 1.0.",
)
def standardises(images):
    stack = torch.stack(images).float()
    return (stack - stack.mean()) / stack.std()


@mistake(
    "stack_images",
    "The values are right, the dtype is float64. Learning is done in float32, half the memory and "
    "much faster; say which float you want.",
)
def double_precision(images):
    return torch.stack(images).double() / 255


@mistake(
    "stack_images",
    "`cat` joins images along a direction that they have already: one very tall image. A new "
    "direction is needed, with one place for each image.",
)
def one_tall_image(images):
    return torch.cat(images).float() / 255


@mistake(
    "stack_images",
    "The new direction is the last one, so that each pixel holds N values. Image number i should "
    "be at index i: the images lie along the first direction.",
)
def images_along_the_last_direction(images):
    return torch.stack(images, dim=-1).float() / 255


@mistake(
    "stack_images",
    "There is an extra direction of size 1, the channel. Some layers will want it later; here "
    "each image is (28, 28).",
)
def adds_a_channel(images):
    return torch.stack(images).float().unsqueeze(1) / 255


@mistake(
    "stack_images",
    "This is a Python list of tensors. One tensor is asked for, with the images along its first "
    "direction.",
)
def list_of_tensors(images):
    return [image.float() / 255 for image in images]


@mistake(
    "stack_images",
    "`squeeze` drops every direction of size 1, also the first one when the list holds a single "
    "image. A stack of one is still a stack.",
)
def squeezes_a_single_image(images):
    return (torch.stack(images).float() / 255).squeeze()


@mistake(
    "stack_images",
    "The result is right, but the caller's list now holds floats: its items were replaced on the "
    "way. Build something new instead.",
)
def overwrites_the_list(images):
    for i in range(len(images)):
        images[i] = images[i].float() / 255
    return torch.stack(images)


# flatten_images


@mistake(
    "flatten_images",
    "All images have run together into one long row. Keep the first direction, one row for each "
    "image.",
)
def one_long_row(batch):
    return batch.flatten()


@mistake(
    "flatten_images",
    "The result has a row for each pixel and a column for each image. Here a row is an image.",
)
def one_row_a_pixel(batch):
    return batch.reshape(len(batch), -1).T


@mistake(
    "flatten_images",
    "The shape is right, but each row mixes the pixels of all the images: a reshape to (784, N) "
    "reads the numbers in their old order, and the transpose then deals them out in turn.",
)
def deals_pixels_out(batch):
    return batch.reshape(-1, len(batch)).T


@mistake(
    "flatten_images",
    "Each row holds the right image, read column by column. The pixels should come line by line, "
    "as they lie in memory; nothing needs to be transposed.",
)
def column_by_column(batch):
    return batch.transpose(1, 2).reshape(len(batch), -1)


@mistake(
    "flatten_images",
    "The first two directions have run together, so each row is one line of pixels. It is the "
    "last two that belong to one image.",
)
def one_row_a_line(batch):
    return batch.flatten(0, 1)


@mistake(
    "flatten_images",
    "There is a direction of size 1 left over in the middle. Two sizes are asked for, N and 784.",
)
def keeps_a_direction_of_one(batch):
    return batch.reshape(len(batch), 1, -1)


@mistake(
    "flatten_images",
    "This is a Python list of rows. One tensor of two directions is asked for.",
)
def list_of_rows(batch):
    return [image.flatten() for image in batch]


@mistake(
    "flatten_images",
    "The rows are right, and turned into float32 on the way. A change of shape leaves the dtype "
    "as it is.",
)
def makes_floats(batch):
    return batch.reshape(len(batch), -1).float()


@mistake(
    "flatten_images",
    "`squeeze` also drops the first direction when the batch holds one image. A batch of one "
    "gives one row.",
)
def squeezes_a_batch_of_one(batch):
    return batch.reshape(len(batch), -1).squeeze()


@mistake(
    "flatten_images",
    "The batch that was passed in has changed its own shape: a method whose name ends in an "
    "underscore works in place. The caller still needs it as it was.",
)
def resizes_in_place(batch):
    return batch.resize_(len(batch), 784)


# mean_image


@mistake(
    "mean_image",
    "This is the mean of every pixel of every image, one number. Name the direction to average "
    "along.",
)
def one_mean_for_all(stack):
    return stack.mean()


@mistake(
    "mean_image",
    "This gives the mean brightness of each image. `dim` names the directions that go away, not "
    "the ones that stay.",
)
def brightness_of_each_image(stack):
    return stack.mean(dim=(1, 2))


@mistake(
    "mean_image",
    "This averages the lines of each image, and the images are still apart. Along which direction "
    "do the images lie?",
)
def averages_lines(stack):
    return stack.mean(dim=1)


@mistake(
    "mean_image",
    "This averages along the last direction, within each line of pixels, and the images are still "
    "apart. Along which direction do the images lie?",
)
def averages_within_lines(stack):
    return stack.mean(dim=-1)


@mistake(
    "mean_image",
    "This is the sum over the images. The more images, the brighter it gets: a mean divides by "
    "their number.",
)
def sum_for_mean(stack):
    return stack.sum(dim=0)


@mistake(
    "mean_image",
    "The sum is divided by the number of pixels of an image. How many numbers were added up for "
    "each pixel of the result?",
)
def divides_by_pixels(stack):
    return stack.sum(dim=0) / stack[0].numel()


@mistake(
    "mean_image",
    "This is the median, the middle value of each pixel. For two images it is the smaller one of "
    "the two; the mean takes both into account.",
)
def median_for_mean(stack):
    return stack.median(dim=0).values


@mistake(
    "mean_image",
    "The values are right, in a stack of one: a direction of size 1 was kept. One image is asked "
    "for.",
)
def stack_of_one(stack):
    return stack.mean(dim=0, keepdim=True)


@mistake(
    "mean_image",
    "The result is right, but the sum was collected in the first image of the stack: `+=` on a "
    "tensor works in place, and `stack[0]` is a view of the caller's numbers.",
)
def collects_in_the_first_image(stack):
    total = stack[0]
    for image in stack[1:]:
        total += image
    return total / len(stack)


# distances


@mistake(
    "distances",
    '"l1" is the sum of the absolute differences here. The mean is asked for, so that large and '
    "small images give distances on one scale.",
)
def l1_sums(stack, image, kind):
    if kind == "l1":
        return (stack - image).abs().sum(dim=(1, 2))
    if kind == "rmse":
        return (stack - image).square().mean(dim=(1, 2)).sqrt()
    raise ValueError(kind)


@mistake(
    "distances",
    'In "l1" the differences keep their sign, so that brighter and darker pixels cancel. A '
    "distance should not care about the direction.",
)
def l1_signed(stack, image, kind):
    if kind == "l1":
        return (stack - image).mean(dim=(1, 2))
    if kind == "rmse":
        return (stack - image).square().mean(dim=(1, 2)).sqrt()
    raise ValueError(kind)


@mistake(
    "distances",
    'In "l1" the absolute value is taken of the mean, when brighter and darker pixels have '
    "cancelled already. Look again at the order of the two.",
)
def l1_absolute_of_the_mean(stack, image, kind):
    if kind == "l1":
        return (stack - image).mean(dim=(1, 2)).abs()
    if kind == "rmse":
        return (stack - image).square().mean(dim=(1, 2)).sqrt()
    raise ValueError(kind)


@mistake(
    "distances",
    '"rmse" is the mean squared difference here, without the root, the R of its name.',
)
def rmse_without_root(stack, image, kind):
    if kind == "l1":
        return (stack - image).abs().mean(dim=(1, 2))
    if kind == "rmse":
        return (stack - image).square().mean(dim=(1, 2))
    raise ValueError(kind)


@mistake(
    "distances",
    'In "rmse" the root is taken of each square, before the mean: that gives the absolute '
    "differences back, and the two kinds become one. Look again at the order.",
)
def rmse_root_too_early(stack, image, kind):
    if kind == "l1":
        return (stack - image).abs().mean(dim=(1, 2))
    if kind == "rmse":
        return (stack - image).square().sqrt().mean(dim=(1, 2))
    raise ValueError(kind)


@mistake(
    "distances",
    'In "rmse" the squares are added up, not averaged: this is the Euclidean length of the '
    "difference, which grows with the number of pixels.",
)
def rmse_sums(stack, image, kind):
    if kind == "l1":
        return (stack - image).abs().mean(dim=(1, 2))
    if kind == "rmse":
        return (stack - image).square().sum(dim=(1, 2)).sqrt()
    raise ValueError(kind)


@mistake(
    "distances",
    'In "rmse" this takes the standard deviation of the differences, which subtracts their mean '
    "first: an image that is brighter all over would have no distance at all.",
)
def rmse_by_spread(stack, image, kind):
    if kind == "l1":
        return (stack - image).abs().mean(dim=(1, 2))
    if kind == "rmse":
        return (stack - image).flatten(1).std(dim=1, correction=0)
    raise ValueError(kind)


@mistake(
    "distances",
    'The two kinds are the wrong way round: "l1" is the one with absolute values, "rmse" the one '
    "with squares.",
)
def kinds_swapped(stack, image, kind):
    if kind == "rmse":
        return (stack - image).abs().mean(dim=(1, 2))
    if kind == "l1":
        return (stack - image).square().mean(dim=(1, 2)).sqrt()
    raise ValueError(kind)


@mistake(
    "distances",
    "`kind` makes no difference here: the mean absolute difference is returned for every one.",
)
def ignores_the_kind(stack, image, kind):
    return (stack - image).abs().mean(dim=(1, 2))


@mistake(
    "distances",
    "An unknown kind, a misspelt one say, is answered as if all were well: with another kind's "
    "number here, elsewhere with None where a function falls off its end. It should be an error.",
)
def unknown_kind_is_answered(stack, image, kind):
    if kind == "l1":
        return (stack - image).abs().mean(dim=(1, 2))
    else:
        return (stack - image).square().mean(dim=(1, 2)).sqrt()


@mistake(
    "distances",
    "This is one number for the whole stack. Each image has its own distance: which directions "
    "should stay?",
)
def one_distance_for_all(stack, image, kind):
    if kind == "l1":
        return (stack - image).abs().mean()
    if kind == "rmse":
        return (stack - image).square().mean().sqrt()
    raise ValueError(kind)


@mistake(
    "distances",
    "This averages over the images and keeps the pixels. `dim` names the directions that go away: "
    "here those of the pixels.",
)
def one_distance_a_pixel(stack, image, kind):
    if kind == "l1":
        return (stack - image).abs().mean(dim=0)
    if kind == "rmse":
        return (stack - image).square().mean(dim=0).sqrt()
    raise ValueError(kind)


@mistake(
    "distances",
    "This averages along the last direction only: a distance for each line of pixels. An image "
    "has two directions, and both should go away.",
)
def one_distance_a_line(stack, image, kind):
    if kind == "l1":
        return (stack - image).abs().mean(dim=-1)
    if kind == "rmse":
        return (stack - image).square().mean(dim=-1).sqrt()
    raise ValueError(kind)


@mistake(
    "distances",
    "The directions of size 1 were kept. A plain row of N numbers is asked for.",
)
def keeps_directions_of_one(stack, image, kind):
    if kind == "l1":
        return (stack - image).abs().mean(dim=(1, 2), keepdim=True)
    if kind == "rmse":
        return (stack - image).square().mean(dim=(1, 2), keepdim=True).sqrt()
    raise ValueError(kind)


@mistake(
    "distances",
    "The numbers are right, in a Python list. A tensor is asked for, so that one can go on "
    "computing with it; torch can keep all of it a tensor, without a loop.",
)
def python_floats(stack, image, kind):
    if kind == "l1":
        return [(one - image).abs().mean().item() for one in stack]
    if kind == "rmse":
        return [(one - image).square().mean().sqrt().item() for one in stack]
    raise ValueError(kind)


@mistake(
    "distances",
    "The sum is divided by 784, whatever the size of the images. A mean knows by itself how many "
    "numbers it is taken over.",
)
def always_784_pixels(stack, image, kind):
    if kind == "l1":
        return (stack - image).abs().sum(dim=(1, 2)) / 784
    if kind == "rmse":
        return ((stack - image).square().sum(dim=(1, 2)) / 784).sqrt()
    raise ValueError(kind)


@mistake(
    "distances",
    "`squeeze` drops the direction of the images too when the stack holds one image, and a bare "
    "number is left. A stack of one has a row of one distance.",
)
def squeezes_a_stack_of_one(stack, image, kind):
    if kind == "l1":
        return (stack - image).abs().mean(dim=(1, 2)).squeeze()
    if kind == "rmse":
        return (stack - image).square().mean(dim=(1, 2)).sqrt().squeeze()
    raise ValueError(kind)


@mistake(
    "distances",
    "The result is right, but the caller's stack now holds the differences: `-=` on a tensor "
    "works in place.",
)
def subtracts_in_place(stack, image, kind):
    stack -= image
    if kind == "l1":
        return stack.abs().mean(dim=(1, 2))
    if kind == "rmse":
        return stack.square().mean(dim=(1, 2)).sqrt()
    raise ValueError(kind)


# to_column


@mistake(
    "to_column",
    "The new direction is the first one: a single row of N. In a column the N numbers lie along "
    "the first direction.",
)
def one_row(labels):
    return labels.unsqueeze(0)


@mistake(
    "to_column",
    "A transpose swaps two directions, and (N,) has only one: nothing happens. A direction has to "
    "be added.",
)
def transposes(labels):
    return labels.t()


@mistake(
    "to_column",
    "The shape is right, the labels have become float32. A change of shape leaves the dtype alone.",
)
def column_of_floats(labels):
    return labels.float().reshape(-1, 1)


@mistake(
    "to_column",
    "The shape is right, the labels have become whole numbers. A change of shape leaves the dtype "
    "alone.",
)
def column_of_whole_numbers(labels):
    return labels.long().reshape(-1, 1)


@mistake(
    "to_column",
    "This repeats the labels side by side, N times N numbers. A column holds each label once.",
)
def repeats_the_labels(labels):
    return labels.reshape(-1, 1).repeat(1, len(labels))


@mistake(
    "to_column",
    "This is a list of lists. A tensor of shape (N, 1) is asked for.",
)
def list_of_lists(labels):
    return [[label] for label in labels.tolist()]


@mistake(
    "to_column",
    "The column is right, but the caller's labels have become one too: a method whose name ends "
    "in an underscore works in place.",
)
def unsqueezes_in_place(labels):
    return labels.unsqueeze_(1)


# label_errors


@mistake(
    "label_errors",
    "A column minus a row: broadcasting took every prediction against every label, and N × N "
    "numbers came out without an error. Bring both to one shape first.",
)
def every_pair(predictions, labels):
    return predictions - labels


@mistake(
    "label_errors",
    "Every prediction is compared with the first label. Labels as a row (1, N) meet the column in "
    "an (N, N) table, and its first column is not the answer; they should stand one below the "
    "other.",
)
def first_label_for_all(predictions, labels):
    return (predictions - labels.unsqueeze(0))[:, :1]


@mistake(
    "label_errors",
    "The differences are right, in a plain row (N,). A column (N, 1) is asked for: change the "
    "labels' shape, not that of the predictions.",
)
def plain_row(predictions, labels):
    return predictions.flatten() - labels


@mistake(
    "label_errors",
    "The sign is the wrong way round: this is label minus prediction.",
)
def label_minus_prediction(predictions, labels):
    return labels.unsqueeze(1) - predictions


@mistake(
    "label_errors",
    "The sign is lost: whether a prediction is too large or too small should still show.",
)
def without_the_sign(predictions, labels):
    return (predictions - labels.unsqueeze(1)).abs()


@mistake(
    "label_errors",
    "The predictions were made whole numbers to fit the labels, and their fractions are gone. An "
    "int tensor can be subtracted from a float tensor as it is.",
)
def whole_predictions(predictions, labels):
    return (predictions.long() - labels.unsqueeze(1)).float()


@mistake(
    "label_errors",
    "This is the mean of the errors, one number. One error for each item is asked for.",
)
def mean_error(predictions, labels):
    return (predictions - labels.unsqueeze(1)).mean()


@mistake(
    "label_errors",
    "The result is right, but the caller's predictions now hold the errors: `-=` on a tensor "
    "works in place.",
)
def overwrites_the_predictions(predictions, labels):
    predictions -= labels.unsqueeze(1)
    return predictions
