"""Wrong answers to exercise 08, each with what its author should read."""

import gzip
import hashlib
import math
import struct
import zlib

import numpy as np
import torch
import torchvision
from PIL import Image

from grader.bank import mistake

# read_idx


@mistake(
    "read_idx",
    "The sizes are read with the small end first, as your processor keeps numbers, so three "
    "becomes 50,331,648. IDX puts the large part first.",
    crashes=True,
)
def little_endian(path):
    content = path.read_bytes()
    if content[:2] == b"\x1f\x8b":
        content = gzip.decompress(content)
    sizes = struct.unpack_from(f"<{content[3]}I", content, 4)
    return torch.frombuffer(bytearray(content[4 + 4 * len(sizes) :]), dtype=torch.uint8).reshape(
        sizes
    )


@mistake(
    "read_idx",
    "The first values are the header's own bytes: the numbers are taken from the start of the "
    "file. They begin after the last size.",
)
def header_as_pixels(path):
    values = Reference(path)
    content = path.read_bytes()
    if content[:2] == b"\x1f\x8b":
        content = gzip.decompress(content)
    content = bytearray(content[: values.numel()])
    return torch.frombuffer(content, dtype=torch.uint8).reshape(values.shape)


@mistake(
    "read_idx",
    "The header is taken to be 16 bytes long. That holds for images, which have three sizes; "
    "labels have one, and their header is shorter.",
)
def always_sixteen_bytes_of_header(path):
    values = Reference(path)
    return values[8:] if values.dim() == 1 else values


@mistake(
    "read_idx",
    "The header is taken to be 8 bytes long. That holds for labels, which have one size; "
    "images have three, and 8 bytes of their sizes came in as pixels.",
)
def always_eight_bytes_of_header(path):
    values = Reference(path)
    if values.dim() == 3:
        sizes = b"".join(struct.pack(">I", size) for size in values.shape[1:])
        shifted = sizes + values.numpy().tobytes()
        return torch.frombuffer(bytearray(shifted[:-8]), dtype=torch.uint8).reshape(values.shape)
    return values


@mistake(
    "read_idx",
    "Height and width have changed places. The header states the number of images, then rows, "
    "then columns.",
)
def width_before_height(path):
    values = Reference(path)
    if values.dim() == 3:
        n, height, width = values.shape
        return values.reshape(n, width, height)
    return values


@mistake(
    "read_idx",
    "Images are cut to 28 × 28 whatever the file says. The sizes stand in the header; take "
    "them from there.",
    crashes=True,
)
def always_28(path):
    values = Reference(path)
    return values.reshape(-1, 28, 28) if values.dim() == 3 else values


@mistake(
    "read_idx",
    "Only the last byte of each size is read, so 256 and more come out too small and good "
    "files are refused. A size takes four bytes.",
    crashes=True,
)
def sizes_of_one_byte(path):
    content = path.read_bytes()
    if content[:2] == b"\x1f\x8b":
        content = gzip.decompress(content)
    sizes = [content[7 + 4 * i] for i in range(content[3])]
    if len(content) != 4 + 4 * len(sizes) + math.prod(sizes):
        raise ValueError(f"{path.name}: wrong length")
    return Reference(path)


@mistake(
    "read_idx",
    "Images come back as one long row. The sizes in the header are the shape of the result.",
)
def one_long_row(path):
    return Reference(path).flatten()


@mistake(
    "read_idx",
    "The bytes come back as another kind of number. The file holds unsigned bytes: uint8 "
    "keeps them as they are, at an eighth of the memory of int64.",
)
def as_int64(path):
    return Reference(path).long()


@mistake(
    "read_idx",
    "The bytes come back as fractions. Reading and scaling are two things; this one only reads.",
)
def scaled(path):
    return Reference(path) / 255


@mistake(
    "read_idx",
    "What comes back is a NumPy array. A tensor is asked for.",
)
def as_numpy(path):
    return Reference(path).numpy()


@mistake(
    "read_idx",
    "Compressed files are not read. A gzip file starts with the bytes 1f 8b; look for them "
    "before anything else.",
    crashes=True,
)
def never_unpacks(path):
    if path.read_bytes()[:2] == b"\x1f\x8b":
        raise ValueError(f"{path.name} is not an IDX file")
    return Reference(path)


