"""What the live preview of the Sample page orders, and what it is told. Torch-free."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ddim_studio.jobs.runs import SampleRun


@dataclass(frozen=True)
class LiveRun:
    """A run to be shown while its settings are still being changed: coarsely first, then whole."""

    run: SampleRun


@dataclass(frozen=True)
class PartBegins:
    """The frames that follow belong to this run, the coarse one or the one that was asked for.

    Attributes:
        run: The settings of this part; of the coarse one with its own few timesteps.
        final: Whether it is the one that was asked for.
    """

    run: SampleRun
    final: bool
