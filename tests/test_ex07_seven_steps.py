"""Exercise 07, seven_steps: data, model, loss, step, loop and stop.  The training is followed from
a seeded start, parameters and loss, one step after the other, and not judged by its end alone."""

import pytest
import torch

from grader import expect
from grader.recorder import repeated


def leaf(values):
    return values.detach().clone().requires_grad_()


def expect_params(params, want, what="params"):
    expect.tensor(params, what, shape=(3,), requires_grad=True, is_leaf=True)
    expect.close(params.detach(), want, what=what)


def predictions(params, t):
    a, b, c = params.tolist()
    return a * t * t + b * t + c


def walk(params, t, speed, lr, n_steps):
    """Parameters and loss before each of n_steps steps, the gradient worked out by hand."""
    path, losses = [params], []
    for _ in range(n_steps):
        residual = predictions(params, t) - speed
        losses.append((residual * residual).mean().item())
        slopes = [2 * (residual * factor).mean() for factor in (t * t, t, torch.ones_like(t))]
        params = params - lr * torch.stack(slopes)
        path.append(params)
    return path, losses


def draw_data(rng):
    t = rng.distinct(rng.integer(8, 12)) / 2
    return t, predictions(rng.distinct(3), t) + 0.3 * rng.normal(len(t))


@pytest.mark.task("bike_data", points=1)
class TestBikeData:
    """Twenty seconds of a known curve, and noise of a known size."""

    def test_example(self, ex):
        time, speed = expect.unpack(ex.bike_data(0.0), 2, "(time, speed)")
        expect.close(time, torch.tensor([float(second) for second in range(20)]), what="time")
        want = torch.tensor([0.05 * (second - 12) ** 2 + 2 for second in range(20)])
        expect.close(speed, want, what="speed without noise")

    def test_drawn_noise_has_the_size_asked_for(self, ex, rng):
        noise = rng.choice([0.2, 0.5, 3.0])
        clean = torch.tensor([0.05 * (second - 12) ** 2 + 2 for second in range(20)])
        errors = []
        for pair in repeated(ex.bike_data, 60, noise):
            _, speed = expect.unpack(pair, 2, "(time, speed)")
            expect.tensor(speed, "speed", shape=(20,), dtype=torch.float32)
            errors.append((speed - clean) / noise)
        errors = torch.cat(errors)
        # 1200 standard normals: their mean leaves ±0.2 (6.9 sigma) and their root mean square
        # leaves 0.85 … 1.15 (7 sigma) with a probability below 1e-11 each.
        mean, size = errors.mean().item(), errors.square().mean().sqrt().item()
        expect.that(abs(mean) < 0.2, "about 0", mean, what="mean of the errors, in units of noise")
        expect.that(0.85 < size < 1.15, "about 1", size, what="size of the errors, same units")

    def test_drawn_noise_is_normal(self, ex, rng):
        noise = rng.choice([0.2, 0.5, 3.0])
        clean = torch.tensor([0.05 * (second - 12) ** 2 + 2 for second in range(20)])
        errors = []
        for pair in repeated(ex.bike_data, 60, noise):
            _, speed = expect.unpack(pair, 2, "(time, speed)")
            expect.tensor(speed, "speed", shape=(20,), dtype=torch.float32)
            errors.append((speed - clean).abs() / noise)
        # A normal error is beyond 2 sigma with probability 0.0455, and none of 1200 is with
        # probability 5e-25. Uniform errors of the same variance stay within 1.74 sigma.
        largest = torch.cat(errors).max().item()
        expect.that(largest > 2, "above 2, now and then", largest, what="largest of 1200 errors")

    def test_every_second_has_an_error_of_its_own(self, ex):
        _, clean = expect.unpack(ex.bike_data(0.0), 2, "(time, speed)")
        _, speed = expect.unpack(ex.bike_data(1.0), 2, "(time, speed)")
        expect.tensor(clean, "speed without noise", shape=(20,), dtype=torch.float32)
        expect.tensor(speed, "speed", shape=(20,), dtype=torch.float32)
        errors = speed - clean
        # Twenty standard normals within 0.01 of each other: probability below 1e-40.
        spread = (errors.max() - errors.min()).item()
        expect.that(spread > 0.01, "different errors at different seconds", errors, what="errors")

    def test_every_call_draws_anew(self, ex):
        _, one = expect.unpack(ex.bike_data(1.0), 2, "(time, speed)")
        _, other = expect.unpack(ex.bike_data(1.0), 2, "(time, speed)")
        expect.tensor(one, "speed", shape=(20,))
        expect.tensor(other, "speed", shape=(20,))
        # Twenty differences of standard normals all below 0.01: probability below 1e-40.
        gap = (one - other).abs().max().item()
        expect.that(gap > 0.01, "other errors than in the call before", other, what="speed")


