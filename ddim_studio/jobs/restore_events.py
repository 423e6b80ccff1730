"""What the job of the Restore page tells. No torch here, as in `events`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ddim_studio.jobs.events import Pixels
    from ddim_studio.jobs.inversion_events import Quality


@dataclass(frozen=True)
class Measured:
    """The measurement is known, before the first step.

    Attributes:
        measurement: A⁺y as a picture of the model's size, (H, W, C): grey, with a grey hole, of
            blocks, or noisy.
        small: Y itself where it is smaller than the image ("superres"), (H/k, W/k, C), else
            ``measurement``.
        baseline: What simple means make of it, (H, W, C).
        baseline_name: What that is, such as "bicubic".
        clean: The clean image, (H, W, C), or None where it is not known.
        baseline_quality: Of the baseline against the clean image.
        moves: The steps (t, s) to come in their order. Where t is not the s before it, a
            time-travel lies between.
        unknowns: How many numbers of an image the measurement leaves open.
    """

    measurement: Pixels
    small: Pixels
    baseline: Pixels
    baseline_name: str
    clean: Pixels | None
    baseline_quality: Quality | None
    moves: tuple[tuple[int, int], ...]
    unknowns: int


@dataclass(frozen=True)
class Agreement:
    """How far the images of a step are from the measurement; comes just before its `Frame`.

    Attributes:
        index: Number of the step, from 1, as in `Frame`.
        t: Timestep left.
        s: Timestep reached.
        travelled: Whether a time-travel led to t.
        guess_rms: Of each image, the root mean square of A x̂_0 − y, in units of [−1, 1], before
            x̂_0 is corrected.
        guess_max: The same, its largest absolute value.
        rms: After x̂_0 is corrected. Without noise it is 0 up to rounding.
        max: The same, the largest.
        first_image: Number of the first of these images in the run.
    """

    index: int
    t: int
    s: int
    travelled: bool
    guess_rms: tuple[float, ...]
    guess_max: tuple[float, ...]
    rms: tuple[float, ...]
    max: tuple[float, ...]
    first_image: int = 0


@dataclass(frozen=True)
class Restored:
    """A restoration is complete.

    Attributes:
        pixels: The restored images, (N, H, W, C).
        seeds: Of each.
        measured: What was known before the first step.
        quality: Of each image against the clean one; empty where that is not known.
        guess_rms: Root mean square of A x̂_0 − y before the correction, by step and image.
        guess_max: Its largest absolute value, by step and image.
        rms: Root mean square of A x̂_0 − y after the correction, by step and image, (moves, N).
        max: Its largest absolute value, by step and image.
        final_rms: Of A x_0 − y for each restored image, before it becomes pixels, (N,).
        final_max: Its largest absolute value, (N,).
        network_calls: That each image took.
    """

    pixels: Pixels
    seeds: tuple[int, ...]
    measured: Measured
    quality: tuple[Quality, ...]
    guess_rms: NDArray[np.float64]
    guess_max: NDArray[np.float64]
    rms: NDArray[np.float64]
    max: NDArray[np.float64]
    final_rms: tuple[float, ...]
    final_max: tuple[float, ...]
    network_calls: int
