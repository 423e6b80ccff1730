"""Which job does which order, and what it is called meanwhile. Torch-free."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from ddim_studio.jobs.branch import branch_job
from ddim_studio.jobs.cards import CardOrder, PreviewOrder, card_job, preview_job
from ddim_studio.jobs.compare import compare_job
from ddim_studio.jobs.comparison import ScoreOrder
from ddim_studio.jobs.forward import bound_job, forward_job
from ddim_studio.jobs.forward_events import BoundRun, ForwardOrder
from ddim_studio.jobs.hub import (
    CachedOrder,
    DownloadOrder,
    LookUpOrder,
    cached_job,
    download_job,
    look_up_job,
)
from ddim_studio.jobs.interpolate import decode_job, grid_job, watch_job
from ddim_studio.jobs.invert import curve_job, invert_job
from ddim_studio.jobs.live import live_job
from ddim_studio.jobs.live_events import LiveRun
from ddim_studio.jobs.matrix import CompareRun
from ddim_studio.jobs.orders import CurveOrder, DecodeOrder, GridOrder, InvertOrder, WatchOrder
from ddim_studio.jobs.restore import restore_job
from ddim_studio.jobs.restore_order import RestoreOrder
from ddim_studio.jobs.runs import BranchRun, SampleRun
from ddim_studio.jobs.sample import sample_job
from ddim_studio.jobs.scores import score_job
from ddim_studio.jobs.training_survey import SurveyOrder, survey_job

if TYPE_CHECKING:
    from collections.abc import Callable

    from ddim_studio.jobs.runner import Job
    from ddim_studio.jobs.workbench import Workbench


@dataclass(frozen=True)
class Kind:
    """How one kind of order becomes a job.

    Attributes:
        title: What the job is called, given the order.
        start: The job, given the order and what jobs share.
        where: Which thread does it: the one that computes, or the one that waits for the network.
    """

    title: Callable[[Any], str]
    start: Callable[[Any, Workbench], Job]
    where: Literal["compute", "network"] = "compute"


def short_name(source: str) -> str:
    """The last part of a model's path, which is its name."""
    return source.rstrip("/\\").replace("\\", "/").rpartition("/")[2]


def _images(count: int) -> str:
    return "1 image" if count == 1 else f"{count} images"


def _cells(count: int) -> str:
    return "1 cell" if count == 1 else f"{count} cells"


KINDS: Final[dict[type, Kind]] = {
    SampleRun: Kind(
        lambda run: f"Sampling {run.count} × {short_name(run.model)}",
        lambda run, bench: sample_job(run, bench.models, outputs=bench.outputs),
    ),
    LiveRun: Kind(lambda order: f"Previewing with {short_name(order.run.model)}", live_job),
    BranchRun: Kind(
        lambda order: f"Branching from frame {order.frame}",
        branch_job,
    ),
    InvertOrder: Kind(lambda order: f"Inverting {_images(len(order.images))}", invert_job),
    CurveOrder: Kind(lambda _order: "Measuring the error against S", curve_job),
    DecodeOrder: Kind(lambda order: f"Decoding {_images(len(order.alphas))}", decode_job),
    GridOrder: Kind(lambda order: f"Decoding {order.rows}×{order.columns} images", grid_job),
    WatchOrder: Kind(lambda order: f"Denoising at α = {order.alpha:.2f}", watch_job),
    ForwardOrder: Kind(lambda order: f"Noising {order.image.label}", forward_job),
    BoundRun: Kind(lambda run: f"Measuring the bound of {short_name(run.model)}", bound_job),
    RestoreOrder: Kind(
        lambda order: f"Restoring {_images(order.run.count)}",
        lambda order, bench: restore_job(order, bench.models),
    ),
    CompareRun: Kind(
        lambda order: f"Comparing {_cells(len(order.places))}",
        lambda order, bench: compare_job(order, bench.models),
    ),
    ScoreOrder: Kind(
        lambda order: f"Measuring {_cells(len(order.images))}",
        lambda order, _bench: score_job(order),
    ),
    CardOrder: Kind(
        lambda order: f"Reading {short_name(order.source)}",
        lambda order, _bench: card_job(order),
    ),
    PreviewOrder: Kind(
        lambda order: f"Drawing samples of {short_name(order.run.model)}",
        lambda order, bench: preview_job(order, bench.models),
    ),
    SurveyOrder: Kind(
        lambda _order: "Looking at images",
        lambda order, _bench: survey_job(order),
    ),
    CachedOrder: Kind(
        lambda _order: "Searching the cache of the hub",
        lambda order, _bench: cached_job(order),
    ),
    LookUpOrder: Kind(
        lambda order: f"Asking the hub for {short_name(order.source)}",
        lambda order, _bench: look_up_job(order),
        where="network",
    ),
    DownloadOrder: Kind(
        lambda order: f"Downloading {order.info.name.repo}",
        lambda order, _bench: download_job(order),
        where="network",
    ),
}
