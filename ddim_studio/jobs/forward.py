"""The jobs of the Forward page: one image from x_0 to noise, and the bound over many."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

from ddim_studio.jobs.events import Notice, Progress
from ddim_studio.jobs.forward_events import BoundMeasured, ForwardStarted

if TYPE_CHECKING:
    from collections.abc import Generator

    from torch import Tensor

    from ddim_studio.diffusion.denoiser import Denoiser
    from ddim_studio.diffusion.schedule import Schedule
    from ddim_studio.jobs.events import Event
    from ddim_studio.jobs.forward_events import BoundRun, ForwardOrder
    from ddim_studio.jobs.runner import Job
    from ddim_studio.jobs.walking import StepCounter
    from ddim_studio.jobs.workbench import Workbench
    from ddim_studio.models.model import Model

DECODING_STEPS = 50
"""S of the image that a seed is decoded to, η = 0."""

BATCH = 8
"""Timesteps of an image that the network looks at together."""

STATES = 64
"""States of all images that a network call takes for the bound, about."""

PIXELS = 1 << 18
"""A network call for either takes no more pixels than this, or one state."""

IMAGE_BYTES = 1 << 30
"""The images of a bound are kept in memory, and take no more than this."""

REPORT_SECONDS = 0.4
"""How often an estimate of the bound is told of while it grows."""


def forward_job(order: ForwardOrder, bench: Workbench) -> Job:
    """Bring one image to noise, by the closed form and by the chain, and have the network look.

    Yields:
        `ModelOpened`, `ForwardStarted`, a `ForwardFrame` and `Progress` a timestep shown, the
        image's own frame first.
    """
    from ddim_studio.diffusion.timesteps import linspace
    from ddim_studio.imaging.pixels import to_pixels
    from ddim_studio.jobs.forward_frames import Noising
    from ddim_studio.jobs.models import class_notices, opened
    from ddim_studio.jobs.splitting import memory_news
    from ddim_studio.jobs.walking import StepCounter

    run = order.run
    whole = bench.models.get(run.model, run.device)
    yield opened(whole)
    yield from class_notices(whole.info, run.class_label)
    model, T = whole.with_class(run.class_label), whole.schedule.T  # noqa: N806 (the paper's)
    times = linspace(min(run.points, T), T)
    counter = StepCounter(len(times) + (_decoding_steps(T) if order.image.seed is not None else 0))
    x0 = yield from _image(order, model, counter)
    yield ForwardStarted(tuple(times), to_pixels(x0)[0], schedules(whole.schedule))
    noising = Noising(model, run, x0, times)
    yield noising.first_frame()
    for frames in noising.frames(at_a_time(model, BATCH)):
        yield from memory_news(model)
        for frame in frames:
            yield frame
            yield counter.tick()


def at_a_time(model: Denoiser, most: int) -> int:
    """How many states a network call takes: at least one, at most ``most``."""
    _, height, width = model.image_shape
    return max(1, min(most, PIXELS // (height * width)))


def _decoding_steps(T: int) -> int:  # noqa: N803 (the paper's name)
    return min(DECODING_STEPS, T)


def _image(
    order: ForwardOrder, model: Model, counter: StepCounter
) -> Generator[Event, None, Tensor]:
    """x_0 (1, C, H, W): the pixels, or what the seed is decoded to."""
    from ddim_studio.diffusion.noise import seeded_noise
    from ddim_studio.diffusion.settings import InvertSettings
    from ddim_studio.jobs.encoding import tensor_of
    from ddim_studio.jobs.walking import decoded

    if order.image.seed is None:
        return tensor_of(model, [order.image])
    steps = InvertSettings(
        steps=_decoding_steps(model.schedule.T),
        spacing="linear",
        class_label=order.run.class_label,
    )
    noise = seeded_noise(model, [order.image.seed])
    x0 = yield from decoded(model, noise, steps, counter)
    return x0.clamp(-1, 1)


def schedules(own: Schedule) -> dict[str, tuple[float, ...]]:
    """ᾱ_t of a model's schedule beside the common ones of the same T, in float64."""
    from ddim_studio.diffusion import schedule

    found = {
        "model": own,
        "linear": schedule.linear(own.T),
        "cosine": schedule.squared_cosine(own.T),
        "scaled linear": schedule.scaled_linear(own.T),
    }
    return {name: tuple(one.alpha_bars.tolist()) for name, one in found.items()}


def bound_job(run: BoundRun, bench: Workbench) -> Job:
    """Estimate the variational bound over a set of images.

    Yields:
        `ModelOpened`, a `Notice` where pictures were skipped, then `Progress` in images after
        every network call and a `BoundMeasured` now and then; the last one is over all images.
    """
    from ddim_studio.diffusion.bound import bound_steps
    from ddim_studio.imaging.datasets import read_images
    from ddim_studio.imaging.pixels import from_pixels
    from ddim_studio.jobs.models import class_notices, opened
    from ddim_studio.jobs.splitting import memory_news

    model = bench.models.get(run.model, run.device)
    yield opened(model)
    yield from class_notices(model.info, run.class_label)
    limit = min(run.count, max(1, IMAGE_BYTES // (4 * math.prod(model.image_shape))))
    if limit < run.count:
        yield Notice(f"No more than {limit} images of this size fit: so many are measured.")
    data = read_images(run.data, model.image_shape, limit=limit)
    if data.skipped:
        first, count = data.skipped[0], len(data.skipped)
        others = f" {count - 1} more were left out." if count > 1 else ""
        yield Notice(f"{first.name} was left out: {first.reason}{others}")
    alpha_bars = tuple(model.schedule.alpha_bars.tolist())
    begun = told = time.perf_counter()
    total = len(data.pixels)
    yield Progress(0, total, 0.0, "image")
    for bound in bound_steps(
        model, from_pixels(data.pixels), run, batch_size=at_a_time(model, STATES)
    ):
        now = time.perf_counter()
        yield from memory_news(model)
        yield Progress(bound.images, total, now - begun, "image")
        if now - told >= REPORT_SECONDS or bound.images == total:
            told = now
            yield BoundMeasured(run, bound, data.source, alpha_bars)
