"""How far x_T is from independent standard normal noise, in numbers and in words.

Inverted images rarely give white noise: in smooth areas neighbouring values of x_T stay alike.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

SURE = 4.0
"""Standard errors that a number must be off before the reading speaks of it."""


@dataclass(frozen=True)
class Measure:
    """A number beside what N(0, I) would give.

    Attributes:
        value: As measured.
        expected: Its mean for independent standard normal values.
        error: Its standard deviation for as many of these.
    """

    value: float
    expected: float
    error: float

    @property
    def deviation(self) -> float:
        """How many standard deviations the value is off; 0 where there is nothing to go by."""
        return (self.value - self.expected) / self.error if self.error > 0 else 0.0


@dataclass(frozen=True)
class Histogram:
    """Density of the values in bins of equal width.

    Attributes:
        edges: (bins + 1,). Values beyond the outer edges are counted in the outer bins.
        density: (bins,), integrating to 1.
        normal: The same of N(0, 1), outer bins with their tails, (bins,).
    """

    edges: Array
    density: Array
    normal: Array


@dataclass(frozen=True)
class NoiseStatistics:
    """x_T of one image against N(0, I).

    Attributes:
        count: d = C·H·W values.
        mean: Against 0.
        variance: Against 1.
        skewness: Against 0.
        kurtosis: Excess kurtosis, against 0.
        norm: ‖x_T‖/√d, against 1.
        neighbours: Correlation of values one pixel apart, across and down, against 0.
        histogram: Of the values.
        quantiles: Q–Q points, (points, 2): quantiles of N(0, 1) beside those of the values.
        lag_map: Correlation of values that lie (dy, dx) apart, (2L+1, 2L+1) with the lag (0, 0),
            which is 1, in the middle.
        radial: Of the lags with |(dy, dx)| rounded to 0, 1, … L pixels: the mean correlation,
            (L + 1,).
    """

    count: int
    mean: Measure
    variance: Measure
    skewness: Measure
    kurtosis: Measure
    norm: Measure
    neighbours: Measure
    histogram: Histogram
    quantiles: Array
    lag_map: Array
    radial: Array

    @property
    def reading(self) -> str:
        """What stands out, in plain words."""
        return " ".join([_spread_in_words(self), _neighbours_in_words(self.neighbours)])


def noise_statistics(
    x_T: ArrayLike, *, bins: int = 41, points: int = 99, max_lag: int = 8
) -> NoiseStatistics:
    """Compare x_T of one image with N(0, I).

    Args:
        x_T: (C, H, W), finite; an array, or a tensor on the CPU.
        bins: Of the histogram, over [−4, 4].
        points: Of the Q–Q plot.
        max_lag: L, the largest lag of the correlation map; less where the image is smaller.

    Raises:
        ValueError: The shape is another, or there are fewer than two different values, or one is
            not finite.
    """
    x = np.asarray(x_T, dtype=np.float64)
    if x.ndim != 3 or not np.isfinite(x).all() or np.ptp(x) == 0:
        raise ValueError("x_T must be (C, H, W), finite, and not of one value throughout.")
    d = x.size
    mean, variance = float(x.mean()), float(x.var())
    z = (x - mean) / math.sqrt(variance)
    lags = lag_correlation(x, max_lag)
    return NoiseStatistics(
        count=d,
        mean=Measure(mean, 0.0, 1 / math.sqrt(d)),
        variance=Measure(variance, 1.0, math.sqrt(2 / d)),
        skewness=Measure(float((z**3).mean()), 0.0, math.sqrt(6 / d)),
        kurtosis=Measure(float((z**4).mean()) - 3, 0.0, math.sqrt(24 / d)),
        norm=Measure(float(np.sqrt((x**2).mean())), 1.0, math.sqrt(1 / (2 * d))),
        neighbours=_neighbours(x, lags),
        histogram=_histogram(x.ravel(), bins),
        quantiles=_quantiles(x.ravel(), points),
        lag_map=lags,
        radial=_radial(lags),
    )


def lag_correlation(x: ArrayLike, max_lag: int) -> Array:
    """Correlation of the values of an image that lie (dy, dx) apart, over all channels.

    Each lag is the mean product over the pairs that lie within the image (no wrapping round),
    after the overall mean is taken off, divided by the variance.

    Args:
        x: (C, H, W).
        max_lag: L; less where the image is smaller.

    Returns:
        (2L+1, 2L+1), symmetric about its middle, the lag (0, 0), which is 1.
    """
    values = np.asarray(x, dtype=np.float64)
    values = values - values.mean()
    _, height, width = values.shape
    reach = min(max_lag, height - 1, width - 1)
    padded = (height + reach, width + reach)
    spectrum = np.abs(np.fft.rfft2(values, padded)) ** 2
    products = np.fft.irfft2(spectrum, padded).sum(0)
    offsets = np.arange(-reach, reach + 1)
    pairs = np.outer(height - abs(offsets), width - abs(offsets)) * len(values)
    lags: Array = products[np.ix_(offsets, offsets)] / pairs / values.var()
    return lags


def _neighbours(x: Array, lags: Array) -> Measure:
    """The mean of the lags (0, 1) and (1, 0); their sums share no pair of values."""
    channels, height, width = x.shape
    middle = len(lags) // 2
    if middle == 0:
        return Measure(0.0, 0.0, 0.0)
    across, down = lags[middle, middle + 1], lags[middle + 1, middle]
    errors = (1 / (channels * height * (width - 1)), 1 / (channels * (height - 1) * width))
    return Measure(float(across + down) / 2, 0.0, math.sqrt(sum(errors)) / 2)


def _histogram(values: Array, bins: int) -> Histogram:
    edges = np.linspace(-4, 4, bins + 1)
    width = 8 / bins
    counts, _ = np.histogram(values.clip(-4, 4), edges)
    cumulative = np.array([NormalDist().cdf(edge) for edge in edges])
    cumulative[[0, -1]] = 0, 1
    return Histogram(edges, counts / (len(values) * width), np.diff(cumulative) / width)


def _quantiles(values: Array, points: int) -> Array:
    shares = (np.arange(points) + 0.5) / points
    normal = np.array([NormalDist().inv_cdf(share) for share in shares])
    return np.column_stack([normal, np.quantile(values, shares)])


def _radial(lags: Array) -> Array:
    reach = len(lags) // 2
    dy, dx = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    rings = np.rint(np.hypot(dy, dx)).astype(int)
    return np.array([lags[rings == ring].mean() for ring in range(reach + 1)])


def _spread_in_words(s: NoiseStatistics) -> str:
    norm = f"‖x_T‖/√d is {s.norm.value:.2f} (noise: 1.00 ± {s.norm.error:.2f})"
    odd = [
        f"{name} {measure.value:.2f} (noise: {measure.expected:.2f} ± {measure.error:.2f})"
        for name, measure in (
            ("mean", s.mean),
            ("variance", s.variance),
            ("skewness", s.skewness),
            ("excess kurtosis", s.kurtosis),
        )
        if abs(measure.deviation) > SURE
    ]
    if not odd:
        return f"{norm}, and the values are spread as those of N(0, 1)."
    return f"{norm}. The values are not spread as those of N(0, 1): {', '.join(odd)}."


def _neighbours_in_words(neighbours: Measure) -> str:
    noise = f"independent noise would give 0.00 ± {neighbours.error:.2f}"
    if abs(neighbours.deviation) <= SURE:
        return f"Neighbouring values correlate {neighbours.value:.2f}, as good as not ({noise})."
    if neighbours.value < 0:
        return f"Neighbouring values correlate {neighbours.value:.2f}: they alternate ({noise})."
    return (
        f"Smooth areas leave structure in x_T: neighbouring values correlate "
        f"{neighbours.value:.2f}; {noise}."
    )
