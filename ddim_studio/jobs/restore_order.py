"""What a restoration is ordered with. Torch-free and frozen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from ddim_studio.diffusion.restore_settings import RestoreSettings
from ddim_studio.diffusion.settings import MAX_SEED, SettingsError, check_whole
from ddim_studio.jobs.runs import SampleRun

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ddim_studio.jobs.events import Pixels


@dataclass(frozen=True, kw_only=True)
class RestoreRun(RestoreSettings, SampleRun):
    """A restoration with all that is needed to repeat it on the same image.

    Attributes:
        count: How many images are found, with seeds n, n + 1, ….
        degrade: Whether the image is clean, and is measured first. Else it is the measurement
            itself: a grey picture, one with a hole, a small one, or a noisy one.
        noise_seed: Of the measurement's noise, where the image is degraded with σ > 0; the same
            for all images, so that another seed restores the same measurement.
    """

    kind: ClassVar[str] = "restore"

    count: int = 4
    degrade: bool = True
    noise_seed: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.degrade, bool):
            raise SettingsError("degrade", f"degrade must be true or false, not {self.degrade!r}.")
        check_whole("noise_seed", self.noise_seed, 0, MAX_SEED)


@dataclass(frozen=True)
class RestoreOrder:
    """Find images that a measurement agrees with.

    Attributes:
        run: How.
        image: (H, W, C): the model's own size, but for "superres" without ``degrade``, where
            it is that divided by the scale. C is the model's.
        mask: For "inpaint", True where pixels are unknown and to be filled: (H, W).
        label: What people call the image.
    """

    run: RestoreRun
    image: Pixels
    mask: NDArray[np.bool_] | None = None
    label: str = ""

    def __post_init__(self) -> None:
        if self.run.task == "inpaint" and self.mask is None:
            raise SettingsError(
                "mask", "mask is missing: the task inpaint needs to know what to fill."
            )
