# %% [markdown]
# # 10 · Datasets: one item at a time
#
# Exercise 08 left thousands of small files, sorted into folders. Loading all of them into one
# tensor works for 28 × 28 pixels; for photographs it does not. So PyTorch asks for something
# smaller: an object that knows **how many** items there are and can make **any one** of them when
# asked.
#
# ```text
#     paths ──▶ split ──▶ dataset[i] ──▶ (x, y)
#                            │
#                            ├─ open the file of item i, now and not before
#                            ├─ x: grey pixels, through the item transform
#                            └─ y: the digit, from the folder's name
# ```
#
# That is all a `Dataset` is: `len(dataset)` and `dataset[i]`. Because an item depends on nothing
# but its number, several worker processes can make items side by side, in any order, and nobody
# notices. A dataset that keeps a cursor, an open file or a "current image" loses that at once.
#
# Where the parts of a path stand:
#
# ```text
#     mnist / training / 3 / 00042.png
#             split      label  file
# ```

# %%
from PIL import Image
from torch.utils.data import Dataset
from torchvision.transforms.functional import pil_to_tensor

# %% [markdown]
# ## `open_grey`
# A picture file may hold one channel, three, or a table of colours and numbers into it. The
# model wants one channel, always.


# %%
def open_grey(path):
    """Return the image at path as a grey uint8 tensor (1, height, width), values 0..255.

    Colour and palette files are converted.

    >>> open_grey("training/3/00042.png").shape
    torch.Size([1, 28, 28])
    """
    ### BEGIN HINTS
    # Idea: let the image library turn whatever the file holds into grey before you look at pixels.
    # Tool: Pillow's Image.open and convert with the mode "L"; torchvision's pil_to_tensor.
    # Nearly there: open in a with block, convert, and hand the converted image to pil_to_tensor.
    ### END HINTS
    ### BEGIN SOLUTION
    with Image.open(path) as image:
        return pil_to_tensor(image.convert("L"))
    ### END SOLUTION


# %% [markdown]
# ## `Vocab`
# A model answers with a number; people label with words. A vocabulary translates both ways. It has
# to give the same numbers tomorrow, so it sorts: the order in which labels turn up says nothing.
#
# | label  | index |
# |--------|------:|
# | cat    |     0 |
# | dog    |     1 |
# | zebra  |     2 |


# %%
class Vocab:
    """The sorted unique labels, and the way from a label to its index and back.

    >>> vocab = Vocab(["dog", "cat", "dog"])
    >>> len(vocab), vocab["dog"], vocab.label(0)
    (2, 1, 'cat')
    """

    ### BEGIN HINTS
    # Idea: two tables, one for each way; build both once.
    # Tool: set, sorted, and a dict made with enumerate.
    # Nearly there: keep the sorted unique labels as a list for index to label, and a dict from each
    #   label to its place in that list for the other way. What does a dict do with an unknown key?
    ### END HINTS

    def __init__(self, labels):
        """labels: a list of strings or of ints, repeated and in any order; it is left alone."""
        ### BEGIN SOLUTION
        self.labels = sorted(set(labels))
        self.index = {label: i for i, label in enumerate(self.labels)}
        ### END SOLUTION

    def __len__(self):
        """The number of different labels."""
        ### BEGIN SOLUTION
        return len(self.labels)
        ### END SOLUTION

    def __getitem__(self, label):
        """The index of label, an int.  An unknown label is a KeyError that names it."""
        ### BEGIN SOLUTION
        return self.index[label]
        ### END SOLUTION

    def label(self, index):
        """The label at index, as it was given."""
        ### BEGIN SOLUTION
        return self.labels[index]
        ### END SOLUTION


# %% [markdown]
# ## `split_by_parent`
# Training and validation items must not mix: whoever is tested on what they learned by heart looks
# good and may know nothing. MNIST comes already split, and the split is in the path, one folder
# above the label. Look there and nowhere else: a path may well run through another folder called
# `training` further up.


