"""The job that reads a model's card without opening the model, and the pictures kept beside it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ddim_studio.jobs.model_events import CardRead, CardUnreadable
from ddim_studio.storage import user_folder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ddim_studio.jobs.events import Pixels
    from ddim_studio.jobs.models import ModelCache
    from ddim_studio.jobs.runner import Job
    from ddim_studio.jobs.runs import SampleRun
    from ddim_studio.models.info import ModelInfo

MOST_FILES = 200
_ENDS = 1 << 16
_SUFFIXES = {".json", ".safetensors", ".bin", ".pt", ".pth", ".ckpt"}


@dataclass(frozen=True)
class CardOrder:
    """Read the card of a model.

    Attributes:
        source: What `load_model` takes.
    """

    source: str


@dataclass(frozen=True)
class PreviewOrder:
    """Open a model, say what it takes, and draw a few samples of it.

    Attributes:
        run: What to draw.
    """

    run: SampleRun


def preview_job(order: PreviewOrder, models: ModelCache) -> Job:
    """Open a model, measure it, and draw samples.

    Yields:
        What opening and sampling yield.
    """
    from ddim_studio.jobs.models import open_job
    from ddim_studio.jobs.sample import sample_job

    yield from open_job(order.run.model, order.run.device, models)
    yield from sample_job(order.run, models, views=("x",))


def card_job(order: CardOrder) -> Job:
    """Read what a model is. Its weights are not read, but where a file says nothing else of it.

    Yields:
        `CardRead`, or `CardUnreadable`.
    """
    from ddim_studio.diffusion.schedule import from_config
    from ddim_studio.diffusion.settings import SettingsError
    from ddim_studio.models.catalog import resolve
    from ddim_studio.models.errors import ModelError
    from ddim_studio.models.families import find
    from ddim_studio.models.loading import card_of

    try:
        path = resolve(order.source)
        found = find(path)
        info = card_of(order.source, found)
        schedule = from_config(found.blueprint.scheduler)
        preview = preview_path(path)
    except (ModelError, SettingsError) as error:
        yield CardUnreadable(order.source, str(error), getattr(error, "advice", ""))
        return
    alpha_bars = tuple(schedule.alpha_bars.tolist())
    yield CardRead(order.source, info, alpha_bars, preview, read_preview(preview, info))


def preview_path(model: Path) -> Path:
    """Where the picture of a model's samples is kept, named by what is in the model's files.

    Args:
        model: A folder or a file.
    """
    digest = hashlib.sha256()
    for file in _files(model):
        size = file.stat().st_size
        digest.update(f"{file.name} {size}\n".encode())
        with file.open("rb") as contents:
            digest.update(contents.read(_ENDS))
            contents.seek(max(0, size - _ENDS))
            digest.update(contents.read(_ENDS))
    return user_folder("cache") / "previews" / f"{digest.hexdigest()[:32]}.png"


def _files(model: Path) -> Iterator[Path]:
    if model.is_file():
        yield model
        return
    inside = (
        path
        for pattern in ("*", "unet/*", "scheduler/*")
        for path in sorted(model.glob(pattern))[:MOST_FILES]
    )
    yield from (path for path in inside if path.suffix in _SUFFIXES and path.is_file())


def keep_preview(path: Path, samples: Pixels, settings_json: str) -> Job:
    """Keep a picture of samples (N, H, W, C), side by side without gaps, with their settings.

    Yields:
        Nothing: a picture in the cache is no news.
    """
    from ddim_studio.imaging.png import write_png
    from ddim_studio.imaging.sheets import contact_sheet

    write_png(path, contact_sheet(samples, columns=len(samples), gap=0), settings_json)
    yield from ()


def read_preview(path: Path, info: ModelInfo) -> Pixels | None:
    """The samples (N, H, W, C) in a picture of `keep_preview`; None where they do not fit."""
    import numpy as np
    from PIL import Image

    from ddim_studio.imaging.errors import ImageError
    from ddim_studio.imaging.png import read_settings

    channels, height, width = info.image_shape
    try:
        count = json.loads(read_settings(path))["count"]
        with Image.open(path) as picture:
            if picture.size != (count * width, height):
                return None
            pixels = np.asarray(picture.convert("L" if channels == 1 else "RGB"))
    except (OSError, ValueError, KeyError, TypeError, ImageError):
        return None
    samples = pixels.reshape(height, count, width, channels).swapaxes(0, 1)
    return np.ascontiguousarray(samples)
