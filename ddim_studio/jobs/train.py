"""The training job: a run of training, told in the events of jobs."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from ddim_studio.jobs.events import Notice, Progress, Saved
from ddim_studio.training.events import Assessed, Begun, Done, Remark, Stepped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ddim_studio.jobs.events import Event
    from ddim_studio.jobs.runner import Job
    from ddim_studio.models.team import Team
    from ddim_studio.training.events import TrainEvent
    from ddim_studio.training.run_folder import RunFolder
    from ddim_studio.training.settings import TrainSettings

MOST_NAMED = 3
"""Images left out that are named one by one."""


def train_job(
    settings: TrainSettings,
    folder: RunFolder,
    team: Team,
    stop: Callable[[], bool] = lambda: False,
) -> Job:
    """Train a model.

    Args:
        settings: From `RunFolder.planned`.
        folder: The folder of the run, which becomes the model's.
        team: The processes that share it.
        stop: Asked before every step. Once it says so the run ends early, its model and a
            checkpoint kept.

    Yields:
        `Progress` after every step, `Notice` of what is skipped and of the losses, and at the end
        `Saved` with the model's folder; all from the first process only.
    """
    from ddim_studio.training.session import train

    newest: Stepped | None = None
    for event in train(settings, folder, team, stop):
        if isinstance(event, Stepped):
            newest = event
        if team.index == 0:
            yield from _told(event, newest)


def _told(event: TrainEvent, newest: Stepped | None) -> Iterator[Event]:
    if isinstance(event, Stepped):
        yield Progress(event.step, event.total, event.seconds)
    elif isinstance(event, Begun):
        yield from _greeting(event)
    elif isinstance(event, Assessed) and newest is not None:
        yield Notice(_losses(event, newest))
    elif isinstance(event, Remark):
        yield Notice(event.text)
    elif isinstance(event, Done):
        yield Saved(event.model)


def _greeting(event: Begun) -> Iterator[Event]:
    for name, reason in event.skipped[:MOST_NAMED]:
        yield Notice(f"Left out {name}: {reason}")
    more = len(event.skipped) - MOST_NAMED
    if more > 0:
        yield Notice(f"Left out {more} more files; training/skipped.txt lists all.")
    start = f"Going on after step {event.step}" if event.step else "Training"
    yield Notice(
        f"{start}: {event.parameters / 1e6:.1f} million weights, {event.images} images and "
        f"{event.held_out} held out, on {event.place}."
    )


def _losses(event: Assessed, newest: Stepped) -> str:
    held_out = "" if event.validation is None else f", held out {event.validation:.4f}"
    left = timedelta(seconds=round(newest.remaining))
    return (
        f"Step {event.step} of {newest.total}: loss {event.loss:.4f}{held_out}; "
        f"{newest.images_per_second:.0f} images a second, {left} left."
    )
