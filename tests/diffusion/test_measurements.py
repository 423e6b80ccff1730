"""A⁺ is the pseudo-inverse of A, for every measurement, size and scale."""

import math

import pytest
import torch

from ddim_studio.diffusion.matrix_measurement import MatrixMeasurement
from ddim_studio.diffusion.measurements import (
    WEIGHTS,
    Chain,
    Colourise,
    Denoise,
    Inpaint,
    Measurement,
    SpectralMeasurement,
    SuperResolve,
    measurement_for,
)
from ddim_studio.diffusion.restore_settings import RestoreSettings, scales_of
from ddim_studio.diffusion.settings import SettingsError


def holed(*shape, seed=0):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed)) < 0.6


class Custom:
    """A measurement of one's own: the sum of neighbouring columns of an odd width's left part."""

    def A(self, x):
        return x[..., :-1:2] + x[..., 1::2]

    def pinv(self, y):
        x = (y / 2).repeat_interleave(2, -1)
        return torch.cat([x, torch.zeros_like(x[..., :1])], -1)


def cases():
    for shape in ((3, 8, 8), (3, 7, 5), (1, 28, 28), (3, 32, 32), (2, 9, 15), (1, 1, 1)):
        yield "denoise", shape, Denoise()
        yield "hole", shape, Inpaint(holed(*shape[1:], seed=3) | (torch.arange(shape[2]) == 0))
        if shape[0] > 1:
            weights = (1 / shape[0],) * shape[0]
            yield "mean", shape, Colourise(weights)
            yield "other weights", shape, Colourise(tuple(range(1, shape[0] + 1)))
            yield "channels' holes", shape, Inpaint(holed(*shape))
        for scale in scales_of(*shape[1:]):
            yield f"x{scale}", shape, SuperResolve(scale)
            small = (shape[1] // scale, shape[2] // scale)
            hole = Inpaint(holed(*small) | (torch.arange(small[1]) == 0))
            yield f"x{scale} with a hole", shape, Chain(SuperResolve(scale), hole)
            if shape[0] == 3:
                yield f"x{scale} in grey", shape, Chain(Colourise(), SuperResolve(scale))
    yield "luma", (3, 6, 6), Colourise(WEIGHTS["luma"])
    yield "own", (2, 3, 7), Custom()
    yield "matrix", (3, 2, 2), MatrixMeasurement(torch.randn(5, 12).double(), (3, 2, 2))
    low_rank = torch.randn(9, 2).double() @ torch.randn(2, 12).double()
    yield "low rank", (3, 2, 2), MatrixMeasurement(low_rank, (3, 2, 2))


CASES = [pytest.param(a, shape, id=f"{name}-{shape}") for name, shape, a in cases()]


@pytest.mark.parametrize(("measurement", "shape"), CASES)
def test_the_four_laws_of_a_pseudo_inverse(measurement, shape):
    generator = torch.Generator().manual_seed(1)
    a, pinv = measurement.A, measurement.pinv
    x = torch.randn(4, *shape, generator=generator, dtype=torch.float64)
    y = torch.randn(a(x).shape, generator=generator, dtype=torch.float64)
    torch.testing.assert_close(a(pinv(a(x))), a(x), atol=1e-12, rtol=0)
    torch.testing.assert_close(pinv(a(pinv(y))), pinv(y), atol=1e-12, rtol=0)
    # A⁺A and AA⁺ are symmetric: ⟨u, A⁺A v⟩ = ⟨A⁺A u, v⟩
    for through, (u, v) in ((lambda x: pinv(a(x)), x[:2]), (lambda y: a(pinv(y)), y[:2])):
        left = (u * through(v[None])[0]).sum()
        right = (through(u[None])[0] * v).sum()
        torch.testing.assert_close(left, right, atol=1e-10, rtol=0)


SMALL = [case for case in CASES if math.prod(case.values[1]) <= 120]
SPECTRAL = [case for case in SMALL if isinstance(case.values[0], SpectralMeasurement)]


def test_a_measurement_of_ones_own_needs_no_singular_values():
    assert isinstance(Custom(), Measurement)
    assert not isinstance(Custom(), SpectralMeasurement)


@pytest.mark.parametrize(("measurement", "shape"), SPECTRAL)
def test_components_are_weighted_by_their_singular_value(measurement, shape):
    basis = torch.eye(math.prod(shape), dtype=torch.float64).reshape(-1, *shape)
    matrix = measurement.A(basis).flatten(1).T
    _, s, vh = torch.linalg.svd(matrix, full_matrices=True)
    values = torch.zeros(len(vh), dtype=torch.float64)
    values[: len(s)] = torch.where(s > 1e-9, s, 0.0)

    def gain(value):
        return 0.3 + value**2 if value > 1e-9 else 2.0

    gains = torch.tensor([gain(float(value)) for value in values], dtype=torch.float64)
    x = torch.randn(3, *shape, dtype=torch.float64)
    expected = ((x.flatten(1) @ vh.T) * gains) @ vh
    found = measurement.filtered(x, gain).flatten(1)
    torch.testing.assert_close(found, expected, atol=1e-10, rtol=0)


def test_what_is_measured_is_what_the_task_says():
    x = torch.arange(2 * 3 * 4 * 4, dtype=torch.float64).reshape(2, 3, 4, 4)
    torch.testing.assert_close(Colourise().A(x), x.mean(1, keepdim=True))
    pooled = torch.nn.functional.avg_pool2d(x, 2)
    torch.testing.assert_close(SuperResolve(2).A(x), pooled)
    luma = 0.299 * x[:, :1] + 0.587 * x[:, 1:2] + 0.114 * x[:, 2:]
    torch.testing.assert_close(Colourise(WEIGHTS["luma"]).A(x), luma)
    keep = torch.eye(4, dtype=torch.bool)
    measured = Inpaint(keep).A(x)
    assert bool((measured[..., keep] == x[..., keep]).all())
    assert bool((measured[..., ~keep] == 0).all())


def test_a_function_becomes_a_measurement():
    def blurred(x):
        return x.roll(1, -1) + 2 * x + x.roll(-1, -1)

    made = MatrixMeasurement.of(blurred, (1, 3, 5))
    x = torch.randn(2, 1, 3, 5, dtype=torch.float64)
    torch.testing.assert_close(made.A(x), blurred(x).flatten(1))
    torch.testing.assert_close(made.pinv(made.A(x)), x)  # this blur has an inverse
    with pytest.raises(SettingsError, match="must be linear"):
        MatrixMeasurement.of(lambda x: x**2, (1, 3, 5))
    with pytest.raises(SettingsError, match="must be linear"):
        MatrixMeasurement.of(lambda x: x + 1, (1, 3, 5))
    with pytest.raises(SettingsError, match="too large"):
        MatrixMeasurement.of(blurred, (3, 64, 64))


@pytest.mark.parametrize("matrix", [torch.zeros(2, 4), torch.full((2, 4), math.nan)])
def test_matrices_that_measure_nothing_are_refused(matrix):
    with pytest.raises(SettingsError, match="finite, and not all 0"):
        MatrixMeasurement(matrix, (1, 2, 2))


def test_chains_that_would_not_be_exact_are_refused():
    with pytest.raises(SettingsError, match="last of several"):
        Chain(Inpaint(torch.eye(4)), SuperResolve(2))


@pytest.mark.parametrize(
    ("settings", "shape", "hole", "field"),
    [
        ({"task": "colorize"}, (1, 8, 8), None, "task"),
        ({"task": "superres", "scale": 3}, (3, 8, 8), None, "scale"),
        ({"task": "inpaint"}, (3, 8, 8), None, "mask"),
        ({"task": "inpaint"}, (3, 8, 8), torch.zeros(8, 4, dtype=torch.bool), "mask"),
        ({"task": "inpaint"}, (3, 8, 8), torch.ones(8, 8, dtype=torch.bool), "mask"),
    ],
)
def test_tasks_that_do_not_fit_the_model_name_the_field(settings, shape, hole, field):
    with pytest.raises(SettingsError) as refused:
        measurement_for(RestoreSettings(**settings), shape, hole)
    assert refused.value.field == field


def test_the_measurement_of_a_task():
    hole = torch.zeros(6, 6, dtype=torch.bool)
    hole[2:4] = True
    shape = (3, 6, 6)
    x = torch.randn(1, *shape)
    filled = measurement_for(RestoreSettings(task="inpaint"), shape, hole).A(x)
    assert bool((filled[..., 2:4, :] == 0).all())
    assert bool((filled[..., :2, :] == x[..., :2, :]).all())
    luma = measurement_for(RestoreSettings(task="colorize", grey="luma"), shape).A(x)
    torch.testing.assert_close(luma, Colourise(WEIGHTS["luma"]).A(x))
    small = measurement_for(RestoreSettings(task="superres", scale=3), shape).A(x)
    assert small.shape == (1, 3, 2, 2)
    assert measurement_for(RestoreSettings(task="denoise", sigma=0.1), shape).A(x) is x
