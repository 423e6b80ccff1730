"""Where an image may come from: a file, the clipboard, a sample, another page, or a seed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtGui import QImage

from ddim_studio.diffusion.settings import MAX_SEED
from ddim_studio.gui.model_files import is_model
from ddim_studio.storage import resources

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PySide6.QtCore import QMimeData

    Pixels = NDArray[np.uint8]

PASTED = "pasted image"
FILE_FILTER = (
    "Images (*.png *.jpg *.jpeg *.webp *.gif *.bmp *.tif *.tiff *.ppm *.pgm *.avif);;All files (*)"
)


@dataclass(frozen=True, eq=False)
class ImageSource:
    """One image that was chosen, before it is opened.

    Attributes:
        label: A name to show.
        content: The path of a file, the bytes of one, pixels of shape (H, W, C) with C = 1, 3 or 4
            (the fourth is opacity), or a seed, which stands for the noise x_T drawn from it.
    """

    label: str
    content: Path | bytes | Pixels | int

    @property
    def seed(self) -> int | None:
        """The seed, or None where this is a picture."""
        return self.content if isinstance(self.content, int) else None


def from_file(path: Path) -> ImageSource:
    """The image in a file."""
    return ImageSource(path.name, path)


def from_seed(seed: int) -> ImageSource:
    """The noise x_T of a seed."""
    return ImageSource(f"seed {seed}", seed)


def from_qimage(image: QImage, label: str) -> ImageSource | None:
    """A picture that Qt has, with its opacity; None if there is nothing in it."""
    rgba = image.convertToFormat(QImage.Format.Format_RGBA8888)
    width, height = rgba.width(), rgba.height()
    if width < 1 or height < 1:
        return None
    rows = np.frombuffer(rgba.constBits(), np.uint8).reshape(height, rgba.bytesPerLine())
    pixels = rows[:, : 4 * width].reshape(height, width, 4)
    # A QImage owns its pixels no longer than it lives.
    return ImageSource(label, pixels.copy())


def can_take(data: QMimeData | None) -> bool:
    """Whether there is a file or a picture in what is dragged or was copied."""
    return data is not None and (bool(_files(data)) or data.hasImage())


def sources_in(data: QMimeData | None) -> list[ImageSource]:
    """The images in what was dropped or copied: files first, else the picture itself."""
    if data is None:  # an empty clipboard
        return []
    files = [from_file(path) for path in _files(data)]
    if files or not data.hasImage():
        return files
    image = data.imageData()
    picture = from_qimage(QImage(image), PASTED) if image is not None else None
    return [] if picture is None else [picture]


def bundled_samples() -> list[Path]:
    """The sample images that come with the program."""
    return sorted((resources() / "samples").glob("**/*.png"))


def parse_image_seed(text: str) -> int | None:
    """The seed that a text writes, decimal or 0x…, or None where it is none."""
    try:
        seed = int(text.strip(), 0)
    except ValueError:
        return None
    return seed if 0 <= seed <= MAX_SEED else None


def _files(data: QMimeData) -> list[Path]:
    paths = [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()]
    return [path for path in paths if not is_model(path)]
