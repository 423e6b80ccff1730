"""Where the images of a bulk run go: what is there already, and how more are added.

Images are written by several threads at once, each run of neighbours by one. Whatever is in its
place is whole, since files get their names when they are complete; so a process may be killed at
any moment.
"""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from ddim_studio.diffusion.settings import MAX_SEED
from ddim_studio.imaging.errors import ImageError
from ddim_studio.imaging.png import png_bytes
from ddim_studio.jobs.bulk_journal import Journal
from ddim_studio.storage import atomic_path

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from ddim_studio.jobs.runs import SampleRun

    Held = NDArray[np.bool_]

FOLDER_JOURNAL = ".ddim-studio.json"
PNG_END = b"\x00\x00\x00\x00IEND\xaeB`\x82"


class Place(Protocol):
    """The folder or file that a bulk run writes.

    Attributes:
        path: What the user named.
        journal: Tells which run is here.
        shared: Whether all processes must see the same files.
        floats: Whether it takes float32 (N, C, H, W) rather than pixels (N, H, W, C).
    """

    path: Path
    journal: Journal
    shared: bool
    floats: bool

    def identity(self) -> dict[str, Any]:
        """The settings that two runs must share to share this place."""

    def check(self) -> None:
        """Raise where a run cannot begin here; asked before the first image, with no journal."""

    def held(self) -> Held:
        """Which images, of all that are wanted, are here and whole."""

    def write(self, first: int, images: NDArray[Any]) -> None:
        """Add neighbouring images, the first of them number ``first``. Called in many threads."""

    def finish(self) -> None:
        """Complete the output; every image is here."""


def image_seed(run: SampleRun, number: int) -> int:
    """The seed of image ``number`` of a run."""
    return (run.seed + number) % (MAX_SEED + 1)


def picture_writer(run: SampleRun) -> Callable[[int, NDArray[np.uint8]], tuple[str, bytes]]:
    """Makes name and contents of the PNG of an image, with the settings that make it alone."""

    def encode(number: int, pixels: NDArray[np.uint8]) -> tuple[str, bytes]:
        seed = image_seed(run, number)
        return f"seed-{seed}.png", png_bytes(pixels, replace(run, seed=seed, count=1).to_json())

    return encode


class FolderPlace:
    """A folder of PNGs, each named and filled as in a small run.

    There are no sub-folders: the tools that measure FID list one folder.

    Args:
        path: The folder.
        run: What is asked for.
    """

    shared = False
    floats = False

    def __init__(self, path: Path, run: SampleRun) -> None:
        self.path = path
        self.journal = Journal(path / FOLDER_JOURNAL, str(path))
        self._run = run
        self._encode = picture_writer(run)

    def identity(self) -> dict[str, Any]:
        """All settings but the seed and the count: images are named by their seeds."""
        values = self._run.to_dict()
        return {name: values[name] for name in values if name not in {"seed", "count"}}

    def check(self) -> None:
        """Raise where images of an unknown run have the names that this one will give.

        Raises:
            ImageError: There are such images.
        """
        if bool(self.held().any()):
            raise ImageError(
                f"{self.path} holds images of another run with the same names: choose another "
                "--out, or delete them first."
            )

    def held(self) -> Held:
        """Which images are here; of each the end is looked at."""
        found = np.zeros(self._run.count, np.bool_)
        if not self.path.is_dir():
            return found
        with os.scandir(self.path) as entries:
            for entry in entries:
                number = self._number(entry.name)
                if number is not None and _is_whole(Path(entry.path)):
                    found[number] = True
        return found

    def write(self, first: int, images: NDArray[Any]) -> None:
        """Write each image to its file."""
        for number, pixels in enumerate(images, first):
            name, contents = self._encode(number, pixels)
            with atomic_path(self.path / name) as temporary:
                temporary.write_bytes(contents)

    def finish(self) -> None:
        """Nothing is left to do."""

    def _number(self, name: str) -> int | None:
        """Which image of the run a file is, None where it is none."""
        match = re.fullmatch(r"seed-(0|[1-9][0-9]{0,19})\.png", name)
        if match is None:
            return None
        number = (int(match[1]) - self._run.seed) % (MAX_SEED + 1)
        return number if number < self._run.count else None


def _is_whole(path: Path) -> bool:
    """Whether a PNG ends as one does; after a failure of power a file may be empty."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - len(PNG_END)))
        return file.read() == PNG_END
