"""Samples drawn block by block and kept on disk, so that a long evaluation can stop and go on.

A block is a fixed run of seeds that goes through the network as one batch. Which process draws it,
and when, changes nothing in it: every image has a seed of its own.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ddim_studio.storage import atomic_path

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from ddim_studio.diffusion.settings import SampleSettings
    from ddim_studio.models.model import Model

BLOCK_SIZE = 64
"""Images a block, unless asked for otherwise."""


@dataclass(frozen=True)
class Block:
    """Some of the samples of a cell.

    Attributes:
        pixels: (n, H, W, C), uint8.
        seconds: From x_T to x_0, for all of them together.
    """

    pixels: NDArray[np.uint8]
    seconds: float


def block_seeds(seed: int, samples: int, size: int) -> list[range]:
    """The seeds of each block: n, n + 1, … cut into runs of ``size``, the last one shorter."""
    starts = range(seed, seed + samples, size)
    return [range(start, min(start + size, seed + samples)) for start in starts]


def fingerprint(model: Model) -> str:
    """A hash of all that decides what a model draws: weights, schedule and what it predicts."""
    digest = hashlib.sha256(model.prediction.encode())
    digest.update(model.schedule.alpha_bars.cpu().numpy().tobytes())
    for name, tensor in sorted(model.unet.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def cell_in_words(settings: SampleSettings) -> str:
    """What tells a cell from others, such as "η = 0, S = 20, linear τ"."""
    eta = "σ̂" if settings.eta == "hat" else f"η = {settings.eta:g}"
    clip = "" if settings.clip == "none" else f", clip {settings.clip}"
    label = "" if settings.class_label is None else f", class {settings.class_label}"
    return f"{eta}, S = {settings.steps}, {settings.spacing} τ{clip}{label}"


def read_arrays(path: Path, *names: str) -> tuple[NDArray[Any], ...] | None:
    """Arrays that `write_arrays` wrote, or None where the file is missing or damaged."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as held:
            return tuple(held[name] for name in names)
    except (OSError, ValueError, KeyError, EOFError, TypeError, zipfile.BadZipFile, zlib.error):
        return None


def write_arrays(path: Path, **arrays: NDArray[Any] | np.generic) -> None:
    """Keep arrays under their names; a kill meanwhile leaves no part of the file."""
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, **arrays)  # type: ignore[arg-type]  # scalars are arrays to it


class BlockStore:
    """The folder that blocks are kept in.

    Two blocks share a file only where model, settings and seeds are the same: the name of a cell's
    folder is a hash of the first two, that of the file tells the seeds.

    Args:
        folder: Made when the first block is written.
        model_key: The `fingerprint` of the model.
    """

    def __init__(self, folder: Path, model_key: str) -> None:
        self.folder = folder
        self._model_key = model_key

    def has(self, settings: SampleSettings, seeds: Sequence[int]) -> bool:
        """Whether a block was drawn before."""
        return self._path(settings, seeds).is_file()

    def read(self, settings: SampleSettings, seeds: Sequence[int]) -> Block | None:
        """A block that was drawn before, or None where there is none or its file is damaged."""
        held = read_arrays(self._path(settings, seeds), "pixels", "seconds")
        if held is None or held[0].ndim != 4 or held[0].dtype != np.uint8 or held[1].ndim:
            return None
        return Block(held[0], float(held[1])) if len(held[0]) == len(seeds) else None

    def write(self, settings: SampleSettings, seeds: Sequence[int], block: Block) -> None:
        """Keep a block; a kill meanwhile leaves no part of it."""
        path = self._path(settings, seeds)
        write_arrays(path, pixels=block.pixels, seconds=np.float64(block.seconds))
        note = path.parent / "settings.json"
        if not note.exists():  # for people who look into the folder
            with atomic_path(note) as temporary:
                temporary.write_text(json.dumps(_identity(settings)) + "\n", encoding="utf-8")

    def note_path(self, settings: SampleSettings, name: str) -> Path:
        """Where figures of a cell that are not samples are kept, under a name of their own."""
        return self._cell(settings) / f"{name}.npz"

    def _path(self, settings: SampleSettings, seeds: Sequence[int]) -> Path:
        return self._cell(settings) / f"{seeds[0]}-{seeds[-1]}.npz"

    def _cell(self, settings: SampleSettings) -> Path:
        text = json.dumps([self._model_key, _identity(settings)], sort_keys=True)
        return self.folder / hashlib.sha256(text.encode()).hexdigest()[:16]


def _identity(settings: SampleSettings) -> dict[str, Any]:
    """The settings that change what is drawn; the seed is in the name of the file."""
    names = ("steps", "eta", "spacing", "timesteps", "clip")
    values: dict[str, Any] = {name: getattr(settings, name) for name in names}
    if settings.eta != "hat":
        values["eta"] = float(settings.eta)  # 0 and 0.0 are one setting
    if settings.class_label is not None:
        values["class_label"] = settings.class_label
    return values
