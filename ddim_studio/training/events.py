"""What a run of training tells whoever follows it. Torch-free."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Begun:
    """The first step is about to be taken.

    Attributes:
        step: Steps done before, by the run that goes on.
        images: Images to train on.
        held_out: Images held out for the validation loss.
        skipped: Name and reason of every image that cannot be used.
        parameters: Number of weights.
        place: Where the network runs, and how precisely, in words.
    """

    step: int
    images: int
    held_out: int
    skipped: tuple[tuple[str, str], ...]
    parameters: int
    place: str


@dataclass(frozen=True)
class Stepped:
    """A step of the optimiser is done.

    Attributes:
        step: Steps done.
        total: Steps in all; a guess where the minutes decide.
        loss: The simple objective of the batch.
        learning_rate: Of the step.
        images_per_second: Of the last steps, of all processes together.
        seconds: That the run has taken, pauses left out.
        remaining: Seconds left.
    """

    step: int
    total: int
    loss: float
    learning_rate: float
    images_per_second: float
    seconds: float
    remaining: float


@dataclass(frozen=True)
class Assessed:
    """The moving average was looked at.

    Attributes:
        step: Steps done.
        loss: The simple objective of the batches, a mean over the last hundred steps.
        validation: The simple objective on held-out images, None where there are none.
        by_noise: The same for each quarter of the timesteps, the least noise first.
        sheet: The picture of its samples.
    """

    step: int
    loss: float
    validation: float | None
    by_noise: tuple[float, ...]
    sheet: str


@dataclass(frozen=True)
class Kept:
    """A checkpoint was written, and the model with it."""

    step: int
    path: str


@dataclass(frozen=True)
class Remark:
    """Something the user should know, in one sentence."""

    text: str


@dataclass(frozen=True)
class Done:
    """The last event: the limit was reached, or the run was stopped and can go on.

    Attributes:
        step: Steps done.
        stopped: Whether it was stopped before its limit.
        model: The folder of the model.
    """

    step: int
    stopped: bool
    model: str


TrainEvent = Begun | Stepped | Assessed | Kept | Remark | Done
