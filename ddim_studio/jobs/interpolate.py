"""Jobs between latents: a path between two, a grid between four, one point with every frame."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from ddim_studio.diffusion.settings import SettingsError
from ddim_studio.jobs.inversion_events import Decoded
from ddim_studio.jobs.walking import StepCounter, decoded

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from torch import Tensor

    from ddim_studio.jobs.events import Event
    from ddim_studio.jobs.orders import DecodeOrder, GridOrder, PathKind, WatchOrder
    from ddim_studio.jobs.runner import Job
    from ddim_studio.jobs.workbench import Workbench
    from ddim_studio.models.model import Model

    Keep = Callable[[Tensor, Tensor], None]
    """Takes some frames and their x_T, (n, C, H, W) each, on the CPU; they come in order."""

COARSE_STEPS = 4
"""Steps of a first answer: about a tenth of a second for one small image."""

BATCH = 16


def _kept_by_nobody(_frames: Tensor, _x_T: Tensor) -> None:  # noqa: N803 (the paper's name)
    """Pixels suffice."""


def decode_job(
    order: DecodeOrder,
    bench: Workbench,
    *,
    keep: Keep = _kept_by_nobody,
    batch_size: int = BATCH,
) -> Job:
    """Decode points between two latents.

    Args:
        order: Which points.
        bench: Where the model and the latents come from.
        keep: Given the final frames, for those whom pixels do not suffice.
        batch_size: Points a network call.

    Yields:
        `Progress` a network call, and `Decoded`: with ``order.coarse`` first one in a few steps.
    """
    from ddim_studio.diffusion.timesteps import tau_of

    model, x_T = _latents(order, bench)  # noqa: N806 (the paper's name)
    points = along(order.path, x_T, order.ends, order.alphas)
    places = tuple((alpha,) for alpha in order.alphas)
    if order.coarse and order.run.steps > COARSE_STEPS:
        tau = coarse_tau(tau_of(order.run.decoding(), model.schedule.T))
        coarse = dataclasses.replace(order, run=dataclasses.replace(order.run, timesteps=tau))
        yield from _shown(model, points, coarse, places, final=False, batch_size=batch_size)
    yield from _shown(model, points, order, places, keep=keep, batch_size=batch_size)


def grid_job(order: GridOrder, bench: Workbench) -> Job:
    """Decode a grid between the first four latents of a key, in parts.

    Yields:
        `Progress` a network call, and a final `Decoded` a part.
    """
    from ddim_studio.diffusion.interpolation import corner_grid, even_alphas

    model, x_T = _latents(order, bench)  # noqa: N806 (the paper's name)
    if len(x_T) < 4:
        raise SettingsError("images", "A grid takes four images.")
    points = corner_grid(x_T[:4], order.rows, order.columns, order.path).flatten(0, 1)
    across, down = even_alphas(order.columns), even_alphas(order.rows)
    places = [(column, row) for row in down for column in across]
    yield from _shown(model, points, order, places)


def watch_job(order: WatchOrder, bench: Workbench) -> Job:
    """Denoise one point between two latents, and show every frame of it.

    Yields:
        `Started`, and a frame and `Progress` a step, as sampling does.
    """
    from ddim_studio.diffusion.sampling import sample
    from ddim_studio.diffusion.timesteps import tau_of
    from ddim_studio.jobs.frames import first_frame, step_frame
    from ddim_studio.jobs.sample import started

    model, x_T = _latents(order, bench)  # noqa: N806 (the paper's name)
    point = along(order.path, x_T, order.ends, (order.alpha,))
    settings = order.run.decoding()
    tau = tau_of(settings, model.schedule.T)
    yield started(model, tau, (0,))
    yield first_frame(point, tau[-1], model.schedule.alpha_bar(tau[-1]))
    counter = StepCounter(len(tau))
    before = None
    for step in sample(model, point, settings):
        yield step_frame(step, before)
        before = step.x0
        yield counter.tick()


def along(
    path: PathKind,
    x_T: Tensor,  # noqa: N803 (the paper's name)
    ends: tuple[int, int],
    alphas: Sequence[float],
) -> Tensor:
    """The points at ``alphas`` between two of the latents, (len(alphas), C, H, W)."""
    from ddim_studio.diffusion.interpolation import PATHS

    return PATHS[path](x_T[ends[0]], x_T[ends[1]], alphas)


def coarse_tau(tau: Sequence[int]) -> tuple[int, ...]:
    """A few members of τ, its last among them: x_T belongs to that timestep."""
    last = len(tau) - 1
    return tuple(tau[i * last // (COARSE_STEPS - 1)] for i in range(COARSE_STEPS))


def _latents(order: DecodeOrder | GridOrder | WatchOrder, bench: Workbench) -> tuple[Model, Tensor]:
    from ddim_studio.jobs.reuse import remembering

    latents = bench.latents.get(order.key)
    model = bench.models.get(latents.model, latents.device)
    return remembering(model, bench.outputs), latents.x_T


def _shown(
    model: Model,
    points: Tensor,
    order: DecodeOrder | GridOrder,
    places: Sequence[tuple[float, ...]],
    *,
    final: bool = True,
    keep: Keep = _kept_by_nobody,
    batch_size: int = BATCH,
) -> Generator[Event, None, None]:
    """Decode points in batches; show each, and have it kept if it is final, when it is ready."""
    from ddim_studio.imaging.pixels import to_pixels

    firsts = range(0, len(points), batch_size)
    counter = StepCounter(len(firsts) * order.run.steps)
    for first in firsts:
        part = points[first : first + batch_size]
        x = yield from decoded(model, part, order.run, counter)
        if final:
            keep(x.cpu(), part)
        here = tuple(places[first : first + batch_size])
        yield Decoded(order.key, here, to_pixels(x), final)
