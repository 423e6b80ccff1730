"""The sampling job: draw x_T from seeds, walk to x_0, and tell of every step."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Self

from ddim_studio.jobs.events import VIEWS, Notice, Progress, Saved, Started

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from types import TracebackType

    from torch import Tensor

    from ddim_studio.diffusion.sampling import Step
    from ddim_studio.jobs.events import View
    from ddim_studio.jobs.models import ModelCache
    from ddim_studio.jobs.reuse import OutputStore
    from ddim_studio.jobs.runner import Job
    from ddim_studio.jobs.runs import SampleRun
    from ddim_studio.models.model import Model


class Sink:
    """Takes the tensors of a run as they come; this one drops them, others write files.

    A context manager: left normally it completes its files, left by an exception (a cancelled
    job is left by ``GeneratorExit``) it removes them.
    """

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Complete the files, or remove what there is of them."""

    def start(self, x_T: Tensor, first_image: int) -> None:  # noqa: N803 (the paper's name)
        """A batch begins with x_T (N, C, H, W), whose first image is number ``first_image``."""

    def step(self, step: Step, first_image: int) -> None:
        """The batch took a step."""

    def paths(self) -> Sequence[Path]:
        """What was written, known once the context was left."""
        return ()


class Clock:
    """Counts units of work and the seconds that they took."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.done = 0
        self._begun = time.perf_counter()

    def tick(self) -> Progress:
        """One more unit is done."""
        self.done += 1
        return Progress(self.done, self.total, time.perf_counter() - self._begun)


def started(model: Model, tau: Sequence[int], seeds: Sequence[int]) -> Started:
    """The event that a run on ``model`` begins with; ``tau`` ascends."""
    return Started(
        timesteps=tuple(reversed(tau)),
        image_shape=model.image_shape,
        seeds=tuple(seeds),
        device=str(model.device),
        alpha_bars=tuple(model.schedule.alpha_bars.tolist()),
    )


def sample_job(
    run: SampleRun,
    models: ModelCache,
    *,
    sink: Sink | None = None,
    views: Sequence[View] = VIEWS,
    batch_size: int = 64,
    outputs: OutputStore | None = None,
) -> Job:
    """Sample ``run.count`` images in batches.

    Args:
        run: What to do.
        models: Where the model comes from.
        sink: Writes the run to files; `Saved` tells of each when all are complete.
        views: Which pictures frames carry. With none there are no frames.
        batch_size: Images a network call.
        outputs: What the network said in earlier runs, which is not computed again.

    Yields:
        `ModelOpened` and `Started`, then for each batch the frame of x_T, and a frame and
        `Progress` a step; after a "fast" run with frames `FastMeasured`.
    """
    from ddim_studio.diffusion.noise import image_seeds
    from ddim_studio.diffusion.timesteps import advice, tau_of
    from ddim_studio.jobs.models import class_notices, engine_notices, fast_news, opened
    from ddim_studio.jobs.reuse import remembering

    model = models.get(run.model, run.device, run.precision)
    tau = tau_of(run, model.schedule.T)
    seeds = image_seeds(run.seed, run.count)
    yield opened(model)
    yield started(model, tau, seeds)
    yield from class_notices(model.info, run.class_label)
    yield from engine_notices(model, run.precision)
    if warning := advice(tau, model.schedule.T):
        yield Notice(warning)
    firsts = range(0, run.count, batch_size)
    clock = Clock(len(tau) * len(firsts))
    view = remembering(model, outputs)
    with sink or Sink() as filled:
        for first in firsts:
            batch = seeds[first : first + batch_size]
            yield from _batch(view, run, batch, first, sink=filled, views=views, clock=clock)
    for path in filled.paths():
        yield Saved(str(path))
    if views and run.precision == "fast":
        yield from fast_news(run.model, run.device, models)


def _batch(
    model: Model,
    run: SampleRun,
    seeds: Sequence[int],
    first: int,
    *,
    sink: Sink,
    views: Sequence[View],
    clock: Clock,
) -> Job:
    """Sample the images of some seeds, of which the first is number ``first`` of the run."""
    from ddim_studio.diffusion.noise import seeded_noise
    from ddim_studio.diffusion.sampling import sample
    from ddim_studio.diffusion.timesteps import tau_of
    from ddim_studio.jobs.frames import first_frame, step_frame
    from ddim_studio.jobs.splitting import memory_news

    x_T = seeded_noise(model, seeds)  # noqa: N806 (the paper's name)
    sink.start(x_T, first)
    if views:
        last = tau_of(run, model.schedule.T)[-1]
        yield first_frame(x_T, last, model.schedule.alpha_bar(last), first)
    before = None
    for step in sample(model, x_T, run, seeds=seeds):
        sink.step(step, first)
        if views:
            yield step_frame(step, before, views, first)
        before = step.x0
        yield from memory_news(model)
        yield clock.tick()
