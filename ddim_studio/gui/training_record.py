"""What the window knows of a run of training: losses, samples, how far it is. No Qt here."""

from __future__ import annotations

import math
from array import array
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ddim_studio.jobs.training_events import (
    LogRead,
    ModelKept,
    RunDescribed,
    SheetRead,
    SheetsLeft,
)
from ddim_studio.training.settings import expected_steps, progress

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from ddim_studio.jobs.events import Event, Pixels
    from ddim_studio.training.settings import TrainSettings

    Floats = NDArray[np.float64]

MOST_POINTS = 600
"""Points of a line of the plot."""
RECENT = 100
"""Steps whose mean loss is told."""


class Curve(NamedTuple):
    """The loss along the steps, fit to be drawn.

    Attributes:
        raw: Step and loss, (2, N); of long runs the lowest and the highest of every few steps.
        smooth: Step and smoothed loss, (2, M).
    """

    raw: Floats
    smooth: Floats


class TrainingRecord:
    """A run, as far as its folder told of it.

    Args:
        folder: The model's.

    Attributes:
        settings: None until they were read.
        data: What the run says of its images.
        begun: The line with which it began or went on.
        newest: The line of its last step.
        last: The last event of its log.
        validations: Step and validation loss.
        remarks: What it had to say.
        sheets: Samples (N, H, W, C) by step, in the order of the steps.
        kept: Whether there is a model to open.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.settings: TrainSettings | None = None
        self.data: Mapping[str, Any] = {}
        self.sheets: dict[int, Pixels] = {}
        self.kept = False
        self._forget()

    def _forget(self) -> None:
        self.begun: Mapping[str, Any] = {}
        self.newest: Mapping[str, Any] = {}
        self.last = ""
        self.validations: list[tuple[int, float]] = []
        self.remarks: list[str] = []
        self._steps, self._losses = array("q"), array("d")

    def add(self, event: Event) -> None:
        """Take what was read; events of other kinds are passed over."""
        if isinstance(event, RunDescribed):
            self.settings, self.data = event.settings, event.data
        elif isinstance(event, LogRead):
            self._add_log(event)
        elif isinstance(event, SheetsLeft):
            self.sheets = {step: p for step, p in self.sheets.items() if step in event.steps}
        elif isinstance(event, SheetRead):
            self.sheets[event.step] = event.pixels
            self.sheets = dict(sorted(self.sheets.items()))
        elif isinstance(event, ModelKept):
            self.kept = True

    def _add_log(self, part: LogRead) -> None:
        if part.afresh:
            self._forget()
        self._steps.frombytes(part.steps.astype(np.int64).tobytes())
        self._losses.frombytes(part.losses.astype(np.float64).tobytes())
        self.validations += part.validations
        self.remarks += part.remarks
        self.begun = part.begun or self.begun
        self.newest = part.newest or self.newest
        self.last = part.last or self.last

    # --- numbers -----------------------------------------------------------------------------

    @property
    def step(self) -> int:
        """Steps done."""
        return int(self._steps[-1]) if self._steps else int(self.begun.get("step", 0))

    @property
    def seconds(self) -> float:
        """That the run has taken, pauses left out."""
        return _number(self.newest, "seconds", _number(self.begun, "seconds", 0.0))

    @property
    def total(self) -> int | None:
        """Steps in all; a guess where the minutes decide, None before there is one."""
        if self.settings is None or (self.settings.steps is None and not self.step):
            return None
        return expected_steps(self.settings, self.step, self.seconds)

    @property
    def done(self) -> float:
        """How much of the run is over, 0 … 1."""
        return 0.0 if self.settings is None else progress(self.settings, self.step, self.seconds)

    @property
    def remaining(self) -> float:
        """Seconds left at the present rate; infinite where nothing is known of it."""
        settings, rate = self.settings, _number(self.newest, "images_per_second", 0.0)
        if settings is None:
            return math.inf
        limits = [math.inf]
        if settings.steps is not None and rate > 0:
            limits.append((settings.steps - self.step) * settings.batch_size / rate)
        if settings.minutes is not None:
            limits.append(60 * settings.minutes - self.seconds)
        return max(0.0, min(limits))

    @property
    def recent_loss(self) -> float:
        """The mean loss of the last steps; NaN before the first."""
        recent = self._losses[-RECENT:]
        return sum(recent) / len(recent) if recent else math.nan

    def number(self, name: str) -> float:
        """A number of the last step's line, such as "learning_rate"; NaN where there is none."""
        return _number(self.newest, name, math.nan)

    # --- the plot ----------------------------------------------------------------------------

    def curve(self, window: float) -> Curve:
        """The loss, raw and smoothed.

        Args:
            window: Steps that the smoothing reaches back, at least 1.
        """
        steps = np.array(self._steps, np.float64)
        losses = np.array(self._losses, np.float64)
        every = max(1, math.ceil(len(steps) / MOST_POINTS))
        if every == 1:
            return Curve(np.stack([steps, losses]), smoothed(steps, losses, window))
        whole = len(steps) // every * every
        blocks, places = losses[:whole].reshape(-1, every), steps[:whole].reshape(-1, every)
        middle = places.mean(1)
        ends = np.stack([blocks.min(1), blocks.max(1)], axis=1).ravel()
        return Curve(
            np.stack([np.repeat(middle, 2), ends]),
            smoothed(middle, blocks.mean(1), window / every),
        )


def smoothed(steps: Floats, values: Floats, window: float) -> Floats:
    """An exponential moving average that is not drawn to 0 at its beginning.

    Args:
        steps: (N,)
        values: (N,)
        window: Its time constant in values; 1 and below leave the values as they are.

    Returns:
        (2, N), steps and averages.
    """
    decay = math.exp(-1 / window) if window > 1 else 0.0
    averages, total, weight = np.empty_like(values), 0.0, 0.0
    for place, value in enumerate(values.tolist()):
        if math.isfinite(value):
            total, weight = decay * total + value, decay * weight + 1
        averages[place] = total / weight if weight else math.nan
    return np.stack([steps, averages])


def _number(values: Mapping[str, Any], name: str, otherwise: float) -> float:
    found = values.get(name)
    return float(found) if isinstance(found, int | float) else otherwise
