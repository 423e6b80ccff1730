"""Opening images beside the window and fitting them to the model, safely.

The original of every image is kept, so that another fit, background or model starts from it again.
"""

from __future__ import annotations

import queue
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QObject, QTimer, Signal

from ddim_studio.gui.image_source import ImageSource
from ddim_studio.gui.pages.page import FileWork
from ddim_studio.imaging.errors import ImageError

if TYPE_CHECKING:
    from collections.abc import Hashable

    from PIL import Image

    from ddim_studio.imaging.loading import Fit
    from ddim_studio.jobs.runner import Job

_POLL_MS = 15
_KEPT_BYTES = 64_000_000
"""Files up to this size are kept in memory as they are; larger ones are read again."""


@dataclass(frozen=True)
class Target:
    """What images are fitted to.

    Attributes:
        image_shape: (C, H, W) of the model.
        fit: What to do with an image that is not square.
        background: Red, green and blue under transparency and beside padding.
    """

    image_shape: tuple[int, int, int]
    fit: Fit = "crop"
    background: tuple[int, int, int] = (0, 0, 0)


@dataclass(frozen=True, eq=False)
class Taken:
    """An image that was opened and fitted.

    Attributes:
        source: The original; a file that is not too large has become its bytes.
        pixels: Shape (H, W, C) of the model; None for a seed.
        note: What was done to fit it.
    """

    source: ImageSource
    pixels: np.ndarray | None
    note: str


def take_in(source: ImageSource, target: Target) -> Taken:
    """Open an image and fit it.

    Raises:
        ImageError: It cannot be opened, or not be fitted to such a model.
    """
    if source.seed is not None:
        return Taken(source, None, "x_T is drawn from the seed")
    channels, height, width = target.image_shape
    if channels not in (1, 3) or height != width:
        raise ImageError(
            f"Pictures cannot be fitted to {width}×{height} images of {channels} channels: "
            "choose another model, or a seed."
        )
    from ddim_studio.imaging.loading import fit_image

    fitted = fit_image(_opened(source), channels, height, target.fit, target.background)
    return Taken(_kept(source), fitted.pixels, fitted.note)


def _opened(source: ImageSource) -> Image.Image:
    from PIL import Image

    from ddim_studio.imaging.loading import MAX_IMAGE_PIXELS, open_image

    content = source.content
    if isinstance(content, np.ndarray):
        if content.shape[0] * content.shape[1] > MAX_IMAGE_PIXELS:
            raise ImageError(f"The {source.label} has more than 64 megapixels: make it smaller.")
        return Image.fromarray(content[:, :, 0] if content.shape[2] == 1 else content)
    if isinstance(content, int):
        raise TypeError("A seed is not a picture.")
    return open_image(content)


def _kept(source: ImageSource) -> ImageSource:
    path = source.content
    if not isinstance(path, Path) or path.stat().st_size > _KEPT_BYTES:
        return source
    return ImageSource(source.label, path.read_bytes())


class Intake(QObject):
    """Takes images for whoever owns them, in the thread for files; the newest wish wins.

    Nothing is opened before `set_target` says what for. When the target changes, all images are
    fitted anew from their originals.

    Signals:
        file_requested: A `FileWork` to be run beside the window.
        taken: Owner and `Taken`.
        refused: Owner and a sentence; what the owner had before stays.
    """

    file_requested = Signal(object)
    taken = Signal(object, object)
    refused = Signal(object, str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._target: Target | None = None
        self._wishes: dict[Hashable, tuple[int, ImageSource]] = {}
        self._kept: dict[Hashable, ImageSource] = {}
        self._number = 0
        self._pending = 0
        self._results: queue.SimpleQueue[tuple[Hashable, int, Taken | str]] = queue.SimpleQueue()
        self._timer = QTimer(self)
        self._timer.setInterval(_POLL_MS)
        self._timer.timeout.connect(self.collect)

    def target(self) -> Target | None:
        """What images are fitted to, None before a model is known."""
        return self._target

    def set_target(self, target: Target) -> None:
        """Fit everything to this from now on."""
        if target == self._target:
            return
        self._target = target
        newest = {owner: wish[1] for owner, wish in self._wishes.items()}
        for owner, source in {**self._kept, **newest}.items():
            self.take(owner, source)

    def take(self, owner: Hashable, source: ImageSource) -> None:
        """Open and fit an image for an owner; an earlier wish of the same owner is forgotten."""
        self._number += 1
        self._wishes[owner] = self._number, source
        if self._target is None:
            return
        self._pending += 1
        start = partial(self._job, owner, self._number, source, self._target)
        self._timer.start()
        self.file_requested.emit(FileWork(f"Opening {source.label}", start))

    def forget(self, owner: Hashable) -> None:
        """An owner gives its image up."""
        self._wishes.pop(owner, None)
        self._kept.pop(owner, None)

    def is_busy(self) -> bool:
        """Whether something is still to be opened or fitted."""
        return bool(self._wishes)

    def collect(self) -> None:
        """Tell of what has arrived."""
        while True:
            try:
                owner, number, result = self._results.get_nowait()
            except queue.Empty:
                break
            self._pending -= 1
            self._deliver(owner, number, result)
        if not self._pending:
            self._timer.stop()

    def _deliver(self, owner: Hashable, number: int, result: Taken | str) -> None:
        wish = self._wishes.get(owner)
        if wish is None or wish[0] != number:
            return
        del self._wishes[owner]
        if isinstance(result, str):
            self.refused.emit(owner, result)
            return
        self._kept[owner] = result.source
        self.taken.emit(owner, result)

    def _job(self, owner: Hashable, number: int, source: ImageSource, target: Target) -> Job:
        self._results.put((owner, number, _outcome(source, target)))
        yield from ()


def _outcome(source: ImageSource, target: Target) -> Taken | str:
    try:
        return take_in(source, target)
    except ImageError as error:
        return str(error)
    except MemoryError:
        return f"There is not enough memory to open {source.label}: make it smaller."
    except Exception:  # noqa: BLE001 (whatever is in a file of anybody's, the window stays)
        return f"{source.label} cannot be opened: choose another image."
