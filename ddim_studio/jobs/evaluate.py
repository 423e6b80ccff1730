"""The evaluating job: draw N samples for every cell, and measure them against real images."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ddim_studio.jobs.evaluation_order import (
    SMALLEST_SAMPLE,
    CellMeasured,
    Measured,
    has_inverse,
)
from ddim_studio.jobs.events import Notice
from ddim_studio.jobs.models import class_notices, opened
from ddim_studio.jobs.sample import Clock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ddim_studio.diffusion.settings import SampleSettings
    from ddim_studio.evaluation.blocks import BlockStore
    from ddim_studio.evaluation.features import Features
    from ddim_studio.evaluation.quality import RealImages
    from ddim_studio.evaluation.reconstruction import ReconstructionShare
    from ddim_studio.evaluation.shares import CellShare
    from ddim_studio.imaging.datasets import ImageData
    from ddim_studio.jobs.evaluation_order import EvaluateOrder
    from ddim_studio.jobs.models import ModelCache
    from ddim_studio.jobs.runner import Job
    from ddim_studio.models.model import Model
    from ddim_studio.models.team import Team

NO_FEATURES = (
    "There are no features for such images: give the weights of the Inception network "
    "(--inception) to measure them. Time and reconstruction error are measured anyway."
)
INCEPTION_UNUSED = (
    "Grey images of 28×28 are measured by the fashion classifier: the weights of Inception are "
    "not used."
)


def evaluate_job(order: EvaluateOrder, models: ModelCache, folder: Path, team: Team) -> Job:
    """Measure every cell.

    Samples are kept in ``folder``, block by block: a job that is stopped goes on where it was, and
    one with more cells or more samples draws only what is new.

    Args:
        order: What to measure.
        models: Where the model comes from.
        folder: Where samples are kept.
        team: The processes that share the work; the first of them measures.

    Yields:
        `ModelOpened`, `Notice` of what cannot be measured, `Progress` after every network call of
        this process, and `CellMeasured` for each cell, from the first process only. Cells of a
        model with classes name theirs.

    Raises:
        ImageError: The data cannot be read, or holds too few images.
        ModelError: The model or the features cannot be opened, what a cell draws is not finite,
            or another process has ended.
    """
    from ddim_studio.evaluation.blocks import BlockStore, block_seeds, fingerprint
    from ddim_studio.evaluation.quality import RealImages
    from ddim_studio.evaluation.shares import CellShare
    from ddim_studio.jobs.splitting import memory_news

    model = models.get(order.model, order.device)
    yield opened(model)
    data = _data(order, model)
    features = _features(order, model) if data else None
    if team.index == 0:
        yield from _notices(order, model, data, features)
    store = BlockStore(folder, fingerprint(model))
    real = RealImages(data.pixels, features, folder) if data and features else None
    seeds = block_seeds(order.seed, order.samples, order.block_size)
    cells = [_with_class(settings, model) for settings in order.cells]
    shares = [CellShare(store, settings, seeds, team) for settings in cells]
    encodings = [_reconstruction(order, settings, data, store, team) for settings in cells]
    clock = Clock(
        sum(share.settings.steps * len(share.missing) for share in shares)
        + sum(encoding.calls for encoding in encodings if encoding)
    )
    for share, encoding in zip(shares, encodings, strict=True):
        for _ in share.draw(model):
            yield clock.tick()
            yield from memory_news(model)
        for _ in encoding.measure(model) if encoding else ():
            yield clock.tick()
        measured = _measured(order, share, real, team)
        if encoding:
            measured = replace(measured, reconstruction=encoding.error())
        if team.index == 0:
            yield CellMeasured(measured, real.network.distance if real else "")


def _with_class(settings: SampleSettings, model: Model) -> SampleSettings:
    """A cell that says which class it draws, where the model has classes."""
    if model.info.classes and settings.class_label is None:
        return replace(settings, class_label=0)
    return settings


def _data(order: EvaluateOrder, model: Model) -> ImageData | None:
    """The real images, None where there are none to measure against."""
    from ddim_studio.imaging.datasets import read_images
    from ddim_studio.imaging.errors import ImageError

    if order.data is None:
        return None
    found = read_images(order.data, model.image_shape, limit=order.data_limit)
    if len(found.pixels) < SMALLEST_SAMPLE:
        raise ImageError(
            f"{order.data} holds {len(found.pixels)} images: at least {SMALLEST_SAMPLE} are needed."
        )
    return found


def _features(order: EvaluateOrder, model: Model) -> Features | None:
    from pathlib import Path

    from ddim_studio.evaluation.features import suitable_features

    weights = None if order.inception is None else Path(order.inception)
    return suitable_features(model.image_shape, weights)


def _notices(
    order: EvaluateOrder, model: Model, data: ImageData | None, features: Features | None
) -> Iterator[Notice]:
    """What there is to say before anything is drawn."""
    from ddim_studio.diffusion.timesteps import advice, tau_of

    yield from class_notices(model.info, order.cells[0].class_label)
    if data:
        yield from _data_notices(order, data)
        if features is None:
            yield Notice(NO_FEATURES)
        elif order.inception is not None and not features.title.startswith("Inception"):
            yield Notice(INCEPTION_UNUSED)
    texts = [
        advice(tau_of(settings, model.schedule.T), model.schedule.T) for settings in order.cells
    ]
    yield from (Notice(text) for text in dict.fromkeys(texts) if text)


def _data_notices(order: EvaluateOrder, data: ImageData) -> Iterator[Notice]:
    for name, reason in data.skipped[:3]:
        yield Notice(f"Left out {name}: {reason}")
    if len(data.skipped) > 3:
        yield Notice(f"Left out {len(data.skipped) - 3} more images that cannot be used.")
    yield Notice(f"{len(data.pixels)} images of {order.data} are the reference.")


def _measured(
    order: EvaluateOrder, share: CellShare, real: RealImages | None, team: Team
) -> Measured:
    """The figures of a cell whose samples are all drawn."""
    import numpy as np

    seconds = sum(part[0] for part in share.gathered(lambda block: np.array([block.seconds])))
    measured = Measured(
        share.settings, order.samples, seconds=seconds / order.samples, processes=team.size
    )
    if real is None:
        return measured
    network = real.network
    features = np.concatenate(share.gathered(lambda block: network(block.pixels)))
    if team.index:
        return measured
    quality = real.quality(features)
    low, high = quality.distance.interval
    return replace(
        measured,
        distance=quality.distance.value,
        error=quality.distance.error,
        low=low,
        high=high,
        kernel_distance=quality.kernel_distance,
        precision=quality.manifold.precision,
        recall=quality.manifold.recall,
    )


def _reconstruction(
    order: EvaluateOrder,
    settings: SampleSettings,
    data: ImageData | None,
    store: BlockStore,
    team: Team,
) -> ReconstructionShare | None:
    """The reconstruction error's share of a cell, where it has one."""
    from ddim_studio.evaluation.quality import evenly
    from ddim_studio.evaluation.reconstruction import ReconstructionShare

    if data is None or not order.reconstruction or not has_inverse(settings):
        return None
    chosen = evenly(data.pixels, order.reconstruction)
    return ReconstructionShare(store, settings, chosen, order.block_size, team)
