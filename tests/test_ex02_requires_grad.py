"""Exercise 02, requires_grad: which tensors are tracked, which are leaves, and the way out.

A parameter is a tracked leaf; freezing acts on the tensor itself; a copy shares neither graph nor
memory; and a prediction without a graph records nothing at all, not even on the way.
"""

import pytest
import torch

from grader import expect


@pytest.mark.task("track", points=1)
class TestTrack:
    """A number as a tracked float32 leaf."""

    def test_example(self, ex):
        got = ex.track(8.0)
        expect.tensor(got, shape=(), dtype=torch.float32, requires_grad=True, is_leaf=True)
        expect.close(got, torch.tensor(8.0))

    def test_drawn_numbers(self, ex, rng):
        fraction = rng.integer(-9, 9) + rng.choice([0.25, 0.5, 0.75])
        for value in (rng.number(), fraction, rng.number(-100, 100)):
            got = ex.track(value)
            expect.tensor(got, shape=(), dtype=torch.float32, requires_grad=True, is_leaf=True)
            expect.close(got, torch.tensor(value))

    def test_whole_numbers(self, ex, rng):
        for value in (rng.integer(2, 9), 0, rng.integer(-9, -2)):
            got = ex.track(value)
            expect.tensor(got, shape=(), dtype=torch.float32, requires_grad=True, is_leaf=True)
            expect.close(got, torch.tensor(float(value)))


def looks_normal(values, std):
    """Mean, spread and tails of 10,000 values are those of a normal distribution around 0.

    Bounds of 7 standard errors: each raises a false alarm in fewer than 1 of 10^10 runs.
    (Standard errors: std / 100 for the mean, 0.0071 · std for the spread, and
    sqrt(0.0455 · 0.9545 / 10,000) = 0.0021 for the share beyond two std, which is 0.0455.)
    """
    values = values.detach().double().flatten()
    mean, spread = values.mean().item(), values.std().item()
    beyond = (values.abs() > 2 * std).double().mean().item()
    expect.that(
        abs(spread - std) < 0.05 * std,
        f"a standard deviation near {std}",
        got=spread,
        what="standard deviation of 10,000",
    )
    expect.that(abs(mean) < 0.07 * std, "a mean near 0", got=mean, what="mean of 10,000")
    expect.that(
        abs(beyond - 0.0455) < 0.015,
        "about 0.0455, as of a normal distribution",
        got=beyond,
        what="share of values beyond 2 std",
    )


@pytest.mark.task("init_params", points=2)
class TestInitParams:
    """Random parameters: a tracked leaf."""

    def test_example(self, ex):
        got = ex.init_params(3)
        expect.tensor(got, shape=(3,), dtype=torch.float32, requires_grad=True, is_leaf=True)
        expect.that(
            got.unique().numel() > 1, "values drawn one by one, not one for all", got=got.detach()
        )

    def test_drawn_sizes_and_std(self, ex, rng):
        size, std = rng.sizes(3), rng.number(0.1, 3.0)
        got = ex.init_params(size, std)
        expect.tensor(got, shape=size, dtype=torch.float32, requires_grad=True, is_leaf=True)
        n = rng.integer(4, 9)
        got = ex.init_params(n, std=std)
        expect.tensor(got, shape=(n,), dtype=torch.float32, requires_grad=True, is_leaf=True)

    def test_standard_normal_by_default(self, ex):
        got = ex.init_params((50, 200))
        expect.tensor(got, shape=(50, 200), dtype=torch.float32)
        looks_normal(got, 1.0)

    def test_drawn_std_is_the_spread(self, ex, rng):
        std = rng.choice([0.01, 0.1, 0.25, 3.0, 20.0])
        got = ex.init_params((200, 50), std)
        expect.tensor(got, shape=(200, 50), dtype=torch.float32)
        looks_normal(got, std)

    def test_two_calls_differ(self, ex):
        first, second = ex.init_params(5), ex.init_params(5)
        expect.tensor(first, shape=(5,))
        expect.tensor(second, shape=(5,))
        same = torch.equal(first, second)
        expect.that(not same, "other values at a second call", got=second.detach().clone())


