"""Complete orders for jobs: the settings of the paper plus model, device and count. Torch-free."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ddim_studio.diffusion.settings import (
    SampleSettings,
    SettingsError,
    check_choice,
    check_whole,
)

DEVICE_NAMES = ("auto", "cpu", "cuda", "mps")
DEFAULT_MODEL = "fashion-28"
MAX_COUNT = 1_000_000


def check_place(model: object, device: object) -> None:
    """Raise unless ``model`` is a non-empty name and ``device`` one of `DEVICE_NAMES`."""
    if not isinstance(model, str) or not model.strip():
        raise SettingsError("model", "model must be a name or a path.")
    check_choice("device", device, DEVICE_NAMES)


@dataclass(frozen=True, kw_only=True)
class SampleRun(SampleSettings):
    """A run of the sampler, all that is needed to repeat it.

    Attributes:
        model: Bundled name or path.
        device: "auto", "cpu", "cuda" or "mps".
        count: How many images, with seeds n, n + 1, ….
    """

    kind: ClassVar[str] = "sample"

    model: str = DEFAULT_MODEL
    device: str = "auto"
    count: int = 16

    def __post_init__(self) -> None:
        super().__post_init__()
        check_place(self.model, self.device)
        check_whole("count", self.count, 1, MAX_COUNT)