@mistake(
    "read_idx",
    "Plain files are not read: every file is unpacked as gzip. Look at its first two bytes first.",
    crashes=True,
)
def always_unpacks(path):
    gzip.decompress(path.read_bytes())
    return Reference(path)


@mistake(
    "read_idx",
    "The name decides whether the file is unpacked. Names change; the first two bytes of the "
    "content tell.",
    crashes=True,
)
def gzip_by_name(path):
    packed = path.read_bytes()[:2] == b"\x1f\x8b"
    if packed != (path.suffix == ".gz"):
        raise ValueError(f"{path.name} is not an IDX file")
    return Reference(path)


@mistake(
    "read_idx",
    "Nothing compares the length of the file with what the header states: a file that is cut "
    "short ends in an error that does not name it, and one that is too long passes for a "
    "while.",
)
def trusts_the_header(path):
    content = path.read_bytes()
    if content[:2] == b"\x1f\x8b":
        try:
            content = gzip.decompress(content)
        except (EOFError, OSError, zlib.error) as error:
            raise ValueError(f"{path}: {error}") from error
    if content[:3] != b"\0\0\x08":
        raise ValueError(f"{path} is not IDX")
    start = 4 + 4 * content[3]
    sizes = [int.from_bytes(content[i : i + 4], "big") for i in range(4, start, 4)]
    return torch.frombuffer(bytearray(content[start:]), dtype=torch.uint8).reshape(sizes)


@mistake(
    "read_idx",
    "A file that goes on after its last pixel is accepted. It is not the file that the header "
    "describes; say so.",
)
def accepts_more(path):
    content = path.read_bytes()
    try:
        unpacked = gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
    except (EOFError, OSError, zlib.error):
        return Reference(path)
    start = 4 + 4 * int.from_bytes(unpacked[3:4], "big")
    sizes = [int.from_bytes(unpacked[i : i + 4], "big") for i in range(4, start, 4)]
    if unpacked[:3] != b"\0\0\x08" or len(unpacked) < start + math.prod(sizes):
        raise ValueError(f"{path} is not a whole IDX file")
    exactly = bytearray(unpacked[start : start + math.prod(sizes)])
    return torch.frombuffer(exactly, dtype=torch.uint8).reshape(sizes)


@mistake(
    "read_idx",
    "A file that was cut short is accepted, and the pixels it lacks are made up. Refuse it by "
    "name.",
)
def fills_up_with_zeros(path):
    try:
        return Reference(path)
    except ValueError:
        content = path.read_bytes()
        if content[:3] != b"\0\0\x08" or len(content) < 16:
            raise
        sizes = struct.unpack_from(f">{content[3]}I", content, 4)
        if len(content) > 4 + 4 * len(sizes) + math.prod(sizes):
            raise
        content = bytearray(content.ljust(4 + 4 * len(sizes) + math.prod(sizes), b"\0"))
        start = 4 + 4 * len(sizes)
        return torch.frombuffer(content, dtype=torch.uint8, offset=start).reshape(sizes)


@mistake(
    "read_idx",
    "The number of images is worked out from the length, and what does not fill a whole image "
    "is dropped: a file that was cut short passes. The header states the number; compare.",
)
def as_many_as_there_are(path):
    content = path.read_bytes()
    plain = content[:3] == b"\0\0\x08" and len(content) > 16 and content[3] == 3
    if not plain:
        return Reference(path)
    height, width = struct.unpack_from(">II", content, 8)
    n = (len(content) - 16) // (height * width)
    whole = bytearray(content[16 : 16 + n * height * width])
    return torch.tensor(list(whole), dtype=torch.uint8).reshape(n, height, width)


@mistake(
    "read_idx",
    "The first bytes are never looked at, so a file of another kind passes as long as its "
    "length fits. An IDX file of unsigned bytes starts with 00 00 08.",
)
def any_first_bytes(path):
    content = path.read_bytes()
    start = 4 + 4 * int.from_bytes(content[3:4], "big")
    sizes = [int.from_bytes(content[i : i + 4], "big") for i in range(4, start, 4)]
    if content[:2] != b"\x1f\x8b" and len(content) == start + math.prod(sizes):
        return torch.frombuffer(bytearray(content), dtype=torch.uint8, offset=start).reshape(sizes)
    return Reference(path)


