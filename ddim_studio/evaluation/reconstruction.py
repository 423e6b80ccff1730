"""Reconstruction error (DDIM, Table 2): images encoded to x_T and decoded again, in S steps each.

The paper walks both ways along the same τ with ε_θ of the known state; that is the naïve method
"source" of `InvertSettings`.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

from ddim_studio.diffusion.inversion import invert_steps
from ddim_studio.diffusion.sampling import sample
from ddim_studio.diffusion.settings import InvertSettings
from ddim_studio.evaluation.blocks import cell_in_words, read_arrays, write_arrays
from ddim_studio.evaluation.drawing import check_finite
from ddim_studio.evaluation.likeness import mean_squared_errors
from ddim_studio.imaging.pixels import from_pixels

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import Tensor

    from ddim_studio.diffusion.denoiser import Denoiser
    from ddim_studio.diffusion.settings import SampleSettings
    from ddim_studio.evaluation.blocks import BlockStore
    from ddim_studio.models.model import Model
    from ddim_studio.models.team import Team


def reconstruction_errors(
    model: Denoiser, images: Tensor, settings: SampleSettings
) -> Generator[None, None, NDArray[np.float64]]:
    """Encode and decode images (N, C, H, W) in [−1, 1]; yields after every network call.

    Args:
        model: The denoiser.
        images: What to encode.
        settings: Whose τ is walked both ways; η and clipping play no part.

    Returns:
        The mean squared error of each image, on pixels from 0 to 1, (N,).

    Raises:
        ModelError: The images that come back are not finite numbers.
    """
    walk = InvertSettings(
        steps=settings.steps,
        spacing=settings.spacing,
        timesteps=settings.timesteps,
        method="source",
        class_label=settings.class_label,
    )
    x = images
    for encoded in invert_steps(model, images, walk):  # one network call a step
        x = encoded.x
        yield
    for decoded in sample(model, x, walk.decoding()):
        x = decoded.x
        yield
    check_finite(x, f"The images encoded and decoded at {cell_in_words(settings)}")
    return np.array(mean_squared_errors(images, x))


class ReconstructionShare:
    """This process's part of the reconstruction error of one cell.

    Args:
        store: Where the errors are kept.
        settings: The cell.
        pixels: The images to encode, (N, H, W, C), uint8.
        size: How many go through the network at once.
        team: The processes that share the work.
    """

    def __init__(
        self,
        store: BlockStore,
        settings: SampleSettings,
        pixels: NDArray[np.uint8],
        size: int,
        team: Team,
    ) -> None:
        self.settings = settings
        self._store, self._team = store, team
        self._parts = [pixels[first : first + size] for first in range(0, len(pixels), size)]
        self._known: dict[int, NDArray[np.float64]] = {}
        for number in range(len(self._parts)):
            held = read_arrays(self._path(number), "errors")
            if held is not None and held[0].shape == (len(self._parts[number]),):
                self._known[number] = held[0]
        known = set().union(*team.gather(set(self._known)))
        missing = [number for number in range(len(self._parts)) if number not in known]
        self._missing = missing[team.index :: team.size]

    @property
    def calls(self) -> int:
        """Network calls that are left to this process."""
        return 2 * self.settings.steps * len(self._missing)

    def measure(self, model: Model) -> Iterator[None]:
        """Encode and decode what is missing; yields after every network call."""
        for number in self._missing:
            images = from_pixels(self._parts[number])
            errors = yield from reconstruction_errors(model, images, self.settings)
            write_arrays(self._path(number), errors=errors)
            self._known[number] = errors

    def error(self) -> float:
        """The mean over all images, pixels from 0 to 1; all processes must call this."""
        everything: dict[int, NDArray[np.float64]] = {}
        for part in self._team.gather(self._known):
            everything |= part
        return float(np.concatenate([everything[number] for number in sorted(everything)]).mean())

    def _path(self, number: int) -> Path:
        digest = hashlib.sha256(np.ascontiguousarray(self._parts[number]).tobytes()).hexdigest()
        return self._store.note_path(self.settings, f"reconstruction-{digest[:16]}")
