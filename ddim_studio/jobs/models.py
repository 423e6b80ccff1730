"""The models that jobs work with: opened once, kept by the thread that uses them."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from ddim_studio.jobs.events import ModelOpened, Notice, Progress
from ddim_studio.jobs.model_events import FastMeasured, MemoryMeasured

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ddim_studio.diffusion.settings import Precision
    from ddim_studio.jobs.runner import Job
    from ddim_studio.models.info import ModelInfo
    from ddim_studio.models.model import Model

PART_BYTES = 1 << 23
NOT_YET = "The fast engine is still being made: this run is precise."
WEIGHTS = {".safetensors", ".bin", ".pt", ".pth", ".ckpt"}


class ModelCache:
    """Keeps the models used last, so that a second run does not load again.

    Args:
        capacity: How many models are kept.
    """

    def __init__(self, capacity: int = 2) -> None:
        self.capacity = capacity
        self._models: dict[tuple[str, str], Model] = {}
        self._stamps: dict[tuple[str, str], tuple[tuple[int, int], ...]] = {}
        self._views: WeakKeyDictionary[Model, dict[Precision, Model]] = WeakKeyDictionary()
        self._eager: WeakKeyDictionary[Model, Model] = WeakKeyDictionary()
        self._measured: WeakKeyDictionary[Model, MemoryMeasured] = WeakKeyDictionary()
        self._compared: WeakKeyDictionary[Model, FastMeasured | None] = WeakKeyDictionary()

    def get(self, source: str, device: str, precision: Precision = "precise") -> Model:
        """The model for a job, opened now if it was not, on the fastest engine that is ready.

        Its network is split when memory runs out. The engine stays the same as long as the model
        is held; one that becomes ready meanwhile is taken up by the next job.

        Args:
            source: What `load_model` takes.
            device: "auto", "cpu", "cuda" or "mps".
            precision: "fast" lets the engine compute in bfloat16 where it can.

        Raises:
            ModelError: It cannot be opened.
        """
        from ddim_studio.jobs.splitting import splitting
        from ddim_studio.models.acceleration.network import holding

        model = self.open(source, device)
        if model.engine is None:
            return model
        offered = model.engine.best(precision)
        views = self._views.setdefault(model, {})
        view = views.get(precision)
        if view is None or view.compiled is not offered:
            view = splitting(holding(self._eager[model], model.engine, precision, offered))
            views[precision] = view
        return view

    def open(self, source: str, device: str) -> Model:
        """The model as torch runs it, opened now if it was not; `get` gives the same one faster.

        Raises:
            ModelError: It cannot be opened.
        """
        from ddim_studio.jobs.splitting import splitting
        from ddim_studio.models.acceleration.engine import engine_for
        from ddim_studio.models.devices import pick_device
        from ddim_studio.models.loading import load_model

        key, stamp = (source, pick_device(device)), _stamp(source)
        model = self._models.pop(key, None)
        if model is not None and stamp and stamp != self._stamps[key]:
            self._forget(model)  # its files have changed, as those of a run of training do
            model = None
        if model is None:
            self._stamps[key] = stamp
            eager = load_model(source, device)
            eager.engine = engine_for(eager)
            model = splitting(eager)
            self._eager[model] = eager
        self._models[key] = model
        while len(self._models) > self.capacity:
            self._forget(self._models.pop(next(iter(self._models))))
        return model

    def has(self, source: str, device: str) -> bool:
        """Whether a model is open already."""
        from ddim_studio.models.devices import pick_device

        key = (source, pick_device(device))
        return key in self._models and _stamp(source) in ((), self._stamps[key])

    def measure(self, source: str, device: str) -> MemoryMeasured:
        """What a model takes of its device's memory, measured in a network call the first time.

        Raises:
            ModelError: It cannot be opened.
        """
        from ddim_studio.diffusion.noise import seeded_noise
        from ddim_studio.jobs.memory import call_bytes, weight_bytes

        model = self.open(source, device)
        known = self._measured.get(model)
        if known is None:
            taken = call_bytes(model, seeded_noise(model, [0]))
            place = str(model.device)
            known = MemoryMeasured(model.info.source, place, weight_bytes(model), taken)
            self._measured[model] = known
        return known

    def compare_fast(self, source: str, device: str) -> FastMeasured | None:
        """What "fast" changes, measured the first time; None where it cannot be had, or not yet.

        Raises:
            ModelError: The model cannot be opened.
        """
        from ddim_studio.jobs.fast import fast_measured

        model, fast = self.open(source, device), self.get(source, device, "fast")
        if not is_fast(fast):
            return None
        if model not in self._compared:
            self._compared[model] = fast_measured(self.get(source, device), fast)
        return self._compared[model]

    def clear(self) -> None:
        """Forget all models, the memory that they take, and what is made ready for them."""
        while self._models:
            self._forget(self._models.popitem()[1])

    @staticmethod
    def _forget(model: Model) -> None:
        if model.engine is not None:
            model.engine.stop()


def open_job(source: str, device: str, models: ModelCache, precision: Precision = "precise") -> Job:
    """Open a model ahead of its first run, let the network run once, and measure what it takes.

    An engine that was made before is read from the disk and compiled, after the model is told of.

    The weights, which take nearly all the time where the disk is slow, are first read from it in
    parts, so that there is progress to tell of and the job can be cancelled.

    Yields:
        `Progress` in bytes unless the model is open already, then `ModelOpened`,
        `MemoryMeasured`, and `ModelOpened` again, which says what runs the network; with the
        precision "fast" also `FastMeasured`.
    """
    if not models.has(source, device):
        yield from _read_ahead(source)
    model = models.open(source, device)
    yield opened(model)
    yield models.measure(source, device)
    if model.engine is not None:
        model.engine.survey()
        yield opened(models.get(source, device, precision))
        yield from engine_notices(model)
    if precision == "fast":
        yield from fast_news(source, device, models)


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


def opened(model: Model) -> ModelOpened:
    """The event that a model is ready, and what runs its network."""
    from ddim_studio.models.acceleration.engine import NAME
    from ddim_studio.models.acceleration.precision import hindrance

    name, fast = "torch" if model.compiled is None else NAME, is_fast(model)
    on_cpu = model.device.type == "cpu"
    reason = model.engine.fault("fast") if model.engine is not None else hindrance()
    numbers = "bfloat16" if fast else "float32"
    return ModelOpened(
        model.info,
        str(model.device),
        engine=f"{name}, {numbers}" if on_cpu else "",
        no_fast=reason if on_cpu else "",
    )


def engine_notices(model: Model, precision: Precision = "precise") -> Iterator[Notice]:
    """What there is to say of an engine: once that it failed, and that fast is not to be had.

    Args:
        model: From `ModelCache.get`.
        precision: What was asked of it.
    """
    from ddim_studio.models.acceleration.precision import hindrance

    if model.engine is not None:
        yield from map(Notice, model.engine.news())
    if precision != "fast" or is_fast(model) or model.device.type != "cpu":
        return
    reason = hindrance() if model.engine is None else model.engine.fault("fast")
    yield Notice(reason or NOT_YET)


def is_fast(model: Model) -> bool:
    """Whether a model of `ModelCache.get` computes in 16 bits."""
    return model.compiled is not None and model.compiled.precision == "fast"


def fast_news(source: str, device: str, models: ModelCache) -> Iterator[FastMeasured]:
    """What "fast" changes, where it can be had."""
    measured = models.compare_fast(source, device)
    if measured is not None:
        yield measured


def class_notices(info: ModelInfo, label: int | None) -> Iterator[Notice]:
    """A notice where a model has classes and none was chosen."""
    if info.classes and label is None:
        yield Notice(
            f"The model draws one of {info.classes} classes and none was chosen: class 0 is taken."
        )


def _stamp(source: str) -> tuple[tuple[int, int], ...]:
    """Time and size of a model's weights, by which they are known; nothing where they are gone."""
    from ddim_studio.models.catalog import resolve
    from ddim_studio.models.errors import ModelError

    try:
        about = [file.stat() for file in weight_files(resolve(source))]
    except (ModelError, OSError):
        return ()
    return tuple((file.st_mtime_ns, file.st_size) for file in about)


def leave_one_core() -> None:
    """Let torch use every core of this machine but one, which stays with the window."""
    import torch

    torch.set_num_threads(max(1, (os.cpu_count() or 2) - 1))
