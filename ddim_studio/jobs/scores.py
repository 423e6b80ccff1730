"""The scoring job: how like a reference the cells of a matrix are."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING

from ddim_studio.diffusion.settings import SettingsError
from ddim_studio.evaluation.perceptual import lpips_available, open_lpips
from ddim_studio.jobs.comparison_events import CellScore, Scored
from ddim_studio.jobs.events import Notice
from ddim_studio.jobs.walking import StepCounter

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ddim_studio.evaluation.perceptual import Distance
    from ddim_studio.jobs.comparison import ScoreOrder
    from ddim_studio.jobs.runner import Job

    Images = NDArray[np.float32]

AT_ONCE = 8
"""How many images are measured together; more would only take more memory."""
LPIPS_UNREADABLE = "LPIPS is left out: its network cannot be read. Fetch its weights again."


def score_job(order: ScoreOrder) -> Job:
    """Measure cells against one of them, image by image.

    Where the images of a cell have another shape or number than the reference's, its values are
    NaN and a remark says so. Cells of different seeds are compared like any others.

    Args:
        order: What to measure.

    Yields:
        `Progress` a cell, then `Scored`.

    Raises:
        SettingsError: The reference is not among the images.
    """
    reference = order.images.get(order.reference)
    if reference is None:
        raise SettingsError("reference", "The reference cell is not complete.")
    distance = None
    if "lpips" in order.metrics and lpips_available():
        distance = open_lpips()
        if distance is None:
            yield Notice(LPIPS_UNREADABLE)
    names = [name for name in order.metrics if name != "lpips" or distance]
    counter = StepCounter(len(order.images))
    scores = {}
    for place, images in order.images.items():
        remark = _incomparable(images, reference)
        values = (
            {name: (math.nan,) * len(images) for name in names}
            if remark
            else _measured(images, reference, names, distance)
        )
        scores[place] = CellScore(values, remark)
        yield dataclasses.replace(counter.tick(), unit="cell")
    yield Scored(order.reference, scores)


def _measured(
    images: Images, reference: Images, names: list[str], distance: Distance | None
) -> dict[str, tuple[float, ...]]:
    """The values of each pair of images by metric."""
    import torch

    from ddim_studio.evaluation.likeness import likenesses

    values: dict[str, list[float]] = {name: [] for name in names}
    for first in range(0, len(images), AT_ONCE):
        some = slice(first, first + AT_ONCE)
        pair = torch.from_numpy(images[some]), torch.from_numpy(reference[some])
        found = [likeness._asdict() for likeness in likenesses(*pair)]
        if distance is not None:
            for row, value in zip(found, distance(*pair), strict=True):
                row["lpips"] = value
        for name in names:
            values[name].extend(row[name] for row in found)
    return {name: tuple(each) for name, each in values.items()}


def _incomparable(images: Images, reference: Images) -> str:
    """Why images cannot be compared with the reference's, or nothing."""
    if images.shape[1:] != reference.shape[1:]:
        shapes = [_spoken_shape(these) for these in (images, reference)]
        return f"These images are {shapes[0]}, those of the reference {shapes[1]}."
    if len(images) != len(reference):
        return f"There are {len(images)} images here and {len(reference)} in the reference."
    return ""


def _spoken_shape(images: Images) -> str:
    _, channels, height, width = images.shape
    colour = {1: "grey", 3: "colour"}.get(channels, f"{channels} channels")
    return f"{width}×{height} {colour}"