def parameter(*shape):
    """A tracked leaf."""
    return torch.randn(shape).requires_grad_()


@pytest.mark.task("is_trainable_leaf", points=1)
class TestIsTrainableLeaf:
    """True for a tracked leaf, False for data and results."""

    def test_example(self, ex):
        w = torch.zeros(3).requires_grad_()
        expect.equal(ex.is_trainable_leaf(w), True)
        expect.equal(ex.is_trainable_leaf(torch.zeros(3)), False)
        expect.equal(ex.is_trainable_leaf(w * 2), False)

    def test_drawn_tensors(self, ex, rng):
        # Of both kinds and in any order, so that no one answer is right.
        w = parameter(*rng.sizes(2))
        tensors = [(w, True), (w * rng.number(), False), (w.detach(), False), (parameter(), True)]
        for tensor, want in rng.shuffled(tensors):
            expect.equal(ex.is_trainable_leaf(tensor), want)

    def test_results_are_not_leaves(self, ex, rng):
        w = parameter(*rng.sizes(2))
        for result in rng.shuffled([w * rng.number(), w.sum(), w.exp(), w.T]):
            expect.equal(ex.is_trainable_leaf(result), False)

    def test_parameters_are(self, ex, rng):
        for dims in rng.shuffled([0, 1, 2, 3]):
            expect.equal(ex.is_trainable_leaf(parameter(*rng.sizes(dims))), True)

    def test_with_a_gradient_or_without(self, ex):
        w = parameter(3)
        w.grad = torch.ones(3)
        expect.equal(ex.is_trainable_leaf(w), True)
        w.requires_grad_(False)
        expect.equal(ex.is_trainable_leaf(w), False)

    def test_whole_numbers_are_data(self, ex):
        expect.equal(ex.is_trainable_leaf(torch.arange(4)), False)

    def test_result_made_a_leaf_again(self, ex):
        detached = parameter(3).exp().detach()
        expect.equal(ex.is_trainable_leaf(detached), False)
        expect.equal(ex.is_trainable_leaf(detached.requires_grad_()), True)


@pytest.mark.task("freeze", points=2)
class TestFreeze:
    """No tensor of the list is tracked any more."""

    def test_example(self, ex):
        w = torch.ones(3).requires_grad_()
        ex.freeze([w])
        expect.tensor(w, what="w", requires_grad=False)

    def test_drawn_parameters(self, ex, rng):
        params = [parameter(*rng.sizes(2)) for _ in range(rng.integer(2, 4))]
        tensors = list(params)
        ex.freeze(params)
        for index, one in enumerate(tensors):
            expect.tensor(one, what=f"params[{index}]", requires_grad=False, is_leaf=True)

    def test_frozen_ones_stay_frozen(self, ex):
        w, data, b = parameter(3), torch.ones(2), parameter(1)
        ex.freeze([w, data, b])
        expect.tensor(data, what="params[1], frozen before", requires_grad=False)
        expect.tensor(w, what="params[0]", requires_grad=False)
        expect.tensor(b, what="params[2]", requires_grad=False)

    def test_with_a_gradient_or_without(self, ex):
        w, b = parameter(3), parameter(1)
        w.grad = torch.ones(3)
        ex.freeze([w, b])
        expect.tensor(w, what="params[0], with a gradient", requires_grad=False)
        expect.tensor(b, what="params[1], without one", requires_grad=False)

    def test_values_stay(self, ex, rng):
        w, b = rng.normal(2, 3).requires_grad_(), rng.normal(4).requires_grad_()
        wanted = [w.detach().clone(), b.detach().clone()]
        ex.freeze([w, b])
        expect.equal([w.detach(), b.detach()], wanted, what="params")


