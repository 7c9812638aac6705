"""Answers to exercise 01 in other words."""

import torch

from grader.tests.spelling import right, spelled, unlike


@spelled("describe", "dtype_as_text")
def facts(t):
    kind = f"{t.dtype}"
    return (t.size(), kind, t.nelement())


@spelled("describe", "shape_is_a_list")
def sizes_one_by_one(t):
    sizes = []
    for d in range(t.dim()):
        sizes.append(t.size(d))
    return sizes, t.dtype, t.nelement()


@spelled("describe", "counts_directions")
def length_of_the_shape(t):
    s = t.size()
    return s, t.dtype, len(s)


@spelled("stack_images", "not_scaled")
def only_cast(images):
    out = []
    for im in images:
        out.append(im.to(torch.float32))
    return torch.stack(out, 0)


@spelled("stack_images", "divides_by_256")
def power_of_two(images):
    big = torch.cat([im[None] for im in images])
    return big.to(torch.float32) * (1 / 2**8)


@spelled("stack_images", "one_tall_image")
def joined(images):
    tall = images[0]
    for im in images[1:]:
        tall = torch.cat((tall, im), dim=0)
    return tall / 255.0


@spelled("stack_images", "overwrites_the_list")
def convert_then_stack(images):
    for position, im in enumerate(list(images)):
        images[position] = im / 255
    return torch.stack(images, dim=0)


@spelled("flatten_images", "one_long_row")
def view_minus_one(batch):
    pixels = batch.contiguous()
    return pixels.view(-1)


@spelled("flatten_images", "column_by_column")
def permuted(batch):
    n, h, w = batch.shape
    return batch.permute(0, 2, 1).reshape(n, h * w)


@spelled("mean_image", "sum_for_mean")
def added_up(stack):
    total = torch.zeros_like(stack[0])
    for im in stack:
        total = total + im
    return total


@spelled("mean_image", "stack_of_one")
def kept(stack):
    n = stack.shape[0]
    return stack.sum(0, keepdim=True) / n


@spelled("distances", "rmse_without_root")
def forgot_sqrt(stack, image, kind):
    if kind not in ("l1", "rmse"):
        raise ValueError("no such distance")
    delta = stack - image
    delta = delta.abs() if kind == "l1" else delta * delta
    return delta.flatten(start_dim=1).mean(1)


@spelled("distances", "unknown_kind_is_answered")
def two_branches(stack, image, kind):
    delta = (image - stack).flatten(1)
    if kind != "l1":
        return (delta**2).mean(-1) ** 0.5
    return delta.abs().mean(-1)


@spelled("to_column", "one_row")
def none_in_front(labels):
    return labels[None, :]


@right("distances")
def norms(stack, image, kind):
    order = {"l1": 1, "rmse": 2}
    if kind not in order:
        raise ValueError("l1 or rmse")
    flat = torch.sub(stack, image).flatten(1)
    if kind == "l1":
        return torch.linalg.vector_norm(flat, ord=1, dim=1) / flat.shape[1]
    return torch.linalg.vector_norm(flat, ord=2, dim=1) / flat.shape[1] ** 0.5


@right("flatten_images")
def rows(batch):
    return torch.stack([im.reshape(-1) for im in batch])


@unlike("mean_image")
def half_way_between_the_ends(stack):
    return (stack[0] + stack[-1]) / 3


@unlike("to_column")
def padded(labels):
    return torch.cat([labels, labels[:1]]).reshape(-1, 1)
