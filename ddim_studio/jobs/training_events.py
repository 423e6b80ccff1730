"""What is told of images to train on, and of a run of training that another process does.

Torch-free.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from ddim_studio.jobs.events import Failure
    from ddim_studio.training.settings import TrainSettings


@dataclass(frozen=True)
class Surveyed:
    """What a set of images is, as far as it was looked at.

    Attributes:
        path: Where the images are.
        kind: What that is, such as "zip archive".
        count: Images by their names.
        looked: How many were opened so far.
        wanted: How many will be.
        smallest: Width and height of the smallest by its shorter side; (0, 0) before the first.
        largest: Width and height of the largest by its shorter side.
        colours: "grey" if no opened image has colours, else "rgb".
        skipped: Name and reason of every file that cannot be used, so far.
        sheet: Some of the images, (N, side, side, 3); None before they were read.
    """

    path: str
    kind: str
    count: int
    looked: int
    wanted: int
    smallest: tuple[int, int]
    largest: tuple[int, int]
    colours: str
    skipped: tuple[tuple[str, str], ...]
    sheet: NDArray[np.uint8] | None = None

    @property
    def complete(self) -> bool:
        """Whether nothing more will be looked at."""
        return self.looked >= self.wanted


@dataclass(frozen=True)
class NoImages:
    """A path holds nothing to train on, and why."""

    path: str
    reason: str


@dataclass(frozen=True)
class RunDescribed:
    """The settings and the data that the folder of a run names."""

    settings: TrainSettings
    data: Mapping[str, Any]


@dataclass(frozen=True)
class LogRead:
    """The next lines of a run's log.

    Attributes:
        afresh: The log begins anew: what was read before does not hold.
        steps: Steps of the optimiser that were done, (N,).
        losses: The loss of each, (N,).
        validations: Step and validation loss of every assessment that measured one.
        newest: The last line of a step, None where there is none.
        begun: The last line with which the run began or went on, None where there is none.
        remarks: What the run had to say, each in a sentence.
        last: The last event of the log, "" where no line was read.
    """

    afresh: bool
    steps: NDArray[np.int64]
    losses: NDArray[np.float64]
    validations: tuple[tuple[int, float], ...]
    newest: Mapping[str, Any] | None
    begun: Mapping[str, Any] | None
    remarks: tuple[str, ...]
    last: str


@dataclass(frozen=True)
class SheetRead:
    """Samples that were drawn after a step, (N, H, W, C)."""

    step: int
    pixels: NDArray[np.uint8]


@dataclass(frozen=True)
class SheetsLeft:
    """The steps whose sheets of samples are there still."""

    steps: frozenset[int]


@dataclass(frozen=True)
class ModelKept:
    """The folder of a run holds a model that can be opened."""

    path: str


@dataclass(frozen=True)
class Looked:
    """The folder of a run was looked at, and the process that trains is there still."""


@dataclass(frozen=True)
class ChildEnded:
    """The process that trained has ended.

    Attributes:
        code: Its exit code; negative where a signal ended it.
        failure: What went wrong, None where it finished or was asked to stop.
    """

    code: int
    failure: Failure | None


TrainingEvent = (
    Surveyed
    | NoImages
    | RunDescribed
    | LogRead
    | SheetRead
    | SheetsLeft
    | ModelKept
    | Looked
    | ChildEnded
)
