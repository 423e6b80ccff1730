"""The runs of the Sample page, kept from one start to the next.

Each is one PNG with its settings inside, in a folder of the user's data: a sheet of the images that
the run ended with. Deleting a file deletes the run; nothing else refers to it.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ddim_studio.diffusion.settings import SettingsError
from ddim_studio.imaging.errors import ImageError
from ddim_studio.jobs.runs import SampleRun
from ddim_studio.storage import user_folder

if TYPE_CHECKING:
    from ddim_studio.jobs.events import Pixels
    from ddim_studio.jobs.runner import Job

MOST_KEPT = 100
MOST_LISTED = 20
GAP = 2


@dataclass(frozen=True)
class Remembered:
    """One run of the past.

    Attributes:
        path: Its sheet.
        run: Its settings.
        when: Day and time, for people.
    """

    path: Path
    run: SampleRun
    when: str

    @property
    def text(self) -> str:
        """What the run was, in a line."""
        eta = "σ̂" if self.run.eta == "hat" else f"{self.run.eta:g}"
        model = Path(self.run.model).name
        return (
            f"{self.run.count} × {model} · S = {self.run.steps} · η = {eta} · "
            f"n = {self.run.seed} · {self.when}"
        )


def folder() -> Path:
    """Where the sheets are."""
    return user_folder("data") / "history"


def keep_job(run: SampleRun, pixels: Pixels) -> Job:
    """Keep a finished run, and forget the oldest beyond `MOST_KEPT`.

    Yields:
        Nothing: keeping a run is no news.
    """
    from ddim_studio.jobs.export import save_picture

    stamp = f"{time.time_ns():020d}"
    for _saved in save_picture(folder() / f"{stamp}.png", pixels, run.to_json()):
        pass
    for old in _newest_first()[MOST_KEPT:]:
        old.unlink(missing_ok=True)
    yield from ()


def remembered(limit: int = MOST_LISTED) -> list[Remembered]:
    """The last runs, newest first; files that are none of ours are passed over."""
    from ddim_studio.imaging.png import read_settings

    found = []
    for path in _newest_first()[:limit]:
        try:
            run = SampleRun.from_json(read_settings(path))
            when = time.strftime("%d %b %H:%M", time.localtime(int(path.stem) / 1e9))
        except (ImageError, SettingsError, TypeError, ValueError, OverflowError):
            continue
        found.append(Remembered(path, run, when))
    return found


def images_of(past: Remembered) -> list[Pixels]:
    """The single images of a sheet, each (H, W, C); none if the sheet is damaged."""
    from PIL import Image

    try:
        with Image.open(past.path) as sheet:
            pixels = np.asarray(sheet.convert("L" if sheet.mode == "L" else "RGB"))
    except (OSError, ValueError):
        return []
    pixels = pixels[..., None] if pixels.ndim == 2 else pixels
    columns = math.ceil(math.sqrt(past.run.count))
    rows = -(-past.run.count // columns)
    height = (pixels.shape[0] - GAP * (rows - 1)) // rows
    width = (pixels.shape[1] - GAP * (columns - 1)) // columns
    corners = [divmod(i, columns) for i in range(past.run.count)]
    return [pixels[y * (height + GAP) :, x * (width + GAP) :][:height, :width] for y, x in corners]


def _newest_first() -> list[Path]:
    return sorted(folder().glob("[0-9]*.png"), reverse=True)
