"""Exercise 05, lr_step: one step against the gradient, many steps, and how large they may be.

A step changes the very tensors it is given and nothing else about them; a path takes its slope
anew at every place; the losses at both ends tell whether the rate was right; and on a parabola
there is a sharp bound on it. What `step` returns is left open.
"""

import math

import pytest
import torch

from grader import expect


@pytest.mark.task("step", points=3)
class TestStep:
    """p - lr * p.grad, in place, outside the graph."""

    def test_example(self, ex):
        p = torch.tensor([8.0, 1.0], requires_grad=True)
        (p**2).sum().backward()
        ex.step([p], 0.1)
        expect.close(p.detach(), torch.tensor([6.4, 0.8]), what="p")

    def test_drawn_parameters(self, ex, rng):
        params, lr = draw_params(rng), rng.number(0.2, 0.8)
        want = [moved(p, lr) for p in params]
        ex.step(list(params), lr)
        check_params(params, want)

    def test_drawn_rates(self, ex, rng):
        # A rate above 1 is a rate as well.
        for lr in (rng.number(0.1, 0.3), rng.number(1.5, 3)):
            params = (p,) = draw_params(rng)[:1]
            want = [moved(p, lr)]
            ex.step(list(params), lr)
            check_params(params, want)

    def test_drawn_two_steps(self, ex, rng):
        # The second call finds the same gradient and moves by the same amount again.
        params, lr = draw_params(rng), rng.number(0.2, 0.8)
        want = [p.detach() - 2 * lr * p.grad for p in params]
        ex.step(list(params), lr)
        ex.step(list(params), lr)
        check_params(params, want)

    def test_tuple_of_parameters(self, ex, rng):
        params = tuple(draw_params(rng))
        want = [moved(p, 0.5) for p in params]
        ex.step(params, 0.5)
        check_params(params, want)

    def test_same_tensors(self, ex, rng):
        params = draw_params(rng)
        before = list(params)
        ex.step(params, 0.5)
        same = len(params) == len(before) and all(
            new is old for new, old in zip(params, before, strict=True)
        )
        expect.that(same, "the same tensors as before, in the same list", got=params, what="params")

    def test_still_leaves(self, ex, rng):
        params = draw_params(rng)
        ex.step(list(params), 0.5)
        for index, p in enumerate(params):
            expect.tensor(p, what=f"params[{index}]", requires_grad=True, is_leaf=True)

    def test_gradients_stay(self, ex, rng):
        params = draw_params(rng)
        want = [p.grad.clone() for p in params]
        ex.step(list(params), 0.3)
        for index, (p, grad) in enumerate(zip(params, want, strict=True)):
            expect.that(
                isinstance(p.grad, torch.Tensor),
                "the gradient as it was",
                got=p.grad,
                what=f"params[{index}].grad",
            )
            expect.equal(p.grad, grad, what=f"params[{index}].grad")

    def test_can_be_tracked_again(self, ex, rng):
        # After the step a new function of p has a gradient, and it is the slope at the new place.
        params = (p,) = draw_params(rng)[:1]
        want = moved(p, 0.5)
        ex.step(list(params), 0.5)
        expect.tensor(p, what="p", requires_grad=True, is_leaf=True)
        (again,) = torch.autograd.grad((p**2).sum(), [p])
        expect.close(again, 2 * want, what="the gradient of (p**2).sum() after the step")

    def test_without_a_gradient(self, ex, rng):
        # It stands between two that have one, and both of them move.
        one, other = draw_params(rng)[:2]
        unused, last = rng.distinct(3).requires_grad_(), rng.distinct(2, 3).requires_grad_()
        params = [one, unused, other, last]
        want = [moved(one, 0.5), unused.detach().clone()]
        want += [moved(other, 0.5), last.detach().clone()]
        ex.step(list(params), 0.5)
        check_params(params, want)
        for index in (1, 3):
            grad = params[index].grad
            expect.that(grad is None, "None", got=grad, what=f"params[{index}].grad")

    def test_untracked(self, ex, rng):
        frozen, (p,) = rng.distinct(4), draw_params(rng)[:1]
        want = [frozen.clone(), moved(p, 0.5)]
        ex.step([frozen, p], 0.5)
        check_params([frozen, p], want)
        expect.tensor(frozen, what="the untracked one", requires_grad=False)


