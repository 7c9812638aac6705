"""Pictures of a training: its curves, its confusions, its worst mistakes."""

from __future__ import annotations

from pathlib import Path

from grader.pictures.style import BLUE, GREY, ORANGE, figure, plain
from grader.training.record import TrainingRecord

ALT = {  # what each shows, in words
    "curves": "Loss of each training batch, and accuracy after each epoch.",
    "confusion": "A table of ten by ten: which digit was read as which, how often.",
    "mistakes": "The images that were read wrongly with the most confidence.",
}


def draw(record: TrainingRecord, digits, folder: Path) -> list[Path]:
    """Write curves.png, confusion.png and mistakes.png, those there is something to show in."""
    folder.mkdir(parents=True, exist_ok=True)
    drawn = []
    for name, wanted, paint in (
        ("curves", record.losses or record.history, _curves),
        ("confusion", record.confusion, _confusion),
        ("mistakes", record.worst, _mistakes),
    ):
        path = folder / f"{name}.png"
        path.unlink(missing_ok=True)  # none is left of an earlier training
        if wanted:
            made = figure(*((10, 4.5) if name == "curves" else (8, 8)))
            paint(made, record, digits)
            made.savefig(path, dpi=120)
            drawn.append(path)
    return drawn


def _title(record: TrainingRecord) -> str:
    share = f"{record.accuracy:.2%} of {record.test_images:,} test digits"
    return f"{share} · {record.data} set · seed {record.seed}"


def _curves(figure, record: TrainingRecord, digits) -> None:
    left, right = figure.subplots(1, 2)
    if record.losses:
        steps = range(1, len(record.losses) + 1)
        left.plot(steps, record.losses, color=GREY, linewidth=0.6, label="each batch")
        left.plot(steps, _smooth(record.losses), color=BLUE, linewidth=2, label="running mean")
        left.legend(frameon=False)
        left.set_yscale("log")
    left.set(title="Loss in training", xlabel="batch", ylabel="cross-entropy")
    shares = [row.get("accuracy") for row in record.history]
    epochs = range(1, len(shares) + 1)
    if shares and None not in shares:
        label = "held-out images, as fit_one_cycle reports"
        right.plot(epochs, shares, "o-", color=BLUE, label=label)
    if record.accuracy is not None:
        label = f"test images, as the check finds: {record.accuracy:.2%}"
        right.plot([record.epochs], [record.accuracy], "D", color=ORANGE, label=label)
    right.axhline(record.bound, color="black", linestyle="--", linewidth=1)
    right.annotate(f"asked for: {record.bound:.1%}", (1, record.bound), va="bottom")
    right.set(title="Accuracy", xlabel="epoch", ylabel="share read rightly")
    right.set_xticks(range(1, record.epochs + 1))
    right.legend(frameon=False, loc="upper center", bbox_to_anchor=(0.5, -0.12))
    for axes in (left, right):
        plain(axes)


def _smooth(values: list[float], weight: float = 0.9) -> list[float]:
    """An exponential running mean, corrected for its start."""
    mean, found = 0.0, []
    for count, value in enumerate(values, 1):
        mean = weight * mean + (1 - weight) * value
        found.append(mean / (1 - weight**count))
    return found


def _confusion(figure, record: TrainingRecord, digits) -> None:
    axes = figure.subplots()
    counts = record.confusion
    # The mistakes are what one looks for, so the colours are theirs and the diagonal stays plain.
    off = [[0 if i == j else n for j, n in enumerate(row)] for i, row in enumerate(counts)]
    most = max(1, max(map(max, off)))
    axes.imshow(off, cmap="Blues", vmin=0, vmax=most)
    for label, row in enumerate(counts):
        for answer, count in enumerate(row):
            dark = off[label][answer] > most / 2
            colour = "white" if dark else "black" if count else "#BBBBBB"
            weight = "bold" if label == answer else "normal"
            axes.text(answer, label, count, ha="center", va="center", color=colour, weight=weight)
    axes.set_xticks(range(10))
    axes.set_yticks(range(10))
    axes.set(title=_title(record), xlabel="read as", ylabel="is a")


def _mistakes(figure, record: TrainingRecord, digits) -> None:
    figure.suptitle(f"The worst mistakes · {_title(record)}")
    grid = figure.subplots(4, 4)
    for axes in grid.flat:
        axes.set_axis_off()
    for axes, one in zip(grid.flat, record.worst, strict=False):
        axes.imshow(digits.test_images[one["index"]].numpy(), cmap="gray_r")
        axes.set_title(f"{one['label']} read as {one['prediction']}", fontsize=12)