@pytest.mark.task("quadratic", points=1)
class TestQuadratic:
    """a·t² + b·t + c, at all times at once, in the graph."""

    def test_example(self, ex):
        t, params = torch.tensor([0.0, 1.0, 2.0]), torch.tensor([1.0, 2.0, 3.0])
        expect.close(ex.quadratic(t, params), torch.tensor([3.0, 6.0, 11.0]))

    def test_drawn_times(self, ex, rng):
        t, params = rng.distinct(*rng.sizes(2)), rng.distinct(3)
        want = predictions(params, t)
        with expect.unchanged(t, params):
            got = ex.quadratic(t, params)
        expect.close(got, want)

    def test_drawn_gradient_reaches_the_parameters(self, ex, rng):
        t, params = rng.distinct(rng.integer(4, 9)), leaf(rng.distinct(3))
        upstream = rng.distinct(len(t))
        want = torch.stack([(upstream * factor).sum() for factor in (t * t, t, torch.ones(len(t)))])
        got = ex.quadratic(t, params)
        expect.tensor(got, shape=t.shape, requires_grad=True)
        got.backward(upstream)
        expect.close(params.grad, want, what="params.grad after a backward pass through the result")


@pytest.mark.task("mse", points=1)
class TestMse:
    """The mean of the squared errors, a scalar in the graph."""

    def test_example(self, ex):
        preds, targets = torch.tensor([1.0, 2.0, 3.0]), torch.tensor([0.0, 3.0, 1.0])
        expect.close(ex.mse(preds, targets), torch.tensor(2.0))

    def test_drawn_predictions(self, ex, rng):
        preds = rng.distinct(*rng.sizes(2))
        targets = rng.distinct(*preds.shape)
        pairs = zip(preds.flatten().tolist(), targets.flatten().tolist(), strict=True)
        want = torch.tensor(sum((one - other) ** 2 for one, other in pairs) / preds.numel())
        with expect.unchanged(preds, targets):
            got = ex.mse(preds, targets)
        expect.close(got, want)

    def test_drawn_gradient_reaches_the_predictions(self, ex, rng):
        start, targets = rng.distinct(6), rng.distinct(6)
        want = 2 * (start - targets) / 6
        preds = leaf(start)
        got = ex.mse(preds, targets)
        expect.tensor(got, shape=(), requires_grad=True)
        got.backward()
        expect.close(preds.grad, want, what="preds.grad after a backward pass through the result")