@pytest.mark.task("detached_copy", points=2)
class TestDetachedCopy:
    """The same values, without the graph and in memory of their own."""

    def test_example(self, ex):
        w = torch.tensor([1.0, 2.0, 3.0]).requires_grad_()
        got = ex.detached_copy(w)
        expect.tensor(got, requires_grad=False, is_leaf=True)
        expect.equal(got, torch.tensor([1.0, 2.0, 3.0]))
        with torch.no_grad():
            w.zero_()
        want = torch.tensor([1.0, 2.0, 3.0])
        expect.equal(got, want, what="the copy, after the original was changed")

    def test_drawn_results(self, ex, rng):
        w = rng.normal(*rng.sizes(2)).requires_grad_()
        factor = rng.number()
        want = w.detach() * factor
        got = ex.detached_copy(w * factor)
        expect.tensor(got, requires_grad=False, is_leaf=True)
        expect.equal(got, want)

    def test_dtype_stays(self, ex, rng):
        w = rng.normal(*rng.sizes(2), dtype=torch.float64)
        whole = rng.integers(0, 99, *rng.sizes(2))
        for t in (w, whole):
            want = t.clone()
            expect.equal(ex.detached_copy(t), want)

    def test_changing_the_copy_leaves_the_original(self, ex, rng):
        w = rng.normal(*rng.sizes(2)).requires_grad_()
        want = w.detach().clone()
        got = ex.detached_copy(w)
        expect.tensor(got, shape=want.shape)
        with torch.no_grad():
            got.zero_()
        expect.equal(w.detach(), want, what="the original, after its copy was changed")

    def test_changing_the_original_leaves_the_copy(self, ex, rng):
        t = rng.normal(*rng.sizes(2))
        want = t.clone()
        got = ex.detached_copy(t)
        t.zero_()
        expect.equal(got, want, what="the copy, after the original was changed")

    def test_original_unchanged(self, ex, rng):
        w = rng.normal(*rng.sizes(2)).requires_grad_()
        w.grad = torch.ones_like(w)
        with expect.unchanged(w):
            ex.detached_copy(w)


@pytest.mark.task("predict_without_graph", points=2)
class TestPredictWithoutGraph:
    """f(x), with nothing recorded while f runs."""

    def test_example(self, ex):
        w = torch.tensor(3.0).requires_grad_()
        recorded = []

        @expect.named("x ↦ w · x")
        def model(x):
            y = w * x
            recorded.append(y.requires_grad)
            return y

        got = ex.predict_without_graph(model, torch.tensor([1.0, 2.0]))
        expect.tensor(got, requires_grad=False)
        expect.close(got, torch.tensor([3.0, 6.0]))
        expect.equal(recorded, [False], what="recording while f runs, call by call")

    def test_drawn_models(self, ex, rng):
        n, m = rng.sizes(2)
        w, b, x = rng.normal(m), rng.normal(n, 1), rng.normal(n, m)
        want = x * w + b
        for p in (w, b):
            p.requires_grad_()

        @expect.named("x ↦ x · w + b")
        def model(x):
            return x * w + b

        got = ex.predict_without_graph(model, x)
        expect.tensor(got, requires_grad=False)
        expect.close(got, want)

    def test_nothing_is_recorded_on_the_way(self, ex, rng):
        w, x = parameter(4), rng.normal(4)
        recorded = []

        @expect.named("x ↦ sum of (w · x)²")
        def model(x):
            product = w * x
            square = product**2
            recorded.append([product.requires_grad, square.requires_grad])
            return square.sum()

        ex.predict_without_graph(model, x)
        expect.equal(recorded, [[False, False]], what="recording of w · x and its square")

    def test_tracked_x(self, ex, rng):
        x = rng.normal(*rng.sizes(2))
        want = x**2 + 1
        x.requires_grad_()

        @expect.named("x ↦ x² + 1")
        def model(x):
            return x**2 + 1

        with expect.unchanged(x):
            got = ex.predict_without_graph(model, x)
        expect.tensor(got, requires_grad=False)
        expect.close(got, want)

    def test_recording_goes_on_afterwards(self, ex, rng):
        w, x = parameter(4), rng.normal(4)

        @expect.named("x ↦ w · x")
        def model(x):
            return w * x

        ex.predict_without_graph(model, x)
        recording = (w * x).requires_grad
        torch.set_grad_enabled(True)  # whatever was left behind ends with this test
        expect.equal(recording, True, what="recording after the call")
