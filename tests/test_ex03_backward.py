"""Exercise 03, backward: slopes, gradients and vector-Jacobian products through autograd, checked
against differences and against the chain rule.

Expected values come from derivatives worked out by hand, never from autograd.
"""

import math

import pytest
import torch

from grader import expect


def square(x):
    return x**2


def sum_of_squares(x):
    return (x**2).sum()


@pytest.mark.task("slope", points=1)
class TestSlope:
    """The derivative of f at x, as a Python float."""

    def test_example(self, ex):
        expect.close(ex.slope(square, 3.0), 6.0)

    def test_drawn_cubics(self, ex, rng):
        a, b, x = rng.number(), rng.number(), rng.number()

        @expect.named(f"x ↦ {a}·x³ + {b}·x")
        def cubic(x):
            return a * x**3 + b * x

        expect.close(ex.slope(cubic, x), 3 * a * x**2 + b, rtol=1e-3, atol=1e-4)

    def test_drawn_waves(self, ex, rng):
        a, x = rng.number(), rng.number()

        @expect.named(f"x ↦ sin({a}·x)·exp(x)")
        def wave(x):
            return torch.sin(a * x) * torch.exp(x)

        want = (a * math.cos(a * x) + math.sin(a * x)) * math.exp(x)
        expect.close(ex.slope(wave, x), want, rtol=1e-3, atol=1e-4)

    def test_whole_number(self, ex, rng):
        n = rng.integer(2, 9)
        expect.close(ex.slope(square, n), 2.0 * n)

    def test_twice_in_a_row(self, ex, rng):
        x = rng.number()
        ex.slope(square, x)
        expect.close(ex.slope(square, x), 2 * x)


@pytest.mark.task("gradient", points=2)
class TestGradient:
    """The gradient of a scalar function at a tensor, which is left as it was."""

    def test_example(self, ex):
        expect.close(
            ex.gradient(sum_of_squares, torch.tensor([1.0, -2.0])), torch.tensor([2.0, -4.0])
        )

    def test_drawn_matrices(self, ex, rng):
        rows, columns = rng.sizes(2)
        x, weights = rng.distinct(rows, columns), rng.distinct(rows, columns)

        @expect.named("x ↦ Σ w·x³")
        def weighted(x):
            return (weights * x**3).sum()

        expect.close(ex.gradient(weighted, x.clone()), 3 * weights * x**2)

    def test_drawn_products(self, ex, rng):
        x = rng.distinct(rng.integer(3, 6))
        want = torch.stack([torch.cat([x[:i], x[i + 1 :]]).prod() for i in range(len(x))])

        @expect.named("x ↦ x₁·x₂·…·xₙ")
        def product(x):
            return torch.prod(x)

        expect.close(ex.gradient(product, x.clone()), want)

    def test_scalar_tensor(self, ex, rng):
        x = rng.number()
        expect.close(ex.gradient(square, torch.tensor(x)), torch.tensor(2 * x))

    def test_double_precision(self, ex, rng):
        x = rng.normal(4, dtype=torch.float64)
        expect.close(ex.gradient(sum_of_squares, x.clone()), 2 * x)

    def test_tracked_x(self, ex, rng):
        x = rng.distinct(3, 2)
        leaf = x.clone().requires_grad_()
        expect.close(ex.gradient(sum_of_squares, leaf), 2 * x)

    def test_gradient_already_there_does_not_count(self, ex, rng):
        x = rng.distinct(4)
        leaf = x.clone().requires_grad_()
        leaf.grad = rng.distinct(4)
        expect.close(ex.gradient(sum_of_squares, leaf), 2 * x)

    def test_x_computed_from_another_tensor(self, ex, rng):
        source = rng.distinct(4)
        x = source.clone().requires_grad_() * 2
        expect.close(ex.gradient(sum_of_squares, x), 4 * source)

    def test_leaves_x_alone(self, ex, rng):
        x = rng.distinct(5)
        with expect.unchanged(x):
            ex.gradient(sum_of_squares, x)

    def test_leaves_a_tracked_x_alone(self, ex, rng):
        x = rng.distinct(5).requires_grad_()
        x.grad = rng.distinct(5)
        with expect.unchanged(x):
            ex.gradient(sum_of_squares, x)

    def test_result_is_not_tracked(self, ex, rng):
        got = ex.gradient(sum_of_squares, rng.distinct(3))
        expect.tensor(got, shape=(3,), requires_grad=False)


