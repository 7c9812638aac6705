"""Right answers to exercise 01, written differently: each must pass."""

import math

import torch

from grader.bank import variant


@variant("describe", "size() and a product of the sizes; the shape as a plain tuple")
def describe_by_product(t):
    return tuple(t.size()), t.dtype, math.prod(t.size())


@variant("describe", "nelement, an older name of numel")
def describe_by_nelement(t):
    return (t.shape, t.dtype, t.nelement())


@variant("stack_images", "true division turns bytes into float32 by itself")
def stack_by_true_division(images):
    return torch.stack(images) / 255


@variant("stack_images", "each image scaled first, stacked afterwards")
def stack_scaled_images(images):
    return torch.stack([image.to(torch.float32) / 255.0 for image in images])


@variant("stack_images", "joined and cut up again")
def stack_by_cat(images):
    return torch.cat(images).reshape(-1, 28, 28).float().div(255)


@variant("stack_images", "filled into an empty tensor; multiplied by the inverse")
def stack_by_filling(images):
    out = torch.empty(len(images), 28, 28)
    for i, image in enumerate(images):
        out[i] = image
    return out * (1 / 255)


@variant("flatten_images", "flatten from the first direction on")
def flatten_from_one(batch):
    return batch.flatten(1)


@variant("flatten_images", "view with both sizes written out")
def flatten_by_view(batch):
    return batch.view(batch.shape[0], 28 * 28)


@variant("flatten_images", "reshape with only the width known")
def flatten_to_784(batch):
    return batch.reshape(-1, 784)


@variant("flatten_images", "a copy, image by image")
def flatten_one_by_one(batch):
    return torch.stack([image.flatten() for image in batch])


@variant("mean_image", "sum over number")
def mean_by_sum(stack):
    return stack.sum(0) / len(stack)


@variant("mean_image", "torch.mean, axis as in NumPy")
def mean_by_axis(stack):
    return torch.mean(stack, axis=0)


@variant("mean_image", "a running total in a tensor of its own")
def mean_by_loop(stack):
    total = torch.zeros_like(stack[0])
    for image in stack:
        total += image
    return total / stack.shape[0]


@variant("distances", "flattened first, one direction to average along")
def distances_flattened(stack, image, kind):
    difference = stack.flatten(1) - image.flatten()
    if kind == "l1":
        return difference.abs().mean(1)
    elif kind == "rmse":
        return torch.sqrt((difference**2).mean(1))
    else:
        raise ValueError("unknown kind")


@variant("distances", "the error first, negative directions, image minus stack")
def distances_error_first(stack, image, kind):
    if kind not in ("l1", "rmse"):
        raise ValueError(f"unknown kind {kind}")
    difference = image[None] - stack
    if kind == "l1":
        return difference.abs().mean((-1, -2))
    return difference.pow(2).mean((-1, -2)) ** 0.5


@variant("distances", "the norms of linear algebra")
def distances_by_norm(stack, image, kind):
    pixels = image.numel()
    if kind == "l1":
        return torch.linalg.vector_norm(stack - image, ord=1, dim=(1, 2)) / pixels
    if kind == "rmse":
        return torch.linalg.vector_norm(stack - image, dim=(1, 2)) / math.sqrt(pixels)
    raise ValueError(kind)


@variant("distances", "torch's own losses, image by image")
def distances_by_losses(stack, image, kind):
    if kind == "l1":
        return torch.stack([torch.nn.functional.l1_loss(one, image) for one in stack])
    if kind == "rmse":
        return torch.stack([torch.nn.functional.mse_loss(one, image).sqrt() for one in stack])
    raise ValueError(f"kind must be l1 or rmse, got {kind}")


@variant("to_column", "unsqueeze")
def column_by_unsqueeze(labels):
    return labels.unsqueeze(-1)


@variant("to_column", "an index with None")
def column_by_none(labels):
    return labels[:, None]


@variant("to_column", "a row, transposed, in memory of its own")
def column_by_transpose(labels):
    return labels[None].T.clone()


@variant("label_errors", "torch.sub, an index with None")
def errors_by_sub(predictions, labels):
    return torch.sub(predictions, labels[:, None])


@variant("label_errors", "subtracted as rows, then made a column")
def errors_as_rows(predictions, labels):
    return (predictions.squeeze(1) - labels).reshape(-1, 1)


@variant("label_errors", "the labels in the predictions' shape and dtype")
def errors_by_view_as(predictions, labels):
    return predictions - labels.view_as(predictions).to(predictions.dtype)
