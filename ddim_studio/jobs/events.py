"""What a job tells whoever started it. No torch here: pictures are NumPy pixels, numbers floats.

A job is a generator of these events. `ddim_studio.jobs.runner.run` makes sure that the last one is
always `Ended`, whatever happens inside.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, get_args

from ddim_studio.jobs.comparison_events import (
    CellDone,
    CellFailed,
    CellFrame,
    CellStarted,
    Scored,
)
from ddim_studio.jobs.evaluation_order import CellMeasured
from ddim_studio.jobs.forward_events import BoundMeasured, ForwardFrame, ForwardStarted
from ddim_studio.jobs.hub_events import CachedFound, Downloaded, HubFound, Waiting
from ddim_studio.jobs.inversion_events import Decoded, EncodeStep, ErrorCurve, Inverted
from ddim_studio.jobs.live_events import PartBegins
from ddim_studio.jobs.model_events import CardRead, CardUnreadable, FastMeasured, MemoryMeasured
from ddim_studio.jobs.restore_events import Agreement, Measured, Restored
from ddim_studio.jobs.training_events import TrainingEvent

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ddim_studio.models.info import ModelInfo

    Pixels = NDArray[np.uint8]

SampleView = Literal["x", "x0", "epsilon", "x0_term", "direction_term", "noise_term"]
View = Literal[SampleView, "guess", "measured", "residual"]
VIEWS: tuple[View, ...] = get_args(SampleView)
"""What a step of the sampler shows."""
RESTORE_VIEWS: tuple[View, ...] = ("x", "x0", "guess", "epsilon", "measured", "residual")
"""What a step of a restoration shows: see `diffusion.restoration.RestoreStep`."""
Outcome = Literal["finished", "cancelled", "failed"]


@dataclass(frozen=True)
class StepNumbers:
    """The numbers of the step that led to a frame (equation 12 of the DDIM paper).

    Attributes:
        t: Timestep left, or None for the frame of x_T, which no step led to.
        s: Timestep reached; −1 is the clean image.
        alpha_bar_t: ᾱ_t.
        alpha_bar_s: ᾱ_s.
        sigma: Coefficient of the random noise z.
        direction: Coefficient of ε_θ, √(1 − ᾱ_s − σ²).
        norm: ‖x_s‖/√(C·H·W) of each image, about 1 for noise.
        change: Root mean square change of x̂_0 since the step before, of each image; empty for
            the first step.
    """

    t: int | None
    s: int
    alpha_bar_t: float
    alpha_bar_s: float
    sigma: float
    direction: float
    norm: tuple[float, ...]
    change: tuple[float, ...] = ()


@dataclass(frozen=True)
class Frame:
    """One frame of a trajectory: x_T is number 0, x_0 is number S.

    Attributes:
        index: Number of the frame.
        views: Pixels by view, each of shape (N, H, W, C) with C = 1 or 3. The frame of x_T holds
            only "x"; "noise_term" is absent where σ = 0.
        numbers: The step that led here.
        first_image: Which image of the run the first of these pictures is.
    """

    index: int
    views: dict[View, Pixels]
    numbers: StepNumbers
    first_image: int = 0


@dataclass(frozen=True)
class Started:
    """The run is under way.

    Attributes:
        timesteps: τ, descending.
        image_shape: (C, H, W).
        seeds: The seed of every image.
        device: Where the network runs, such as "cpu" or "cuda:0".
        alpha_bars: ᾱ_t for t = 0 … T−1, the schedule behind the plots.
    """

    timesteps: tuple[int, ...]
    image_shape: tuple[int, int, int]
    seeds: tuple[int, ...]
    device: str
    alpha_bars: tuple[float, ...] = field(repr=False, default=())


@dataclass(frozen=True)
class Progress:
    """How far a job is.

    Attributes:
        done: Units done.
        total: Units in all.
        seconds: Time since the first unit of this job began.
        unit: What a unit is, in the singular; "B" for bytes.
        before: Units that were done before this job began.
    """

    done: int
    total: int
    seconds: float
    unit: str = "step"
    before: int = 0

    @property
    def rate(self) -> float:
        """Units a second, 0 before the first."""
        return (self.done - self.before) / self.seconds if self.seconds > 0 else 0.0

    @property
    def remaining(self) -> float:
        """Seconds left at this rate; infinite before the first unit."""
        return (self.total - self.done) / self.rate if self.rate else float("inf")


@dataclass(frozen=True)
class ModelOpened:
    """A model is ready, or was found ready.

    Attributes:
        info: Its card.
        device: Where it runs.
        engine: What runs its network on a processor, and in which numbers, such as
            "OpenVINO, float32"; empty elsewhere.
        no_fast: Why the precision "fast" cannot be had; empty where it can, or may.
    """

    info: ModelInfo
    device: str
    engine: str = ""
    no_fast: str = ""


@dataclass(frozen=True)
class Notice:
    """Something the user should know that does not end the job, in one sentence."""

    text: str


@dataclass(frozen=True)
class Saved:
    """A file or folder was written."""

    path: str


@dataclass(frozen=True)
class Failure:
    """Why a job failed: what happened, what to do about it, and details to copy."""

    message: str
    advice: str = ""
    details: str = ""


@dataclass(frozen=True)
class Ended:
    """Always the last event of a job."""

    outcome: Outcome
    failure: Failure | None = None


Event = (
    Started
    | Frame
    | PartBegins
    | Progress
    | ModelOpened
    | Notice
    | Saved
    | Ended
    | EncodeStep
    | Inverted
    | Decoded
    | ErrorCurve
    | CellStarted
    | CellFrame
    | CellDone
    | CellFailed
    | Scored
    | CellMeasured
    | Waiting
    | HubFound
    | CachedFound
    | Downloaded
    | CardRead
    | CardUnreadable
    | MemoryMeasured
    | FastMeasured
    | Measured
    | Agreement
    | Restored
    | ForwardStarted
    | ForwardFrame
    | BoundMeasured
    | TrainingEvent
)
