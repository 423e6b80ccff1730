"""How much one image is like another, on pixels from 0 to 1."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from torch import Tensor


SMALLEST_SSIM = 6
"""Side of the smallest image that the window of SSIM fits, in pixels."""


class Likeness(NamedTuple):
    """Of one pair of images.

    Attributes:
        mse: Mean squared error.
        psnr: Peak signal-to-noise ratio in dB; infinite for equal images.
        ssim: Structural similarity (Wang et al. 2004), 1 for equal images.
    """

    mse: float
    psnr: float
    ssim: float


def pixels_of(x: Tensor) -> Tensor:
    """Images in [−1, 1] as pixels: clamp((x + 1)/2), float64 on the CPU."""
    return ((x.detach().cpu().double() + 1) / 2).clamp(0, 1)


def mean_squared_errors(a: Tensor, b: Tensor) -> list[float]:
    """The MSE of each pair of images in [−1, 1], (N, C, H, W), on pixels from 0 to 1."""
    errors: list[float] = (pixels_of(a) - pixels_of(b)).square().flatten(1).mean(1).tolist()
    return errors


def likenesses(a: Tensor, b: Tensor) -> list[Likeness]:
    """MSE, PSNR and SSIM of each pair of images in [−1, 1], (N, C, H, W).

    SSIM is that of torchmetrics, with its Gaussian window of 11 pixels; images too small for that
    window have none (NaN).
    """
    errors = mean_squared_errors(a, b)
    similar = _structural_similarity(a, b)
    return [Likeness(e, psnr(e), s) for e, s in zip(errors, similar, strict=True)]


def _structural_similarity(a: Tensor, b: Tensor) -> list[float]:
    if min(a.shape[-2:]) < SMALLEST_SSIM:
        return [math.nan] * len(a)
    import torch
    from torchmetrics.functional.image import structural_similarity_index_measure

    similar = structural_similarity_index_measure(
        pixels_of(a), pixels_of(b), data_range=1.0, reduction="none"
    )
    values: list[float] = torch.as_tensor(similar).reshape(-1).tolist()
    return values


def psnr(mse: float) -> float:
    """−10·log10(MSE) in dB; infinite where the error is 0."""
    return math.inf if mse == 0 else -10 * math.log10(mse)
