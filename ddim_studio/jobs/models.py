"""The models that jobs work with: opened once, kept by the thread that uses them."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from ddim_studio.jobs.events import ModelOpened, Notice, Progress
from ddim_studio.jobs.model_events import MemoryMeasured

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ddim_studio.jobs.runner import Job
    from ddim_studio.models.info import ModelInfo
    from ddim_studio.models.model import Model

PART_BYTES = 1 << 23
WEIGHTS = {".safetensors", ".bin", ".pt", ".pth", ".ckpt"}


class ModelCache:
    """Keeps the models used last, so that a second run does not load again.

    Args:
        capacity: How many models are kept.
    """

    def __init__(self, capacity: int = 2) -> None:
        self.capacity = capacity
        self._models: dict[tuple[str, str], Model] = {}
        self._measured: WeakKeyDictionary[Model, MemoryMeasured] = WeakKeyDictionary()

    def get(self, source: str, device: str) -> Model:
        """The model, opened now if it was not; its network is split when memory runs out.

        Raises:
            ModelError: It cannot be opened.
        """
        from ddim_studio.jobs.splitting import splitting
        from ddim_studio.models.devices import pick_device
        from ddim_studio.models.loading import load_model

        key = (source, pick_device(device))
        model = self._models.pop(key, None) or splitting(load_model(source, device))
        self._models[key] = model
        while len(self._models) > self.capacity:
            self._models.pop(next(iter(self._models)))
        return model

    def has(self, source: str, device: str) -> bool:
        """Whether a model is open already."""
        from ddim_studio.models.devices import pick_device

        return (source, pick_device(device)) in self._models

    def measure(self, source: str, device: str) -> MemoryMeasured:
        """What a model takes of its device's memory, measured in a network call the first time.

        Raises:
            ModelError: It cannot be opened.
        """
        from ddim_studio.diffusion.noise import seeded_noise
        from ddim_studio.jobs.memory import call_bytes, weight_bytes

        model = self.get(source, device)
        known = self._measured.get(model)
        if known is None:
            taken = call_bytes(model, seeded_noise(model, [0]))
            place = str(model.device)
            known = MemoryMeasured(model.info.source, place, weight_bytes(model), taken)
            self._measured[model] = known
        return known

    def clear(self) -> None:
        """Forget all models, and the memory that they take."""
        self._models.clear()


def open_job(source: str, device: str, models: ModelCache) -> Job:
    """Open a model ahead of its first run, let the network run once, and measure what it takes.

    The weights, which take nearly all the time where the disk is slow, are first read from it in
    parts, so that there is progress to tell of and the job can be cancelled.

    Yields:
        `Progress` in bytes unless the model is open already, then `ModelOpened` and
        `MemoryMeasured`.
    """
    if not models.has(source, device):
        yield from _read_ahead(source)
    model = models.get(source, device)
    yield ModelOpened(model.info, str(model.device))
    yield models.measure(source, device)


def _read_ahead(source: str) -> Job:
    """Have the system read the files of a model, so that opening it finds them in memory."""
    from ddim_studio.models.catalog import resolve
    from ddim_studio.models.loading import describe
    from ddim_studio.models.weights import lists_first

    path = resolve(source)
    if path.is_dir() or lists_first(path):
        describe(source)  # what is no model is refused before gigabytes of it are read
    files = weight_files(path)
    total, done, begun = sum(file.stat().st_size for file in files), 0, time.perf_counter()
    yield Progress(0, total, 0.0, "B")
    for file in files:
        with file.open("rb", buffering=0) as contents:
            while part := contents.read(PART_BYTES):
                done += len(part)
                yield Progress(done, total, time.perf_counter() - begun, "B")


def weight_files(model: Path) -> list[Path]:
    """The files of weights of a model that is a folder or a file; those of others are left out."""
    if model.is_file():
        return [model]
    inside = [path for pattern in ("*", "unet/*") for path in sorted(model.glob(pattern))]
    return [path for path in inside if path.suffix in WEIGHTS and path.is_file()]


def class_notices(info: ModelInfo, label: int | None) -> Iterator[Notice]:
    """A notice where a model has classes and none was chosen."""
    if info.classes and label is None:
        yield Notice(
            f"The model draws one of {info.classes} classes and none was chosen: class 0 is taken."
        )


def leave_one_core() -> None:
    """Let torch use every core of this machine but one, which stays with the window."""
    import torch

    torch.set_num_threads(max(1, (os.cpu_count() or 2) - 1))
