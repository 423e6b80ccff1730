"""The inversion job: images to x_T and back, and what that cost. Also the error against S."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from ddim_studio.jobs.events import Notice
from ddim_studio.jobs.inversion_events import ErrorCurve
from ddim_studio.jobs.walking import StepCounter, decoded, encoded

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ddim_studio.diffusion.inversion import InvertStep
    from ddim_studio.jobs.encoding import InvertedTensors
    from ddim_studio.jobs.orders import CurveOrder, ImageInput, InvertOrder
    from ddim_studio.jobs.runner import Job
    from ddim_studio.jobs.workbench import Workbench

EXACT_PRICE = 8
"""Network calls of an exact step, roughly: decides only the order of the points of a curve."""


def walks(images: Sequence[ImageInput]) -> int:
    """How often inverting these walks the steps of τ: there and back, and once for all seeds."""
    inverted = any(image.pixels is not None for image in images)
    return 2 * inverted + any(image.seed is not None for image in images)


def invert_job(
    order: InvertOrder,
    bench: Workbench,
    *,
    keep: Callable[[InvertedTensors], None] = lambda _tensors: None,
) -> Job:
    """Encode images to x_T, decode them again, and compare.

    Images that come from a seed are decoded first, and need no encoding: their x_T is known.

    Args:
        order: What to invert, and how.
        bench: Where the model comes from and the latents go.
        keep: Given the images, latents and reconstructions, for those whom pixels do not suffice.

    Yields:
        `ModelOpened`, then `Progress` a network call and `EncodeStep` a step, a `Notice` if steps
        did not converge, and `Inverted` at the end.
    """
    from ddim_studio.jobs.encoding import Encoding
    from ddim_studio.jobs.models import class_notices, opened
    from ddim_studio.jobs.workbench import Latents

    run = order.run
    model = bench.models.get(run.model, run.device)
    yield opened(model)
    yield from class_notices(model.info, run.class_label)
    encoding = Encoding(model, order)
    counter = StepCounter(walks(order.images) * len(encoding.tau))
    if encoding.seed_rows:
        noise = encoding.seeded_noise()
        encoding.decoded_seeds = yield from decoded(
            model, noise, run, counter, encoding.note_seeded
        )
    if encoding.pixel_rows:
        fresh: list[InvertStep] = []
        for progress in encoded(model, encoding.images, run, counter, fresh.append):
            while fresh:
                yield encoding.step_event(fresh.pop())
            yield progress
    else:
        for index in range(len(encoding.tau)):
            yield encoding.seeded_event(index)
    if sentence := encoding.unsolved():
        yield Notice(sentence)
    if encoding.pixel_rows:
        encoding.reconstructions = yield from decoded(model, encoding.inverted, run, counter)
    tensors = encoding.tensors()
    keep(tensors)
    key = bench.latents.add(Latents(run.model, run.device, tensors.x_T))
    yield encoding.report(key, tensors)


def curve_job(order: CurveOrder, bench: Workbench) -> Job:
    """Measure the reconstruction error against S for several methods, cheapest first.

    Yields:
        `ModelOpened`, `Progress` a network call, and an `ErrorCurve` a method and S.
    """
    from ddim_studio.evaluation.likeness import mean_squared_errors
    from ddim_studio.jobs.encoding import tensor_of
    from ddim_studio.jobs.models import opened

    run = order.run
    model = bench.models.get(run.model, run.device)
    yield opened(model)
    images = tensor_of(model, order.images)
    points = cheapest_first(order, model.schedule.T)
    counter = StepCounter(sum(2 * steps for _, steps in points))
    for method, steps in points:
        changes = {"method": method, "steps": steps, "spacing": None, "timesteps": None}
        point = dataclasses.replace(run, **changes)  # type: ignore[arg-type]
        walked: list[InvertStep] = []
        yield from encoded(model, images, point, counter, walked.append)
        x = yield from decoded(model, walked[-1].x, point, counter)
        errors = mean_squared_errors(images, x)
        calls = sum(int(step.calls.sum()) for step in walked) / (len(walked) * len(images))
        lost = sum(int((~step.converged).sum()) for step in walked) if method == "exact" else 0
        yield ErrorCurve(method, steps, sum(errors) / len(errors), calls, lost)


def cheapest_first(order: CurveOrder, T: int) -> list[tuple[str, int]]:  # noqa: N803
    """The points of a curve, methods by S, in the order of their cost; S beyond T left out."""
    points = [(method, steps) for steps in order.steps if steps <= T for method in order.methods]
    price = {"exact": EXACT_PRICE}
    return sorted(points, key=lambda point: point[1] * price.get(point[0], 1))
