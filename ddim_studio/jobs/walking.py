"""Walks to x_T and back inside jobs: an event between any two network calls."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ddim_studio.jobs.events import Progress

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from torch import Tensor

    from ddim_studio.diffusion.denoiser import Denoiser
    from ddim_studio.diffusion.inversion import InvertStep
    from ddim_studio.diffusion.sampling import Step
    from ddim_studio.diffusion.settings import InvertSettings
    from ddim_studio.jobs.events import Notice


class StepCounter:
    """Counts steps, and tells of them again after every network call within a step."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.done = 0
        self._begun = time.perf_counter()

    def now(self) -> Progress:
        """How far it is."""
        return Progress(self.done, self.total, time.perf_counter() - self._begun)

    def tick(self) -> Progress:
        """One more step is done."""
        self.done += 1
        return self.now()


def encoded(
    model: Denoiser,
    images: Tensor,
    settings: InvertSettings,
    counter: StepCounter,
    note: Callable[[InvertStep], None],
) -> Generator[Progress | Notice, None, None]:
    """Walk from images (N, C, H, W) to x_T, and have every step noted."""
    from ddim_studio.diffusion.inversion import InvertStep, invert_events
    from ddim_studio.jobs.splitting import memory_news

    for event in invert_events(model, images, settings):
        yield from memory_news(model)
        if isinstance(event, InvertStep):
            note(event)
            yield counter.tick()
        else:
            yield counter.now()


def decoded(
    model: Denoiser,
    x_T: Tensor,  # noqa: N803 (the paper's name)
    settings: InvertSettings,
    counter: StepCounter,
    note: Callable[[Step], None] = lambda _step: None,
) -> Generator[Progress | Notice, None, Tensor]:
    """Walk from x_T (N, C, H, W) to images by the τ of the settings; returns the images."""
    from ddim_studio.diffusion.sampling import sample
    from ddim_studio.jobs.splitting import memory_news

    x = x_T
    for step in sample(model, x_T, settings.decoding()):
        note(step)
        x = step.x
        yield from memory_news(model)
        yield counter.tick()
    return x