@mistake(
    "read_idx",
    "The third byte, the kind of number, is never looked at: a file of floats passes as one "
    "of bytes. It has to be 8.",
)
def any_kind_of_number(path):
    content = path.read_bytes()
    start = 4 + 4 * int.from_bytes(content[3:4], "big")
    sizes = [int.from_bytes(content[i : i + 4], "big") for i in range(4, start, 4)]
    if content[:2] == b"\0\0" and len(content) == start + math.prod(sizes):
        return torch.frombuffer(bytearray(content), dtype=torch.uint8, offset=start).reshape(sizes)
    return Reference(path)


@mistake(
    "read_idx",
    "The error does not say which file is bad. Someone with four of them needs to know.",
)
def error_without_a_name(path):
    try:
        return Reference(path)
    except ValueError:
        raise ValueError("this is not a whole IDX file") from None


@mistake(
    "read_idx",
    "Bad files are noticed by assert, which raises an AssertionError, and nothing at all "
    "under `python -O`. A ValueError that names the file is asked for.",
)
def by_assert(path):
    try:
        return Reference(path)
    except ValueError:
        raise AssertionError(f"{path.name} is not a whole IDX file") from None


@mistake(
    "read_idx",
    "Bad files give None. Whoever called goes on with it and fails somewhere else; raise the "
    "error here.",
)
def none_for_bad_files(path):
    try:
        return Reference(path)
    except ValueError:
        return None


@mistake(
    "read_idx",
    "A gzip file that is damaged or cut short raises the unpacker's own error, which does not "
    "name the file. Catch it and say which file it was.",
)
def unpacking_errors_pass_through(path):
    content = path.read_bytes()
    if content[:2] == b"\x1f\x8b":
        gzip.decompress(content)
    return Reference(path)


@mistake(
    "read_idx",
    "A gzip file that was cut short raises an EOFError, which is not an OSError and is not "
    "caught here. It ought to end in a ValueError that names the file.",
)
def cut_gzip_passes_through(path):
    content = path.read_bytes()
    if content[:2] == b"\x1f\x8b":
        try:
            gzip.decompress(content)
        except (OSError, zlib.error):
            return Reference(path)
    return Reference(path)


# file_md5


@mistake(
    "file_md5",
    "This is the sum of the file's name. The sum of its content is asked for.",
)
def of_the_name(path):
    return hashlib.md5(path.name.encode()).hexdigest()


@mistake(
    "file_md5",
    "These are the raw bytes of the sum. Its hexadecimal form, a str, is asked for.",
)
def raw_bytes(path):
    return hashlib.md5(path.read_bytes()).digest()


@mistake(
    "file_md5",
    "The digits are in upper case. MD5 sums are published in lower case.",
)
def upper_case(path):
    return hashlib.md5(path.read_bytes()).hexdigest().upper()


@mistake(
    "file_md5",
    "This is the hash object, still open for more. Ask it for its hex digest.",
)
def the_hash_object(path):
    return hashlib.md5(path.read_bytes())


@mistake(
    "file_md5",
    "This is another kind of checksum, SHA-256. MD5 is asked for.",
)
def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


@mistake(
    "file_md5",
    "The file is read as UTF-8 text, which most files are not. Open it in binary.",
    crashes=True,
)
def as_text(path):
    return hashlib.md5(path.read_text(encoding="utf-8").encode("utf-8")).hexdigest()


@mistake(
    "file_md5",
    "The file is read as text, and line endings are translated on the way. Open it in binary.",
)
def as_latin_text(path):
    with path.open(encoding="latin-1") as lines:
        return hashlib.md5(lines.read().encode("latin-1")).hexdigest()


@mistake(
    "file_md5",
    "Only the first piece of the file is read. Go on until nothing comes.",
)
def first_piece(path):
    with path.open("rb") as opened:
        return hashlib.md5(opened.read(2**20)).hexdigest()


@mistake(
    "file_md5",
    "Only the last piece counts: each one starts a new sum. Keep one and add to it.",
)
def last_piece(path):
    with path.open("rb") as opened:
        while piece := opened.read(2**20):
            digest = hashlib.md5(piece)
    return digest.hexdigest()


