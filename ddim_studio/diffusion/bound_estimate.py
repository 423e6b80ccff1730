"""An estimate of the variational bound, and what it was made from. NumPy only, no torch.

Every image is measured at t = 0, and once in each of k strata of the timesteps 1 … T−1, at a t that
is drawn evenly within the stratum. The size of the stratum times the term found there is an
unbiased estimate of the stratum's sum, whatever the strata are; they are narrow at small t, where
the terms are large and fall steeply. The images are independent of each other, t and noise
included, so the standard error is that of a mean over images: it covers the choice of images,
timesteps and noise together.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple, get_args

import numpy as np

from ddim_studio.diffusion.settings import SettingsError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

Variance = Literal["beta", "posterior"]
VARIANCES: tuple[Variance, ...] = get_args(Variance)


class Estimate(NamedTuple):
    """A mean over images.

    Attributes:
        value: The mean.
        error: Its standard error; NaN for a single image.
    """

    value: float
    error: float


def strata(T: int, draws: int) -> list[int]:
    """Where the strata of the timesteps 1 … T − 1 begin, and T at the end.

    Args:
        T: Number of training timesteps, at least 1.
        draws: How many strata; at most T − 1 are made.

    Returns:
        Strictly increasing, from 1 to T; the edges are spread as fourth powers are.
    """
    count = min(draws, T - 1)
    edges = [1] if T > 1 else []
    for j in range(1, count):
        low, high = edges[-1] + 1, T - (count - j)
        edges.append(min(max(1 + (T - 1) * j**4 // count**4, low), high))
    return [*edges, T]


@dataclass(frozen=True)
class Bound:
    """What was measured on N images at k + 1 timesteps each; the first column is t = 0.

    All terms are in bits per dimension.

    Attributes:
        T: Training timesteps.
        dimensions: C·H·W.
        sizes: How many timesteps each column stands for, (k + 1,); 1 for t = 0.
        times: t of each measurement, (N, k + 1).
        terms: L_0 in the first column and L_{t−1} in the others, (N, k + 1), for the generative
            variance σ_t² = β_t ("beta") and σ_t² = β̃_t ("posterior", with β̃_0 := β̃_1).
        simple: Mean over the dimensions of (ε − ε_θ)², (N, k + 1).
        prior: L_T, (N,).
        network_calls: Calls so far, in images.
        total_images: Images that will have been measured at the end.
    """

    T: int
    dimensions: int
    sizes: NDArray[np.int64]
    times: NDArray[np.int64]
    terms: dict[Variance, Array]
    simple: Array
    prior: Array
    network_calls: int
    total_images: int

    @property
    def images(self) -> int:
        """N, how many images were measured."""
        return len(self.prior)

    def decoder(self, variance: Variance) -> Estimate:
        """L_0."""
        return estimate(self.terms[variance][:, 0])

    def transitions(self, variance: Variance) -> Estimate:
        """The sum of L_{t−1} over t = 1 … T − 1."""
        return estimate((self.terms[variance] * self.sizes)[:, 1:].sum(1))

    def last(self) -> Estimate:
        """L_T: how far q(x_T | x_0) is from N(0, I). It has nothing to learn."""
        return estimate(self.prior)

    def total(self, variance: Variance) -> Estimate:
        """The whole bound, L_0 + Σ L_{t−1} + L_T."""
        return estimate((self.terms[variance] * self.sizes).sum(1) + self.prior)

    def simple_loss(self) -> Estimate:
        """L_simple: the error of ε, the mean over all T timesteps."""
        return estimate((self.simple * self.sizes).sum(1) / self.T)

    def weighted(self, weights: Array) -> Estimate:
        """L_γ of theorem 1 without t = 0: Σ γ_t ‖ε − ε_θ‖², in bits per dimension.

        Args:
            weights: γ_t of `loss_weight` for t = 0 … T − 1, (T,); that of t = 0 is not used.
        """
        gammas = np.asarray(weights)[self.times[:, 1:]]
        return estimate((gammas * self.simple[:, 1:] * self.sizes[1:]).sum(1) / math.log(2))

    def places(self) -> Array:
        """The middle t of every column, (k + 1,)."""
        ends = np.cumsum(self.sizes)
        middles: Array = ends - (self.sizes + 1) / 2
        return middles

    def curve(self, values: Array) -> tuple[Array, Array]:
        """Mean and standard error over the images of ``values`` (N, k + 1), for every column."""
        found = [estimate(column) for column in values.T]
        return np.array([e.value for e in found]), np.array([e.error for e in found])


def estimate(values: Array) -> Estimate:
    """The mean of independent values (N,) and its standard error.

    Raises:
        SettingsError: There is no value.
    """
    if not len(values):
        raise SettingsError("images", "The bound needs at least one image.")
    error = float(values.std(ddof=1)) / math.sqrt(len(values)) if len(values) > 1 else math.nan
    return Estimate(float(values.mean()), error)
