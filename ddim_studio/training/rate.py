"""The learning rate: it rises linearly, stays, and falls linearly to 0 in the last fifth.

Until that fifth it does not depend on how long the run will be, so a run can be prolonged.
"""

from __future__ import annotations

FALLING = 0.2
"""The part of the run, at its end, in which the learning rate falls."""


def learning_rate(highest: float, step: int, warmup: int, progress: float) -> float:
    """The learning rate of step 0, 1, ….

    Args:
        highest: Its highest value.
        step: The step.
        warmup: Steps in which it rises.
        progress: How much of the run is over before this step, 0 … 1.
    """
    rising = min(1.0, (step + 1) / (warmup + 1))
    falling = min(1.0, (1 - progress) / FALLING)
    return highest * rising * falling
