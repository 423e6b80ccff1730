"""The restoration job: measure an image, and find images that agree with the measurement."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ddim_studio.jobs.events import RESTORE_VIEWS, Notice, Saved
from ddim_studio.jobs.restore_events import Agreement, Restored
from ddim_studio.jobs.sample import Clock, Sink, started

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from ddim_studio.diffusion.restoration import RestoreStep
    from ddim_studio.jobs.events import View
    from ddim_studio.jobs.models import ModelCache
    from ddim_studio.jobs.restore_events import Measured
    from ddim_studio.jobs.restore_order import RestoreOrder
    from ddim_studio.jobs.restoring import Problem
    from ddim_studio.jobs.runner import Job
    from ddim_studio.models.model import Model


def restore_job(
    order: RestoreOrder,
    models: ModelCache,
    *,
    sink: Sink | None = None,
    views: Sequence[View] = RESTORE_VIEWS,
    batch_size: int = 64,
) -> Job:
    """Restore one image with ``order.run.count`` seeds, in batches.

    Args:
        order: What to do.
        models: Where the model comes from.
        sink: Writes the run to files; `Saved` tells of each when all are complete.
        views: Which pictures frames carry. With none there are no frames.
        batch_size: Images a network call.

    Yields:
        `ModelOpened`, `Measured` and `Started`, then for each batch the frame of x_T, and
        `Agreement`, a frame and `Progress` a step; `Restored` at the end.
    """
    from ddim_studio.diffusion.noise import image_seeds
    from ddim_studio.diffusion.restore_settings import walk
    from ddim_studio.diffusion.timesteps import advice, tau_of
    from ddim_studio.jobs.models import class_notices, opened
    from ddim_studio.jobs.restoring import measured_event, problem_of

    run = order.run
    model = models.get(run.model, run.device)
    tau = tau_of(run, model.schedule.T)
    seeds = image_seeds(run.seed, run.count)
    yield opened(model)
    problem = problem_of(order, model.image_shape)
    measured = measured_event(problem, order, tuple(walk(run, tau)))
    yield measured
    yield started(model, tau, seeds)
    yield from class_notices(model.info, run.class_label)
    if warning := advice(tau, model.schedule.T):
        yield Notice(warning)
    restoring = _Restoring(model, order, problem, measured, views)
    firsts = range(0, run.count, batch_size)
    clock = Clock(len(measured.moves) * len(firsts))
    with sink or Sink() as filled:
        for first in firsts:
            batch = seeds[first : first + batch_size]
            yield from restoring.batch(batch, first, filled, clock)
        restored = restoring.restored(seeds)
    yield restored
    for path in filled.paths():
        yield Saved(str(path))


class _Restoring:
    """One run, and what is gathered of it."""

    def __init__(
        self,
        model: Model,
        order: RestoreOrder,
        problem: Problem,
        measured: Measured,
        views: Sequence[View],
    ) -> None:
        self._model, self._run = model, order.run
        self._problem, self._measured, self._views = problem, measured, views
        self._images: list[Tensor] = []
        self._agreements: list[list[Agreement]] = []

    def batch(self, seeds: Sequence[int], first: int, sink: Sink, clock: Clock) -> Job:
        """Restore with some seeds, of which the first is number ``first`` of the run."""
        from ddim_studio.diffusion.noise import seeded_noise
        from ddim_studio.diffusion.restoration import restore
        from ddim_studio.jobs.frames import first_frame, step_frame
        from ddim_studio.jobs.splitting import memory_news

        model, problem = self._model, self._problem
        x_T = seeded_noise(model, seeds)  # noqa: N806 (the paper's name)
        sink.start(x_T, first)
        if self._views:
            last = self._measured.moves[0][0]
            yield first_frame(x_T, last, model.schedule.alpha_bar(last), first)
        before, agreements = None, []
        steps = restore(model, problem.y, problem.measurement, self._run, x_T=x_T, seeds=seeds)
        for step in steps:
            sink.step(step, first)
            agreements.append(agreement_of(step, first))
            yield agreements[-1]
            if self._views:
                yield step_frame(step, before, self._views, first)
            before, x = step.x0, step.x
            yield from memory_news(model)
            yield clock.tick()
        self._images.append(x.cpu())
        self._agreements.append(agreements)

    def restored(self, seeds: tuple[int, ...]) -> Restored:
        """All that is known at the end."""
        import numpy as np
        import torch

        from ddim_studio.imaging.pixels import to_pixels
        from ddim_studio.jobs.restoring import qualities

        images = torch.cat(self._images)
        problem = self._problem
        rest = (problem.measurement.A(images) - problem.y).flatten(1)
        kept = {
            name: np.concatenate(
                [[getattr(step, name) for step in steps] for steps in self._agreements], axis=1
            )
            for name in ("guess_rms", "guess_max", "rms", "max")
        }
        return Restored(
            pixels=to_pixels(images),
            seeds=seeds,
            measured=self._measured,
            quality=qualities(problem.clean, images),
            **kept,
            final_rms=tuple(rest.square().mean(1).sqrt().tolist()),
            final_max=tuple(rest.abs().amax(1).tolist()),
            network_calls=len(self._measured.moves),
        )


def agreement_of(step: RestoreStep, first_image: int = 0) -> Agreement:
    """The numbers of a step."""
    return Agreement(
        step.index,
        step.t,
        step.t_next,
        step.travelled,
        tuple(step.guess_rms.tolist()),
        tuple(step.guess_max.tolist()),
        tuple(step.rms.tolist()),
        tuple(step.max.tolist()),
        first_image,
    )
