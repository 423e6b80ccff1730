"""What the precision "fast" does to a picture, measured: one image, drawn twice from one x_T."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from ddim_studio.jobs.model_events import FastMeasured

if TYPE_CHECKING:
    from ddim_studio.imaging.pixels import Pixels
    from ddim_studio.models.model import Model

STEPS: Final = 10
LONGEST: Final = 0.2
"""Seconds of a network call past which nothing is measured: it would keep the user waiting."""


def fast_measured(precise: Model, fast: Model) -> FastMeasured | None:
    """Draw the image of seed 0 in both precisions, in ten steps.

    Args:
        precise: A model of `ModelCache.get`.
        fast: The same, on its fast network.

    Returns:
        How they differ; None where a network call takes too long to make twenty.
    """
    if _seconds_of_a_call(precise) > LONGEST:
        return None
    _seconds_of_a_call(fast)  # the first call is slower
    (theirs, slow), (ours, quick) = _drawn(precise), _drawn(fast)
    change = abs(ours.astype("int16") - theirs)
    return FastMeasured(
        source=precise.info.source,
        device=str(precise.device),
        change=float(change.mean()),
        largest=int(change.max()),
        speed=slow / quick,
    )


def _seconds_of_a_call(model: Model) -> float:
    from ddim_studio.diffusion.noise import seeded_noise

    x = seeded_noise(model, [0]).to(model.device)
    begun = time.perf_counter()
    model.raw(x, 0)
    return time.perf_counter() - begun


def _drawn(model: Model) -> tuple[Pixels, float]:
    """The pixels, and the seconds that they took."""
    from ddim_studio.diffusion.noise import seeded_noise
    from ddim_studio.diffusion.sampling import sample
    from ddim_studio.diffusion.settings import SampleSettings
    from ddim_studio.imaging.pixels import to_pixels

    begun = time.perf_counter()
    *_, last = sample(model, seeded_noise(model, [0]), SampleSettings(steps=STEPS))
    pixels = to_pixels(last.x)  # waits for a graphics processor
    return pixels, time.perf_counter() - begun
