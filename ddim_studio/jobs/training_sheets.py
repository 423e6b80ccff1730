"""The sheets of samples of a run, taken apart into the images on them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]

GAP, WHITE = 2, 255
"""How `ddim_studio.imaging.sheets.contact_sheet` lays images out."""


def sheet_steps(folder: Path) -> dict[int, Path]:
    """The sheets in a folder by the steps that they were drawn after, the first one first."""
    found = {}
    for path in folder.glob("step-*.png"):
        number = re.fullmatch(r"step-(\d{1,12})", path.stem)
        if number:
            found[int(number[1])] = path
    return dict(sorted(found.items()))


def read_sheet(path: Path, side: int) -> Pixels | None:
    """The images on a sheet, (N, side, side, C); None where it is no sheet of such images.

    Args:
        path: A picture written by `ddim_studio.training.assess`.
        side: Of the images, before they were enlarged.
    """
    import numpy as np
    from PIL import Image

    from ddim_studio.imaging.sheets import display_scale

    try:
        with Image.open(path, formats=["PNG"]) as picture:
            grey = picture.mode == "L"
            pixels = np.asarray(picture if grey else picture.convert("RGB"))
    except (OSError, ValueError, Image.DecompressionBombError):
        return None
    scale = display_scale(side, side)
    return cut(pixels[..., None] if grey else pixels, side * scale, scale)


def cut(sheet: Pixels, tile: int, scale: int) -> Pixels | None:
    """Take a sheet (H, W, C) apart.

    Args:
        sheet: From `contact_sheet`, with its usual gaps.
        tile: Side of an image on it.
        scale: How often each pixel was repeated.

    Returns:
        Shape (N, tile / scale, tile / scale, C), without the empty places in the last row; None
        where no whole number of tiles fits.
    """
    import numpy as np

    height, width, channels = sheet.shape
    if (height + GAP) % (tile + GAP) or (width + GAP) % (tile + GAP):
        return None
    rows, columns = (height + GAP) // (tile + GAP), (width + GAP) // (tile + GAP)
    side = tile // scale
    images = np.empty((rows * columns, side, side, channels), np.uint8)
    for number in range(rows * columns):
        top, left = (place * (tile + GAP) for place in divmod(number, columns))
        images[number] = sheet[top : top + tile : scale, left : left + tile : scale]
    kept = len(images)
    while kept > (rows - 1) * columns + 1 and (images[kept - 1] == WHITE).all():
        kept -= 1
    return images[:kept]