@mistake(
    "file_md5",
    "The file is unpacked first. The sum is taken of the bytes as they lie on the disk.",
)
def unpacked(path):
    content = path.read_bytes()
    if content[:2] == b"\x1f\x8b":
        content = gzip.decompress(content)
    return hashlib.md5(content).hexdigest()


# export_png_tree


@mistake(
    "export_png_tree",
    "The folder above is named by the image's place, and the file by its label. It is the "
    "other way round.",
)
def label_and_index_swapped(images, labels, root, split):
    for index, image in enumerate(images):
        folder = root / split / str(index)
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image.numpy()).save(folder / f"{labels[index].item()}.png")
    return len(images)


@mistake(
    "export_png_tree",
    "Images are counted anew within each label. The number of a file is its place in images.",
)
def counted_within_the_label(images, labels, root, split):
    for index, image in enumerate(images):
        folder = root / split / str(labels[index].item())
        folder.mkdir(parents=True, exist_ok=True)
        place = (labels[:index] == labels[index]).sum().item()
        Image.fromarray(image.numpy()).save(folder / f"{place}.png")
    return len(images)


@mistake(
    "export_png_tree",
    "Counting starts at 1. The first image has index 0.",
)
def counted_from_one(images, labels, root, split):
    for index, image in enumerate(images, start=1):
        folder = root / split / str(labels[index - 1].item())
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image.numpy()).save(folder / f"{index}.png")
    return len(images)


@mistake(
    "export_png_tree",
    "The files' numbers are padded with zeros. The name is the index as it is: 7.png.",
)
def padded_names(images, labels, root, split):
    for index, image in enumerate(images):
        folder = root / split / str(labels[index].item())
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image.numpy()).save(folder / f"{index:05d}.png")
    return len(images)


@mistake(
    "export_png_tree",
    "Folders are called `tensor(3)`: the label went into the path as a tensor. Make it a "
    "Python number first.",
)
def folders_called_tensor(images, labels, root, split):
    for index, image in enumerate(images):
        folder = root / split / repr(labels[index])
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image.numpy()).save(folder / f"{index}.png")
    return len(images)


@mistake(
    "export_png_tree",
    "Everything goes to `train`, whatever split was asked for. Use the argument.",
)
def always_train(images, labels, root, split):
    return Reference(images, labels, root, "train")


@mistake(
    "export_png_tree",
    "The split is left out of the path: root, then split, then label.",
)
def no_split(images, labels, root, split):
    return Reference(images, labels, root, "")


@mistake(
    "export_png_tree",
    "Label and split have changed places: root, then split, then label.",
)
def split_below_label(images, labels, root, split):
    for index, image in enumerate(images):
        folder = root / str(labels[index].item()) / split
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image.numpy()).save(folder / f"{index}.png")
    return len(images)


@mistake(
    "export_png_tree",
    "The pictures are in colour, three equal channels. A greyscale picture is one byte a pixel.",
)
def in_colour(images, labels, root, split):
    for index, image in enumerate(images):
        folder = root / split / str(labels[index].item())
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image.numpy()).convert("RGB").save(folder / f"{index}.png")
    return len(images)


@mistake(
    "export_png_tree",
    "The pixels are scaled as if they were fractions, and wrap around. They are bytes already.",
)
def scaled_as_fractions(images, labels, root, split):
    return Reference(images * 255, labels, root, split)


@mistake(
    "export_png_tree",
    "The pictures are saved as JPEG under a name that says PNG. JPEG changes pixels; let the "
    "file's name decide the format.",
)
def jpeg_inside(images, labels, root, split):
    for index, image in enumerate(images):
        folder = root / split / str(labels[index].item())
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image.numpy()).save(folder / f"{index}.png", format="JPEG")
    return len(images)


@mistake(
    "export_png_tree",
    "Rows and columns have changed places: the pictures lie on their side.",
)
def on_their_side(images, labels, root, split):
    return Reference(images.mT.contiguous(), labels, root, split)


@mistake(
    "export_png_tree",
    "A folder that is there already is an error here. The second image of a label needs the "
    "folder of the first.",
    crashes=True,
)
def folder_exists_already(images, labels, root, split):
    for index, image in enumerate(images):
        folder = root / split / str(labels[index].item())
        folder.mkdir(parents=True)
        Image.fromarray(image.numpy()).save(folder / f"{index}.png")
    return len(images)


