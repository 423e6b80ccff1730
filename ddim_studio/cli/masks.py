"""The hole that a command is to fill: a picture whose white is the hole, fitted as the image is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from ddim_studio.imaging.errors import ImageError
from ddim_studio.imaging.loading import fit_image, open_image

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ddim_studio.imaging.loading import Fit

WHITE = 128
"""Grey level from which a pixel of a mask counts as white."""
TOUCHED = 32
"""Of 255: what share of a pixel lies in the hole when the pixel counts as a part of it."""


def read_mask(
    path: str, size: tuple[int, int], image_shape: tuple[int, int, int], fit: Fit
) -> NDArray[np.bool_]:
    """The hole in pixels of the model, True where they are to be filled.

    A mask of the picture's own size is cut and resized as the picture is; a pixel of which an
    eighth or more lies in the hole belongs to it. One of the model's size is taken as it is.

    Args:
        path: A picture: white (or lighter than middle grey) is the hole, black is kept.
        size: Width and height of the picture that has the hole.
        image_shape: (C, H, W) of the model.
        fit: How the picture is fitted to the model.

    Returns:
        (H, W).

    Raises:
        ImageError: It cannot be read, has another size, is empty, or leaves nothing.
    """
    mask = open_image(path)
    _, height, width = image_shape
    if mask.size not in {size, (width, height)}:
        found, own = "×".join(map(str, mask.size)), "×".join(map(str, size))
        other = "" if size == (width, height) else f", or {width}×{height}, that of the model"
        raise ImageError(
            f"The mask {path} is {found}: it must be {own}, the size of the picture{other}."
        )
    white = np.asarray(fit_grey(mask)) >= WHITE
    if mask.size != (width, height):
        scaled = Image.fromarray((white * 255).astype(np.uint8))
        white = fit_image(scaled, 1, height, fit).pixels[..., 0] >= TOUCHED
    if not white.any():
        raise ImageError(f"The mask {path} has no white: nothing is to be filled.")
    if white.all():
        raise ImageError(f"The mask {path} is all white: there is no pixel to go by.")
    return white


def fit_grey(picture: Image.Image) -> Image.Image:
    """Any picture as 8-bit grey of its own size, black where it is transparent."""
    if picture.mode in {"I", "F"} or picture.mode.startswith("I;16"):
        values = np.asarray(picture).astype(np.float64)
        top = float(values.max()) or 1.0
        return Image.fromarray((values / top * 255).clip(0, 255).astype(np.uint8))
    if not picture.has_transparency_data:
        return picture.convert("L")
    rgba = picture.convert("RGBA")
    black = Image.new("RGBA", picture.size, (0, 0, 0, 255))
    return Image.alpha_composite(black, rgba).convert("L")
