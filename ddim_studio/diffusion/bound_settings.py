"""How the variational bound is to be estimated. No torch and no NumPy here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

from ddim_studio.diffusion.settings import (
    MAX_CLASSES,
    MAX_SEED,
    Settings,
    check_choice,
    check_whole,
)

BoundClip = Literal["none", "clamp"]
BOUND_CLIPS: tuple[BoundClip, ...] = get_args(BoundClip)
MAX_DRAWS = 1000


@dataclass(frozen=True, kw_only=True)
class BoundSettings(Settings):
    """How to estimate the variational bound.

    Attributes:
        draws: k, the timesteps from 1 to T − 1 at which every image is measured, beside t = 0. At
            T − 1 of them nothing is left to chance but the noise.
        clip: Whether x̂_0 is clamped to [−1, 1] before it enters the bound, as Ho et al. did.
        seed: n; image i draws its timesteps and its noise from generators keyed by n and i.
        class_label: As what the images are taken, for models with classes; None is class 0 there.
    """

    kind: ClassVar[str] = "bound"

    draws: int = 10
    clip: BoundClip = "none"
    seed: int = 0
    class_label: int | None = None

    def __post_init__(self) -> None:
        check_whole("draws", self.draws, 1, MAX_DRAWS)
        check_choice("clip", self.clip, BOUND_CLIPS)
        check_whole("seed", self.seed, 0, MAX_SEED)
        if self.class_label is not None:
            check_whole("class_label", self.class_label, 0, MAX_CLASSES - 1)
