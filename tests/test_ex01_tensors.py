"""Exercise 01, tensors: shape and dtype of what goes in and what comes out.

Bytes become floats in 0..1, images become rows, a stack becomes its mean image, and differences are
taken by broadcasting, item by item. No argument is changed on the way.
"""

import math

import pytest
import torch

from grader import expect


@pytest.mark.task("describe", points=1)
class TestDescribe:
    """The tuple (shape, dtype, number of elements)."""

    def test_example(self, ex):
        shape, dtype, count = expect.unpack(
            ex.describe(torch.zeros(2, 3)), 3, what="(shape, dtype, number of elements)"
        )
        expect.instance(shape, tuple, what="shape")
        expect.equal(tuple(shape), (2, 3), what="shape")
        expect.equal(dtype, torch.float32, what="dtype")
        expect.equal(count, 6, what="number of elements")

    def test_drawn_tensors(self, ex, rng):
        for dims in rng.shuffled([1, 2, 3, 4]):
            sizes = tuple(rng.sizes(dims))
            kind = rng.choice([torch.float64, torch.int64, torch.int32, torch.float16])
            got = ex.describe(torch.zeros(sizes, dtype=kind))
            shape, dtype, count = expect.unpack(got, 3, what="(shape, dtype, number of elements)")
            expect.instance(shape, tuple, what="shape")
            expect.equal(tuple(shape), sizes, what="shape")
            expect.equal(dtype, kind, what="dtype")
            expect.equal(count, math.prod(sizes), what="number of elements")

    def test_result_is_a_tuple(self, ex):
        expect.instance(ex.describe(torch.zeros(4, 2)), tuple)

    def test_one_number_has_an_empty_shape(self, ex):
        got = ex.describe(torch.tensor(8))
        shape, dtype, count = expect.unpack(got, 3, what="(shape, dtype, number of elements)")
        expect.instance(shape, tuple, what="shape")
        expect.equal(tuple(shape), (), what="shape")
        expect.equal(dtype, torch.int64, what="dtype")
        expect.equal(count, 1, what="number of elements")


def fractions(images):
    """What the bytes of a list of images stand for, each worked out as byte / 255."""
    return torch.tensor([[[byte / 255 for byte in row] for row in i.tolist()] for i in images])