@mistake(
    "export_png_tree",
    "Only the last folder of the path is made, so root and split have to be there already. "
    "Make those above it too.",
    crashes=True,
)
def folders_above_are_missing(images, labels, root, split):
    for index, image in enumerate(images):
        folder = root / split / str(labels[index].item())
        folder.mkdir(exist_ok=True)
        Image.fromarray(image.numpy()).save(folder / f"{index}.png")
    return len(images)


@mistake(
    "export_png_tree",
    "What was in root is removed first, the other split with it. Files that are there stay.",
)
def clears_root_first(images, labels, root, split):
    for path in sorted(root.rglob("*.png")):
        path.unlink()
    return Reference(images, labels, root, split)


@mistake(
    "export_png_tree",
    "A file that is there already is kept. The new image takes the old one's place.",
)
def keeps_old_files(images, labels, root, split):
    for index, image in enumerate(images):
        path = root / split / str(labels[index].item()) / f"{index}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            Image.fromarray(image.numpy()).save(path)
    return len(images)


@mistake(
    "export_png_tree",
    "Nothing is returned. The number of images written is asked for.",
)
def returns_nothing(images, labels, root, split):
    Reference(images, labels, root, split)


@mistake(
    "export_png_tree",
    "What is returned is the last index, one less than the number of images.",
)
def returns_the_last_index(images, labels, root, split):
    return Reference(images, labels, root, split) - 1


@mistake(
    "export_png_tree",
    "The last image is never written.",
)
def last_one_missing(images, labels, root, split):
    return Reference(images[:-1], labels, root, split) + 1


# image_paths


@mistake(
    "image_paths",
    "The paths come in the order in which the file system lists them, which differs between "
    "machines. Sort them.",
)
def unsorted(root):
    found = sorted(root.rglob("*.png"))
    return found[1::2] + found[::2]


@mistake(
    "image_paths",
    "The paths are sorted from the end. The smallest comes first.",
)
def from_the_end(root):
    return sorted(root.rglob("*.png"), reverse=True)


@mistake(
    "image_paths",
    "The paths are sorted by the name of the file alone, so the folders are mixed up. Sort by "
    "the whole path.",
)
def by_name(root):
    return sorted(root.rglob("*.png"), key=lambda path: path.name)


@mistake(
    "image_paths",
    "Level by level: files in a folder come before those in the folders below it. Sort by the "
    "whole path.",
)
def by_depth(root):
    return sorted(sorted(root.rglob("*.png")), key=lambda path: len(path.parts))


@mistake(
    "image_paths",
    "Only two folders deep is looked. Images may lie at any depth below root.",
)
def two_levels(root):
    return sorted(root.glob("*/*/*.png"))


@mistake(
    "image_paths",
    "Only root itself is looked at, not the folders below it.",
)
def root_alone(root):
    return sorted(root.glob("*.png"))


@mistake(
    "image_paths",
    "Every file is taken. Only those whose names end in .png are images here.",
)
def every_file(root):
    return sorted(path for path in root.rglob("*") if path.is_file())


@mistake(
    "image_paths",
    "Files are taken that have png somewhere in their name or path. The name has to end in .png.",
)
def png_somewhere(root):
    return sorted(path for path in root.rglob("*") if path.is_file() and "png" in str(path))


@mistake(
    "image_paths",
    "These are texts. A Path knows its parent and can open itself: keep it.",
)
def as_text_paths(root):
    return [str(path) for path in sorted(root.rglob("*.png"))]


@mistake(
    "image_paths",
    "The paths start below root, so they can't be opened from anywhere else. Keep root in front.",
)
def relative_to_root(root):
    return [path.relative_to(root) for path in sorted(root.rglob("*.png"))]


@mistake(
    "image_paths",
    "This can be gone through once, and has no length. A list is asked for.",
)
def a_generator(root):
    return (path for path in sorted(root.rglob("*.png")))


@mistake(
    "image_paths",
    "A set has no order. A sorted list is asked for.",
)
def a_set(root):
    return set(root.rglob("*.png"))


# label_of


@mistake(
    "label_of",
    "This is the label as a text. The digit is asked for as an int, ready to compare.",
)
def as_text_label(path):
    return path.parent.name


