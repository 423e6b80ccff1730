"""What the window holds of one forward process: its pictures within a budget, all its numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ddim_studio.diffusion.trajectory import DEFAULT_BUDGET, ThinnedStore

if TYPE_CHECKING:
    from ddim_studio.jobs.events import Pixels
    from ddim_studio.jobs.forward_events import (
        ForwardFrame,
        ForwardNumbers,
        ForwardOrder,
        ForwardStarted,
        ForwardView,
    )

CLEAN = -1


class ForwardRecord:
    """The frames of a forward process as they arrive.

    Attributes:
        order: What was asked for.
        started: What the job said when it began, or None before.
        times: t of every frame so far; −1 is the image.
        numbers: Of every frame so far, None for the image.
        frames: The pictures that fit the budget.
        strip: x̂_0 of every frame but the first, (H, W, C) each.
    """

    def __init__(self, order: ForwardOrder, budget: int = DEFAULT_BUDGET) -> None:
        self.order = order
        self.started: ForwardStarted | None = None
        self.times: list[int] = []
        self.numbers: list[ForwardNumbers | None] = []
        self.frames: ThinnedStore[ForwardFrame] = ThinnedStore(budget)
        self.strip: list[Pixels] = []

    @property
    def total(self) -> int:
        """Frames that there will be; 0 before the job began."""
        return len(self.started.timesteps) + 1 if self.started else 0

    def add(self, frame: ForwardFrame) -> None:
        """Keep a frame."""
        self.times.append(frame.t)
        self.numbers.append(frame.numbers)
        self.frames.append(frame, sum(pixels.nbytes for pixels in frame.views.values()))
        if "x0" in frame.views:
            self.strip.append(frame.views["x0"])

    def picture(self, index: int, view: ForwardView) -> Pixels | None:
        """A picture of the kept frame nearest to ``index``; None where that frame has it not."""
        return self.frames.nearest(index)[1].views.get(view)

    def alpha_bar(self, t: int) -> float:
        """ᾱ_t of the model's forward process; 1 for the image, and before the job began."""
        return 1.0 if t < 0 or self.started is None else self.started.schedules["model"][t]

    def before(self, index: int) -> int:
        """The timestep of the frame before frame ``index``; −1 is the image."""
        return self.times[index - 1] if index else CLEAN
