"""Asking where to save, and for models to open."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QFileDialog

from ddim_studio.gui.model_files import CHECKPOINTS

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

PICTURES = "PNG picture (*.png)"
ANIMATIONS = (
    "GIF animation (*.gif);;WebP animation (*.webp);;APNG animation (*.apng);;MP4 video (*.mp4)"
)


def ask_where(parent: QWidget, title: str, name: str, filters: str) -> Path | None:
    """The path that the user chooses, with a suffix; None if they do not.

    Args:
        parent: Of the dialog.
        title: Of the dialog.
        name: Proposed.
        filters: As QFileDialog takes them.
    """
    chosen, kind = QFileDialog.getSaveFileName(parent, title, name, filters)
    if not chosen:
        return None
    path = Path(chosen)
    return path if path.suffix else path.with_suffix(kind.partition("*")[2].rstrip(")"))


def ask_for_model_folder(parent: QWidget) -> Path | None:
    """The folder of a model that the user chooses; None if they do not."""
    chosen = QFileDialog.getExistingDirectory(parent, "Open the folder of a model")
    return Path(chosen) if chosen else None


def ask_for_checkpoint(parent: QWidget) -> Path | None:
    """The checkpoint file that the user chooses; None if they do not."""
    kinds = " ".join(f"*{suffix}" for suffix in CHECKPOINTS)
    filters = f"Checkpoints ({kinds});;All files (*)"
    chosen, _kind = QFileDialog.getOpenFileName(parent, "Open a checkpoint file", "", filters)
    return Path(chosen) if chosen else None
