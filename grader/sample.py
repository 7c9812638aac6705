"""Draw the sample of MNIST that ships with the course.

    python -m grader.sample FOLDER_OF_THE_FULL_SET [INTO]

The draw depends on the seed and on random.random() alone, whose sequence Python promises to
keep, so anyone with the full set gets the same images in the same order. The compressed bytes
may differ between builds of zlib; the sums in sample.json are of the uncompressed files.
"""

import gzip
import json
import random
import sys
from collections import Counter
from pathlib import Path

from grader import mnist

SEED = 8
COUNTS = {"train": 10_000, "t10k": 2_000}


def draw(labels: bytes, n: int, seed: str) -> list[int]:
    """n positions in random order, each class with its share of the whole."""
    source = random.Random(seed)
    keys = [source.random() for _ in labels]
    room = shares(Counter(labels), n)
    chosen = []
    for position in sorted(range(len(labels)), key=keys.__getitem__):
        if room[labels[position]]:
            room[labels[position]] -= 1
            chosen.append(position)
    return chosen


def shares(counts: dict[int, int], n: int) -> dict[int, int]:
    """n divided in proportion to the counts, what rounding leaves to the largest remainders."""
    total = sum(counts.values())
    whole = {label: n * count // total for label, count in counts.items()}
    by_remainder = sorted(counts, key=lambda label: (-(n * counts[label] % total), label))
    for label in by_remainder[: n - sum(whole.values())]:
        whole[label] += 1
    return whole


def sample_files(full: Path) -> dict[str, bytes]:
    """The four files of the sample, uncompressed, drawn from the full set."""
    paths = mnist.locate(full)
    files = {}
    for part, n in COUNTS.items():
        images, labels = f"{part}-images-idx3-ubyte", f"{part}-labels-idx1-ubyte"
        pixels = memoryview(mnist.checked(paths[images], mnist.ORIGINALS[images]))[16:]
        classes = mnist.checked(paths[labels], mnist.ORIGINALS[labels])[8:]
        chosen = draw(classes, n, f"{SEED} {part}")
        files[images] = header(n, 28, 28) + b"".join(
            pixels[784 * i : 784 * (i + 1)] for i in chosen
        )
        files[labels] = header(n) + bytes(classes[i] for i in chosen)
    return files


def header(*sizes: int) -> bytes:
    """An IDX header: two zeros, 8 for unsigned bytes, the number of sizes, the sizes."""
    return bytes([0, 0, 8, len(sizes)]) + b"".join(size.to_bytes(4, "big") for size in sizes)


def write_sample(full: Path, into: Path) -> None:
    raw = into / "MNIST" / "raw"
    raw.mkdir(parents=True, exist_ok=True)
    files = sample_files(full)
    for name, content in files.items():
        (raw / f"{name}.gz").write_bytes(gzip.compress(content, 9, mtime=0))
    record = {
        "what": "A stratified sample of the MNIST database of handwritten digits, IDX format",
        "by": "Yann LeCun, Corinna Cortes, Christopher J. C. Burges",
        "licence": "CC BY-SA 3.0, as is this sample",
        "drawn by": "python -m grader.sample",
        "seed": SEED,
        "images": COUNTS,
        "md5": {name: mnist.md5sum(content) for name, content in files.items()},
        "md5 of the source": mnist.ORIGINALS,
    }
    text = json.dumps(record, indent=2) + "\n"
    (into / "sample.json").write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    if not 2 <= len(sys.argv) <= 3:
        sys.exit(__doc__)
    try:
        write_sample(Path(sys.argv[1]), Path(sys.argv[2]) if sys.argv[2:] else mnist.SAMPLE)
    except mnist.DataError as error:
        sys.exit(str(error))