@pytest.mark.task("apply_step", points=3)
class TestApplyStep:
    """One step in place, the predictions before it, a clean gradient after it."""

    def test_example(self, ex):
        params = torch.tensor([1.0, 0.0, 0.0], requires_grad=True)
        t, speed = torch.tensor([0.0, 1.0, 2.0]), torch.tensor([1.0, 2.0, 3.0])
        got = ex.apply_step(params, t, speed, 0.3)
        expect.close(got, torch.tensor([0.0, 1.0, 4.0]))
        expect_params(params, torch.tensor([0.4, -0.2, 0.2]))

        again = ex.apply_step(params, t, speed, 0.3)
        expect.close(again, torch.tensor([0.2, 0.4, 1.4]), what="the predictions of call 2")
        expect_params(params, torch.tensor([2.0, 0.76, 1.0]), what="params after call 2")

    def test_drawn_step(self, ex, rng):
        (t, speed), start = draw_data(rng), rng.distinct(3)
        lr = rng.choice([0.01, 0.02, 0.05])
        want, (_, moved) = predictions(start, t), walk(start, t, speed, lr, 1)[0]
        params = leaf(start)
        with expect.unchanged(t, speed):
            got = ex.apply_step(params, t, speed, lr)
        expect.close(got, want)
        expect_params(params, moved)

    def test_drawn_steps_in_a_row(self, ex, rng):
        (t, speed), start = draw_data(rng), rng.distinct(3)
        path, _ = walk(start, t, speed, 0.02, 4)
        wanted = [predictions(params, t) for params in path]
        params = leaf(start)
        for step in range(1, 5):
            got = ex.apply_step(params, t, speed, 0.02)
            expect.close(got, wanted[step - 1], what=f"the predictions of call {step}")
            expect_params(params, path[step], what=f"params after call {step}")

    def test_gradient_is_clean_afterwards(self, ex, rng):
        (t, speed), params = draw_data(rng), leaf(rng.distinct(3))
        ex.apply_step(params, t, speed, 0.02)
        if params.grad is not None:
            expect.close(params.grad, torch.zeros(3), what="params.grad")

    def test_params_stay_a_leaf_in_training(self, ex, rng):
        (t, speed), params = draw_data(rng), leaf(rng.distinct(3))
        ex.apply_step(params, t, speed, 0.02)
        expect.tensor(params, "params", shape=(3,), requires_grad=True, is_leaf=True)


@pytest.mark.task("fit", points=3)
class TestFit:
    """The whole way from torch.randn(3), one step after the other."""

    def test_example(self, ex):
        t = torch.arange(20.0)
        speed = 0.05 * (t - 12) ** 2 + 2
        torch.manual_seed(7)
        path, losses = walk(torch.randn(3), t, speed, 1e-5, 3)

        torch.manual_seed(7)
        got = ex.fit(t, speed, 1e-5, 3)
        params, got_losses = expect.unpack(got, 2, "(params, losses)")
        expect.close(got_losses, losses, what="losses")
        expect.tensor(params, "params", shape=(3,))
        expect.close(params.detach(), path[-1], what="params")

    @pytest.mark.parametrize("n_steps", [1, 2, 3, 4, 5, 6])
    def test_drawn_path(self, ex, rng, n_steps):
        t, speed = draw_data(rng)
        lr, seed = rng.choice([0.01, 0.02, 0.03]), rng.integer(0, 10_000)
        torch.manual_seed(seed)
        path, _ = walk(torch.randn(3), t, speed, lr, n_steps)

        torch.manual_seed(seed)
        params, _ = expect.unpack(ex.fit(t, speed, lr, n_steps), 2, "(params, losses)")
        expect.tensor(params, "params", shape=(3,))
        expect.close(params.detach(), path[-1], what=f"params after {n_steps} steps")

    @pytest.mark.parametrize("n_steps", [1, 2, 6])
    def test_drawn_losses(self, ex, rng, n_steps):
        t, speed = draw_data(rng)
        lr, seed = rng.choice([0.01, 0.02, 0.03]), rng.integer(0, 10_000)
        torch.manual_seed(seed)
        _, want = walk(torch.randn(3), t, speed, lr, n_steps)

        torch.manual_seed(seed)
        _, losses = expect.unpack(ex.fit(t, speed, lr, n_steps), 2, "(params, losses)")
        expect.close(losses, want, what="losses")

    def test_every_call_starts_anew(self, ex, rng):
        t, speed = draw_data(rng)
        one, _ = expect.unpack(ex.fit(t, speed, 0.01, 1), 2, "(params, losses)")
        other, _ = expect.unpack(ex.fit(t, speed, 0.01, 1), 2, "(params, losses)")
        expect.tensor(one, "params", shape=(3,))
        expect.tensor(other, "params", shape=(3,))
        # Three normal draws all within 0.0001 of three others: probability below 1e-12; the step
        # shrinks their distance by less than ten.
        gap = (one - other).detach().abs().max().item()
        expect.that(gap > 1e-5, "other parameters than in the call before", other, what="params")

    def test_data_stay_as_they_are(self, ex, rng):
        t, speed = draw_data(rng)
        with expect.unchanged(t, speed):
            ex.fit(t, speed, 0.01, 2)


