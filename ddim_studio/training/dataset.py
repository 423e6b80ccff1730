"""The images of a run: read once, kept as bytes, in memory or in a file that is mapped into it."""

from __future__ import annotations

import io
import itertools
import tempfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

import numpy as np

from ddim_studio.diffusion.settings import SettingsError
from ddim_studio.imaging.collection import Skipped
from ddim_studio.imaging.datasets import iterate_images
from ddim_studio.imaging.errors import ImageError
from ddim_studio.training.draws import split

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ddim_studio.training.settings import TrainSettings

MEMORY_BUDGET = 1024**3
"""Bytes of pixels that are kept in memory; more go to a temporary file."""
LOOKED_AT = 64
"""Images that are looked at to find out whether there are colours."""


@dataclass(frozen=True)
class Images:
    """A set of images, fitted to the network's size.

    Attributes:
        pixels: (N, H, W, C), possibly a file mapped into memory.
        skipped: Those that could not be used, with the reason.
        checksum: Of all pixels, to know the set again.
    """

    pixels: NDArray[np.uint8]
    skipped: tuple[Skipped, ...]
    checksum: str

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(C, H, W)."""
        _, height, width, channels = self.pixels.shape
        return channels, height, width


@dataclass(frozen=True)
class Split:
    """The numbers of the images to train on, and of those that are held out."""

    training: NDArray[np.int64]
    held_out: NDArray[np.int64]


def read_training_images(settings: TrainSettings, folder: Path) -> Images:
    """All images of a run.

    Args:
        settings: Where they are, their size and colours.
        folder: Where a temporary file goes if they are too many for the memory. The system
            removes it when the process ends, however it ends.

    Raises:
        ImageError: There is no image that can be used.
    """
    colours = settings.colours or colours_of(settings.data, settings.size)
    shape = (1 if colours == "grey" else 3, settings.size, settings.size)
    skipped: list[Skipped] = []
    count, checksum = 0, 0
    sink: IO[bytes] = io.BytesIO()
    for item in iterate_images(settings.data, shape):
        if isinstance(item, Skipped):
            skipped.append(item)
            continue
        values = item.pixels.tobytes()
        count, checksum = count + 1, zlib.crc32(values, checksum)
        if isinstance(sink, io.BytesIO) and sink.tell() + len(values) > MEMORY_BUDGET:
            sink = _on_disk(sink, folder)
        sink.write(values)
    if count == 0:
        name = Path(settings.data).name
        raise ImageError(f"No picture in {name} can be used; the first: {skipped[0].reason}")
    pixels = _mapped(sink).reshape(count, settings.size, settings.size, shape[0])
    return Images(pixels, tuple(skipped), f"{checksum:08x}")


def colours_of(path: str, size: int) -> str:
    """Tell "grey" where some of the images, spread over the set, have no colour, else "rgb"."""
    for item in iterate_images(path, (3, size, size), limit=LOOKED_AT):
        if not isinstance(item, Skipped) and np.ptp(item.pixels, axis=2).any():
            return "rgb"
    return "grey"


def split_of(settings: TrainSettings, images: Images) -> Split:
    """Which images are trained on; the others are held out.

    Raises:
        SettingsError: None is left to train on.
    """
    count = len(images.pixels)
    held_out = min(count // 20, 1000) if settings.held_out is None else settings.held_out
    if held_out >= count:
        raise SettingsError(
            "held_out", f"held_out must be less than the number of images, {count}, not {held_out}."
        )
    return Split(*split(settings.seed, count, held_out))


def _on_disk(memory: io.BytesIO, folder: Path) -> IO[bytes]:
    folder.mkdir(parents=True, exist_ok=True)
    file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 (`_mapped` closes it)
    file.write(memory.getbuffer())
    return file


def _mapped(sink: IO[bytes]) -> NDArray[np.uint8]:
    if isinstance(sink, io.BytesIO):
        return np.frombuffer(sink.getbuffer(), np.uint8)
    with sink:  # the map has a handle of its own
        sink.flush()
        return np.memmap(sink, np.uint8, mode="r")


def chunks(count: int, size: int) -> list[range]:
    """0 … count − 1 in runs of ``size``, the last one shorter."""
    ends = [*range(0, count, size), count]
    return [range(start, stop) for start, stop in itertools.pairwise(ends) if stop > start]
