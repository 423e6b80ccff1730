"""Which job does which order, and what it is called meanwhile. Torch-free."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ddim_studio.jobs.branch import branch_job
from ddim_studio.jobs.interpolate import decode_job, grid_job, watch_job
from ddim_studio.jobs.invert import curve_job, invert_job
from ddim_studio.jobs.orders import CurveOrder, DecodeOrder, GridOrder, InvertOrder, WatchOrder
from ddim_studio.jobs.runs import BranchRun, SampleRun
from ddim_studio.jobs.sample import sample_job

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
    """

    title: Callable[[Any], str]
    start: Callable[[Any, Workbench], Job]


def short_name(source: str) -> str:
    """The last part of a model's path, which is its name."""
    return source.rstrip("/\\").replace("\\", "/").rpartition("/")[2]


def _images(count: int) -> str:
    return "1 image" if count == 1 else f"{count} images"


KINDS: Final[dict[type, Kind]] = {
    SampleRun: Kind(
        lambda run: f"Sampling {run.count} × {short_name(run.model)}",
        lambda run, bench: sample_job(run, bench.models),
    ),
    BranchRun: Kind(
        lambda order: f"Branching from frame {order.frame}",
        branch_job,
    ),
    InvertOrder: Kind(lambda order: f"Inverting {_images(len(order.images))}", invert_job),
    CurveOrder: Kind(lambda _order: "Measuring the error against S", curve_job),
    DecodeOrder: Kind(lambda order: f"Decoding {_images(len(order.alphas))}", decode_job),
    GridOrder: Kind(lambda order: f"Decoding {order.rows}×{order.columns} images", grid_job),
    WatchOrder: Kind(lambda order: f"Denoising at α = {order.alpha:.2f}", watch_job),
}