def stops(losses, patience, min_delta):
    """The rule in loops."""
    split = len(losses) - patience
    if split < 1:
        return False
    for loss in losses[split:]:
        if all(earlier - loss > min_delta for earlier in losses[:split]):
            return False
    return True


@pytest.mark.task("should_stop", points=2)
class TestShouldStop:
    """The best of the last few against the best before them."""

    def test_example(self, ex):
        losses = [9.0, 5.0, 4.0, 4.5, 3.9, 4.2]
        expect.equal(ex.should_stop(losses, 2, 0.25), True)
        expect.equal(ex.should_stop(losses, 2, 0.05), False)

    def test_drawn_losses(self, ex, rng):
        patience, min_delta = rng.integer(2, 4), rng.choice([0.0, 0.25, 0.5, 1.0])
        falling = torch.linspace(8, 4, 14) + rng.uniform(14, low=-2, high=2)
        losses = [round(4 * loss) / 4 for loss in falling.tolist()]  # quarters: no rounding
        for n in range(len(losses) + 1):
            want = stops(losses[:n], patience, min_delta)
            got = ex.should_stop(losses[:n], patience, min_delta)
            expect.equal(got, want, what=f"the answer for losses {losses[:n]}")

    @pytest.mark.parametrize("patience", [1, 2, 5])
    def test_not_before_there_is_something_to_compare_with(self, ex, patience):
        rising = [float(n) for n in range(patience + 1)]
        for n in range(patience + 1):
            got = ex.should_stop(rising[:n], patience, 0.5)
            expect.equal(got, False, what=f"the answer for losses {rising[:n]}")
        got = ex.should_stop(rising, patience, 0.5)
        expect.equal(got, True, what=f"the answer for losses {rising}")

    def test_a_gain_of_exactly_min_delta_is_too_small(self, ex):
        expect.equal(ex.should_stop([4.0, 3.0, 2.5], 1, 0.5), True)
        expect.equal(ex.should_stop([4.0, 3.0, 2.5], 1, 0.375), False)

    def test_no_gain_at_all_is_too_small(self, ex):
        expect.equal(ex.should_stop([4.0, 3.0, 3.0], 1, 0.5), True)
        expect.equal(ex.should_stop([4.0, 3.0, 3.0], 1, 0.0), True)

    def test_a_large_gain_goes_on(self, ex):
        expect.equal(ex.should_stop([8.0, 2.0], 1, 0.5), False)

    def test_small_gains_add_up(self, ex):
        expect.equal(ex.should_stop([5.0, 4.75, 4.5, 4.25], 3, 0.5), False)
        expect.equal(ex.should_stop([5.0, 4.75, 4.5, 4.25], 3, 0.75), True)

    def test_one_good_loss_among_the_last_few_is_enough(self, ex):
        expect.equal(ex.should_stop([5.0, 4.0, 3.0, 6.0, 7.0], 3, 0.5), False)
        expect.equal(ex.should_stop([5.0, 4.0, 6.0, 7.0, 3.0], 3, 0.5), False)

    def test_the_best_before_counts_wherever_it_stands(self, ex):
        expect.equal(ex.should_stop([2.0, 9.0, 8.0, 7.0, 6.0], 2, 0.0), True)
        expect.equal(ex.should_stop([8.0, 2.0, 9.0, 7.0, 6.0], 2, 0.0), True)

    def test_losses_stay_as_they_are(self, ex, rng):
        losses = rng.shuffled([1.0, 2.0, 3.0, 4.0, 5.0])
        before = list(losses)
        ex.should_stop(losses, 2, 0.1)
        expect.equal(losses, before, what="losses after the call")
