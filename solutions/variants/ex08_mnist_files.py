"""Right answers to exercise 08, written in other ways."""

import glob
import gzip
import hashlib
import io
import math
import os
import struct
import zlib
from pathlib import Path

import numpy as np
import torch
import torchvision
from PIL import Image
from torchvision.transforms.functional import pil_to_tensor

from grader.bank import variant


@variant("read_idx", "struct and NumPy, each defect with its own message")
def with_struct_and_numpy(path):
    data = bytes(np.fromfile(path, dtype=np.uint8))
    if data.startswith(bytes.fromhex("1f8b")):
        try:
            data = gzip.GzipFile(fileobj=io.BytesIO(data)).read()
        except Exception as error:
            raise ValueError(f"can't unpack {path}") from error
    if len(data) < 4:
        raise ValueError(f"{path.name}: only {len(data)} bytes")
    zeros, kind, dims = struct.unpack(">HBB", data[:4])
    if zeros != 0 or kind != 8:
        raise ValueError(f"{path.name}: not IDX of bytes")
    if len(data) < 4 + 4 * dims:
        raise ValueError(f"{path.name}: the header is cut short")
    sizes = struct.unpack(f">{dims}I", data[4 : 4 + 4 * dims])
    values = np.frombuffer(data, dtype=np.uint8, offset=4 + 4 * dims)
    if values.size != np.prod(sizes):
        raise ValueError(f"{path.name}: {values.size} values, not {np.prod(sizes)}")
    return torch.tensor(values.reshape(sizes))


@variant("read_idx", "read as a stream; gzip is tried first; the magic number as a whole")
def as_a_stream(path):
    def take(stream, n):
        piece = stream.read(n)
        if len(piece) != n:
            raise ValueError(f"{path} ends too early")
        return piece

    packed = path.read_bytes().startswith(b"\x1f\x8b")
    try:
        with gzip.open(path) if packed else open(path, "rb") as stream:
            magic = int.from_bytes(take(stream, 4), "big")
            if magic >> 8 != 8:
                raise ValueError(f"{path}: unknown magic number {magic}")
            sizes = [int.from_bytes(take(stream, 4), "big") for _ in range(magic & 255)]
            body = take(stream, math.prod(sizes))
            if stream.read(1):
                raise ValueError(f"{path} goes on after its end")
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ValueError(f"{path}: {error}") from None
    return torch.tensor(list(body), dtype=torch.uint8).view(*sizes)


@variant("read_idx", "big-endian sizes by NumPy's dtype; images and labels apart")
def by_two_cases(path):
    raw = path.read_bytes()
    try:
        raw = gzip.decompress(raw)
    except gzip.BadGzipFile as error:
        if raw[:2] == b"\x1f\x8b":
            raise ValueError(f"{path}: {error}") from error
    except (EOFError, zlib.error) as error:
        raise ValueError(f"{path}: {error}") from error
    try:
        head = {b"\0\0\x08\x01": 8, b"\0\0\x08\x03": 16}[raw[:4]]
        sizes = np.frombuffer(raw[4:head], dtype=">u4").astype(int).tolist()
        return torch.from_numpy(np.frombuffer(raw[head:], np.uint8).copy().reshape(sizes))
    except (KeyError, ValueError) as error:
        raise ValueError(f"{path} holds neither images nor labels") from error


@variant("file_md5", "everything at once")
def at_once(path):
    return hashlib.md5(path.read_bytes()).hexdigest()


@variant("file_md5", "piece by piece")
def piece_by_piece(path):
    digest = hashlib.md5()
    with open(path, "rb") as opened:
        while piece := opened.read(4096):
            digest.update(piece)
    return digest.hexdigest()


@variant("file_md5", "hashlib.new, the digest turned into hex by hand")
def hex_by_hand(path):
    return "".join(f"{byte:02x}" for byte in hashlib.new("md5", path.read_bytes()).digest())


@variant("export_png_tree", "torchvision writes the files")
def by_torchvision(images, labels, root, split):
    for number, (picture, digit) in enumerate(zip(images, labels, strict=True)):
        target = Path(root) / split / f"{digit}" / f"{number}.png"
        os.makedirs(target.parent, exist_ok=True)
        torchvision.io.write_png(picture.unsqueeze(0), str(target))
    return images.shape[0]


