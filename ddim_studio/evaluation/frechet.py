"""The Fréchet distance between two sets of features, and how sure one can be of it.

The distance of Heusel et al. (2017), whose Inception features make it FID: both sets are taken for
Gaussian, and d² = ‖μ₁ − μ₂‖² + tr(Σ₁ + Σ₂ − 2 (Σ₁^½ Σ₂ Σ₁^½)^½) is given (the square, as is usual).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

RESAMPLES = 200
"""Bootstrap resamples behind a standard error."""
NORMAL_95 = 1.959963984540054
"""Half the width of the middle 95 % of N(0, 1)."""


class Gaussian(NamedTuple):
    """The two moments that the distance looks at.

    Attributes:
        mean: (D,).
        covariance: (D, D), divided by N − 1.
    """

    mean: Array
    covariance: Array


class Estimate(NamedTuple):
    """A value measured on a sample, and its standard error."""

    value: float
    error: float

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % confidence interval, value ± 1.96 standard errors, not below 0."""
        reach = NORMAL_95 * self.error
        return max(0.0, self.value - reach), self.value + reach


def gaussian_of(features: Array) -> Gaussian:
    """Mean and covariance of features (N, D) with N ≥ 2.

    Raises:
        ValueError: There are fewer than two, so that there is no covariance.
    """
    if len(features) < 2:
        raise ValueError("A covariance needs at least two images.")
    return Gaussian(features.mean(0), np.atleast_2d(np.cov(features, rowvar=False)))


def frechet_distance(a: Gaussian, b: Gaussian) -> float:
    """The squared Fréchet distance between two Gaussians, never below 0."""
    return ReferenceSet(a).distance(b)


class ReferenceSet:
    """The Gaussian that many others are measured against; its square root is taken once."""

    def __init__(self, gaussian: Gaussian) -> None:
        self.gaussian = gaussian
        values, vectors = np.linalg.eigh(gaussian.covariance)
        self._root: Array = (vectors * np.sqrt(values.clip(0))) @ vectors.T

    def distance(self, other: Gaussian) -> float:
        """The squared Fréchet distance to another Gaussian."""
        gap = self.gaussian.mean - other.mean
        product = np.linalg.eigvalsh(self._root @ other.covariance @ self._root)
        traces = np.trace(self.gaussian.covariance) + np.trace(other.covariance)
        squared = float(gap @ gap + traces - 2 * np.sqrt(product.clip(0)).sum())
        return max(0.0, squared)

    def estimate(self, features: Array, resamples: int = RESAMPLES) -> Estimate:
        """The distance to a sample of features (N, D), with its bootstrap standard error.

        The error is the spread of the distance over ``resamples`` draws of N images with
        replacement. It tells how much another sample of N images would differ, not how far the
        distance of N images lies above that of infinitely many: that bias is shared by all that
        is measured with the same N.
        """
        spread = np.std(bootstrap(self, features, resamples), ddof=1)
        return Estimate(self.distance(gaussian_of(features)), float(spread))


def bootstrap(reference: ReferenceSet, features: Array, resamples: int = RESAMPLES) -> Array:
    """The distances of resampled features (N, D), (resamples,).

    Resample k draws the same image numbers whatever the features are. So two cells whose images
    share their seeds can be compared pair by pair: the difference of their arrays is the bootstrap
    of their difference.
    """
    random = np.random.Generator(np.random.PCG64(0))
    draws = random.integers(len(features), size=(resamples, len(features)))
    return np.array([reference.distance(gaussian_of(features[draw])) for draw in draws])
