"""What jobs tell of models: their cards, and the memory that they need. Torch-free."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from ddim_studio.models.info import ModelInfo


@dataclass(frozen=True)
class CardRead:
    """What a model is, without opening it.

    Attributes:
        source: As it was asked for.
        info: The card.
        alpha_bars: ᾱ_t for t = 0 … T−1.
        preview: Where a picture of its samples is kept, or will be.
        samples: That picture's samples, (N, H, W, C); None where none were drawn yet.
    """

    source: str
    info: ModelInfo
    alpha_bars: tuple[float, ...] = field(repr=False)
    preview: Path
    samples: NDArray[np.uint8] | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True)
class FastMeasured:
    """How the precision "fast" differs from "precise" on this machine, measured on one image.

    Attributes:
        source: The model.
        device: Where it runs.
        change: Mean |Δpixel|, in levels of 0 to 255.
        largest: The largest |Δpixel|.
        speed: How many times as fast a network call is.
    """

    source: str
    device: str
    change: float
    largest: int
    speed: float


@dataclass(frozen=True)
class CardUnreadable:
    """Why there is no card.

    Attributes:
        source: As it was asked for.
        message: What is wrong, in a sentence.
        advice: What to do about it, may be empty.
    """

    source: str
    message: str
    advice: str


@dataclass(frozen=True)
class MemoryMeasured:
    """What an opened model takes.

    Attributes:
        source: The model, as its card names it.
        device: Where it runs.
        weights: Bytes of the network's weights.
        call: Bytes that a network call for one image takes beside them, at most at a time.
    """

    source: str
    device: str
    weights: int
    call: int
