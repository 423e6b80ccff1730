"""What the window holds of a matrix of runs: every cell's trajectory within a share of the memory.

No Qt and no torch here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from ddim_studio.diffusion.trajectory import DEFAULT_BUDGET, ThinnedStore
from ddim_studio.jobs.comparison import Comparison
from ddim_studio.jobs.comparison_events import (
    CellDone,
    CellFailed,
    CellFrame,
    CellStarted,
    Scored,
)
from ddim_studio.jobs.matrix import dearest

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ddim_studio.jobs.axes import Axis
    from ddim_studio.jobs.comparison_events import CellScore
    from ddim_studio.jobs.events import Event, Failure, Frame, Pixels, View
    from ddim_studio.jobs.matrix import CompareRun, Place
    from ddim_studio.jobs.runs import SampleRun

HAT = "σ-hat"
"""σ̂ where plain text is drawn: many fonts put the hat of a σ in a wrong place."""
State = Literal["waiting", "running", "done", "stopped", "failed"]
CLEAN = -1


class CellRecord:
    """One cell as its frames arrive.

    Attributes:
        run: Its settings.
        seeds: The seed of each of its images.
        budget: Bytes that its trajectory may take.
        state: "waiting", "running", "done", "stopped" before its end, or "failed".
        times: t of every frame of its trajectory, from x_T to −1, the clean image; empty before
            it has begun.
        frames: The pictures by view, of the frames that fit the budget.
        images: Its x_0, (N, C, H, W), once it is done.
        seconds: Time per image, once it is done.
        failure: Why there is none.
    """

    def __init__(self, run: SampleRun, seeds: tuple[int, ...], budget: int) -> None:
        self.run, self.seeds, self.budget = run, seeds, budget
        self.state: State = "waiting"
        self.times: tuple[int, ...] = ()
        self.frames: ThinnedStore[dict[View, Pixels]] = ThinnedStore(budget)
        self.images: NDArray[np.float32] | None = None
        self.seconds = 0.0
        self.failure: Failure | None = None

    def begin(self, timesteps: tuple[int, ...]) -> None:
        """It is under way, perhaps again; ``timesteps`` is τ, descending."""
        self.state = "running"
        self.times = (*timesteps, CLEAN)
        self.frames = ThinnedStore(self.budget)

    def add(self, frame: Frame) -> None:
        """Keep a frame."""
        pictures = dict(frame.views)
        self.frames.append(pictures, sum(pixels.nbytes for pixels in pictures.values()))

    @property
    def progress(self) -> float:
        """Share of its frames that there are."""
        return len(self.frames) / len(self.times) if self.times else 0.0

    def near(self, t: int) -> int:
        """Number of the frame so far that is nearest to timestep ``t``; of two, the noisier one.

        Raises:
            ValueError: It has no frames yet.
        """
        return min(range(len(self.frames)), key=lambda index: abs(self.times[index] - t))

    def shown(self, index: int, view: View) -> tuple[int, Pixels | None]:
        """The pictures of a view at the kept frame nearest to ``index``, and that frame's number.

        x_T has no prediction: there the view "x0" has none.
        """
        kept, pictures = self.frames.nearest(index)
        return kept, pictures.get(view)

    def newest(self) -> Pixels | None:
        """The state x_t of the newest frame, None before the first."""
        return self.shown(len(self.frames) - 1, "x")[1] if len(self.frames) else None


class ComparisonRecord:
    """A matrix of runs as it fills.

    Attributes:
        run: What was ordered.
        cells: All cells, row by row.
        reference: The cell that the others are measured against.
        chosen: Whether the user chose it.
        scores: What was measured against it so far, by cell.
    """

    def __init__(self, run: CompareRun, budget: int = DEFAULT_BUDGET) -> None:
        share = budget // len(run.places)
        self.run = run
        self.cells = {
            place: CellRecord(run.settings(place), run.cell_seeds(place), share)
            for place in run.places
        }
        self.reference = dearest(run)
        self.chosen = False
        self.scores: dict[Place, CellScore] = {}

    def take(self, event: Event) -> Place | None:
        """Keep what an event tells; which cell changed, None if it is about none."""
        if not isinstance(event, CellStarted | CellFrame | CellDone | CellFailed):
            return None
        cell = self.cells[event.place]
        if isinstance(event, CellStarted):
            cell.begin(event.timesteps)
        elif isinstance(event, CellFrame):
            cell.add(event.frame)
        elif isinstance(event, CellDone):
            cell.images, cell.seconds, cell.state = event.images, event.seconds, "done"
        else:
            cell.failure, cell.state = event.failure, "failed"
        return event.place

    def take_scores(self, scored: Scored) -> bool:
        """Keep scores unless they are against another cell than the reference; whether kept."""
        if scored.reference != self.reference:
            return False
        self.scores |= scored.scores
        return True

    def label(self, place: Place) -> str:
        """Both settings of a cell, such as "η = 0, S = 20"."""
        return plain(self.run.label(place))

    def score(self, place: Place) -> CellScore | None:
        """How like the reference a cell is; None for the reference itself and while unknown."""
        return None if place == self.reference else self.scores.get(place)

    def choose(self, place: Place) -> None:
        """Measure against this cell from now on, as the user wishes."""
        if place != self.reference:
            self.scores = {}
        self.reference, self.chosen = place, True

    def end(self) -> None:
        """No more events: what was under way stays as it is.

        A reference that nobody chose and that was not reached is replaced by the complete cell
        that suggests itself.
        """
        for cell in self.cells.values():
            if cell.state == "running":
                cell.state = "stopped"
        done = self.done()
        if done and not self.chosen and self.reference not in done:
            self.scores = {}
            self.reference = dearest(self.run, done)

    def done(self) -> list[Place]:
        """The complete cells, row by row."""
        return [place for place, cell in self.cells.items() if cell.state == "done"]

    def images(self) -> dict[Place, NDArray[np.float32]]:
        """The x_0 of every complete cell."""
        return {place: cell.images for place, cell in self.cells.items() if cell.images is not None}

    def unscored(self) -> dict[Place, NDArray[np.float32]]:
        """The x_0 of the cells still to be measured, with the reference's; empty if none can be."""
        images = self.images()
        missing = {place: x_0 for place, x_0 in images.items() if place not in self.scores}
        if self.reference not in images or not missing:
            return {}
        return {**missing, self.reference: images[self.reference]}

    def comparison(self) -> Comparison:
        """What there is so far, as figures and tables take it."""
        images = self.images()
        return Comparison(
            self.run,
            images,
            {place: self.cells[place].seconds for place in images},
            Scored(self.reference, dict(self.scores)) if self.scores else None,
            {p: cell.failure for p, cell in self.cells.items() if cell.failure is not None},
        )

    def finest(self) -> CellRecord | None:
        """The cell whose frames are closest together: of the complete ones, else of all so far."""
        begun = [cell for cell in self.cells.values() if len(cell.frames)]
        complete = [cell for cell in begun if cell.state == "done"]
        return max(complete or begun, key=lambda cell: len(cell.times), default=None)


def labels(axis: Axis) -> list[str]:
    """What stands beside the rows, or above the columns."""
    return [plain(axis.label(index)) for index in range(len(axis.values))]


def plain(text: str) -> str:
    """A label as every font can draw it."""
    return text.replace("σ̂", HAT).replace("x̂₀", "x₀")
