"""What jobs that use the network tell. Torch-free."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ddim_studio.models.hub import HubInfo


@dataclass(frozen=True)
class Waiting:
    """Nothing new yet; the job can be cancelled here."""


@dataclass(frozen=True)
class HubFound:
    """The hub has told what a model is.

    Attributes:
        info: All that is known of it before a download.
        here: Whether this very commit is on this computer already.
    """

    info: HubInfo
    here: bool = False


@dataclass(frozen=True)
class CachedFound:
    """The models of the hub that are on this computer.

    Attributes:
        sources: What `load_model` takes to open each.
    """

    sources: tuple[str, ...]


@dataclass(frozen=True)
class Downloaded:
    """A model of the hub is on this computer.

    Attributes:
        source: What `load_model` takes to open it.
    """

    source: str
