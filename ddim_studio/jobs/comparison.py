"""A matrix of runs with what came of it: what is scored, drawn as a figure and written as a table.

Torch-free, so that the window can hold it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ddim_studio.jobs.comparison_events import CellDone, CellFailed, Scored

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ddim_studio.jobs.events import Event, Failure
    from ddim_studio.jobs.matrix import CompareRun, Place

METRICS = ("mse", "psnr", "ssim", "lpips")


@dataclass(frozen=True)
class ScoreOrder:
    """Measure cells against one of them.

    Attributes:
        reference: The cell to measure against.
        images: By cell, its x_0, (N, C, H, W), in [−1, 1]; the reference is among them.
        metrics: Which of `METRICS`; "lpips" is left out where its weights are not at hand.
    """

    reference: Place
    images: dict[Place, NDArray[np.float32]]
    metrics: tuple[str, ...] = METRICS


@dataclass
class Comparison:
    """A matrix, as far as it is complete.

    Attributes:
        run: What was ordered.
        images: By finished cell, its x_0, (N, C, H, W).
        seconds: By finished cell, time per image.
        scored: The cells against a reference, or None before one is complete.
        failures: By cell that cannot be computed, why.
    """

    run: CompareRun
    images: dict[Place, NDArray[np.float32]] = field(default_factory=dict)
    seconds: dict[Place, float] = field(default_factory=dict)
    scored: Scored | None = None
    failures: dict[Place, Failure] = field(default_factory=dict)

    def take(self, event: Event) -> None:
        """Keep what an event tells of the cells; those of other things are passed over."""
        if isinstance(event, CellDone):
            self.images[event.place] = event.images
            self.seconds[event.place] = event.seconds
        elif isinstance(event, CellFailed):
            self.failures[event.place] = event.failure
        elif isinstance(event, Scored):
            self.scored = event
