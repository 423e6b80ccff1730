"""What the window holds of one restoration: its frames within a memory budget, and all numbers."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np

from ddim_studio.diffusion.trajectory import DEFAULT_BUDGET, ThinnedStore
from ddim_studio.gui.run_record import thinning
from ddim_studio.jobs.events import Frame, Started
from ddim_studio.jobs.restore_events import Agreement, Measured, Restored

if TYPE_CHECKING:
    from ddim_studio.jobs.events import Event, Pixels, StepNumbers
    from ddim_studio.jobs.inversion_events import Quality
    from ddim_studio.jobs.restore_order import RestoreOrder, RestoreRun

BLANK = 96


class RestoreRecord:
    """The events of a restoration as they arrive.

    Attributes:
        order: What was asked for.
        measured: The measurement and what goes with it, or None before it is known.
        started: What the job said when it began, or None before.
        numbers: Of every frame so far, that of x_T first.
        agreements: Of every step so far: one fewer than frames.
        frames: The pictures that fit the budget.
        restored: The result, or None before the end.
    """

    def __init__(self, order: RestoreOrder, budget: int = DEFAULT_BUDGET) -> None:
        self.order = order
        self.measured: Measured | None = None
        self.started: Started | None = None
        self.numbers: list[StepNumbers] = []
        self.agreements: list[Agreement] = []
        self.frames: ThinnedStore[Frame] = ThinnedStore(budget)
        self.restored: Restored | None = None

    @property
    def run(self) -> RestoreRun:
        """The settings."""
        return self.order.run

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seed of every answer; none before the run began."""
        return self.started.seeds if self.started else ()

    @property
    def total(self) -> int:
        """Frames that there will be: x_T and one a step; 0 before that is known."""
        return len(self.measured.moves) + 1 if self.measured else 0

    def add(self, event: Event) -> None:
        """Keep what an event tells; others are passed over."""
        if isinstance(event, Frame):
            self.numbers.append(event.numbers)
            self.frames.append(event, sum(pixels.nbytes for pixels in event.views.values()))
        elif isinstance(event, Agreement):
            self.agreements.append(event)
        elif isinstance(event, Measured):
            self.measured = event
        elif isinstance(event, Started):
            self.started = event
        elif isinstance(event, Restored):
            self.restored = event

    def agreement(self, index: int) -> Agreement | None:
        """How far the images of a frame are from the measurement; None for x_T."""
        return self.agreements[index - 1] if 0 < index <= len(self.agreements) else None

    def shown(self, index: int, view: str) -> Pixels | None:
        """The pictures of a view at the kept frame nearest to ``index``, if it has them."""
        if not 0 <= index < len(self.frames):
            return None
        views = self.frames.nearest(index)[1].views
        return next((pixels for name, pixels in views.items() if name == view), None)

    def answers(self) -> Pixels | None:
        """The restored images, or the newest corrected x̂_0 as long as there are none."""
        if self.restored is not None:
            return self.restored.pixels
        return self.shown(len(self.frames) - 1, "x0")

    def tiles(self) -> tuple[Pixels | None, list[str]]:
        """Measurement, baseline, clean image if known, every answer; and their captions."""
        known = self.measured
        if known is None:
            return None, []
        answers = self.answers()
        if answers is None:
            blank = np.full_like(known.measurement, BLANK)
            answers = np.stack([blank] * self.run.count)
        clean = [] if known.clean is None else [("clean", known.clean)]
        given = [("measured", known.measurement), (known.baseline_name, known.baseline), *clean]
        pictures = np.concatenate([np.stack([picture for _, picture in given]), answers])
        return pictures, [name for name, _ in given] + [f"seed {seed}" for seed in self.seeds]

    def first_answer(self) -> int:
        """Which of the tiles is the first answer."""
        return 3 if self.measured is not None and self.measured.clean is not None else 2

    def alone(self, place: int) -> RestoreRun:
        """The settings that repeat one of the answers alone."""
        return dataclasses.replace(self.run, seed=self.seeds[place], count=1)

    def quality(self, place: int) -> Quality | None:
        """Of one of the answers against the clean image, once both are known."""
        found = self.restored.quality if self.restored else ()
        return found[place] if place < len(found) else None

    def table(self) -> list[dict[str, object]]:
        """Rows for every step of every answer, with the quality of the whole in each."""
        return [
            {"seed": seed, **self._step_row(step, place)}
            for place, seed in enumerate(self.seeds)
            for step in self.agreements
        ]

    def _step_row(self, step: Agreement, place: int) -> dict[str, object]:
        quality = self.quality(place)
        return {
            "step": step.index,
            "t": step.t,
            "s": step.s,
            "travelled": int(step.travelled),
            "guess_rms": step.guess_rms[place],
            "guess_max": step.guess_max[place],
            "rms": step.rms[place],
            "max": step.max[place],
            "psnr": None if quality is None else quality.psnr,
            "ssim": None if quality is None else quality.ssim,
        }

    def thinning(self) -> str:
        """A few words if not every frame could be kept, else nothing."""
        return thinning(self.frames)
