"""From pixels to a QImage, in one place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtGui import QImage

if TYPE_CHECKING:
    from numpy.typing import NDArray


def stretched(difference: NDArray[np.uint8], scale: float) -> tuple[NDArray[np.uint8], float]:
    """A picture of differences stretched so that its own largest one is white.

    Args:
        difference: Of any shape, 255 standing for ``scale``.
        scale: What white stands for.

    Returns:
        The picture, and what white stands for in it.
    """
    top = int(difference.max(initial=0))
    if top == 0:
        return difference, scale
    shown = np.rint(difference.astype(np.float64) * (255 / top)).astype(np.uint8)
    return shown, scale * top / 255


def to_qimage(pixels: NDArray[np.uint8]) -> QImage:
    """An image that owns its pixels, so that the array may change or go afterwards.

    Args:
        pixels: Grey as (H, W) or (H, W, 1), or RGB as (H, W, 3), 8 bits each.

    Raises:
        ValueError: The array has another type or shape, or no pixels.
    """
    if pixels.dtype != np.uint8:
        raise ValueError(f"Pixels must be uint8, not {pixels.dtype}.")
    if pixels.ndim == 3 and pixels.shape[2] == 1:
        pixels = pixels[:, :, 0]
    grey = pixels.ndim == 2
    if not (grey or (pixels.ndim == 3 and pixels.shape[2] == 3)) or pixels.size == 0:
        raise ValueError(f"Pixels must be (H, W), (H, W, 1) or (H, W, 3), not {pixels.shape}.")
    rows = np.ascontiguousarray(pixels)
    height, width = rows.shape[:2]
    form = QImage.Format.Format_Grayscale8 if grey else QImage.Format.Format_RGB888
    # A QImage made from a buffer only borrows it, and without bytesPerLine assumes padded lines.
    return QImage(rows.data, width, height, rows.strides[0], form).copy()
