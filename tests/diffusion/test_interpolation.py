"""Paths between latents, against the geometry that they claim."""

import math

import pytest
import torch

import ddim_studio as ds
from ddim_studio.diffusion.interpolation import angle

SHAPE = (3, 8, 8)
ALPHAS = [0.0, 0.2, 0.5, 0.9, 1.0]


def noise(seed, dtype=torch.float32):
    return ds.seeded_noise(SHAPE, [seed])[0].to(dtype)


def test_slerp_is_the_formula_of_the_paper_where_the_norms_agree():
    a, b = noise(1, torch.float64), noise(2, torch.float64)
    b = b * a.norm() / b.norm()
    theta = math.acos(float((a * b).sum() / (a.norm() * b.norm())))
    for alpha, point in zip(ALPHAS, ds.slerp(a, b, ALPHAS), strict=True):
        first = math.sin((1 - alpha) * theta) / math.sin(theta) * a
        second = math.sin(alpha * theta) / math.sin(theta) * b
        torch.testing.assert_close(point, first + second, rtol=1e-12, atol=1e-12)


def test_slerp_turns_evenly_and_carries_the_norm_over_evenly():
    a, b = noise(1, torch.float64), 1.7 * noise(2, torch.float64)
    theta = angle(a, b)
    for alpha, point in zip(ALPHAS, ds.slerp(a, b, ALPHAS), strict=True):
        assert angle(a, point) == pytest.approx(alpha * theta, abs=1e-12)
        assert angle(point, b) == pytest.approx((1 - alpha) * theta, abs=1e-12)
        expected = (1 - alpha) * a.norm() + alpha * b.norm()
        assert float(point.norm()) == pytest.approx(float(expected), rel=1e-12)


def test_one_angle_for_the_whole_image_not_one_a_channel_or_row():
    """A row that is the same in both ends must shrink with its weight, not stay."""
    a, b = noise(1, torch.float64), noise(2, torch.float64)
    b[0, 0] = a[0, 0]
    b = b * a.norm() / b.norm()
    theta = angle(a, b)
    middle = ds.slerp(a, b, [0.5])[0]
    weight = math.sin(theta / 2) / math.sin(theta)
    torch.testing.assert_close(middle[0, 0], weight * (a[0, 0] + b[0, 0]), rtol=1e-12, atol=0)


@pytest.mark.parametrize("walk", [ds.slerp, ds.lerp])
def test_the_ends_are_kept_bit_for_bit(walk):
    a, b = noise(3), noise(4)
    points = walk(a, b, [1, 0.0, 0.5, 1.0, 0])
    assert points.dtype == torch.float32
    assert torch.equal(points[0], b)
    assert torch.equal(points[1], a)
    assert torch.equal(points[3], b)
    assert torch.equal(points[4], a)
    assert not torch.equal(points[2], a)


@pytest.mark.parametrize("walk", [ds.slerp, ds.lerp])
def test_identical_ends_stay_where_they_are(walk):
    a = noise(5)
    for point in walk(a, a.clone(), ALPHAS):
        torch.testing.assert_close(point, a, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("distance", [1e-9, 1e-7, 1e-5, 1e-2])
def test_nearly_parallel_ends_give_points_between_them(distance):
    a = noise(6, torch.float64)
    b = a + distance * noise(7, torch.float64)
    for alpha, point in zip(ALPHAS, ds.slerp(a, b, ALPHAS), strict=True):
        straight = (1 - alpha) * a + alpha * b
        assert float((point - straight).norm()) <= distance**2 * float(a.norm()) + 1e-12


@pytest.mark.parametrize("tilt", [0.0, 1e-5])
def test_opposite_ends_have_no_path_on_the_sphere(tilt):
    a = noise(8)
    b = -1.3 * a + tilt * noise(9)
    with pytest.raises(ds.InterpolationError, match="opposite"):
        ds.slerp(a, b, ALPHAS)
    assert float(ds.lerp(a, -a, [0.5]).abs().max()) == 0.0


def test_far_but_not_opposite_ends_have_one():
    a = noise(8, torch.float64)
    b = -a + 0.01 * noise(9, torch.float64)
    middle = ds.slerp(a, b, [0.5])[0]
    assert angle(a, middle) == pytest.approx(angle(a, b) / 2, abs=1e-9)


def test_the_straight_line_is_straight_and_too_short_in_the_middle():
    a, b = noise(1, torch.float64), noise(2, torch.float64)
    quarter, middle = ds.lerp(a, b, [0.25, 0.5])
    torch.testing.assert_close(quarter, 0.75 * a + 0.25 * b, rtol=1e-12, atol=1e-12)
    assert float(middle.norm() / a.norm()) == pytest.approx(math.sqrt(0.5), abs=0.1)


@pytest.mark.parametrize("path", ["slerp", "lerp"])
def test_a_grid_walks_along_its_edges_and_then_down(path):
    corners = ds.seeded_noise(SHAPE, range(4))
    walk = {"slerp": ds.slerp, "lerp": ds.lerp}[path]
    grid = ds.corner_grid(corners, 3, 5, path)
    assert grid.shape == (3, 5, *SHAPE)
    across, down = [0, 0.25, 0.5, 0.75, 1], [0, 0.5, 1]
    assert torch.equal(grid[0], walk(corners[0], corners[1], across))
    assert torch.equal(grid[2], walk(corners[2], corners[3], across))
    assert torch.equal(grid[:, 3], walk(grid[0, 3], grid[2, 3], down))
    assert torch.equal(grid[[0, 0, 2, 2], [0, 4, 0, 4]], corners)


def test_a_grid_of_one_row_is_its_top_edge():
    corners = ds.seeded_noise(SHAPE, range(4))
    grid = ds.corner_grid(corners, 1, 3)
    assert torch.equal(grid[0], ds.slerp(corners[0], corners[1], [0, 0.5, 1]))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda a: ds.slerp(a, a[:, :4], [0.5]), "one shape"),
        (lambda a: ds.lerp(a, a[:, :4], [0.5]), "one shape"),
        (lambda a: ds.slerp(a, 0 * a, [0.5]), "zero has no direction"),
        (lambda a: ds.slerp(a, a * math.nan, [0.5]), "finite"),
        (lambda a: ds.slerp(a, a, [1.5]), "from 0 to 1"),
        (lambda a: ds.lerp(a, a, [math.nan]), "from 0 to 1"),
        (lambda a: ds.corner_grid([a, a, a], 3, 3), "four corners"),
        (lambda a: ds.corner_grid([a, a, a, a], 0, 3), "at least one row"),
    ],
)
def test_what_has_no_path_is_refused_in_words(call, words):
    with pytest.raises(ds.InterpolationError, match=words):
        call(noise(1))


def test_no_points_asked_for_are_none():
    assert ds.slerp(noise(1), noise(2), []).shape == (0, *SHAPE)
