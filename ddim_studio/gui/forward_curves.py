"""The curves of a schedule and of its reverse kernels, from ᾱ alone. No Qt and no torch here."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from ddim_studio.diffusion.posterior import kernel_between, loss_weight, signal_to_noise

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

WEIGHT_ETAS = (0.2, 0.5, 1.0)
FAMILY_ETAS = tuple(i / 50 for i in range(51))


def steps_of(alpha_bars: Sequence[float] | Array) -> list[tuple[float, float]]:
    """ᾱ_{t−1} and ᾱ_t for t = 0 … T − 1, the image before the first."""
    return list(pairwise([1.0, *map(float, alpha_bars)]))


def log_snr(alpha_bar: float) -> float:
    """The natural logarithm of the signal-to-noise ratio; infinite at both ends."""
    snr = signal_to_noise(alpha_bar)
    return -math.inf if snr == 0 else math.log(snr)


def beta_curves(alpha_bars: Sequence[float] | Array) -> tuple[Array, Array]:
    """β_t and β̃_t, (T,) each; β̃_0 is 0."""
    steps = steps_of(alpha_bars)
    beta = [1 - now / before for before, now in steps]
    return np.array(beta), np.array([kernel_between(now, before).variance for before, now in steps])


def coefficient_curves(alpha_bars: Sequence[float] | Array) -> tuple[Array, Array]:
    """The coefficients of x_0 and of x_t in μ̃_t, (T,) each."""
    kernels = [kernel_between(now, before) for before, now in steps_of(alpha_bars)]
    return np.array([k.of_x0 for k in kernels]), np.array([k.of_xt for k in kernels])


def weight_curves(alpha_bars: Sequence[float] | Array, eta: float) -> Array:
    """γ_t of theorem 1 by t, (T,); NaN where it is infinite, as at t = 0."""
    found = [loss_weight(now, before, eta) for before, now in steps_of(alpha_bars)]
    return np.array([value if math.isfinite(value) else math.nan for value in found])


def family_curves(alpha_bar_t: float, alpha_bar_s: float) -> tuple[Array, Array]:
    """σ and √(1−ᾱ_s−σ²) of the kernels from t to s, for every η of `FAMILY_ETAS`."""
    sigma = np.array([kernel_between(alpha_bar_t, alpha_bar_s, eta).sigma for eta in FAMILY_ETAS])
    return sigma, np.sqrt(np.maximum(1 - alpha_bar_s - sigma**2, 0))
