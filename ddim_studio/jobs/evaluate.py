"""The evaluating job: draw N samples for every cell, and measure them against real images."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ddim_studio.jobs.evaluation_order import SMALLEST_SAMPLE, CellMeasured, Measured
from ddim_studio.jobs.events import ModelOpened, Notice
from ddim_studio.jobs.sample import Clock

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from ddim_studio.diffusion.settings import SampleSettings
    from ddim_studio.evaluation.blocks import BlockStore
    from ddim_studio.evaluation.quality import RealImages
    from ddim_studio.evaluation.reconstruction import ReconstructionShare
    from ddim_studio.evaluation.shares import CellShare
    from ddim_studio.evaluation.team import Team
    from ddim_studio.jobs.evaluation_order import EvaluateOrder
    from ddim_studio.jobs.events import Event
    from ddim_studio.jobs.models import ModelCache
    from ddim_studio.jobs.runner import Job
    from ddim_studio.models.model import Model

    Pixels = NDArray[np.uint8]


NO_FEATURES = (
    "There are no features for such images: give the weights of the Inception network "
    "(--inception) to measure them. Time and reconstruction error are measured anyway."
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
        this process, and `CellMeasured` for each cell, from the first process only.
    """
    from ddim_studio.evaluation.blocks import BlockStore, block_seeds, fingerprint
    from ddim_studio.evaluation.shares import CellShare

    model = models.get(order.model, order.device)
    yield ModelOpened(model.info, str(model.device))
    data, notices = _data(order, model)
    if team.index == 0:
        yield from notices
    store = BlockStore(folder, fingerprint(model))
    real = _real_images(order, model, data, folder) if data is not None else None
    if data is not None and real is None and team.index == 0:
        yield Notice(NO_FEATURES)
    seeds = block_seeds(order.seed, order.samples, order.block_size)
    shares = [CellShare(store, settings, seeds, team) for settings in order.cells]
    encodings = [_reconstruction(order, settings, data, store, team) for settings in order.cells]
    clock = Clock(
        sum(share.settings.steps * len(share.missing) for share in shares)
        + sum(encoding.calls for encoding in encodings if encoding)
    )
    for share, encoding in zip(shares, encodings, strict=True):
        for _ in share.draw(model):
            yield clock.tick()
        for _ in encoding.measure(model) if encoding else ():
            yield clock.tick()
        measured = _measured(order, share, real, team)
        if encoding:
            measured = replace(measured, reconstruction=encoding.error())
        if team.index == 0:
            yield CellMeasured(measured, real.network.distance if real else "")


def _data(order: EvaluateOrder, model: Model) -> tuple[Pixels | None, list[Event]]:
    """The real images as pixels, and what there is to say of them."""
    from ddim_studio.imaging.datasets import read_images
    from ddim_studio.imaging.errors import ImageError

    if order.data is None:
        return None, []
    found = read_images(order.data, model.image_shape, limit=order.data_limit)
    notices: list[Event] = []
    for name, reason in found.skipped[:3]:
        notices.append(Notice(f"Left out {name}: {reason}"))
    if len(found.skipped) > 3:
        notices.append(
            Notice(f"Left out {len(found.skipped) - 3} more images that cannot be used.")
        )
    if len(found.pixels) < SMALLEST_SAMPLE:
        raise ImageError(
            f"{order.data} holds {len(found.pixels)} images: at least {SMALLEST_SAMPLE} are needed."
        )
    notices.append(Notice(f"{len(found.pixels)} images of {order.data} are the reference."))
    return found.pixels, notices


def _real_images(
    order: EvaluateOrder, model: Model, data: Pixels, folder: Path
) -> RealImages | None:
    from pathlib import Path

    from ddim_studio.evaluation.features import suitable_features
    from ddim_studio.evaluation.quality import RealImages

    weights = None if order.inception is None else Path(order.inception)
    features = suitable_features(model.image_shape, weights)
    return None if features is None else RealImages(data, features, folder)


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
    data: Pixels | None,
    store: BlockStore,
    team: Team,
) -> ReconstructionShare | None:
    """The reconstruction error's share of a cell; only η = 0 without clipping has one."""
    from ddim_studio.evaluation.quality import evenly
    from ddim_studio.evaluation.reconstruction import ReconstructionShare

    if data is None or not order.reconstruction or settings.eta or settings.clip != "none":
        return None
    chosen = evenly(data, order.reconstruction)
    return ReconstructionShare(store, settings, chosen, order.block_size, team)