@pytest.mark.task("vector_jacobian", points=2)
class TestVectorJacobian:
    """The product of an upstream gradient with the Jacobian of f."""

    def test_example(self, ex):
        x, v = torch.tensor([1.0, 2.0]), torch.tensor([1.0, 10.0])
        expect.close(ex.vector_jacobian(square, x, v), torch.tensor([2.0, 40.0]))

    def test_drawn_linear_maps(self, ex, rng):
        n_out, n_in = rng.sizes(2)
        matrix, x, v = rng.distinct(n_out, n_in), rng.distinct(n_in), rng.distinct(n_out)
        want = (v.unsqueeze(1) * matrix).sum(0)

        @expect.named("x ↦ A·x")
        def linear(x):
            return matrix @ x

        expect.close(ex.vector_jacobian(linear, x.clone(), v.clone()), want)

    def test_drawn_elementwise(self, ex, rng):
        shape = rng.sizes(2)
        x, v = rng.distinct(*shape), rng.distinct(*shape)

        @expect.named("x ↦ x³")
        def cube(x):
            return x**3

        expect.close(ex.vector_jacobian(cube, x.clone(), v.clone()), 3 * v * x**2)

    def test_output_of_another_shape(self, ex, rng):
        rows, columns = rng.sizes(2)
        x, v = rng.distinct(rows, columns), rng.distinct(columns)
        want = v.repeat(rows, 1)

        @expect.named("x ↦ sum of its rows")
        def column_sums(x):
            return x.sum(0)

        expect.close(ex.vector_jacobian(column_sums, x.clone(), v.clone()), want)

    def test_gradient_already_there_does_not_count(self, ex, rng):
        x, v = rng.distinct(4), rng.distinct(4)
        leaf = x.clone().requires_grad_()
        leaf.grad = rng.distinct(4)
        expect.close(ex.vector_jacobian(square, leaf, v.clone()), 2 * v * x)

    def test_leaves_its_arguments_alone(self, ex, rng):
        x, v = rng.distinct(5).requires_grad_(), rng.distinct(5)
        x.grad = rng.distinct(5)
        with expect.unchanged(x, v):
            ex.vector_jacobian(square, x, v)

    def test_result_is_not_tracked(self, ex, rng):
        got = ex.vector_jacobian(square, rng.distinct(3), rng.distinct(3))
        expect.tensor(got, shape=(3,), requires_grad=False)