@pytest.mark.task("descend", points=3)
class TestDescend:
    """The path: each place from the one before and the slope there."""

    def test_example(self, ex):
        check_path(ex.descend(square, 8.0, 0.25, 3), [8.0, 4.0, 2.0, 1.0])

    def test_drawn_parabolas(self, ex, rng):
        c, m, x0 = rng.number(0.5, 2), rng.number(), rng.number(4, 8)
        lr, n_steps = rng.number(0.1, 0.4), rng.integer(3, 6)

        @expect.named(f"x ↦ {c}/2 · (x - {m})²")
        def parabola(x):
            return c / 2 * (x - m) ** 2

        want = walk(lambda x: c * (x - m), x0, lr, n_steps)
        check_path(ex.descend(parabola, x0, lr, n_steps), want)

    def test_drawn_waves(self, ex, rng):
        # The slope differs from place to place: one taken once, or too early, leads elsewhere.
        a, b, x0 = rng.number(0.5, 2), rng.number(0.5, 2), rng.number()
        lr = rng.number(0.1, 0.3)

        @expect.named(f"x ↦ {a}·sin(x) + {b}·x")
        def wave(x):
            return a * torch.sin(x) + b * x

        want = walk(lambda x: a * math.cos(x) + b, x0, lr, 5)
        check_path(ex.descend(wave, x0, lr, 5), want)

    def test_drawn_too_large(self, ex, rng):
        # A rate beyond the bound: the path swings wider and wider, and that is the right answer.
        x0, lr = rng.number(1, 3), rng.number(1.1, 1.4)
        want = walk(lambda x: 2 * x, x0, lr, 6)
        check_path(ex.descend(square, x0, lr, 6), want)

    def test_flat_start(self, ex):
        # The slope at 0 is 0: the path stays where it is, and still has all its places.
        check_path(ex.descend(square, 0.0, 0.1, 3), [0.0, 0.0, 0.0, 0.0])

    def test_whole_number_as_start(self, ex):
        check_path(ex.descend(square, 8, 0.25, 2), [8.0, 4.0, 2.0])

    def test_no_steps(self, ex):
        check_path(ex.descend(square, 8.0, 0.25, 0), [8.0])

    def test_second_call(self, ex):
        ex.descend(square, 8.0, 0.25, 3)
        check_path(ex.descend(square, 4.0, 0.25, 2), [4.0, 2.0, 1.0])


@pytest.mark.task("diagnose_lr", points=2)
class TestDiagnoseLr:
    """Three words for a row of losses."""

    def test_example(self, ex):
        expect.equal(ex.diagnose_lr([4.0, 2.5, 1.1]), "good")
        expect.equal(ex.diagnose_lr([4.0, 3.99, 3.98]), "too small")
        expect.equal(ex.diagnose_lr([4.0, 9.0, 20.3]), "diverging")

    def test_drawn_words(self, ex, rng):
        # All three and in any order, so that no one word is right.
        shares = {"good": (0.1, 0.88), "too small": (0.92, 0.98), "diverging": (1.02, 3.0)}
        for word in rng.shuffled([*shares, *shares]):
            expect.equal(ex.diagnose_lr(losses(rng, 1.0, rng.number(*shares[word]))), word)

    def test_good(self, ex, rng):
        # From more than half to nine tenths of the first, and far below; the scale does not matter.
        for share in (rng.number(0.55, 0.88), rng.number(0.1, 0.4)):
            for scale in (0.01, 1.0, 1000.0):
                expect.equal(ex.diagnose_lr(losses(rng, scale, share)), "good")

    def test_too_small(self, ex, rng):
        for scale in (0.01, 1.0, 1000.0):
            ends = losses(rng, scale, rng.number(0.92, 0.98))
            expect.equal(ex.diagnose_lr(ends), "too small")

    def test_diverging(self, ex, rng):
        for share in (rng.number(1.02, 1.08), rng.number(2, 3)):
            for scale in (0.01, 1.0, 1000.0):
                expect.equal(ex.diagnose_lr(losses(rng, scale, share)), "diverging")

    def test_rise_below_the_start(self, ex):
        expect.equal(ex.diagnose_lr([4.0, 0.5, 2.0, 1.1]), "good")

    def test_up_and_down_between(self, ex):
        # Only the ends are compared.
        expect.equal(ex.diagnose_lr([4.0, 9.0, 0.5, 1.1]), "good")
        expect.equal(ex.diagnose_lr([4.0, 0.5, 9.0, 3.9]), "too small")
        expect.equal(ex.diagnose_lr([4.0, 3.0, 0.5, 4.4]), "diverging")

    def test_standing_still(self, ex):
        # Not above the first, so not diverging.
        expect.equal(ex.diagnose_lr([4.0, 5.0, 4.0]), "too small")

    def test_ends_infinite(self, ex):
        expect.equal(ex.diagnose_lr([4.0, 1e30, math.inf]), "diverging")

    def test_ends_not_a_number(self, ex):
        expect.equal(ex.diagnose_lr([4.0, math.inf, math.nan]), "diverging")
        expect.equal(ex.diagnose_lr([4.0, 3.0, math.nan]), "diverging")

    def test_infinite_on_the_way(self, ex):
        expect.equal(ex.diagnose_lr([4.0, math.inf, 3.9, 1.0]), "diverging")

    def test_not_a_number_on_the_way(self, ex):
        expect.equal(ex.diagnose_lr([4.0, math.nan, 1.0]), "diverging")
        expect.equal(ex.diagnose_lr([math.nan, 4.0, 1.0]), "diverging")


