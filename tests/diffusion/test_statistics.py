"""Statistics of x_T against NumPy and SciPy, and against noise whose structure is known."""

import numpy as np
import pytest
import scipy.stats
import torch

import ddim_studio as ds
from ddim_studio.diffusion.statistics import lag_correlation

SHAPE = (3, 32, 32)


def normal(seed, shape=SHAPE):
    return np.random.default_rng(seed).standard_normal(shape)


def smooth(seed):
    """Noise whose neighbours across and down share half of what they are made of, variance 1."""
    z = normal(seed, (3, 33, 33))
    return (z[:, 1:, 1:] + z[:, :-1, 1:] + z[:, 1:, :-1] + z[:, :-1, :-1]) / 2


def test_moments_are_those_of_scipy():
    x = 0.3 + 1.4 * normal(1) ** 3
    s = ds.noise_statistics(x)
    assert s.count == x.size
    assert s.mean.value == pytest.approx(x.mean())
    assert s.variance.value == pytest.approx(x.var())
    assert s.skewness.value == pytest.approx(scipy.stats.skew(x.ravel()))
    assert s.kurtosis.value == pytest.approx(scipy.stats.kurtosis(x.ravel()))
    assert s.norm.value == pytest.approx(np.linalg.norm(x) / np.sqrt(x.size))


def test_the_errors_are_those_that_noise_shows():
    """Of 200 noise images the deviations are of mean 0 and variance 1, for every measure."""
    many = [ds.noise_statistics(normal(seed, (1, 24, 24))) for seed in range(200)]
    for name in ("mean", "variance", "skewness", "kurtosis", "norm", "neighbours"):
        deviations = [getattr(s, name).deviation for s in many]
        assert np.mean(deviations) == pytest.approx(0, abs=0.25), name
        assert np.std(deviations) == pytest.approx(1, abs=0.2), name


def test_lag_correlation_is_the_sum_over_pairs():
    x = normal(2, (2, 7, 9))
    centred = x - x.mean()
    lags = lag_correlation(x, 3)
    assert lags.shape == (7, 7)
    for dy in range(-3, 4):
        for dx in range(-3, 4):
            products = [
                centred[c, i, j] * centred[c, i + dy, j + dx]
                for c in range(2)
                for i in range(7)
                for j in range(9)
                if 0 <= i + dy < 7 and 0 <= j + dx < 9
            ]
            assert lags[3 + dy, 3 + dx] == pytest.approx(np.mean(products) / x.var())


def test_structure_of_a_known_size_is_found_and_said():
    """A 2×2 box over white noise: correlation 1/2 to a neighbour, 1/4 across the corner, then 0."""
    s = ds.noise_statistics(smooth(3))
    middle = len(s.lag_map) // 2
    assert s.neighbours.value == pytest.approx(0.5, abs=0.06)
    assert s.lag_map[middle + 1, middle + 1] == pytest.approx(0.25, abs=0.08)
    assert s.radial[0] == pytest.approx(1)
    assert s.radial[1] == pytest.approx((4 * 0.5 + 4 * 0.25) / 8, abs=0.06)
    assert np.abs(s.radial[3:]).max() < 0.08
    assert f"neighbouring values correlate {s.neighbours.value:.2f}" in s.reading
    assert "Smooth areas" in s.reading


def test_noise_reads_as_noise_and_its_own_x_t_too():
    for x in ds.seeded_noise(SHAPE, range(5)):
        s = ds.noise_statistics(x)
        assert "as those of N(0, 1)" in s.reading
        assert "not spread" not in s.reading
        assert "as good as not" in s.reading
        assert "Smooth" not in s.reading


@pytest.mark.parametrize(
    ("spoil", "word"),
    [
        (lambda z: z + 0.3, "mean 0.3"),
        (lambda z: 0.7 * z, "variance 0.4"),
        (lambda z: np.exp(z) - 1.6, "skewness"),
        (lambda z: z.clip(-1, 1), "kurtosis -1"),
        (lambda z: z * (-1) ** np.indices(z.shape).sum(0), "alternate"),
    ],
)
def test_what_is_off_is_named(spoil, word):
    source = smooth(4) if word == "alternate" else normal(4)
    assert word in ds.noise_statistics(spoil(source)).reading


def test_histogram_counts_every_value_and_knows_the_bell():
    x = normal(5)
    x[0, 0, :3] = [-9, 9, 9]
    histogram = ds.noise_statistics(x, bins=20).histogram
    width = np.diff(histogram.edges)
    assert (histogram.density * width).sum() == pytest.approx(1)
    assert (histogram.normal * width).sum() == pytest.approx(1)
    inside = np.histogram(x, histogram.edges)[0]
    counts = histogram.density * width * x.size
    np.testing.assert_allclose(counts[1:-1], inside[1:-1])
    assert counts[-1] == pytest.approx(inside[-1] + (x > 4).sum())
    cdf = scipy.stats.norm.cdf(histogram.edges)
    np.testing.assert_allclose((histogram.normal * width)[1:-1], np.diff(cdf)[1:-1], atol=1e-12)


def test_quantiles_of_scaled_noise_lie_on_a_line_of_that_slope():
    quantiles = ds.noise_statistics(2 * normal(6) + 1, points=49).quantiles
    assert quantiles.shape == (49, 2)
    np.testing.assert_allclose(quantiles[:, 0], scipy.stats.norm.ppf((np.arange(49) + 0.5) / 49))
    slope, offset = np.polyfit(quantiles[:, 0], quantiles[:, 1], 1)
    assert slope == pytest.approx(2, abs=0.1)
    assert offset == pytest.approx(1, abs=0.1)


def test_a_tensor_gives_what_its_array_gives():
    x = torch.from_numpy(normal(7)).float()
    assert ds.noise_statistics(x).reading == ds.noise_statistics(x.numpy()).reading


def test_a_single_row_or_pixel_wide_image_has_no_lags_to_speak_of():
    s = ds.noise_statistics(normal(8, (1, 1, 40)))
    assert s.lag_map.shape == (1, 1)
    assert s.neighbours.deviation == 0


@pytest.mark.parametrize(
    "x", [np.zeros((1, 4, 4)), np.zeros((4, 4)), np.full((1, 2, 2), np.nan), np.array([[[1.0]]])]
)
def test_what_has_no_statistics_is_refused(x):
    with pytest.raises(ValueError, match="x_T must be"):
        ds.noise_statistics(x)
