"""Exercise 06, zero_grad: `backward` adds to what `.grad` holds.  Whoever trains clears it once a
step, all of it and not too early; whoever accumulates clears once for all micro batches."""

import pytest
import torch

from grader import expect


def leaf(values):
    return values.detach().clone().requires_grad_()


def expect_clean(params):
    for i, p in enumerate(params):
        expect.tensor(p, f"params[{i}]", requires_grad=True, is_leaf=True)
        if p.grad is not None:
            expect.close(p.grad, torch.zeros_like(p.detach()), what=f"params[{i}].grad")


def expect_values(params, wanted, when=""):
    for i, (p, want) in enumerate(zip(params, wanted, strict=True)):
        expect.tensor(p, f"params[{i}]{when}", requires_grad=True, is_leaf=True)
        expect.close(p.detach(), want, what=f"params[{i}]{when}")


@pytest.mark.task("zero_grads", points=1)
class TestZeroGrads:
    """Every gradient is None or zeros, every parameter as it was."""

    def test_example(self, ex):
        p = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
        (p**2).sum().backward()
        ex.zero_grads([p])
        expect_values([p], [torch.tensor([1.0, 2.0, 3.0])])
        expect_clean([p])

    def test_drawn_parameters(self, ex, rng):
        n, m, k = rng.sizes(3)
        values = [rng.distinct(n, m), rng.distinct(k), rng.distinct()]
        params = [leaf(value) for value in values]
        sum((p**3).sum() for p in params).backward()
        ex.zero_grads(params)
        expect_values(params, values)
        expect_clean(params)

    def test_drawn_next_backward_starts_from_nothing(self, ex, rng):
        slopes = [rng.distinct(*rng.sizes(2)), rng.distinct(3)]
        params = [leaf(rng.distinct(*slope.shape)) for slope in slopes]
        for _ in range(2):
            ex.zero_grads(params)
            expect_clean(params)
            sum((p * slope).sum() for p, slope in zip(params, slopes, strict=True)).backward()
        for i, (p, slope) in enumerate(zip(params, slopes, strict=True)):
            expect.close(p.grad, slope, what=f"params[{i}].grad after the next backward")

    def test_some_have_no_gradient_yet(self, ex, rng):
        fresh, used, last = leaf(rng.distinct(2)), leaf(rng.distinct(3)), leaf(rng.distinct(4))
        ((used**2).sum() + (last**2).sum()).backward()
        ex.zero_grads([fresh, used, last])
        expect_clean([fresh, used, last])

    def test_gradients_that_overflowed(self, ex):
        p = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
        p.grad = torch.tensor([float("inf"), float("nan"), -float("inf")])
        ex.zero_grads([p])
        expect_clean([p])


@pytest.mark.task("gradient_after", points=2)
class TestGradientAfter:
    """The sum of n gradients at x, from a leaf of its own."""

    def test_example(self, ex):
        @expect.named("x ↦ (x²).sum()")
        def squares(x):
            return (x**2).sum()

        x = torch.tensor([1.0, 2.0, 3.0])
        expect.close(ex.gradient_after(squares, x, 2), torch.tensor([4.0, 8.0, 12.0]))

    @pytest.mark.parametrize("n", [1, 2, 3, 6])
    def test_drawn_cubics(self, ex, rng, n):
        a, b = rng.number(), rng.number()
        x = rng.distinct(*rng.sizes(2))

        @expect.named(f"x ↦ ({a}·x³ + {b}·x).sum()")
        def cubic(x):
            return (a * x**3 + b * x).sum()

        want = n * (3 * a * x**2 + b)
        expect.close(ex.gradient_after(cubic, x, n), want)

    def test_a_scalar_in_double_precision(self, ex, rng):
        x = rng.normal(dtype=torch.float64)

        @expect.named("x ↦ eˣ")
        def exponential(x):
            return x.exp()

        want = 4 * torch.exp(x)
        expect.close(ex.gradient_after(exponential, x, 4), want)

    def test_tracked_x_with_a_gradient_of_its_own(self, ex, rng):
        start, old, slope = rng.distinct(5), rng.distinct(5), rng.distinct(5)
        x = leaf(start)
        x.grad = old.clone()

        @expect.named("x ↦ (slope·x).sum()")
        def line(x):
            return (slope * x).sum()

        want = 3 * slope
        with expect.unchanged(x):
            got = ex.gradient_after(line, x, 3)
        expect.close(got, want)

    def test_untracked_x_stays_as_it_is(self, ex, rng):
        x = rng.distinct(*rng.sizes(2))
        with expect.unchanged(x):
            ex.gradient_after(torch.sum, x, 2)


def bowl(rng):
    """A loss with its minimum where it is drawn, and what a step on it does."""
    shapes = [rng.sizes(2), (rng.integer(2, 5),), ()]
    steep = [rng.uniform(*shape, low=0.5, high=2.0) for shape in shapes]
    lowest = [rng.distinct(*shape) for shape in shapes]
    start = [rng.distinct(*shape) + 1 for shape in shapes]

    def loss_at(params):
        terms = zip(params, steep, lowest, strict=True)
        return sum((s * (p - low) ** 2).sum() for p, s, low in terms)

    def after_step(values, lr):
        terms = zip(values, steep, lowest, strict=True)
        return [p - lr * 2 * s * (p - low) for p, s, low in terms]

    return start, loss_at, after_step


