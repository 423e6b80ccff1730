"""The models that jobs work with: opened once, kept by the thread that uses them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ddim_studio.jobs.events import ModelOpened

if TYPE_CHECKING:
    from ddim_studio.jobs.runner import Job
    from ddim_studio.models.model import Model


class ModelCache:
    """Keeps the models used last, so that a second run does not load again.

    Args:
        capacity: How many models are kept.
    """

    def __init__(self, capacity: int = 2) -> None:
        self.capacity = capacity
        self._models: dict[tuple[str, str], Model] = {}

    def get(self, source: str, device: str) -> Model:
        """The model, opened now if it was not.

        Raises:
            ModelError: It cannot be opened.
        """
        from ddim_studio.models.devices import pick_device
        from ddim_studio.models.loading import load_model

        key = (source, pick_device(device))
        model = self._models.pop(key, None) or load_model(source, device)
        self._models[key] = model
        while len(self._models) > self.capacity:
            self._models.pop(next(iter(self._models)))
        return model

    def clear(self) -> None:
        """Forget all models, and the memory that they take."""
        self._models.clear()


def open_job(source: str, device: str, models: ModelCache) -> Job:
    """Open a model ahead of its first run, and let the network run once to warm up.

    Yields:
        `ModelOpened`.
    """
    from ddim_studio.diffusion.noise import seeded_noise

    model = models.get(source, device)
    yield ModelOpened(model.info, str(model.device))
    model.raw(seeded_noise(model, [0]).to(model.device), 0)


def leave_one_core() -> None:
    """Let torch use every core of this machine but one, which stays with the window."""
    import torch

    torch.set_num_threads(max(1, (os.cpu_count() or 2) - 1))
