"""What people drop on the window."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PySide6.QtCore import QMimeData


def dropped_path(data: QMimeData) -> Path | None:
    """The one local file or folder in what was dropped, or None."""
    urls = data.urls()
    if len(urls) != 1 or not urls[0].isLocalFile():
        return None
    return Path(urls[0].toLocalFile())


def settings_in(path: Path) -> str:
    """The settings that a picture or a JSON file carries, as JSON.

    Raises:
        ImageError: There are none in it.
    """
    from ddim_studio.imaging.png import read_settings

    return read_settings(path)