@pytest.mark.task("numeric_gradient", points=2)
class TestNumericGradient:
    """The gradient by central differences."""

    def test_example(self, ex):
        x = torch.tensor([1.0, -2.0], dtype=torch.float64)
        want = torch.tensor([2.0, -4.0], dtype=torch.float64)
        expect.close(ex.numeric_gradient(sum_of_squares, x, 1e-3), want)

    def test_drawn_matrices(self, ex, rng):
        # The central difference of w·x³ is w·(3x² + ε²), with no other error at all.
        rows, columns = rng.sizes(2)
        x, weights = rng.distinct(rows, columns).double(), rng.distinct(rows, columns).double()
        eps = rng.number(0.1, 0.4)

        @expect.named("x ↦ Σ w·x³")
        def weighted(x):
            return (weights * x**3).sum()

        want = weights * (3 * x**2 + eps**2)
        expect.close(ex.numeric_gradient(weighted, x.clone(), eps), want)

    def test_drawn_mixed_terms(self, ex, rng):
        x = rng.distinct(rng.integer(3, 6)).double()
        want = torch.stack([torch.cat([x[:i], x[i + 1 :]]).prod() for i in range(len(x))])

        @expect.named("x ↦ x₁·x₂·…·xₙ")
        def product(x):
            return torch.prod(x)

        expect.close(ex.numeric_gradient(product, x.clone(), 0.01), want)

    def test_single_precision(self, ex, rng):
        x = rng.distinct(3)
        expect.close(
            ex.numeric_gradient(sum_of_squares, x.clone(), 0.05), 2 * x, rtol=1e-2, atol=1e-2
        )

    def test_scalar_tensor(self, ex, rng):
        x = torch.tensor(rng.number(), dtype=torch.float64)
        expect.close(ex.numeric_gradient(square, x.clone(), 0.01), 2 * x)

    def test_double_precision(self, ex, rng):
        # The central difference of w·x is w; what is left is the rounding of float64, 1e-14.
        # A step of 0.1 or 0.3 in float32 is off by 1e-8 of itself.
        x, weights = rng.distinct(4).double(), rng.distinct(4).double()

        @expect.named("x ↦ Σ w·x")
        def weighted(x):
            return (weights * x).sum()

        got = ex.numeric_gradient(weighted, x.clone(), rng.choice([0.1, 0.3]))
        expect.close(got, weights.clone(), rtol=1e-10, atol=1e-11)

    def test_function_with_a_parameter(self, ex, rng):
        x, weights = rng.distinct(3).double(), rng.distinct(3).double().requires_grad_()
        want = weights.detach().clone()

        @expect.named("x ↦ Σ w·x, w tracked")
        def weighted(x):
            return (weights * x).sum()

        got = ex.numeric_gradient(weighted, x.clone(), 0.01)
        expect.tensor(got, shape=(3,), requires_grad=False)
        expect.close(got, want)

    def test_tracked_x(self, ex, rng):
        x = rng.distinct(3).double().requires_grad_()
        want = 2 * x.detach()
        got = ex.numeric_gradient(sum_of_squares, x, 0.01)
        expect.close(got, want)
        expect.tensor(got, requires_grad=False)

    def test_leaves_x_alone(self, ex, rng):
        x = rng.distinct(4, 3).double()
        x.requires_grad_().grad = rng.distinct(4, 3).double()
        with expect.unchanged(x):
            ex.numeric_gradient(sum_of_squares, x, 0.01)


@pytest.mark.task("chain_rule", points=1)
class TestChainRule:
    """The derivative of f(g(x)) from the derivatives of f and g."""

    def test_example(self, ex):
        @expect.named("3·u²")
        def df(u):
            return 3 * u**2

        @expect.named("2·x")
        def dg(x):
            return 2 * x

        expect.close(ex.chain_rule(df, square, dg, 2.0), 192.0)

    def test_drawn_polynomials(self, ex, rng):
        a, b, c, x = rng.number(), rng.number(), rng.number(), rng.number()

        @expect.named(f"2·{a}·u + 1")
        def df(u):
            return 2 * a * u + 1

        @expect.named(f"{b}·x² + {c}")
        def g(x):
            return b * x**2 + c

        @expect.named(f"2·{b}·x")
        def dg(x):
            return 2 * b * x

        want = (2 * a * (b * x**2 + c) + 1) * (2 * b * x)
        expect.close(ex.chain_rule(df, g, dg, x), want, rtol=1e-6)

    def test_drawn_exponentials(self, ex, rng):
        a, x = rng.number(), rng.number(-1, 1)

        @expect.named(f"exp({a}·x)")
        def g(x):
            return math.exp(a * x)

        @expect.named(f"{a}·exp({a}·x)")
        def dg(x):
            return a * math.exp(a * x)

        want = math.cos(math.exp(a * x)) * a * math.exp(a * x)
        expect.close(ex.chain_rule(math.cos, g, dg, x), want, rtol=1e-6)
