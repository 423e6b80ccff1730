"""Many pictures on one sheet."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]

_VISIBLE = 128
"""Side in pixels that a picture should about reach to be seen well on a screen."""


def contact_sheet(
    pixels: Pixels,
    columns: int | None = None,
    gap: int = 2,
    scale: int = 1,
    background: int = 255,
) -> Pixels:
    """Lay pictures out in rows, from left to right and from top to bottom.

    There are gaps between the pictures and none around them, so that one picture stays itself.

    Args:
        pixels: Shape (N, H, W, C), N ≥ 1.
        columns: Pictures in a row, or None for a sheet with about as many rows as columns.
        gap: Pixels between neighbours, not enlarged by ``scale``.
        scale: Whole-number enlargement of each picture, without smoothing.
        background: Grey level, 0 … 255, of the gaps and of the places left over.

    Returns:
        Shape (H', W', C).

    Raises:
        ValueError: There are no pictures, or a number is out of range.
    """
    if pixels.ndim != 4 or pixels.size == 0:
        raise ValueError(f"A sheet needs pictures of shape (N, H, W, C), not {pixels.shape}.")
    count, height, width, channels = pixels.shape
    wanted = math.ceil(math.sqrt(count)) if columns is None else columns
    if wanted < 1 or gap < 0 or scale < 1:
        raise ValueError(
            "columns and scale must be at least 1 and gap at least 0, "
            f"not {wanted}, {scale} and {gap}."
        )
    across = min(wanted, count)
    down = math.ceil(count / across)
    tile_height, tile_width = height * scale, width * scale
    shape = (down * (tile_height + gap) - gap, across * (tile_width + gap) - gap, channels)
    sheet = np.full(shape, background, np.uint8)
    for index, picture in enumerate(pixels):
        top = index // across * (tile_height + gap)
        left = index % across * (tile_width + gap)
        tile = picture.repeat(scale, axis=0).repeat(scale, axis=1)
        sheet[top : top + tile_height, left : left + tile_width] = tile
    return sheet


def display_scale(height: int, width: int) -> int:
    """The whole-number enlargement that makes a small picture visible: 28 → 4, 64 → 2, 256 → 1."""
    return max(1, _VISIBLE // max(height, width, 1))