@pytest.mark.task("train_step", points=3)
class TestTrainStep:
    """One step with the gradient of this call alone, and the loss before it."""

    def test_example(self, ex):
        p = torch.tensor(3.0, requires_grad=True)

        @expect.named("params ↦ params[0]²")
        def square(params):
            return params[0] ** 2

        expect.close(ex.train_step([p], square, 0.25), 9.0)
        expect_values([p], [torch.tensor(1.5)])
        expect.close(ex.train_step([p], square, 0.25), 2.25, what="the loss returned by call 2")
        expect_values([p], [torch.tensor(0.75)], when=" after call 2")

    @pytest.mark.parametrize("n_steps", [2, 4])
    def test_drawn_steps_in_a_row(self, ex, rng, n_steps):
        values, loss_fn, after_step = bowl(rng)
        params = [leaf(value) for value in values]
        for step in range(1, n_steps + 1):
            lr = rng.choice([0.02, 0.05, 0.1])
            loss, values = loss_fn(values).item(), after_step(values, lr)
            got = ex.train_step(params, loss_fn, lr)
            expect.close(got, loss, what=f"the loss returned by call {step}")
            expect_values(params, values, when=f" after call {step}")

    def test_loss_fn_is_called_once_a_step_with_the_parameters_before_it(self, ex, rng):
        values, loss_at, after_step = bowl(rng)
        params = [leaf(value) for value in values]
        seen = []

        def loss_fn(params):
            seen.append([p.detach().clone() for p in params])
            return loss_at(params)

        for step in range(1, 4):
            ex.train_step(params, loss_fn, 0.05)
            expect.that(len(seen) == step, "one call of loss_fn a step", f"{len(seen)} in {step}")
            expect.close(seen[-1], values, what=f"what loss_fn was given in step {step}: params")
            values = after_step(values, 0.05)
            for i, p in enumerate(params):
                expect.tensor(p, f"params[{i}] after call {step}", requires_grad=True)


def line_loss(params, xb, yb):
    """The mean squared error of a line through several inputs."""
    weights, bias = params
    return ((xb @ weights + bias - yb) ** 2).mean()


def draw_batches(rng, sizes, width):
    return [(rng.normal(size, width), rng.distinct(size)) for size in sizes]


def joined_step(values, batches, lr):
    """The same step worked out by hand on all items at once."""
    weights, bias = values
    xs, ys = (torch.cat(parts) for parts in zip(*batches, strict=True))
    residual = xs @ weights + bias - ys
    return [weights - lr * 2 * xs.T @ residual / len(ys), bias - lr * 2 * residual.mean()]


@pytest.mark.task("accumulate_step", points=4)
class TestAccumulateStep:
    """Many small backward passes, one step: that of the joined batch."""

    def test_example(self, ex):
        p = torch.tensor(2.0, requires_grad=True)

        @expect.named("loss_fn")
        def loss_fn(params, xb, yb):
            return (params[0] * xb - yb).mean()

        three, one = torch.tensor([1.0, 2.0, 3.0]), torch.tensor([10.0])
        batches = [(three, torch.zeros(3)), (one, torch.zeros(1))]
        ex.accumulate_step([p], batches, loss_fn, 0.1)
        expect_values([p], [torch.tensor(1.6)])  # 2 − 0.1 · (1 + 2 + 3 + 10) / 4
        ex.accumulate_step([p], batches, loss_fn, 0.1)
        expect_values([p], [torch.tensor(1.2)], when=" after call 2")

    def test_drawn_ragged_batches(self, ex, rng):
        sizes = rng.sizes(4, low=1, high=9)
        batches = draw_batches(rng, sizes, 3)
        start, lr = [rng.distinct(3), rng.distinct()], rng.choice([0.02, 0.05, 0.1])
        want = joined_step(start, batches, lr)
        params = [leaf(value) for value in start]
        with expect.unchanged(batches):
            ex.accumulate_step(params, batches, line_loss, lr)
        expect_values(params, want)

    def test_drawn_batches_of_one_size(self, ex, rng):
        batches = draw_batches(rng, [rng.integer(2, 6)] * rng.integer(2, 5), 2)
        start = [rng.distinct(2), rng.distinct()]
        want = joined_step(start, batches, 0.05)
        params = [leaf(value) for value in start]
        ex.accumulate_step(params, batches, line_loss, 0.05)
        expect_values(params, want)

    def test_drawn_single_batch(self, ex, rng):
        batches = draw_batches(rng, [rng.integer(3, 8)], 2)
        start = [rng.distinct(2), rng.distinct()]
        want = joined_step(start, batches, 0.05)
        params = [leaf(value) for value in start]
        ex.accumulate_step(params, batches, line_loss, 0.05)
        expect_values(params, want)

    def test_drawn_steps_in_a_row(self, ex, rng):
        values = [rng.distinct(2), rng.distinct()]
        params = [leaf(value) for value in values]
        for step in range(1, 4):
            batches = draw_batches(rng, rng.sizes(3, low=1, high=6), 2)
            values = joined_step(values, batches, 0.05)
            ex.accumulate_step(params, batches, line_loss, 0.05)
            expect_values(params, values, when=f" after call {step}")

    def test_loss_fn_sees_each_micro_batch_once_at_the_same_parameters(self, ex, rng):
        batches = draw_batches(rng, rng.sizes(3, low=2, high=6), 2)
        start = [rng.distinct(2), rng.distinct()]
        params = [leaf(value) for value in start]
        seen = []

        def loss_fn(params, xb, yb):
            seen.append(([p.detach().clone() for p in params], yb.detach().clone()))
            return line_loss(params, xb, yb)

        ex.accumulate_step(params, batches, loss_fn, 0.05)
        wanted = sorted(len(yb) for _, yb in batches)
        sizes = sorted(len(yb) for _, yb in seen)
        expect.equal(sizes, wanted, what="the sizes of what loss_fn was given")
        for at, _ in seen:
            expect.close(at, start, what="what loss_fn was given: params")
