"""Drawing one block of samples, a network call at a time."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ddim_studio.diffusion.noise import seeded_noise
from ddim_studio.diffusion.sampling import sample
from ddim_studio.evaluation.blocks import Block, cell_in_words
from ddim_studio.imaging.pixels import to_pixels
from ddim_studio.models.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from torch import Tensor

    from ddim_studio.diffusion.denoiser import Denoiser
    from ddim_studio.diffusion.settings import SampleSettings


def draw_block(
    model: Denoiser, settings: SampleSettings, seeds: Sequence[int]
) -> Generator[None, None, Block]:
    """Draw the images of ``seeds`` in one batch; yields after every network call.

    Returns:
        The block. Its seconds leave out what the caller does between the calls.

    Raises:
        ModelError: The images are not finite numbers.
    """
    seconds, begun = 0.0, time.perf_counter()
    x = seeded_noise(model, seeds)
    for step in sample(model, x, settings, seeds=seeds):
        x = step.x
        seconds += time.perf_counter() - begun
        yield
        begun = time.perf_counter()
    pixels = to_pixels(x)
    seconds += time.perf_counter() - begun
    check_finite(x, f"The samples at {cell_in_words(settings)}")
    return Block(pixels, seconds)


def check_finite(x: Tensor, what: str) -> None:
    """Raise unless all values are finite.

    Args:
        x: Images, of any shape.
        what: What they are, for the sentence that says so.

    Raises:
        ModelError: A value is NaN or infinite.
    """
    if not bool(x.isfinite().all()):
        raise ModelError(
            f"{what} are not finite numbers.",
            "Clip x̂_0, take more steps, or try another model.",
        )
