"""What the jobs of the Invert and Interpolate pages tell. No torch here, as in `events`.

Latents x_T stay with the worker, in a `LatentStore`; the window holds their key.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ddim_studio.jobs.events import Pixels


@dataclass(frozen=True)
class EncodeStep:
    """One step of the way from x_0 to x_T.

    Attributes:
        index: 1 … S.
        t: Timestep left; −1 is the clean image.
        t_next: Timestep reached.
        x: Pictures of x_{t_next}, (N, H, W, C).
        residuals: Of each image, the root mean square by which the step's equation is missed.
        converged: Of each image, whether that is below the tolerance.
        calls: Of each image, network calls that the step took.
    """

    index: int
    t: int
    t_next: int
    x: Pixels
    residuals: tuple[float, ...]
    converged: tuple[bool, ...]
    calls: tuple[int, ...]


@dataclass(frozen=True)
class Quality:
    """How well a reconstruction matches its original, on pixels from 0 to 1."""

    mse: float
    psnr: float
    ssim: float


@dataclass(frozen=True)
class LatentReport:
    """x_T of one image against N(0, I).

    Attributes:
        mean: Of its values; 0 for noise.
        variance: 1 for noise.
        skewness: 0 for noise.
        kurtosis: Excess kurtosis, 0 for noise.
        norm: ‖x_T‖/√d, 1 for noise.
        neighbour_correlation: Of horizontally and vertically adjacent values, 0 for noise.
        histogram_edges: Edges of equal bins, (B + 1,).
        histogram: Density in each bin, (B,).
        quantiles_normal: Quantiles of N(0, 1), (Q,).
        quantiles: The same quantiles of the values, (Q,).
        autocorrelation: By lag in pixels, from lag 0, (L,).
        reading: What all this says, in a sentence or two.
    """

    mean: float
    variance: float
    skewness: float
    kurtosis: float
    norm: float
    neighbour_correlation: float
    histogram_edges: NDArray[np.float64]
    histogram: NDArray[np.float64]
    quantiles_normal: NDArray[np.float64]
    quantiles: NDArray[np.float64]
    autocorrelation: NDArray[np.float64]
    reading: str


@dataclass(frozen=True)
class Inverted:
    """An inversion is complete: encoded to x_T, and decoded again.

    Attributes:
        key: Under which the `LatentStore` has x_T.
        timesteps: τ, ascending.
        originals: (N, H, W, C).
        reconstructions: The same shape.
        differences: |original − reconstruction|, the same shape, stretched so that
            ``difference_scale`` (on pixels from 0 to 1) is white.
        difference_scale: See there.
        latents: Pictures of x_T, shown from −3 to 3.
        cosines: cos θ between the x_T of any two images, (N, N).
        quality: Of each image.
        reports: Of each image's x_T.
        residuals: By step and image, (S, N).
        converged: By step and image, (S, N); True for the naïve methods, which solve nothing.
        calls: Network calls by step and image, (S, N); per step the price of the method.
        decode_calls: Network calls of decoding, an image.
    """

    key: int
    timesteps: tuple[int, ...]
    originals: Pixels
    reconstructions: Pixels
    differences: Pixels
    difference_scale: float
    latents: Pixels
    cosines: NDArray[np.float64]
    quality: tuple[Quality, ...]
    reports: tuple[LatentReport, ...]
    residuals: NDArray[np.float64]
    converged: NDArray[np.bool_]
    calls: NDArray[np.int64]
    decode_calls: int


@dataclass(frozen=True)
class Decoded:
    """Points between latents, decoded.

    Attributes:
        key: Of the latents that they lie between.
        alphas: Where each point lies, one number for a path or two for a grid.
        pixels: (len(alphas), H, W, C).
        final: False for a first, coarse answer, True for the full number of steps.
    """

    key: int
    alphas: tuple[tuple[float, ...], ...]
    pixels: Pixels
    final: bool


@dataclass(frozen=True)
class ErrorCurve:
    """One point of the curve "error against S".

    Attributes:
        method: "source", "target" or "exact".
        steps: S.
        mse: Mean over the images, pixels from 0 to 1.
        calls: Network calls a step and image, encoding.
        unconverged: Steps of images that did not converge.
    """

    method: str
    steps: int
    mse: float
    calls: float
    unconverged: int
