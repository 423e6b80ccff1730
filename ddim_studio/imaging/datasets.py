"""Images to measure or to train on, from a folder, an archive or an IDX file.

Importing this module does not import torch.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from PIL import Image

from ddim_studio.imaging.collection import Collection, Skipped, UnusableError, printable
from ddim_studio.imaging.collections_on_disk import open_collection
from ddim_studio.imaging.errors import ImageError
from ddim_studio.imaging.loading import MAX_IMAGE_PIXELS, Fit, fit_image, open_image
from ddim_studio.imaging.pixels import to_image

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from os import PathLike

    from numpy.typing import NDArray

__all__ = ["ImageData", "Picture", "Skipped", "iterate_images", "read_images"]


class Picture(NamedTuple):
    """An image of a set, as a model takes it.

    Attributes:
        name: Its name within the folder or archive, made fit to print.
        pixels: Shape (H, W, C).
    """

    name: str
    pixels: NDArray[np.uint8]


@dataclass(frozen=True)
class ImageData:
    """A set of images.

    Attributes:
        pixels: Shape (N, H, W, C), in the order of their names.
        skipped: Name and reason of every picture that could not be used, by name.
        source: In words, where they come from and how many were used.
    """

    pixels: NDArray[np.uint8]
    skipped: tuple[Skipped, ...]
    source: str


def read_images(
    path: str | PathLike[str],
    image_shape: tuple[int, int, int],
    *,
    limit: int | None = None,
    fit: Fit = "crop",
    background: tuple[int, int, int] = (0, 0, 0),
) -> ImageData:
    """Read a set of images whole, and fit them to a model.

    Takes what `iterate_images` takes, and does what it does. Only the fitted pixels are kept.

    Raises:
        ImageError: As `iterate_images`, or not a single picture could be used.
        ValueError: ``limit`` is below 1, or ``image_shape`` or ``fit`` is none.
    """
    values, numbers, unusable = bytearray(), list[int](), list[Skipped]()
    with open_collection(Path(path)) as collection:
        for number, item in _read(collection, image_shape, limit, fit, background):
            if isinstance(item, Skipped):
                unusable.append(item)
            else:
                numbers.append(number)
                values += item.pixels.tobytes()
    name, used = Path(path).name, f"{len(numbers)} of {collection.count} pictures"
    if not numbers:
        raise ImageError(f"No picture in {name} can be used; the first: {unusable[0].reason}")
    channels, height, width = image_shape
    pixels = np.frombuffer(values, np.uint8).reshape(-1, height, width, channels)
    if numbers != sorted(numbers):
        pixels = pixels[np.argsort(numbers)]
    skipped = sorted([*collection.skipped, *unusable])
    return ImageData(pixels, tuple(skipped), f"{name}, {collection.kind}, {used}")


def iterate_images(
    path: str | PathLike[str],
    image_shape: tuple[int, int, int],
    *,
    limit: int | None = None,
    fit: Fit = "crop",
    background: tuple[int, int, int] = (0, 0, 0),
) -> Iterator[Picture | Skipped]:
    """Read a set of images one by one, each fitted to a model.

    Images that are larger than the model's are reduced by averaging whole pixels, k×k of them
    where they are k times as large. Those that are smaller are enlarged bicubically, as
    `fit_image` does; it also says how colours and deep greys are taken.
    Of an animation the first frame counts. A picture that cannot be read is yielded as `Skipped`,
    and so is everything else in a folder or archive that is no picture, except hidden files.

    Args:
        path: A folder (searched with all folders in it), a zip archive, a tar archive, or an IDX
            file of grey images as of MNIST. tar and IDX may be compressed by gzip, bzip2 or xz.
        image_shape: (C, H, W) of the model; C is 1 or 3, and H = W.
        limit: At most so many pictures, spread evenly over the sorted names: of N those of
            number ⌊i·N/limit⌋. One that cannot be read is not replaced.
        fit: What to do with pictures that are not square, see `fit_image`.
        background: Under transparency and beside padding.

    Yields:
        The pictures in the order of their names; from a tar archive in the order of storage,
        since a compressed one cannot be read in any other without starting over again and again.

    Raises:
        ImageError: There is no such file, it is none of these, is damaged, holds no pictures, or
            would unpack to far more than its size; or the model's images are not square.
        ValueError: ``limit`` is below 1, or ``image_shape`` or ``fit`` is none.
    """
    with open_collection(Path(path)) as collection:
        yield from collection.skipped
        for _, item in _read(collection, image_shape, limit, fit, background):
            yield item


def _read(
    collection: Collection,
    image_shape: tuple[int, int, int],
    limit: int | None,
    fit: Fit,
    background: tuple[int, int, int],
) -> Iterator[tuple[int, Picture | Skipped]]:
    """The chosen pictures with their numbers, in the order of storage."""
    channels, size, width = image_shape
    if size != width:
        raise ImageError(
            f"Pictures cannot be fitted to images of {width}×{size}: choose another model."
        )
    for number in chosen(collection, limit):
        name = collection.name(number)
        try:
            source = collection.read(number)
        except UnusableError as error:
            yield number, Skipped(name, printable(str(error)))
            continue
        try:
            image = source if isinstance(source, Image.Image) else open_image(source)
            pixels = _fitted(image, channels, size, fit, background)
        except ImageError as error:  # it tells the name of the file as that is
            yield number, Skipped(name, printable(str(error)))
        else:
            yield number, Picture(name, pixels)


def chosen(collection: Collection, limit: int | None) -> Iterable[int]:
    """The numbers of at most ``limit`` pictures, spread evenly, in the order to read them in.

    Raises:
        ValueError: ``limit`` is below 1.
    """
    if limit is not None and limit < 1:
        raise ValueError(f"At least one picture must be read, not {limit}.")
    count = collection.count
    number = count if limit is None else min(limit, count)
    # Never a list of all, unless their places were listed already: an IDX file may claim billions.
    spread = (i * count // number for i in range(number))
    return spread if collection.place is None else sorted(spread, key=collection.place)


def _fitted(
    image: Image.Image, channels: int, size: int, fit: Fit, background: tuple[int, int, int]
) -> NDArray[np.uint8]:
    """The image brought to a square of its own size, and that averaged if it is too large."""
    side = min(image.size) if fit == "crop" else max(image.size)
    if side <= size:
        return fit_image(image, channels, size, fit, background).pixels
    if side * side > MAX_IMAGE_PIXELS:
        raise ImageError("The picture is too long and narrow to be made square: crop it first.")
    square = fit_image(image, channels, side, fit, background).pixels
    if side % size == 0:
        small = to_image(square).reduce(side // size)
    else:
        small = to_image(square).resize((size, size), Image.Resampling.BOX)
    return np.array(small).reshape(size, size, channels)
