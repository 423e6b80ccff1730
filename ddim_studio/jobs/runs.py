"""Complete orders for jobs: the settings of the paper plus model, device and count. Torch-free."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import ClassVar

from ddim_studio.diffusion.settings import (
    PRECISIONS,
    InvertSettings,
    Precision,
    SampleSettings,
    SettingsError,
    check_choice,
    check_whole,
)
from ddim_studio.storage import DEFAULT_MODEL

DEVICE_NAMES = ("auto", "cpu", "cuda", "mps")
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
        precision: "precise" computes the network in float32; "fast" in 16 bits where the device
            computes with them, which moves pixels by a level here and there.
    """

    kind: ClassVar[str] = "sample"

    model: str = DEFAULT_MODEL
    device: str = "auto"
    count: int = 16
    precision: Precision = "precise"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_place(self.model, self.device)
        check_whole("count", self.count, 1, MAX_COUNT)
        check_choice("precision", self.precision, PRECISIONS)


@dataclass(frozen=True, kw_only=True)
class InvertRun(InvertSettings):
    """An inversion with all that is needed to repeat it on the same images.

    Attributes:
        model: Bundled name or path.
        device: "auto", "cpu", "cuda" or "mps".
    """

    kind: ClassVar[str] = "invert"

    model: str = DEFAULT_MODEL
    device: str = "auto"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_place(self.model, self.device)


@dataclass(frozen=True)
class BranchRun:
    """A run that leaves another one at one of its frames, and goes on with other settings.

    Attributes:
        parent: The run that is left.
        frame: At which of its frames, 0 being x_T; before the last.
        run: How to go on: η, S, spacing, clipping and the seed of the noise still to come. Model,
            device and count are the parent's.
    """

    kind: ClassVar[str] = "branch"

    parent: SampleRun
    frame: int
    run: SampleRun

    def __post_init__(self) -> None:
        check_whole("frame", self.frame, 0, self.parent.steps - 1)

    def to_json(self) -> str:
        """The branch as one line of JSON."""
        values = {"parent": self.parent.to_dict(), "frame": self.frame, "run": self.run.to_dict()}
        return json.dumps({"kind": self.kind, **values})
