"""From pixels to a QImage, in one place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtGui import QImage

if TYPE_CHECKING:
    from numpy.typing import NDArray


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
