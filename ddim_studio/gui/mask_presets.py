"""Masks that need no painting, and masks in files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from ddim_studio.imaging.errors import ImageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from os import PathLike

    from numpy.typing import NDArray

    Mask = NDArray[np.bool_]

RANDOM_SHARE = 0.75
STRIPES = 8


def centre_box(height: int, width: int) -> Mask:
    """A box in the middle, half as high and half as wide as the picture."""
    mask = np.zeros((height, width), np.bool_)
    rows, columns = (height + 1) // 2, (width + 1) // 2
    top, left = (height - rows) // 2, (width - columns) // 2
    mask[top : top + rows, left : left + columns] = True
    return mask


def left_half(height: int, width: int) -> Mask:
    """The left half."""
    return np.broadcast_to(np.arange(width) < width // 2, (height, width)).copy()


def right_half(height: int, width: int) -> Mask:
    """The right half."""
    return left_half(height, width)[:, ::-1].copy()


def lower_half(height: int, width: int) -> Mask:
    """The lower half."""
    return left_half(width, height).T[::-1].copy()


def random_pixels(height: int, width: int) -> Mask:
    """Three quarters of all pixels, picked at random but the same ones each time."""
    order = np.random.default_rng(0).permutation(height * width)
    return (order < round(RANDOM_SHARE * height * width)).reshape(height, width)


def stripes(height: int, width: int) -> Mask:
    """Every other one of eight vertical stripes, or of as many as there are columns."""
    count = min(STRIPES, width)
    place = np.arange(width) * count // width
    return np.broadcast_to(place % 2 == 1, (height, width)).copy()


PRESETS: Final[dict[str, tuple[str, str, Callable[[int, int], Mask]]]] = {
    "centre": ("Box in the middle", "A quarter of the picture, in its middle", centre_box),
    "left": ("Left half", "Everything left of the middle", left_half),
    "right": ("Right half", "Everything right of the middle", right_half),
    "lower": ("Lower half", "Everything below the middle", lower_half),
    "random": ("Random pixels", "Three quarters of the pixels, scattered", random_pixels),
    "stripes": ("Stripes", "Every other of eight vertical stripes", stripes),
}


def mask_pixels(mask: Mask) -> NDArray[np.uint8]:
    """A mask as a picture, (H, W, 1): white is to be filled, black is known."""
    return (mask[..., None] * 255).astype(np.uint8)


def read_mask(path: str | PathLike[str], height: int, width: int) -> Mask:
    """The mask in a picture, white to be filled; of another size, its pixels are spread or picked.

    Args:
        path: A picture; transparent parts count as black, grey of 128 and more as white.
        height: Of the mask wanted.
        width: Of the mask wanted.

    Raises:
        ImageError: It cannot be opened.
    """
    from ddim_studio.imaging.loading import open_image

    image = open_image(path)
    if 0 in image.size:
        raise ImageError("The mask has no pixels: choose another picture.")
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        levels = np.asarray(rgba.convert("L")) * (np.asarray(rgba)[..., 3] >= 128)
    elif image.mode.startswith("I;16"):
        levels = np.asarray(image) >> 8
    else:
        levels = np.asarray(image.convert("L"))
    return resized(levels >= 128, height, width)


def resized(mask: Mask, height: int, width: int) -> Mask:
    """A mask of another size, each pixel taken from the place that it has in the old one."""
    rows = (np.arange(height) * 2 + 1) * mask.shape[0] // (2 * height)
    columns = (np.arange(width) * 2 + 1) * mask.shape[1] // (2 * width)
    brought: Mask = mask[rows[:, None], columns[None, :]]
    return brought
