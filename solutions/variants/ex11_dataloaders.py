"""Right answers to exercise 11, written differently: each must pass."""

import random

import torch.nn.functional as F
from torch import nn
from torch.utils.data import BatchSampler, Dataset, RandomSampler

from grader.bank import variant


@variant("item_transforms", "the crop's own padding")
def one_transform():
    return v2.RandomCrop(28, padding=3)


@variant("item_transforms", "pad and slice with plain tensor operations")
def by_hand():
    def shift(image):
        top, left = torch.randint(0, 7, (2,)).tolist()
        return F.pad(image, (3, 3, 3, 3))[:, top : top + 28, left : left + 28]

    return shift


@variant("item_transforms", "an object to call, and Python's own random numbers")
def callable_object():
    class Shift:
        def __call__(self, image):
            ground = image.new_zeros(1, 34, 34)
            ground[:, 3:31, 3:31] = image
            top, left = random.randrange(7), random.randint(0, 6)
            return ground[:, top : top + 28, left : left + 28].clone()

    return Shift()


@variant("item_transforms", "transforms as modules in a row")
def as_modules():
    return nn.Sequential(v2.PILToTensor(), v2.Pad([3, 3, 3, 3]), v2.RandomCrop((28, 28)))


@variant("mean_std", "running sums, n in the deviation")
def running_sums(dataset):
    count = total = squares = 0
    for x, _ in dataset:
        x = x.double() / 255
        count += x.numel()
        total += x.sum().item()
        squares += x.square().sum().item()
    mean = total / count
    return mean, (squares / count - mean**2) ** 0.5


@variant("mean_std", "through a data loader, torch.std_mean")
def through_a_loader(dataset):
    batches = [xb for xb, _ in DataLoader(dataset, batch_size=5)]
    std, mean = torch.std_mean(torch.cat(batches).float() / 255)
    return float(mean), float(std)


@variant("mean_std", "statistics of the bytes, scaled afterwards, as a list")
def scaled_afterwards(dataset):
    pixels = torch.stack([dataset[i][0] for i in range(len(dataset))]).float()
    return [pixels.mean().item() / 255, pixels.std(correction=0).item() / 255]


@variant("BatchTransform", "the numbers as tensors that follow the batch")
class with_tensors:
    def __init__(self, mean, std):
        self.mean, self.std = torch.tensor(mean), torch.tensor(std)

    def __call__(self, batch):
        if not torch.is_tensor(batch):
            return [self(batch[0]), batch[1]]
        return (
            batch.float().div_(255).sub_(self.mean.to(batch.device)).div_(self.std.to(batch.device))
        )


@variant("BatchTransform", "a module around v2's own transforms")
class as_module(nn.Module):
    def __init__(self, mean, std):
        super().__init__()
        self.scale = 1 / (255 * std)
        self.offset = -mean / std

    def forward(self, batch):
        if isinstance(batch, torch.Tensor):
            return batch.to(torch.float32) * self.scale + self.offset
        images, labels = batch
        return self.forward(images), labels


@variant("make_dataloaders", "a dataset that transforms its items, a loader that moves its batches")
def wrapped_on_both_sides(train, valid, batch_size=128, device=None):
    class Shifted(Dataset):
        def __init__(self, items):
            self.items, self.shift = items, item_transforms()

        def __len__(self):
            return len(self.items)

        def __getitem__(self, index):
            image, label = self.items[index]
            return self.shift(image), label

    class Moved:
        def __init__(self, loader, to_floats):
            self.loader, self.to_floats = loader, to_floats

        def __len__(self):
            return len(self.loader)

        def __iter__(self):
            for images, labels in self.loader:
                yield self.to_floats(images.to(device)), labels.to(device)

    if device is None:
        device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    to_floats = BatchTransform(*mean_std(train))
    train_dl = DataLoader(Shifted(train), batch_size=batch_size, shuffle=True, drop_last=True)
    valid_dl = DataLoader(valid, batch_size=batch_size, shuffle=False)
    return Moved(train_dl, to_floats), Moved(valid_dl, to_floats)


@variant("make_dataloaders", "samplers given by hand, stacked by hand, a pair as a list")
def by_samplers(train, valid, batch_size=128, device=None):
    if not device:
        device = (
            torch.accelerator.current_accelerator() if torch.accelerator.is_available() else "cpu"
        )
    mean, std = mean_std(train)
    shift = item_transforms()

    def collate(items, change):
        images = torch.stack([change(image) for image, _ in items]).to(device)
        labels = torch.tensor([label for _, label in items]).to(device)
        return list(BatchTransform(mean, std)((images, labels)))

    batches = BatchSampler(RandomSampler(train), batch_size, drop_last=False)
    return [
        DataLoader(train, batch_sampler=batches, collate_fn=lambda items: collate(items, shift)),
        DataLoader(valid, batch_size, collate_fn=lambda items: collate(items, lambda x: x)),
    ]


@variant("make_dataloaders", "no DataLoader: a loop over a permutation")
def a_loop_of_its_own(train, valid, batch_size=128, device=None):
    class Batches:
        def __init__(self, items, training):
            self.items, self.training = items, training

        def __len__(self):
            return (len(self.items) + batch_size - 1) // batch_size

        def __iter__(self):
            order = list(range(len(self.items)))
            if self.training:
                random.shuffle(order)
            for start in range(0, len(order), batch_size):
                chosen = [self.items[i] for i in order[start : start + batch_size]]
                images = [shift(x) if self.training else x for x, _ in chosen]
                pair = torch.stack(images).to(device), torch.tensor([y for _, y in chosen])
                yield to_floats((pair[0], pair[1].to(device)))

    if device is None:
        device = "cpu"
        if torch.accelerator.is_available():
            device = torch.accelerator.current_accelerator()
    shift, to_floats = item_transforms(), BatchTransform(*mean_std(train))
    return Batches(train, True), Batches(valid, False)


@variant("show_batch", "only as many axes as images, added one by one")
def axes_one_by_one(batch):
    images, labels = batch
    fig = plt.figure(figsize=(8, 8))
    for place, (image, label) in enumerate(zip(images[:9], labels[:9], strict=True), start=1):
        ax = fig.add_subplot(3, 3, place)
        ax.imshow(image.squeeze(0).cpu().numpy(), cmap="gray_r")
        ax.set_title(f"{int(label)}")
        ax.axis("off")
    return fig


@variant("show_batch", "a Figure without pyplot, back on the scale 0..1")
def without_pyplot(batch):
    from matplotlib.figure import Figure

    images, labels = (part.cpu() for part in batch)
    images = (images - images.min()) / (images.max() - images.min())
    fig = Figure(figsize=(18, 2))
    for ax, image, label in zip(fig.subplots(1, 9).flat, images, labels, strict=False):
        ax.imshow(image[0], cmap="viridis")
        ax.set_title(label.item())
        ax.set_xticks([])
        ax.set_yticks([])
    return fig
