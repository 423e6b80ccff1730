"""All that a run of training consists of, opened together."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from ddim_studio.diffusion.denoiser import Denoiser
from ddim_studio.diffusion.schedule import from_config
from ddim_studio.diffusion.settings import SettingsError
from ddim_studio.models.devices import pick_device
from ddim_studio.models.scheduler_config import unusable_scheduler
from ddim_studio.training.batches import Batches
from ddim_studio.training.checkpoint import newest_checkpoint
from ddim_studio.training.clock import Clock
from ddim_studio.training.dataset import read_training_images, split_of
from ddim_studio.training.draws import START, TRAINING, VALIDATION, Draws
from ddim_studio.training.errors import TrainingError
from ddim_studio.training.model_files import BETAS
from ddim_studio.training.network import forward_of
from ddim_studio.training.settings import resolved
from ddim_studio.training.start import Start, read_start
from ddim_studio.training.team import part_of
from ddim_studio.training.trainer import Trainer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from ddim_studio.diffusion.schedule import Schedule
    from ddim_studio.models.team import Team
    from ddim_studio.training.checkpoint import Checkpoint
    from ddim_studio.training.dataset import Images, Split
    from ddim_studio.training.objective import Batch
    from ddim_studio.training.run_folder import RunFolder
    from ddim_studio.training.settings import TrainSettings

MEASURED = 800
"""Images, at least, that the loss of a model is measured on when a run starts from it."""
VALIDATED = 256
"""Images of the validation loss; held-out ones come more than once if they are fewer."""


@dataclass(frozen=True)
class Run:
    """A run that is ready for its next step.

    Attributes:
        settings: With nothing left open.
        folder: Where its files go.
        team: The processes that share it.
        images: What it is trained on.
        split: Which of them are held out.
        scheduler: The entries of the scheduler's config that say what the schedule is.
        schedule: ᾱ_t.
        device: Where the network runs.
        trainer: The network in training, restored.
        start: The model that the run started from, if any.
        clock: Its time so far.
        checkpoint: Where it goes on, None at its beginning.
        damaged: Checkpoints that are newer, but damaged.
    """

    settings: TrainSettings
    folder: RunFolder
    team: Team
    images: Images
    split: Split
    scheduler: Mapping[str, Any]
    schedule: Schedule
    device: torch.device
    trainer: Trainer
    start: Start | None
    clock: Clock
    checkpoint: Checkpoint | None
    damaged: tuple[Path, ...]

    def batches(self) -> Batches:
        """This process's parts of the batches that are trained on."""
        return self._shared(TRAINING)

    def first_batches(self) -> Iterator[Batch]:
        """Other ones of the same kind, to measure the loss of a model that was trained already."""
        batches = self._shared(START)
        return map(batches.at, range(math.ceil(MEASURED / self.settings.batch_size)))

    def _shared(self, stream: int) -> Batches:
        size = self.settings.batch_size
        part, rows = part_of(self.team, size), self.split.training
        draws = self._draws(stream, len(rows), size)
        flip = self.settings.flip
        return Batches(self.images.pixels, rows, draws, part, self.device, flip=flip)

    def held_out(self) -> Batches:
        """The batch of the validation loss, as that of step 0; there must be held-out images."""
        rows = self.split.held_out
        draws = self._draws(VALIDATION, len(rows), VALIDATED)
        return Batches(self.images.pixels, rows, draws, slice(None), self.device, flip=False)

    def denoiser(self) -> Denoiser:
        """The moving average, to sample from."""
        return Denoiser(
            forward_of(self.trainer.ema.network),
            self.schedule,
            self.images.image_shape,
            prediction="epsilon" if self.settings.prediction == "epsilon" else "v_prediction",
            device=self.device,
        )

    def _draws(self, stream: int, images: int, size: int) -> Draws:
        shape = self.images.image_shape
        return Draws(
            self.settings.seed, stream, images, shape, batch_size=size, timesteps=self.schedule.T
        )


def open_run(settings: TrainSettings, folder: RunFolder, team: Team) -> Run:
    """Read the images and the newest checkpoint, and make everything ready for the next step.

    What the first process says of settings and checkpoint holds for all.

    Raises:
        ImageError: The images cannot be used.
        ModelError: There is no such device, or the model to start from is not in order.
        SettingsError: The settings do not fit the images or the team.
        TrainingError: The images are others than those that the run began with, or than those of
            the other processes.
    """
    settings = team.gather(settings)[0]
    if settings.batch_size < team.size:
        raise SettingsError(
            "batch_size",
            f"batch_size must be at least {team.size}, one image for each process, "
            f"not {settings.batch_size}.",
        )
    device = torch.device(pick_device(settings.device))
    images = read_training_images(settings, folder.root)
    split = split_of(settings, images)
    found = _found(settings, folder) if team.index == 0 else (None, [], None)
    checkpoint, damaged, start = team.gather(found)[0]
    _check_images(team, images, checkpoint)
    colours = "grey" if images.image_shape[0] == 1 else "rgb"
    settings = resolved(settings, colours=colours, held_out=len(split.held_out))
    scheduler = start.scheduler if start else BETAS
    schedule = _schedule(scheduler)
    trainer = Trainer(settings, images.image_shape, schedule, device, team, start=start)
    if checkpoint is not None:
        trainer.restore(checkpoint.step, checkpoint.tensors)
    run = Run(
        *(settings, folder, team, images, split, scheduler, schedule, device, trainer, start),
        clock=Clock(checkpoint.state["seconds"] if checkpoint else 0.0),
        checkpoint=checkpoint,
        damaged=tuple(damaged),
    )
    if start and not checkpoint and settings.weighting == "inverse":
        trainer.measure(run.first_batches())
    return run


def _found(
    settings: TrainSettings, folder: RunFolder
) -> tuple[Checkpoint | None, list[Path], Start | None]:
    """Where the run goes on, newer checkpoints that are damaged, and what it started from."""
    checkpoint, damaged = newest_checkpoint(folder.checkpoints)
    if checkpoint is None:
        return None, damaged, read_start(settings.start) if settings.start else None
    about = checkpoint.state.get("start")
    return checkpoint, damaged, Start(**about) if about else None


def _schedule(scheduler: Mapping[str, Any]) -> Schedule:
    try:
        return from_config(scheduler)
    except SettingsError as error:
        raise unusable_scheduler(error) from error


def _check_images(team: Team, images: Images, checkpoint: Checkpoint | None) -> None:
    if len(set(team.gather(images.checksum))) > 1:
        raise TrainingError("The processes do not find the same images.", "Give all the same data.")
    if checkpoint is not None and checkpoint.state["data"] != images.checksum:
        raise TrainingError(
            "The images are not those that this run began with.",
            "Give the same data again, or begin a run in another folder.",
        )
