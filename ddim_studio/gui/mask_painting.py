"""How a mask looks over a picture: hatched in two shades, so that it reads over any colour."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QLine, QPoint, QRect
from PySide6.QtGui import QImage

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Mask = NDArray[np.bool_]

_DARK, _BRIGHT = (150, 16, 120), (255, 140, 226)
_DARK_OPACITY, _BRIGHT_OPACITY = 0.74, 0.60
_STRIPE = 5
_RIM_FROM = 3.0
"""From this scale on the mask has a rim, in device pixels per pixel."""


def overlay(mask: Mask, rect: QRect, pane: QRect, ratio: float) -> tuple[QPoint, QImage]:
    """The mask as it is to be laid over a picture.

    Args:
        mask: (H, W), True where it is to show.
        rect: Where the picture stands, in device pixels.
        pane: What can be seen, in device pixels; the rest is left out.
        ratio: Device pixels per logical pixel.

    Returns:
        Where the overlay begins, and the overlay.
    """
    seen = rect.intersected(pane)
    if seen.isEmpty():
        return QPoint(), QImage()
    across = np.arange(seen.left() - rect.left(), seen.right() - rect.left() + 1)
    down = np.arange(seen.top() - rect.top(), seen.bottom() - rect.top() + 1)
    rows = down * mask.shape[0] // rect.height()
    columns = across * mask.shape[1] // rect.width()
    inside = mask[rows[:, None], columns[None, :]]
    width = max(2, round(_STRIPE * ratio))
    bright = ((across[None, :] + down[:, None]) // width) % 2 == 1
    shades = np.where(
        bright, _premultiplied(_BRIGHT, _BRIGHT_OPACITY), _premultiplied(_DARK, _DARK_OPACITY)
    )
    if rect.width() >= _RIM_FROM * mask.shape[1]:
        shades = np.where(_rim(inside, max(1, round(ratio))), _premultiplied(_BRIGHT, 1.0), shades)
    values = np.where(inside, shades, np.uint32(0)).astype(np.uint32)
    height, length = values.shape
    form = QImage.Format.Format_ARGB32_Premultiplied
    return seen.topLeft(), QImage(values.data, length, height, values.strides[0], form).copy()


def outline(
    shape: Mask, corner: tuple[int, int], place: QRect, size: tuple[int, int]
) -> list[QLine]:
    """The edges of a brush's pixels, as lines in device pixels.

    Args:
        shape: The pixels under the brush.
        corner: x and y of its first column and row, in pixels of the picture.
        place: Where the picture stands, in device pixels.
        size: Width and height of the picture in its own pixels.
    """
    left, top = corner
    xs = [place.left() + (left + i) * place.width() // size[0] for i in range(shape.shape[1] + 1)]
    ys = [place.top() + (top + i) * place.height() // size[1] for i in range(shape.shape[0] + 1)]
    padded = np.pad(shape, 1)
    upright = padded[1:-1, 1:] != padded[1:-1, :-1]
    level = padded[1:, 1:-1] != padded[:-1, 1:-1]
    lines = [QLine(xs[x], ys[y], xs[x], ys[y + 1]) for y, x in np.argwhere(upright)]
    lines += [QLine(xs[x], ys[y], xs[x + 1], ys[y]) for y, x in np.argwhere(level)]
    return lines


def _rim(inside: Mask, width: int) -> Mask:
    """The pixels of a mask that lie at its edge; the edge of the picture is none."""
    core = inside.copy()
    for shift in range(1, width + 1):
        core[shift:] &= inside[:-shift]
        core[:-shift] &= inside[shift:]
        core[:, shift:] &= inside[:, :-shift]
        core[:, :-shift] &= inside[:, shift:]
    return inside & ~core


def _premultiplied(colour: tuple[int, int, int], opacity: float) -> np.uint32:
    red, green, blue = (round(part * opacity) for part in colour)
    return np.uint32(round(255 * opacity) << 24 | red << 16 | green << 8 | blue)