@pytest.mark.task("largest_stable_lr", points=1)
class TestLargestStableLr:
    """The rate at which a step lands as far on the other side."""

    def test_example(self, ex):
        expect.close(ex.largest_stable_lr(2.0), 1.0)

    def test_drawn_curvatures(self, ex, rng):
        for c in (rng.number(0.1, 0.9), rng.number(2.5, 30)):
            expect.close(ex.largest_stable_lr(c), 2 / c)

    def test_drawn_either_side(self, ex, rng):
        # A hundred steps on c/2 · x² from x = 1, a little below the bound and a little above it.
        c = rng.number(0.2, 20)
        bound = ex.largest_stable_lr(c)
        expect.instance(bound, float)
        for lr, closes_in in ((0.95 * bound, True), (1.05 * bound, False)):
            distance = abs(walk(lambda x: c * x, 1.0, lr, 100)[-1])
            expect.that(
                (distance < 1) is closes_in,
                f"a path that {'closes in' if closes_in else 'swings away'}",
                got=f"{distance:.3g} times as far off after 100 steps at lr = {lr:.5g}",
                what=f"the bound {bound:.5g} for curvature {c}",
            )


def square(x):
    return x**2


def draw_params(rng):
    """Three tracked leaves of different shapes, each with a gradient of its own."""
    rows, columns, size = rng.sizes(3)
    params = [
        rng.distinct(rows, columns),
        rng.distinct(size).double(),
        torch.tensor(rng.number()),
    ]
    for p in params:
        p.requires_grad_()
        p.grad = rng.normal(*p.shape, dtype=p.dtype)
    return params


def moved(p, lr):
    """Where a parameter has to be after one step, computed before it."""
    return p.detach() - lr * p.grad


def check_params(params, want):
    for index, (p, place) in enumerate(zip(params, want, strict=True)):
        expect.close(p.detach(), place, what=f"params[{index}]")


def walk(slope, x0, lr, n_steps):
    path = [x0]
    for _ in range(n_steps):
        path.append(path[-1] - lr * slope(path[-1]))
    return path


def check_path(got, want):
    expect.instance(got, list, what="path")
    places = f"a list of {len(want)} floats: the start, and the place after each step"
    expect.that(len(got) == len(want), places, got=got, what="path")
    for index, place in enumerate(got):
        expect.instance(place, (float, int), what=f"path[{index}]")
    near = all(abs(a - b) <= 1e-4 + 1e-3 * abs(b) for a, b in zip(got, want, strict=True))
    expect.that(near, f"{[round(place, 4) for place in want]}", got=got, what="path")


def losses(rng, scale, share):
    """Losses whose last is `share` of the first; those between lie anywhere around both."""
    first = scale * rng.number(2, 4)
    between = [first * rng.number(0.2, 1.8) for _ in range(rng.integer(1, 4))]
    return [first, *between, first * share]
