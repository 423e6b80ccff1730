"""The job that looks at images to train on: how many, how large, in colour or not, and a sheet."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ddim_studio.jobs.training_events import NoImages, Surveyed

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image

    from ddim_studio.imaging.collection import Collection
    from ddim_studio.jobs.runner import Job

    Pixels = NDArray[np.uint8]

MOST_OPENED = 2000
"""Images that are opened; of more, so many spread evenly over the set."""
ON_SHEET = 64
LARGEST_SIDE = 64
"""Side of the pictures on the sheet; less where the images are smaller."""
TELL = 0.25
"""Seconds between two accounts of how far the job is."""


@dataclass(frozen=True)
class SurveyOrder:
    """Look at the images in a folder, an archive or an IDX file.

    Attributes:
        path: Where they are; None looks at nothing, and so puts an end to looking.
    """

    path: Path | None


def survey_job(order: SurveyOrder) -> Job:
    """Look at images, one after another, so that it can be cancelled between any two.

    Yields:
        `Surveyed` at once, then several times a second, the last one complete; or `NoImages`.
    """
    from ddim_studio.imaging.collections_on_disk import open_collection
    from ddim_studio.imaging.errors import ImageError

    if order.path is None:
        return
    try:
        with open_collection(order.path) as collection:
            yield from _looked_at(order.path, collection)
    except ImageError as error:
        yield NoImages(str(order.path), str(error))
    except OSError as error:
        yield NoImages(str(order.path), f"{order.path.name} cannot be read ({error.strerror}).")


def _looked_at(path: Path, collection: Collection) -> Job:
    from ddim_studio.imaging.datasets import chosen

    survey = _Survey(str(path), collection)
    yield survey.told()
    told = time.monotonic()
    for number in chosen(collection, MOST_OPENED):
        survey.look_at(number)
        if time.monotonic() - told >= TELL and survey.looked < survey.wanted:
            yield survey.told()
            told = time.monotonic()
    yield survey.told()


class _Survey:
    """What is known of a collection so far."""

    def __init__(self, path: str, collection: Collection) -> None:
        self._path, self._collection = path, collection
        self.wanted = min(collection.count, MOST_OPENED)
        self.looked = 0
        self._every = max(1, self.wanted // ON_SHEET)
        self._sizes: list[tuple[int, int]] = []
        self._skipped: list[tuple[str, str]] = [(s.name, s.reason) for s in collection.skipped]
        self._tiles: list[Pixels] = []

    def look_at(self, number: int) -> None:
        """Open the next image.

        Raises:
            ImageError: All of the collection is lost.
        """
        from ddim_studio.imaging.collection import UnusableError
        from ddim_studio.imaging.errors import ImageError
        from ddim_studio.imaging.loading import open_image

        on_sheet = self.looked % self._every == 0 and len(self._tiles) < ON_SHEET
        self.looked += 1
        try:
            source = self._collection.read(number)
        except UnusableError as error:
            self._skip(number, error)
            return
        try:
            image = open_image(source) if isinstance(source, Path | bytes) else source
            self._sizes.append(image.size)
            if on_sheet:
                self._tiles.append(_tile(image))
        except ImageError as error:
            self._skip(number, error)

    def _skip(self, number: int, error: Exception) -> None:
        from ddim_studio.imaging.collection import printable

        reason = printable(str(error))
        self._skipped.append((self._collection.name(number), reason))

    def told(self) -> Surveyed:
        """What there is to tell."""
        sizes = sorted(self._sizes, key=min) or [(0, 0)]
        coloured = any((tile != tile[..., :1]).any() for tile in self._tiles)
        return Surveyed(
            path=self._path,
            kind=self._collection.kind,
            count=self._collection.count,
            looked=self.looked,
            wanted=self.wanted,
            smallest=sizes[0],
            largest=sizes[-1],
            colours="rgb" if coloured else "grey",
            skipped=tuple(self._skipped),
            sheet=_sheet(self._tiles),
        )


def _tile(image: Image) -> Pixels:
    from ddim_studio.imaging.loading import fit_image

    return fit_image(image, 3, min(LARGEST_SIDE, *image.size)).pixels


def _sheet(tiles: list[Pixels]) -> Pixels | None:
    """The tiles at one size, that of the largest of them."""
    import numpy as np

    from ddim_studio.imaging.loading import fit_image
    from ddim_studio.imaging.pixels import to_image

    if not tiles:
        return None
    side = max(len(tile) for tile in tiles)
    same = [
        tile if len(tile) == side else fit_image(to_image(tile), 3, side).pixels for tile in tiles
    ]
    return np.stack(same)