# %%
def split_by_parent(items, train, valid):
    """Return (train items, valid items): two lists of those whose split folder has that name.

    items: a list of Path, each .../<split>/<label>/<file>.  train, valid: names of split folders.
    Order is kept; an item of any other split is in neither list.

    >>> items = [Path("a/testing/3/1.png"), Path("a/training/3/2.png")]
    >>> split_by_parent(items, "training", "testing")
    ([PosixPath('a/training/3/2.png')], [PosixPath('a/testing/3/1.png')])
    """
    ### BEGIN HINTS
    # Idea: one name per path decides, and it has to be equal to the name asked for.
    # Tool: a Path has parent, which is a Path again, and name.
    # Nearly there: go up two folders from the file, compare that folder's name, once per list.
    ### END HINTS
    ### BEGIN SOLUTION
    train_items = [item for item in items if item.parent.parent.name == train]
    valid_items = [item for item in items if item.parent.parent.name == valid]
    return train_items, valid_items
    ### END SOLUTION


# %% [markdown]
# ## `DigitDataset`
# Now the parts together. Making the dataset costs nothing, whatever its length: it keeps paths. A
# file is opened when its item is asked for, and again when it is asked for again.
#
# An *item transform* is a function for one x: a crop, a flip, anything drawn anew each time. It
# never sees y. For digits no vocabulary is needed: the folder's name, read as a number, is y.


# %%
class DigitDataset(Dataset):
    """Images of digits in folders named after them, as items (x, y).

    >>> dataset = DigitDataset([Path("training/3/00042.png")])
    >>> x, y = dataset[0]
    >>> x.shape, x.dtype, y
    (torch.Size([1, 28, 28]), torch.uint8, 3)
    """

    ### BEGIN HINTS
    # Idea: remember where things are, not the things; an item is made from its index alone.
    # Tool: your open_grey; a list knows negative indices and raises IndexError past its end.
    # Nearly there: pick the path, open it, transform x if there is a transform, read the label off
    #   the name of the folder that holds the file, and make a number of it.
    ### END HINTS

    def __init__(self, paths, transform=None):
        """paths: a list of Path, .../<label>/<file>, of any length, also empty; none is opened yet.

        transform: None, or a function that is given each item's x and whose result becomes x.
        """
        ### BEGIN SOLUTION
        self.paths = paths
        self.transform = transform
        ### END SOLUTION

    def __len__(self):
        """The number of items."""
        ### BEGIN SOLUTION
        return len(self.paths)
        ### END SOLUTION

    def __getitem__(self, index):
        """Item number index, counted from the end when negative; IndexError where there is none.

        Result: (x, y).  x: a grey uint8 tensor (1, height, width), through the transform.
        y: the digit, an int.
        """
        ### BEGIN SOLUTION
        path = self.paths[index]
        x = open_grey(path)
        if self.transform is not None:
            x = self.transform(x)
        return x, int(path.parent.name)
        ### END SOLUTION


# %% [markdown]
# ## Try it
# Two digits on disk, and a dataset over them.

# %%
if __name__ == "__main__":
    from pathlib import Path
    from tempfile import mkdtemp

    from grader.mnist import load_sample

    digits, root = load_sample(), Path(mkdtemp())
    for number, split in enumerate(["training", "testing"]):
        folder = root / split / str(digits.train_labels[number].item())
        folder.mkdir(parents=True)
        Image.fromarray(digits.train_images[number].numpy()).save(folder / f"{number}.png")
    train, valid = split_by_parent(sorted(root.rglob("*.png")), "training", "testing")
    dataset = DigitDataset(train, transform=lambda image: 255 - image)
    print(len(dataset), dataset[0])

# %% [markdown]
# ## In your own words
#
# A dataset opens all its images when it is made, another opens image i when it is asked for
# `dataset[i]`. When would you take which, and what would break if the second remembered where it
# had got to?
#
# ### BEGIN MARK SCHEME
# Half of the points for each, in whatever words:
#
# 1. the first when all of it fits into memory and is read often; the second when it does not fit,
# or when starting fast matters.
# 2. items are asked for in any order, and by several processes: one that depends on what was asked
# before comes out wrong.
# ### END MARK SCHEME