@mistake(
    "label_of",
    "This is the number of the file, its place in the set. The label is its folder.",
)
def number_of_the_file(path):
    return int(path.stem)


@mistake(
    "label_of",
    "This is the folder above the label's own, the split. The label is one level nearer to "
    "the file.",
    crashes=True,
)
def one_folder_too_high(path):
    return int(path.parent.parent.name)


@mistake(
    "label_of",
    "This takes the first number that occurs in the path. A folder further up may be a number "
    "too; the label is the folder right above the file.",
)
def first_number(path):
    return int([part for part in path.parts if part.isdigit()][0])


@mistake(
    "label_of",
    "Only the last character of the folder's name is read. The label is the whole name.",
)
def last_character(path):
    return int(path.parent.name[-1])


@mistake(
    "label_of",
    "Only the first character of the folder's name is read. The label is the whole name.",
)
def first_character(path):
    return int(path.parent.name[0])


@mistake(
    "label_of",
    "The label comes back as a tensor. A Python int is asked for.",
)
def as_tensor(path):
    return torch.tensor(int(path.parent.name))


@mistake(
    "label_of",
    "The label comes back as a float. Classes are counted, in int.",
)
def as_float(path):
    return float(path.parent.name)


# load_stack


@mistake(
    "load_stack",
    "The values are still 0 to 255. The mathematics wants fractions: divide by what white holds.",
)
def not_scaled(paths):
    return Reference(paths) * 255


@mistake(
    "load_stack",
    "The values are still bytes, uint8 from 0 to 255. Fractions in 0..1 are asked for.",
)
def still_bytes(paths):
    return torch.stack([torch.from_numpy(np.array(Image.open(path))) for path in paths])


@mistake(
    "load_stack",
    "The values are divided by 256. White is 255 and has to become 1.0.",
)
def by_256(paths):
    return Reference(paths) * 255 / 256


@mistake(
    "load_stack",
    "Everything but white has become 0: `//` drops the fraction. Use `/`.",
)
def whole_division(paths):
    return (Reference(paths) * 255).round() // 255


@mistake(
    "load_stack",
    "Each image is stretched by its own brightest pixel, so a pale digit comes out as dark as "
    "a strong one. The divisor is the same for all.",
)
def by_the_brightest(paths):
    stack = Reference(paths)
    return stack / stack.max()


@mistake(
    "load_stack",
    "The fractions are float64: that is what NumPy makes when it divides. float32 is asked for.",
)
def in_double(paths):
    return torch.from_numpy(np.stack([np.array(Image.open(path)) for path in paths]) / 255)


@mistake(
    "load_stack",
    "The paths are sorted first. The stack follows the order of paths as given, or labels no "
    "longer fit.",
)
def sorts_the_paths(paths):
    return Reference(sorted(paths))


@mistake(
    "load_stack",
    "The stack is upside down: the last path comes first.",
)
def last_path_first(paths):
    return Reference(paths[::-1])


@mistake(
    "load_stack",
    "The caller's own list is sorted, and no longer fits what else the caller keeps beside it.",
)
def sorts_the_callers_list(paths):
    stack = Reference(paths)
    paths.sort()
    return stack


@mistake(
    "load_stack",
    "There are three colour channels, all equal. Greyscale has one value a pixel: (N, 28, 28).",
)
def three_channels(paths):
    images = [np.array(Image.open(path).convert("RGB")) for path in paths]
    return torch.from_numpy(np.stack(images)) / 255


@mistake(
    "load_stack",
    "There is a dimension of size 1 for the channel. The shape asked for is (N, 28, 28).",
)
def with_a_channel(paths):
    return torch.stack([torchvision.io.decode_image(str(path)) for path in paths]) / 255


@mistake(
    "load_stack",
    "The dimension of the images is lost when there is only one. One image is a stack of one.",
)
def squeezed(paths):
    return Reference(paths).squeeze()


@mistake(
    "load_stack",
    "This is a list of images. One tensor is asked for: stack them.",
)
def a_list(paths):
    return list(Reference(paths))


@mistake(
    "load_stack",
    "The images are laid below each other as one tall image. A stack has a dimension of its own.",
)
def one_tall_image(paths):
    return torch.cat(list(Reference(paths)))


@mistake(
    "load_stack",
    "Rows and columns have changed places.",
)
def rows_and_columns_swapped(paths):
    return Reference(paths).mT


