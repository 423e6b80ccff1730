"""The entries of a menu that send an image to another page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from PySide6.QtCore import SignalInstance
    from PySide6.QtWidgets import QMenu

    from ddim_studio.gui.image_source import ImageSource

SEND_TO: Final[dict[str, str]] = {
    "A": "Interpolate from it (A)",
    "B": "Interpolate to it (B)",
    "invert": "Invert it",
    "forward": "Bring it to noise",
    "restore": "Degrade and restore it",
}


def add_sends(menu: QMenu, source: ImageSource, sent: SignalInstance) -> None:
    """Add an entry for every place that takes an image; ``sent`` is emitted with place and it."""
    for target, text in SEND_TO.items():
        action = menu.addAction(text)
        action.setObjectName(f"sendTo_{target}")
        action.triggered.connect(lambda _on, to=target: sent.emit(to, source))
