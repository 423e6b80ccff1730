"""Which files and folders are to be opened as models."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

CHECKPOINTS = (".safetensors", ".pt", ".pth", ".ckpt", ".bin")
"""How the names of checkpoint files end."""


def is_model(path: Path) -> bool:
    """Whether a path is to be opened as a model: a folder, or a file with a checkpoint's name."""
    return path.is_dir() or path.suffix.lower() in CHECKPOINTS
