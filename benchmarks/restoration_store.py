"""Restored images that benchmarks/restoration.py keeps, a file a batch."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

import numpy as np
import torch

from ddim_studio.storage import atomic_path


class Store:
    """Finds what was restored before, by all that decides it.

    Args:
        folder: Where files are.
        model: A hash of the model that restores.
    """

    def __init__(self, folder: Path, model: str) -> None:
        self._folder, self._model = folder, model

    def path(self, words: str, y: torch.Tensor) -> Path:
        """The file of a batch.

        Args:
            words: Task, settings and seeds.
            y: What was measured.
        """
        found = hashlib.sha256(f"{self._model} {words}".encode())
        found.update(y.double().contiguous().numpy().tobytes())
        return self._folder / f"{found.hexdigest()[:24]}.npz"

    @staticmethod
    def get(path: Path) -> torch.Tensor | None:
        """The images, or None where they are not there or cannot be read."""
        try:
            with np.load(path, allow_pickle=False) as kept:
                return torch.from_numpy(kept["x"])
        except (OSError, ValueError, KeyError, zipfile.BadZipFile):
            return None

    @staticmethod
    def put(path: Path, images: torch.Tensor) -> None:
        """Keep images."""
        with atomic_path(path) as temporary, temporary.open("wb") as file:
            np.savez_compressed(file, x=images.numpy())
