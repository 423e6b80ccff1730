"""The comparing job: fill a matrix of runs cell by cell, the cheapest first."""

from __future__ import annotations

import time
import traceback
from typing import TYPE_CHECKING
from weakref import WeakSet

from ddim_studio.diffusion.settings import SettingsError
from ddim_studio.jobs.comparison_events import CellDone, CellFailed, CellFrame, CellStarted
from ddim_studio.jobs.events import Notice
from ddim_studio.jobs.failures import explain
from ddim_studio.jobs.models import class_notices, engine_notices, opened
from ddim_studio.jobs.walking import StepCounter
from ddim_studio.models.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence

    from ddim_studio.jobs.events import Event, View
    from ddim_studio.jobs.matrix import CompareRun, Place
    from ddim_studio.jobs.models import ModelCache
    from ddim_studio.jobs.runner import Job
    from ddim_studio.jobs.runs import SampleRun
    from ddim_studio.models.model import Model

FAULTS_OF_A_CELL = (SettingsError, ModelError, MemoryError, RuntimeError, OSError)
"""What a cell's settings or its model can bring about; anything else ends the job."""


def compare_job(
    order: CompareRun, models: ModelCache, *, views: Sequence[View] = ("x", "x0")
) -> Job:
    """Sample every cell of a matrix, each as one batch of its seeds.

    Cells whose models have the same image shape start from the same x_T, seed by seed. A cell that
    cannot be computed does not stop the others.

    Args:
        order: What to do.
        models: Where the models come from.
        views: Which pictures frames carry. With none there are no frames.

    Yields:
        `ModelOpened` when a model is first used; for every cell `CellStarted`, the `CellFrame` of
        x_T, a `CellFrame` and `Progress` a step, and `CellDone`, or `CellFailed` and `Progress`
        without the steps that are not taken.

    Raises:
        Exception: What the first cell failed of, when all of them failed.
    """
    counter = StepCounter(order.network_calls())
    cache = _OpenedModels(models)
    first_fault: Exception | None = None
    complete = 0
    for place in order.cheapest_first():
        due = counter.done + order.settings(place).steps
        try:
            yield from _cell(order, place, cache, views, counter)
            complete += 1
        except FAULTS_OF_A_CELL as fault:
            traceback.clear_frames(fault.__traceback__)  # they hold the model and its tensors
            first_fault = first_fault or fault
            yield CellFailed(place, explain(fault))
            counter.total -= due - counter.done
            yield counter.now()
    if first_fault is not None and not complete:
        raise first_fault


def _cell(
    order: CompareRun,
    place: Place,
    cache: _OpenedModels,
    views: Sequence[View],
    counter: StepCounter,
) -> Job:
    """One cell from its noise to its images."""
    from ddim_studio.diffusion.noise import seeded_noise
    from ddim_studio.diffusion.sampling import sample
    from ddim_studio.diffusion.timesteps import tau_of
    from ddim_studio.evaluation.drawing import check_finite
    from ddim_studio.jobs.frames import first_frame, step_frame
    from ddim_studio.jobs.splitting import memory_news

    run, seeds = order.settings(place), order.cell_seeds(place)
    model = yield from cache.get(run, len(seeds))
    tau = tau_of(run, model.schedule.T)
    yield from cache.advice(tau, model)
    yield CellStarted(place, tuple(reversed(tau)), model.image_shape, seeds)
    begun = time.perf_counter()
    x = x_T = seeded_noise(model, seeds)  # noqa: N806 (the paper's name)
    steps = sample(model, x_T, run, seeds=seeds)
    if views:
        yield CellFrame(place, first_frame(x_T, tau[-1], model.schedule.alpha_bar(tau[-1])))
    before = None
    for step in steps:
        if views:
            yield CellFrame(place, step_frame(step, before, views))
        before, x = step.x0, step.x
        yield counter.tick()
        yield from memory_news(model)
    images = x.cpu().numpy()
    seconds = (time.perf_counter() - begun) / len(seeds)
    check_finite(x, "The images of this cell")
    yield CellDone(place, images, seconds)


class _OpenedModels:
    """Opens the models of a matrix; those that cannot be opened are tried once."""

    def __init__(self, models: ModelCache) -> None:
        self._models = models
        self._faults: dict[str, Exception] = {}
        self._told: set[str] = set()
        self._warm: WeakSet[Model] = WeakSet()

    def get(self, run: SampleRun, count: int) -> Generator[Event, None, Model]:
        """The model of a run of ``count`` images, with the events of its first opening."""
        if run.model in self._faults:
            raise self._faults[run.model].with_traceback(None)
        try:
            model = self._models.get(run.model, run.device, run.precision)
        except FAULTS_OF_A_CELL as fault:
            self._faults[run.model] = fault
            raise
        if run.model not in self._told:
            self._told.add(run.model)
            yield opened(model)
            yield from class_notices(model.info, run.class_label)
            yield from engine_notices(model, run.precision)
        self._warm_up(model, count)
        return model

    def advice(self, tau: Sequence[int], model: Model) -> Iterator[Notice]:
        """What there is to say of a τ, unless it was said before."""
        from ddim_studio.diffusion.timesteps import advice

        text = advice(tau, model.schedule.T)
        if text and text not in self._told:
            self._told.add(text)
            yield Notice(text)

    def _warm_up(self, model: Model, count: int) -> None:
        """Let a network run once, so that the time of its first cell is that of any other."""
        from ddim_studio.diffusion.noise import seeded_noise

        if model not in self._warm:
            self._warm.add(model)
            model.raw(seeded_noise(model, range(count)).to(model.device), 0)
