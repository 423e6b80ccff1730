"""What the jobs of one worker thread share: opened models, latents, and what networks said."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ddim_studio.diffusion.settings import SettingsError
from ddim_studio.jobs.models import ModelCache
from ddim_studio.jobs.reuse import OutputStore

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Latents:
    """The x_T of some images, and which model they belong to.

    Attributes:
        model: Source of the model.
        device: Where it was asked to run.
        x_T: (N, C, H, W), float32, on the CPU.
    """

    model: str
    device: str
    x_T: Tensor  # noqa: N815 (the paper's name)


class LatentStore:
    """Keeps the latents of the last inversions under keys that the window can hold.

    Args:
        capacity: How many inversions are kept; the oldest are forgotten first.
    """

    _keys = itertools.count(1)

    def __init__(self, capacity: int = 16) -> None:
        self.capacity = capacity
        self._kept: dict[int, Latents] = {}

    def add(self, latents: Latents) -> int:
        """Keep latents; the key to find them by."""
        key = next(self._keys)
        self._kept[key] = latents
        while len(self._kept) > self.capacity:
            self._kept.pop(next(iter(self._kept)))
        return key

    def get(self, key: int) -> Latents:
        """The latents of a key.

        Raises:
            SettingsError: They were forgotten.
        """
        if key not in self._kept:
            raise SettingsError("key", "This inversion is no longer in memory: invert again.")
        return self._kept[key]


class Workbench:
    """Models, latents and outputs, used by one thread only.

    Attributes:
        models: Opened models.
        latents: Inverted images.
        outputs: What networks said, so that they are not asked the same twice.
    """

    def __init__(self) -> None:
        self.models = ModelCache()
        self.latents = LatentStore()
        self.outputs = OutputStore()
