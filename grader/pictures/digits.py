"""Exercises 8, 9 and 11: what the learner's code makes of real digits."""

from __future__ import annotations

import tempfile
from pathlib import Path

from grader.pictures import Picture, style

_EACH = 120  # images of a digit; enough for a clear mean


def _of(digits, label: int, split: str = "train", count: int = _EACH):
    """The first images of a digit in the sample."""
    images, labels = getattr(digits, f"{split}_images"), getattr(digits, f"{split}_labels")
    return images[labels == label][:count]


def ex08(ex) -> Picture:
    """Mean three and mean seven, of files that the learner's code wrote, found and read."""
    import torch

    from grader.mnist import load_sample

    digits = load_sample()
    with tempfile.TemporaryDirectory(prefix="kata-") as name:
        for label in (3, 7):
            images = _of(digits, label)
            ex.export_png_tree(images, torch.full((len(images),), label), Path(name), "train")
        paths = ex.image_paths(Path(name))
        means = [
            ex.load_stack([path for path in paths if ex.label_of(path) == label]).mean(0)
            for label in (3, 7)
        ]
    threes, sevens = (_of(digits, label, "test").float() / 255 for label in (3, 7))
    right = ex.is_three(threes, *means).sum() + (~ex.is_three(sevens, *means)).sum()
    share = right.item() / (len(threes) + len(sevens))
    figure = style.figure(9, 3.6)
    figure.suptitle(
        f"Nearer to which? {share:.1%} of {len(threes) + len(sevens)} test images right"
    )
    panels = figure.subplots(1, 3)
    for axes, pixels, title in zip(panels, means, ("mean three", "mean seven"), strict=False):
        style.image(axes, pixels, title)
    reach = (means[0] - means[1]).abs().max()
    tones = {"cmap": "PuOr", "vmin": -reach, "vmax": reach}
    style.image(panels[2], means[0] - means[1], "three minus seven", **tones)
    return Picture(
        figure,
        f"The mean of {_EACH} threes, the mean of {_EACH} sevens, and their difference; told by "
        f"the nearer mean, {share:.1%} of the test images are right.",
    )


def ex09(ex) -> Picture:
    """The weights of the learner's linear classifier, as an image."""
    import torch

    from grader.mnist import load_sample

    digits = load_sample()
    torch.manual_seed(9)
    train, valid = (_pairs(digits, split) for split in ("train", "test"))
    weights, bias = ex.init_params((784, 1)), ex.init_params(1)
    before = weights.detach().clone()
    shares = ex.fit(
        lambda xb: ex.linear1(xb, weights, bias), [weights, bias], train, valid, 15, 1.0, 64
    )
    figure = style.figure(10, 4)
    panels = figure.subplots(1, 3)
    learnt = weights.detach() - before
    for axes, values, title in (
        (panels[0], before, "weights before"),
        (panels[1], learnt, "what training added"),
    ):
        reach = values.abs().max()
        pixels = values.reshape(28, 28)
        style.image(axes, pixels, title, cmap="PuOr_r", vmin=-reach, vmax=reach)
    panels[2].plot(range(1, len(shares) + 1), shares, "o-", color=style.BLUE)
    panels[2].set(title="Accuracy", xlabel="epoch", ylabel="share of test images")
    style.plain(panels[2])
    return Picture(
        figure,
        "The 784 weights of a linear model as an image, random before training, and what training "
        f"added: pixels that speak for a three or for a seven. Accuracy rises to {shares[-1]:.1%}.",
    )


def _pairs(digits, split: str):
    import torch

    threes, sevens = (_of(digits, label, split) for label in (3, 7))
    x = torch.cat([threes, sevens]).reshape(-1, 784).float() / 255
    y = torch.cat([torch.ones(len(threes), 1), torch.zeros(len(sevens), 1)])
    return x, y


def ex11(ex) -> Picture:
    """One image as the learner's crops move it, and a batch of the learner's loader."""
    import torch

    from grader.mnist import load_sample

    digits = load_sample()
    torch.manual_seed(11)
    items = [
        (image[None], int(label))
        for image, label in zip(digits.train_images[:256], digits.train_labels[:256], strict=True)
    ]
    crop = ex.item_transforms()
    train_dl, _ = ex.make_dataloaders(items, items[:32], 32, torch.device("cpu"))
    xb, yb = next(iter(train_dl))
    figure = style.figure(10, 4.6)
    grid = figure.subplots(3, 8)
    style.image(grid[0, 0], items[0][0][0], "as it is")
    for number, axes in enumerate(grid[0, 1:], 1):
        style.image(axes, crop(items[0][0])[0], f"crop {number}")
    for axes, pixels, label in zip(grid[1:].flat, xb, yb, strict=False):
        style.image(axes, pixels[0], str(label.item()))
    figure.suptitle(f"Crops of one image, and the first 16 of a batch of shape {tuple(xb.shape)}")
    return Picture(
        figure,
        "Above, one digit and seven of its random crops; below, sixteen normalised images of a "
        f"batch, with labels {', '.join(str(int(label)) for label in yb[:16])}.",
    )
