"""What the window holds of one run: its frames within a memory budget, and all its numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ddim_studio.diffusion.trajectory import DEFAULT_BUDGET, ThinnedStore
from ddim_studio.jobs.runs import BranchRun

if TYPE_CHECKING:
    from ddim_studio.jobs.events import Frame, Pixels, Started, StepNumbers, View
    from ddim_studio.jobs.runs import SampleRun


class RunRecord:
    """The frames of a run as they arrive.

    Attributes:
        run: The settings of the run; of a branch, those that it goes on with.
        order: What was asked for: the run itself, or a branch.
        started: What the job said when it began, or None before.
        numbers: The numbers of every frame so far, kept even where its pictures were thinned out.
        frames: The pictures that fit the budget.
    """

    def __init__(self, order: SampleRun | BranchRun, budget: int = DEFAULT_BUDGET) -> None:
        self.order = order
        self.run = order.run if isinstance(order, BranchRun) else order
        self.started: Started | None = None
        self.numbers: list[StepNumbers] = []
        self.frames: ThinnedStore[Frame] = ThinnedStore(budget)

    @property
    def total(self) -> int:
        """Frames that the run will have, S + 1; 0 before it began."""
        return len(self.started.timesteps) + 1 if self.started else 0

    def add(self, frame: Frame) -> None:
        """Keep a frame."""
        self.numbers.append(frame.numbers)
        self.frames.append(frame, sum(pixels.nbytes for pixels in frame.views.values()))

    def shown(self, index: int, view: View) -> tuple[int, Pixels | None]:
        """The pictures of a view at the kept frame nearest to ``index``, and that frame's number.

        They are None where the view does not exist at that frame: x_T has no prediction, and a
        step with σ = 0 draws no noise.
        """
        nearest, frame = self.frames.nearest(index)
        return nearest, frame.views.get(view)

    @property
    def name(self) -> str:
        """What to call the run among its branches."""
        eta = "σ̂" if self.run.eta == "hat" else f"η = {self.run.eta:g}"
        if not isinstance(self.order, BranchRun):
            return f"Run: {eta}"
        return f"From {self.order.frame}: {eta}, n = {self.run.seed}"

    def thinning(self) -> str:
        """A few words if not every frame could be kept, else nothing."""
        return thinning(self.frames)


def preview_words(record: RunRecord, *, final: bool) -> str:
    """What a live preview is, in a line.

    Args:
        record: The preview.
        final: Whether it has all the steps that were asked for.
    """
    run = record.run
    eta = "σ̂" if run.eta == "hat" else f"η = {run.eta:g}"
    what = f"S = {run.steps}" if final else f"coarse, {run.steps} steps; the others follow"
    return f"Live preview of one image: {what} · {eta} · n = {run.seed}"


def frame_caption(index: int, numbers: StepNumbers, kept: int) -> str:
    """What a frame is, in a line; ``kept`` is the one of which pictures are shown."""
    if numbers.t is None:
        text = f"x_T: noise drawn from the seeds, taken as t = {numbers.s}"
    elif numbers.s < 0:
        text = f"t = {numbers.t} → the clean image x₀"
    else:
        text = f"t = {numbers.t} → {numbers.s}"
    return text if kept == index else f"{text} (frame {kept} shown, the nearest kept)"


def thinning(frames: ThinnedStore[Any]) -> str:
    """A few words if not every frame could be kept, else nothing."""
    if frames.stride == 1:
        return ""
    budget = frames.budget / 1024**2
    return f"every {_ordinal(frames.stride)} frame kept (memory budget {budget:.0f} MB)"


def _ordinal(number: int) -> str:
    last = number % 10 if number % 100 not in {11, 12, 13} else 0
    return f"{number}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(last, 'th') }"
