"""What the Invert and Interpolate pages order from their jobs. Torch-free and frozen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ddim_studio.diffusion.settings import SettingsError

if TYPE_CHECKING:
    from ddim_studio.jobs.events import Pixels
    from ddim_studio.jobs.runs import InvertRun

PathKind = Literal["slerp", "lerp"]
"""How to walk between latents: along the sphere, or straight."""


@dataclass(frozen=True)
class ImageInput:
    """One image to invert, or one that is drawn from a seed: exactly one of the two is given.

    Attributes:
        pixels: (H, W, C), at the model's own size.
        seed: Whose noise is x_T; there is nothing to invert then.
        label: What people call it.
    """

    pixels: Pixels | None = None
    seed: int | None = None
    label: str = ""

    def __post_init__(self) -> None:
        if (self.pixels is None) == (self.seed is None):
            raise SettingsError("images", "An image comes either from pixels or from a seed.")


@dataclass(frozen=True)
class InvertOrder:
    """Encode images to x_T and decode them again."""

    run: InvertRun
    images: tuple[ImageInput, ...]

    def __post_init__(self) -> None:
        if not self.images:
            raise SettingsError("images", "Give at least one image.")


@dataclass(frozen=True)
class CurveOrder:
    """The reconstruction error against S, for several methods."""

    run: InvertRun
    images: tuple[ImageInput, ...]
    methods: tuple[str, ...] = ("source", "target", "exact")
    steps: tuple[int, ...] = (5, 10, 20, 50)


@dataclass(frozen=True)
class DecodeOrder:
    """Decode points between two latents.

    Attributes:
        key: Of the latents, from `Inverted`.
        run: How they were inverted; decoding takes the same τ.
        alphas: Where, from 0 (the first end) to 1 (the second).
        path: Slerp or linear.
        ends: Numbers of the two images.
        coarse: First give an answer in a few steps.
    """

    key: int
    run: InvertRun
    alphas: tuple[float, ...]
    path: PathKind = "slerp"
    ends: tuple[int, int] = (0, 1)
    coarse: bool = False


@dataclass(frozen=True)
class GridOrder:
    """Decode a grid between four latents: A and B above, C and D below."""

    key: int
    run: InvertRun
    rows: int = 5
    columns: int = 5
    path: PathKind = "slerp"


@dataclass(frozen=True)
class WatchOrder:
    """Denoise one point between two latents, with every frame, as the Sample page does."""

    key: int
    run: InvertRun
    alpha: float
    path: PathKind = "slerp"
    ends: tuple[int, int] = (0, 1)
