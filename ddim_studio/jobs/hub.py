"""The jobs that use the network: looking a model of the hub up, and downloading it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ddim_studio.jobs.events import Progress
from ddim_studio.jobs.hub_events import CachedFound, Downloaded, HubFound, Waiting

if TYPE_CHECKING:
    from ddim_studio.jobs.runner import Job
    from ddim_studio.models.hub import HubInfo


@dataclass(frozen=True)
class LookUpOrder:
    """Ask the hub what a model is.

    Attributes:
        source: ``hub:owner/name``, or with ``@revision``.
    """

    source: str


@dataclass(frozen=True)
class DownloadOrder:
    """Download a model, as it was shown to the user.

    Attributes:
        info: What a look-up found.
    """

    info: HubInfo


@dataclass(frozen=True)
class CachedOrder:
    """Find the models of the hub that are on this computer; the network is not used."""


def cached_job(_order: CachedOrder) -> Job:
    """Search the hub library's cache.

    Yields:
        `CachedFound`.
    """
    from ddim_studio.models.hub_cache import cached_models

    yield CachedFound(tuple(name.source for name in cached_models()))


def look_up_job(order: LookUpOrder) -> Job:
    """Ask the hub what a model is; no file is fetched.

    Yields:
        `HubFound`, and `Waiting` until then.
    """
    from ddim_studio.models.background import in_background
    from ddim_studio.models.hub import hub_info
    from ddim_studio.models.hub_cache import HubName, cached_folder

    waiting = in_background(lambda: hub_info(order.source))
    while True:
        try:
            next(waiting)
        except StopIteration as answer:
            info: HubInfo = answer.value
            commit = HubName(info.name.repo, info.commit)
            yield HubFound(info, here=cached_folder(commit) is not None)
            return
        yield Waiting()


def download_job(order: DownloadOrder) -> Job:
    """Download a model into the hub library's cache; cancelled, it can be resumed.

    Yields:
        `Progress` in bytes, and `Downloaded` at the end.
    """
    from ddim_studio.models.hub_download import download

    before, begun = order.info.cached, time.perf_counter()
    for done, total in download(order.info):
        yield Progress(done, total, time.perf_counter() - begun, "B", min(before, done))
    yield Downloaded(order.info.name.source)