@pytest.mark.task("stack_images", points=2)
class TestStackImages:
    """A list of uint8 images → one float32 tensor in 0..1."""

    def test_example(self, ex):
        black = torch.zeros(28, 28, dtype=torch.uint8)
        white = torch.full((28, 28), 255, dtype=torch.uint8)
        white[0, 1] = 51
        want = torch.zeros(2, 28, 28)
        want[1] = 1.0
        want[1, 0, 1] = 0.2
        expect.close(ex.stack_images([black, white]), want)

    def test_drawn_images(self, ex, rng):
        images = list(rng.images(rng.integer(3, 6)))
        want = fractions(images)
        expect.close(ex.stack_images(images), want)

    def test_drawn_faint_images_stay_faint(self, ex, rng):
        divisors = rng.shuffled([2, 3, 5, 8])
        images = [image // d for image, d in zip(rng.images(4), divisors, strict=True)]
        want = fractions(images)
        expect.close(ex.stack_images(images), want)

    def test_real_digits(self, ex, digits):
        images = [image.clone() for image in digits.train_images[:5]]
        want = fractions(images)
        expect.close(ex.stack_images(images), want)

    def test_one_image_is_a_stack_too(self, ex, rng):
        images = list(rng.images(1))
        want = fractions(images)
        expect.close(ex.stack_images(images), want)

    def test_images_unchanged(self, ex, rng):
        images = list(rng.images(3))
        before = [image.clone() for image in images]
        ex.stack_images(images)
        expect.equal(images, before, what="the list afterwards")


def rows(batch):
    """Each image of a batch as the lines of its pixels, put one after the other."""
    return torch.stack([torch.cat(list(image)) for image in batch])


@pytest.mark.task("flatten_images", points=2)
class TestFlattenImages:
    """(N, 28, 28) → (N, 784): one image a row, line by line."""

    def test_example(self, ex):
        batch = torch.arange(2 * 784.0).reshape(2, 28, 28)  # pixel k of image i is 784·i + k
        want = torch.stack([torch.arange(784.0), torch.arange(784.0, 1568.0)])
        expect.close(ex.flatten_images(batch), want)

    def test_drawn_batch(self, ex, rng):
        batch = rng.normal(rng.integer(3, 7), 28, 28)
        want = rows(batch)
        expect.close(ex.flatten_images(batch), want)

    def test_dtype_stays(self, ex, rng):
        batch = rng.images(rng.integer(3, 7))
        want = rows(batch)
        expect.close(ex.flatten_images(batch), want)

    def test_one_image_is_one_row(self, ex, rng):
        batch = rng.normal(1, 28, 28)
        want = rows(batch)
        expect.close(ex.flatten_images(batch), want)

    def test_batch_unchanged(self, ex, rng):
        batch = rng.normal(3, 28, 28)
        with expect.unchanged(batch):
            ex.flatten_images(batch)


@pytest.mark.task("mean_image", points=1)
class TestMeanImage:
    """The mean over the images, pixel by pixel."""

    def test_example(self, ex):
        stack = torch.tensor(
            [[[0.0, 2.0, 4.0], [6.0, 8.0, 7.0]], [[2.0, 4.0, 6.0], [8.0, 0.0, 9.0]]]
        )
        expect.close(ex.mean_image(stack), torch.tensor([[1.0, 3.0, 5.0], [7.0, 4.0, 8.0]]))

    def test_drawn_stack(self, ex, rng):
        n, height, width = rng.sizes(3, low=3)
        stack = rng.uniform(n, height, width)
        want = torch.tensor(
            [
                [sum(float(stack[i, r, c]) for i in range(n)) / n for c in range(width)]
                for r in range(height)
            ]
        )
        expect.close(ex.mean_image(stack), want)

    def test_one_image_is_its_own_mean(self, ex, rng):
        stack = rng.uniform(1, *rng.sizes(2))
        want = stack[0].clone()
        expect.close(ex.mean_image(stack), want)

    def test_stack_unchanged(self, ex, rng):
        stack = rng.uniform(*rng.sizes(3))
        with expect.unchanged(stack):
            ex.mean_image(stack)


def differences(stack, image):
    """For each image of the stack, the list of its pixels' differences from image."""
    pixels = image.flatten().tolist()
    return [
        [a - b for a, b in zip(other.flatten().tolist(), pixels, strict=True)] for other in stack
    ]


@pytest.mark.task("distances", points=3)
class TestDistances:
    """One number for each image of a stack: l1 or rmse."""

    def test_example_l1(self, ex):
        # differences: 1 1 1 1 | 0 0 0 2 | −1 −1 7 −7
        stack = torch.tensor([[[2.0, 2], [2, 2]], [[1, 1], [1, 3]], [[0, 0], [8, -6]]])
        image = torch.ones(2, 2)
        expect.close(ex.distances(stack, image, "l1"), torch.tensor([1.0, 0.5, 4.0]))

    def test_example_rmse(self, ex):
        stack = torch.tensor([[[2.0, 2], [2, 2]], [[1, 1], [1, 3]], [[0, 0], [8, -6]]])
        image = torch.ones(2, 2)
        expect.close(ex.distances(stack, image, "rmse"), torch.tensor([1.0, 1.0, 5.0]))

    def test_drawn_l1(self, ex, rng):
        n, height, width = rng.sizes(3)
        stack, image = rng.normal(n, height, width), rng.normal(height, width)
        want = torch.tensor([sum(abs(d) for d in ds) / len(ds) for ds in differences(stack, image)])
        expect.close(ex.distances(stack, image, "l1"), want)

    def test_drawn_rmse(self, ex, rng):
        n, height, width = rng.sizes(3)
        stack, image = rng.normal(n, height, width), rng.normal(height, width)
        want = torch.tensor(
            [math.sqrt(sum(d * d for d in ds) / len(ds)) for ds in differences(stack, image)]
        )
        expect.close(ex.distances(stack, image, "rmse"), want)

    def test_one_image_gives_one_distance(self, ex, rng):
        image = rng.normal(*rng.sizes(2))
        stack = (image + 0.5).unsqueeze(0)
        expect.close(ex.distances(stack, image, "rmse"), torch.tensor([0.5]))

    def test_another_kind_is_an_error(self, ex, rng):
        stack, image = rng.normal(4, 3, 5), rng.normal(3, 5)
        for kind in ("cosine", "l3"):
            with expect.raises(ValueError):
                ex.distances(stack, image, kind)

    def test_arguments_unchanged(self, ex, rng):
        stack, image = rng.normal(4, 3, 5), rng.normal(3, 5)
        for kind in ("l1", "rmse"):
            with expect.unchanged(stack, image):
                ex.distances(stack, image, kind)


@pytest.mark.task("to_column", points=1)
class TestToColumn:
    """(N,) → (N, 1), nothing else."""

    def test_example(self, ex):
        expect.equal(ex.to_column(torch.tensor([3, 7, 7])), torch.tensor([[3], [7], [7]]))

    def test_drawn_labels(self, ex, rng):
        labels = rng.integers(0, 9, rng.integer(4, 9))
        want = torch.tensor([[label] for label in labels.tolist()])
        expect.equal(ex.to_column(labels), want)

    def test_drawn_floats_stay_floats(self, ex, rng):
        labels = rng.distinct(rng.integer(4, 9))
        want = torch.tensor([[label] for label in labels.tolist()])
        expect.equal(ex.to_column(labels), want)

    def test_labels_unchanged(self, ex, rng):
        labels = rng.integers(0, 9, 5)
        with expect.unchanged(labels):
            ex.to_column(labels)


@pytest.mark.task("label_errors", points=2)
class TestLabelErrors:
    """Prediction minus label, item by item: (N, 1) and (N,) → (N, 1)."""

    def test_example(self, ex):
        predictions, labels = torch.tensor([[0.5], [2.0], [1.0]]), torch.tensor([1, 0, 1])
        expect.close(ex.label_errors(predictions, labels), torch.tensor([[-0.5], [2.0], [0.0]]))

    def test_drawn_predictions(self, ex, rng):
        n = rng.integer(3, 7)
        predictions, labels = rng.distinct(n, 1), rng.integers(0, 9, n)
        want = torch.tensor([[float(predictions[i, 0]) - int(labels[i])] for i in range(n)])
        expect.close(ex.label_errors(predictions, labels), want)

    def test_one_prediction_is_a_column_too(self, ex):
        got = ex.label_errors(torch.tensor([[0.25]]), torch.tensor([1]))
        expect.close(got, torch.tensor([[-0.75]]))

    def test_arguments_unchanged(self, ex, rng):
        predictions, labels = rng.distinct(4, 1), rng.integers(0, 9, 4)
        with expect.unchanged(predictions, labels):
            ex.label_errors(predictions, labels)
