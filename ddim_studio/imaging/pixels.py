"""Tensors ↔ pixels. Importing this module does not import torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from torch import Tensor

    Pixels = NDArray[np.uint8]


def to_pixels(x: Tensor, low: float = -1.0, high: float = 1.0) -> Pixels:
    """Show a batch of images as pixels: round(255·(x − low)/(high − low)), clamped to 0 … 255.

    Args:
        x: Shape (N, C, H, W), any device, any real dtype. NaN becomes 0.
        low: The value shown as 0.
        high: The value shown as 255.

    Returns:
        A contiguous array of shape (N, H, W, C) which shares no memory with ``x``.

    Raises:
        ValueError: ``x`` has not four dimensions, or ``low`` is not below ``high``.
    """
    pixels: Pixels = to_levels(x, low, high).cpu().numpy()
    return pixels


def to_levels(x: Tensor, low: float = -1.0, high: float = 1.0) -> Tensor:
    """The pixels of `to_pixels`, (N, H, W, C) uint8 and contiguous, left on the device of ``x``.

    A caller may so copy them to the host when it likes, a quarter as many bytes as ``x`` has.

    Raises:
        ValueError: ``x`` has not four dimensions, or ``low`` is not below ``high``.
    """
    import torch

    if x.ndim != 4:
        raise ValueError(f"Images have the shape (N, C, H, W), not {tuple(x.shape)}.")
    if not low < high:
        raise ValueError(f"low must be below high, not {low} and {high}.")
    # Half precision cannot hold 255 levels exactly, and integers cannot hold fractions.
    real = x.detach() if x.dtype == torch.float64 else x.detach().float()
    return _levels(real - low, 255.0 / (high - low)).permute(0, 2, 3, 1).contiguous()


def views_to_levels(views: Sequence[Tensor], reaches: Sequence[float]) -> Tensor:
    """The pixels of several batches of the same images at once, each from −reach to reach.

    They are those of `to_levels` for each batch, in a few calls for all: every call gives up
    Python's lock, which a window at work hands back late.

    Args:
        views: V batches of shape (N, C, H, W), all on one device.
        reaches: The value of each that is shown as 255.

    Returns:
        (V, N, H, W, C) uint8, contiguous, on the device of the views.
    """
    import torch

    stacked = torch.stack([view.detach() for view in views])
    real = stacked if stacked.dtype == torch.float64 else stacked.float()
    reach = torch.tensor(reaches, dtype=real.dtype, device=real.device).view(-1, 1, 1, 1, 1)
    return _levels(real + reach, 127.5 / reach).permute(0, 1, 3, 4, 2).contiguous()


def _levels(above: Tensor, scale: float | Tensor) -> Tensor:
    """What lies above the value shown as 0, times a scale, in whole levels; it is overwritten."""
    import torch

    levels = above.mul_(scale).nan_to_num_(nan=0.0)
    return levels.clamp_(0.0, 255.0).round_().to(torch.uint8)


def from_pixels(pixels: Pixels) -> Tensor:
    """The inverse of `to_pixels` with its default range.

    Args:
        pixels: Shape (N, H, W, C).

    Returns:
        A float32 tensor of shape (N, C, H, W) in [−1, 1], on the CPU.

    Raises:
        ValueError: ``pixels`` is not uint8, or has not four dimensions.
    """
    import torch

    if pixels.dtype != np.uint8 or pixels.ndim != 4:
        raise ValueError(
            f"Pixels are uint8 of shape (N, H, W, C), not {pixels.dtype} of {pixels.shape}."
        )
    planes = np.ascontiguousarray(pixels.transpose(0, 3, 1, 2), dtype=np.float32)
    return torch.from_numpy(planes).div_(127.5).sub_(1.0)


def to_image(pixels: Pixels) -> Image.Image:
    """One picture of shape (H, W, C), C = 1 or 3, for Pillow, possibly sharing memory.

    Raises:
        ValueError: ``pixels`` is not such a picture, or has no pixels.
    """
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] not in (1, 3):
        raise ValueError(
            "A picture is uint8 of shape (H, W, 1) or (H, W, 3), "
            f"not {pixels.dtype} of {pixels.shape}."
        )
    if pixels.size == 0:
        raise ValueError(f"A picture of shape {pixels.shape} has no pixels.")
    return Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
