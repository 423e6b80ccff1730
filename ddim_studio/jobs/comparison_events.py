"""What the comparing jobs tell. No torch here, as in `events`."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ddim_studio.jobs.events import Failure, Frame
    from ddim_studio.jobs.matrix import Place


@dataclass(frozen=True)
class CellStarted:
    """A cell is under way.

    Attributes:
        place: Which one.
        timesteps: τ, descending.
        image_shape: (C, H, W) of its model.
        seeds: The seed of every image.
    """

    place: Place
    timesteps: tuple[int, ...]
    image_shape: tuple[int, int, int]
    seeds: tuple[int, ...]


@dataclass(frozen=True)
class CellFrame:
    """A cell reached a frame of its trajectory; frames carry the views "x" and "x0"."""

    place: Place
    frame: Frame


@dataclass(frozen=True)
class CellDone:
    """A cell is complete.

    Attributes:
        place: Which one.
        images: Its x_0, (N, C, H, W), in [−1, 1] but for what the sampler left outside.
        seconds: Time per image, from x_T to x_0.
    """

    place: Place
    images: NDArray[np.float32]
    seconds: float


@dataclass(frozen=True)
class CellFailed:
    """A cell cannot be computed, such as more steps than its model has; the others go on."""

    place: Place
    failure: Failure


@dataclass(frozen=True)
class CellScore:
    """How like the reference each image of a cell is, on pixels from 0 to 1.

    Attributes:
        values: By metric ("mse", "psnr", "ssim", "lpips" where its weights are at hand), the value
            of each image; PSNR is infinite for equal images, NaN stands for what has no value.
        remark: Why there is none, such as another size of images; empty where there is.
    """

    values: dict[str, tuple[float, ...]]
    remark: str = ""

    def mean(self, metric: str) -> float:
        """The mean over the images; NaN where the metric has no value.

        The mean PSNR is that of the mean error: −10·log10 of the mean MSE.
        """
        values = self.values.get(metric, ())
        if not values:
            return math.nan
        if metric != "psnr":
            return sum(values) / len(values)
        error = sum(10 ** (-value / 10) for value in values) / len(values)
        return math.inf if error == 0 else -10 * math.log10(error)


@dataclass(frozen=True)
class Scored:
    """Cells were measured against a reference cell.

    Attributes:
        reference: The cell that all were compared with.
        scores: By cell, the reference itself included.
    """

    reference: Place
    scores: dict[Place, CellScore]