@mistake(
    "load_stack",
    "Paper and ink are swapped: white pixels came out as 0.",
)
def inverted(paths):
    return 1 - Reference(paths)


@mistake(
    "load_stack",
    "Every item is the first image. Open each path.",
)
def first_image_only(paths):
    return Reference([paths[0] for _ in paths])


# is_three


@mistake(
    "is_three",
    "The answers are turned round: True where the image is nearer to the seven.",
)
def seven_instead(images, mean3, mean7):
    return ~Reference(images, mean3, mean7)


@mistake(
    "is_three",
    "The differences are averaged with their signs, so too dark and too light cancel. A "
    "distance takes absolute values first.",
)
def signed_differences(images, mean3, mean7):
    return (images - mean3).mean((1, 2)) < (images - mean7).mean((1, 2))


@mistake(
    "is_three",
    "The absolute value is taken after the mean, when too dark and too light have cancelled "
    "already. Take it of each pixel.",
)
def absolute_after_the_mean(images, mean3, mean7):
    return (images - mean3).mean((1, 2)).abs() < (images - mean7).mean((1, 2)).abs()


@mistake(
    "is_three",
    "The differences are squared, so a few large ones outweigh many small ones. The l1 "
    "distance is the mean of absolute values.",
)
def squares(images, mean3, mean7):
    return ((images - mean3) ** 2).mean((1, 2)) < ((images - mean7) ** 2).mean((1, 2))


@mistake(
    "is_three",
    "The distance is the largest difference of any pixel. The l1 distance is the mean over all.",
)
def largest_difference(images, mean3, mean7):
    return (images - mean3).abs().amax((1, 2)) < (images - mean7).abs().amax((1, 2))


@mistake(
    "is_three",
    "There is one answer for all images: the mean was taken over the images too. Average over "
    "height and width alone.",
)
def one_answer(images, mean3, mean7):
    return (images - mean3).abs().mean() < (images - mean7).abs().mean()


@mistake(
    "is_three",
    "There is an answer for each pixel. Average over height and width before you compare.",
)
def answer_per_pixel(images, mean3, mean7):
    return (images - mean3).abs() < (images - mean7).abs()


@mistake(
    "is_three",
    "The mean was taken over one dimension of two. An image has height and width.",
)
def mean_over_one_dimension(images, mean3, mean7):
    return (images - mean3).abs().mean(-1) < (images - mean7).abs().mean(-1)


@mistake(
    "is_three",
    "Averaged over the wrong dimensions: the images are dimension 0, which has to stay.",
)
def wrong_dimensions(images, mean3, mean7):
    return (images - mean3).abs().mean((0, 1)) < (images - mean7).abs().mean((0, 1))


@mistake(
    "is_three",
    "The answers are counted by majority of pixels: which mean is nearer in more of them. How "
    "much nearer counts too; compare the mean distances.",
)
def by_majority_of_pixels(images, mean3, mean7):
    nearer = (images - mean3).abs() < (images - mean7).abs()
    return nearer.float().mean((1, 2)) > 0.5


@mistake(
    "is_three",
    "The answers are 0.0 and 1.0. Booleans are asked for: a comparison gives them.",
)
def as_numbers(images, mean3, mean7):
    return Reference(images, mean3, mean7).float()


@mistake(
    "is_three",
    "This is a list. A tensor of booleans is asked for.",
)
def as_list(images, mean3, mean7):
    return Reference(images, mean3, mean7).tolist()


@mistake(
    "is_three",
    "The answers are a column, (N, 1). One dimension is asked for: (N,).",
)
def as_column(images, mean3, mean7):
    return Reference(images, mean3, mean7)[:, None]


@mistake(
    "is_three",
    "This is the difference of the two distances. Say whether it is below zero.",
)
def margin(images, mean3, mean7):
    return (images - mean3).abs().mean((1, 2)) - (images - mean7).abs().mean((1, 2))


@mistake(
    "is_three",
    "The images are changed: the mean is taken off the caller's own pixels, and the second "
    "distance starts from there.",
)
def changes_the_images(images, mean3, mean7):
    images -= mean3
    to_three = images.abs().mean((1, 2))
    images += mean3 - mean7
    return to_three < images.abs().mean((1, 2))
