"""The fixed-point solver on maps whose fixed points are known."""

import math

import pytest
import torch

from ddim_studio.diffusion import anderson
from ddim_studio.diffusion.anderson import FixedPoint


def solve(F, guess, **options):
    options = {"tolerance": 1e-9, "max_calls": 60, **options}
    solver = FixedPoint(F, guess, **options)
    while solver.advance():
        pass
    return solver.solution


def test_a_linear_map_that_repels_is_solved():
    """x ← Ax + b with slopes −3, 2 and 5: iterating it diverges, three differences solve it."""
    slopes = torch.tensor([-3.0, 2.0, 5.0], dtype=torch.float64).repeat(10)
    b = torch.linspace(-1, 1, 30, dtype=torch.float64)
    solution = solve(lambda x, _: slopes * x + b, torch.zeros(1, 30, dtype=torch.float64))
    assert solution.converged.all()
    assert solution.calls.item() <= 12
    torch.testing.assert_close(solution.x[0], b / (1 - slopes), rtol=0, atol=1e-7)


def rough(x, _images):
    """A map with many folds, steep everywhere."""
    return 2 * torch.sin(3 * x + torch.arange(40))


def test_damping_finds_what_the_bare_iteration_does_not(monkeypatch):
    guess = torch.full((1, 40), 0.3, dtype=torch.float64)
    solution = solve(rough, guess)
    assert solution.converged.all()
    torch.testing.assert_close(solution.x, rough(solution.x, None), rtol=0, atol=1e-8)
    monkeypatch.setattr(anderson, "GROWTH", math.inf)
    assert not solve(rough, guess).converged.any()


def test_each_image_stops_alone():
    rates = torch.tensor([0.0, 0.5, 0.9, 1.0], dtype=torch.float64)[:, None, None, None]
    seen = []

    def F(x, images):
        seen.append(images.tolist())
        return rates[images] * torch.tanh(x) + 1

    solution = solve(F, torch.zeros(4, 1, 2, 2, dtype=torch.float64), max_calls=4, tolerance=1e-3)
    assert solution.calls.tolist() == [sum(i in images for images in seen) for i in range(4)]
    assert solution.calls[0] == 2
    assert solution.calls[3] == 4
    assert solution.converged.tolist() == [True, *(solution.residual[1:] <= 1e-3).tolist()]


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_one_image_that_breaks_down_leaves_the_others_alone(bad):
    def F(x, images):
        y = 0.5 * x + 1
        y[images == 1] = bad
        return y

    solution = solve(F, torch.zeros(3, 4, dtype=torch.float64))
    assert solution.converged.tolist() == [True, False, True]
    torch.testing.assert_close(solution.x[0], torch.full((4,), 2.0, dtype=torch.float64))
    assert solution.residual[1] == math.inf
    assert solution.calls[1] == 1
    assert torch.equal(solution.x[1], torch.zeros(4, dtype=torch.float64))


def test_what_is_returned_unconverged_is_the_best_that_was_measured():
    measured = []

    def F(x, images):
        y = x + torch.cos(9 * x) + 2
        measured.append((float(anderson.root_mean_square(y - x)), x.clone()))
        return y

    solution = solve(F, torch.zeros(1, 3, dtype=torch.float64), max_calls=9)
    best, x = min(measured, key=lambda pair: pair[0])
    assert len(measured) == 9
    assert solution.residual.item() == best
    assert torch.equal(solution.x, x)
