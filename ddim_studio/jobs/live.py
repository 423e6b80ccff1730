"""The live job: a run in a few steps at once, and then in all of its steps."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from ddim_studio.jobs.events import ModelOpened, Notice
from ddim_studio.jobs.interpolate import COARSE_STEPS, coarse_tau
from ddim_studio.jobs.live_events import PartBegins
from ddim_studio.jobs.sample import sample_job

if TYPE_CHECKING:
    from ddim_studio.jobs.live_events import LiveRun
    from ddim_studio.jobs.runner import Job
    from ddim_studio.jobs.runs import SampleRun
    from ddim_studio.jobs.workbench import Workbench


def live_job(order: LiveRun, bench: Workbench) -> Job:
    """Sample coarsely, then as ordered. Both begin at the same timestep, and share that call.

    Yields:
        `PartBegins` and, of each part, the events of `sample_job` but for notices.
    """
    from ddim_studio.diffusion.timesteps import tau_of

    run = order.run
    tau = tau_of(run, bench.models.open(run.model, run.device).schedule.T)
    if len(tau) > COARSE_STEPS:
        yield from _part(dataclasses.replace(run, timesteps=coarse_tau(tau)), bench, final=False)
    yield from _part(run, bench, final=True)


def _part(run: SampleRun, bench: Workbench, *, final: bool) -> Job:
    yield PartBegins(run, final)
    for event in sample_job(run, bench.models, outputs=bench.outputs):
        if not isinstance(event, ModelOpened | Notice):
            yield event
