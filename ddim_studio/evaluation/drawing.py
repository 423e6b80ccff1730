"""Drawing one block of samples, a network call at a time."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ddim_studio.diffusion.noise import seeded_noise
from ddim_studio.diffusion.sampling import sample
from ddim_studio.evaluation.blocks import Block
from ddim_studio.imaging.pixels import to_pixels

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from ddim_studio.diffusion.denoiser import Denoiser
    from ddim_studio.diffusion.settings import SampleSettings


def draw_block(
    model: Denoiser, settings: SampleSettings, seeds: Sequence[int]
) -> Generator[None, None, Block]:
    """Draw the images of ``seeds`` in one batch; yields after every network call.

    Returns:
        The block. Its seconds leave out what the caller does between the calls.
    """
    seconds, begun = 0.0, time.perf_counter()
    x = seeded_noise(model, seeds)
    for step in sample(model, x, settings, seeds=seeds):
        x = step.x
        seconds += time.perf_counter() - begun
        yield
        begun = time.perf_counter()
    pixels = to_pixels(x)
    return Block(pixels, seconds + time.perf_counter() - begun)
