"""Asking where to save."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QFileDialog

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
