"""What ``evaluate`` orders, and what it measures. Torch-free."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ddim_studio.diffusion.settings import MAX_SEED, SampleSettings, SettingsError, check_whole
from ddim_studio.jobs.runs import MAX_COUNT, check_place
from ddim_studio.storage import DEFAULT_MODEL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ddim_studio.diffusion.settings import Clip, Eta, Spacing

BLOCK_SIZE = 64
SMALLEST_SAMPLE = 8
HEADLINE: Final = 50_000
"""How many images the field's tables speak of."""


def cells_of(
    etas: Sequence[Eta],
    steps: Sequence[int],
    spacings: Sequence[Spacing] = ("linear",),
    clips: Sequence[Clip] = ("none",),
    class_label: int | None = None,
) -> tuple[SampleSettings, ...]:
    """Every combination of these settings, those with the fewest steps first; one class in all."""
    found = [
        SampleSettings(eta=eta, steps=count, spacing=spacing, clip=clip, class_label=class_label)
        for spacing, clip, eta, count in itertools.product(spacings, clips, etas, steps)
    ]
    return tuple(sorted(found, key=lambda settings: settings.steps))


def has_inverse(settings: SampleSettings) -> bool:
    """Whether images can be encoded for a cell: only where η = 0 and nothing is clipped."""
    return settings.eta == 0 and settings.clip == "none"


@dataclass(frozen=True, kw_only=True)
class EvaluateOrder:
    """Measure a model under several settings, its cells.

    Attributes:
        cells: The settings; their seed is not used.
        data: Images to measure against: a folder, archive or IDX file. None measures time alone.
        model: Bundled name or path.
        device: "auto", "cpu", "cuda" or "mps".
        samples: N, how many images are drawn for each cell.
        seed: n; image i of every cell has the seed n + i.
        data_limit: At most so many images of the data are read, spread evenly over it.
        reconstruction: How many images of the data are encoded and decoded for the reconstruction
            error of every cell that `has_inverse`; 0 leaves that out.
        inception: File with the weights of the Inception network of FID, or None.
        block_size: Images that go through the network at once.
    """

    cells: tuple[SampleSettings, ...]
    data: str | None = None
    model: str = DEFAULT_MODEL
    device: str = "auto"
    samples: int = 1024
    seed: int = 0
    data_limit: int = 10_000
    reconstruction: int = 0
    inception: str | None = None
    block_size: int = BLOCK_SIZE

    def __post_init__(self) -> None:
        check_place(self.model, self.device)
        if not self.cells or len(set(self.cells)) < len(self.cells):
            raise SettingsError("cells", "Give at least one combination of settings, each once.")
        check_whole("samples", self.samples, SMALLEST_SAMPLE, MAX_COUNT)
        check_whole("seed", self.seed, 0, MAX_SEED - self.samples)
        check_whole("data_limit", self.data_limit, SMALLEST_SAMPLE, 10 * MAX_COUNT)
        check_whole("reconstruction", self.reconstruction, 0, MAX_COUNT)
        check_whole("block_size", self.block_size, 1, 65_536)
        if self.data is not None and not self.data.strip():
            raise SettingsError("data", "data must be a folder, an archive or an IDX file.")
        if self.reconstruction and self.data is None:
            raise SettingsError("reconstruction", "A reconstruction error needs data.")
        if self.reconstruction and not any(map(has_inverse, self.cells)):
            raise SettingsError(
                "reconstruction", "A reconstruction error needs a cell with η = 0 and no clipping."
            )


@dataclass(frozen=True)
class Measured:
    """One cell, measured. Figures that were not measured are NaN.

    Attributes:
        settings: The cell.
        samples: How many images it was measured on.
        distance: The Fréchet distance to the data.
        error: Its bootstrap standard error.
        low: Lower end of its 95 % interval.
        high: Upper end.
        kernel_distance: KID, with Inception features only.
        precision: Improved precision.
        recall: Improved recall.
        reconstruction: Mean squared error of encoding and decoding images of the data.
        seconds: Time per image of one process.
        processes: How many worked on it.
    """

    settings: SampleSettings
    samples: int
    distance: float = math.nan
    error: float = math.nan
    low: float = math.nan
    high: float = math.nan
    kernel_distance: float = math.nan
    precision: float = math.nan
    recall: float = math.nan
    reconstruction: float = math.nan
    seconds: float = math.nan
    processes: int = 1

    @property
    def headline_seconds(self) -> float:
        """How long 50,000 images would take all processes together."""
        return self.seconds * HEADLINE / self.processes


@dataclass(frozen=True)
class CellMeasured:
    """A cell was measured.

    Attributes:
        measured: Its figures.
        distance_name: What its distance is called, such as "Fréchet distance (fashion
            classifier)", or empty where there is none.
    """

    measured: Measured
    distance_name: str
