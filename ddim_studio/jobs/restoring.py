"""What a restoration starts from: the measurement, and what simple means make of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from ddim_studio.diffusion.measurements import Inpaint, SuperResolve, measurement_for
from ddim_studio.diffusion.restoration import measure
from ddim_studio.diffusion.restore_settings import check_task
from ddim_studio.diffusion.settings import SettingsError
from ddim_studio.evaluation.likeness import likenesses
from ddim_studio.imaging.pixels import from_pixels, to_pixels
from ddim_studio.jobs.inversion_events import Quality
from ddim_studio.jobs.restore_events import Measured

if TYPE_CHECKING:
    from torch import Tensor

    from ddim_studio.diffusion.measurements import ScalarMeasurement
    from ddim_studio.jobs.events import Pixels
    from ddim_studio.jobs.restore_order import RestoreOrder

BASELINES = {
    "colorize": "grey",
    "inpaint": "mean fill",
    "superres": "bicubic",
    "denoise": "as it is",
}
"""What is done without a model, by task."""


@dataclass(frozen=True)
class Problem:
    """A measurement of one image.

    Attributes:
        measurement: A.
        y: (1, …), float64.
        clean: (1, C, H, W) in [−1, 1], or None.
        baseline: (1, C, H, W), float64.
    """

    measurement: ScalarMeasurement
    y: Tensor
    clean: Tensor | None
    baseline: Tensor


def problem_of(order: RestoreOrder, image_shape: tuple[int, int, int]) -> Problem:
    """What is measured, and of what.

    Raises:
        SettingsError: The task does not fit the model (fields ``task`` and ``scale``), or the
            image or mask have another size (``image`` and ``mask``).
    """
    run = order.run
    check_task(run, image_shape)
    hole = None if order.mask is None else torch.from_numpy(np.ascontiguousarray(order.mask))
    measurement = measurement_for(run, image_shape, hole)
    image = _tensor(order, image_shape)
    if run.degrade:
        y = measure(measurement, image, run.sigma, (run.noise_seed,))
    else:
        y = image if isinstance(measurement, SuperResolve) else measurement.A(image)
    clean = image if run.degrade else None
    return Problem(measurement, y, clean, baseline(measurement, y))


def baseline(measurement: ScalarMeasurement, y: Tensor) -> Tensor:
    """What simple means make of measurements y, (N, C, H, W) in [−1, 1].

    Bicubic enlargement, the mean of each channel's known pixels in the hole, or else A⁺y: the grey
    picture, the noisy picture.
    """
    if isinstance(measurement, SuperResolve):
        size = [side * measurement.scale for side in y.shape[-2:]]
        # A single pixel is all that bicubic weights can fall on where y has only one.
        found = torch.nn.functional.interpolate(y, size, mode="bicubic", align_corners=False)
    elif isinstance(measurement, Inpaint):
        keep = measurement.keep.to(y).expand_as(y)
        means = y.sum((-2, -1), keepdim=True) / keep.sum((-2, -1), keepdim=True).clamp_min(1)
        found = y + (1 - keep) * means
    else:
        found = measurement.pinv(y)
    return found.clamp(-1, 1)


def measured_event(
    problem: Problem, order: RestoreOrder, moves: tuple[tuple[int, int], ...]
) -> Measured:
    """The problem in pixels and numbers."""
    shown = problem.measurement.pinv(problem.y)
    if order.run.task == "colorize":  # as grey as it was seen, also where luma is measured
        shown = problem.y.expand_as(shown)
    small = problem.y if order.run.task == "superres" else shown
    return Measured(
        measurement=to_pixels(shown)[0],
        small=to_pixels(small)[0],
        baseline=to_pixels(problem.baseline)[0],
        baseline_name=BASELINES[order.run.task],
        clean=None if problem.clean is None else to_pixels(problem.clean)[0],
        baseline_quality=next(iter(qualities(problem.clean, problem.baseline)), None),
        moves=moves,
        unknowns=unknowns(problem, shown),
    )


def unknowns(problem: Problem, like: Tensor) -> int:
    """How many numbers of an image (1, C, H, W) the measurement leaves open: n − tr A⁺A."""
    if isinstance(problem.measurement, Inpaint):
        return int((problem.measurement.A(torch.ones_like(like)) == 0).sum())
    return like.numel() - problem.y.numel()


def qualities(clean: Tensor | None, images: Tensor) -> tuple[Quality, ...]:
    """Of each image (N, C, H, W) against the clean one; empty where that is not known."""
    if clean is None:
        return ()
    pairs = likenesses(clean.expand_as(images), images)
    return tuple(Quality(*likeness) for likeness in pairs)


def _tensor(order: RestoreOrder, image_shape: tuple[int, int, int]) -> Tensor:
    """The image as (1, C, H, W), float64."""
    channels, height, width = image_shape
    run, image = order.run, order.image
    if run.task == "superres" and not run.degrade:
        height, width = height // run.scale, width // run.scale
    if image.shape != (height, width, channels):
        raise SettingsError(
            "image",
            f"image must be {width}×{height} with {channels} channel(s) here, not {_shown(image)}.",
        )
    return from_pixels(image[None]).to(torch.float64)


def _shown(image: Pixels) -> str:
    if image.ndim != 3:
        return f"an array of shape {image.shape}"
    return f"{image.shape[1]}×{image.shape[0]} with {image.shape[2]}"
