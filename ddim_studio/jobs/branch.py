"""The branching job: leave a run at one of its frames, and go on with other settings."""

from __future__ import annotations

import dataclasses
from itertools import islice
from typing import TYPE_CHECKING

from ddim_studio.jobs.sample import Clock, started

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from ddim_studio.diffusion.sampling import Step
    from ddim_studio.jobs.runner import Job
    from ddim_studio.jobs.runs import BranchRun
    from ddim_studio.jobs.workbench import Workbench
    from ddim_studio.models.model import Model


def branch_job(order: BranchRun, bench: Workbench) -> Job:
    """Walk the parent's steps again up to the frame, then go on as the branch says.

    Every image's noise belongs to its seed, so the parent's frames come out as they were; what the
    network said of them is still known, unless it was long ago.

    Yields:
        `ModelOpened`, `Started`, and a frame and `Progress` a step, the parent's steps included.
    """
    from ddim_studio.diffusion.noise import image_seeds, seeded_noise
    from ddim_studio.diffusion.timesteps import rest_of, tau_of
    from ddim_studio.jobs.frames import first_frame, step_frame
    from ddim_studio.jobs.models import opened
    from ddim_studio.jobs.reuse import remembering
    from ddim_studio.jobs.splitting import memory_news

    parent = order.parent
    model = bench.models.get(parent.model, parent.device, parent.precision)
    yield opened(model)
    model = remembering(model, bench.outputs)
    old = tau_of(parent, model.schedule.T)
    turning_point = old[len(old) - 1 - order.frame]
    new = rest_of(tau_of(order.run, model.schedule.T), turning_point)
    tau = new + old[len(old) - order.frame :]
    yield started(model, tau, image_seeds(parent.seed, parent.count))
    clock = Clock(len(tau))
    x_T = seeded_noise(model, image_seeds(parent.seed, parent.count))  # noqa: N806
    yield first_frame(x_T, old[-1], model.schedule.alpha_bar(old[-1]))
    before = None
    for step in _steps(model, x_T, order, new):
        yield step_frame(step, before)
        before = step.x0
        yield from memory_news(model)
        yield clock.tick()


def _steps(model: Model, x_T: Tensor, order: BranchRun, new: list[int]) -> Iterator[Step]:  # noqa: N803
    """The parent's steps up to the frame, then the branch's, numbered on."""
    from ddim_studio.diffusion.sampling import sample

    x = x_T
    for step in islice(sample(model, x_T, order.parent), order.frame):
        yield step
        x = step.x
    settings = dataclasses.replace(order.run, timesteps=tuple(new))
    for step in sample(model, x, settings):
        yield dataclasses.replace(step, index=step.index + order.frame)