@variant("export_png_tree", "label by label")
def label_by_label(images, labels, root, split):
    written = 0
    for label in labels.unique().tolist():
        folder = root.joinpath(split, str(label))
        folder.mkdir(exist_ok=True, parents=True)
        for index in (labels == label).nonzero().flatten().tolist():
            picture = Image.frombytes("L", images.shape[:0:-1], images[index].numpy().tobytes())
            picture.save(folder / f"{index}.png", optimize=True)
            written += 1
    return written


@variant("export_png_tree", "through NumPy, folders made first, the number of labels returned")
def folders_first(images, labels, root, split):
    for label in range(10):
        if (labels == label).any():
            os.makedirs(os.path.join(root, split, str(label)), exist_ok=True)
    for index, pixels in enumerate(np.asarray(images)):
        name = os.path.join(root, split, str(int(labels[index])), str(index) + ".png")
        with open(name, "wb") as opened:
            Image.fromarray(pixels).save(opened, format="png")
    return labels.numel()


@variant("image_paths", "glob with **")
def by_two_stars(root):
    paths = list(root.glob("**/*.png"))
    paths.sort()
    return paths


@variant("image_paths", "os.walk")
def by_walking(root):
    found = []
    for folder, _, names in os.walk(root):
        found += [Path(folder) / name for name in names if name.endswith(".png")]
    return sorted(found)


@variant("image_paths", "the module glob, sorted as text")
def as_text_first(root):
    names = glob.glob(os.path.join(root, "**", "*.png"), recursive=True)
    return [Path(name) for name in sorted(names)]


@variant("image_paths", "every file, those without the suffix left out")
def by_suffix(root):
    return sorted(path for path in root.rglob("*") if path.suffix == ".png")


@variant("label_of", "the last part but one")
def last_part_but_one(path):
    return int(path.parts[-2])


@variant("label_of", "os.path")
def by_os_path(path):
    return int(os.path.split(os.path.dirname(path))[1])


@variant("load_stack", "torchvision reads the files")
def read_by_torchvision(paths):
    grey = torchvision.io.ImageReadMode.GRAY
    return torch.cat([torchvision.io.decode_image(str(path), grey) for path in paths]).float() / 255


@variant("load_stack", "a stack made beforehand and filled")
def filled(paths):
    stack = torch.empty(len(paths), 28, 28)
    for image, path in zip(stack, paths, strict=True):
        with Image.open(path) as opened:
            image.copy_(torch.tensor(np.array(opened.convert("L"))))
    return stack.div_(255.0)


@variant("load_stack", "scaled image by image, in NumPy")
def by_numpy(paths):
    arrays = [np.asarray(Image.open(path), dtype=np.float32) / 255 for path in paths]
    return torch.tensor(np.stack(arrays))


@variant("load_stack", "pil_to_tensor, multiplied by 1/255")
def by_pil_to_tensor(paths):
    return torch.stack([pil_to_tensor(Image.open(p))[0] for p in paths]).to(torch.float32) * (
        1 / 255
    )


@variant("is_three", "sums in the place of means")
def sums(images, mean3, mean7):
    flat = images.flatten(1)
    return (flat - mean3.flatten()).abs().sum(1).lt((flat - mean7.flatten()).abs().sum(1))


@variant("is_three", "both means in one broadcast, argmin")
def both_at_once(images, mean3, mean7):
    means = torch.stack([mean3, mean7])
    return (images[:, None] - means).abs().mean((-2, -1)).argmin(1) == 0


@variant("is_three", "cdist with p=1")
def by_cdist(images, mean3, mean7):
    means = torch.stack([mean3, mean7]).flatten(1)
    to_three, to_seven = torch.cdist(images.flatten(1), means, p=1).T
    return to_seven > to_three


@variant("is_three", "image by image with l1_loss")
def image_by_image(images, mean3, mean7):
    loss = torch.nn.functional.l1_loss
    return torch.tensor([bool(loss(image, mean3) < loss(image, mean7)) for image in images])


@variant("is_three", "the difference of the distances, pixel by pixel")
def difference_first(images, mean3, mean7):
    return ((images - mean3).abs() - (images - mean7).abs()).mean(dim=(1, 2)) < 0
