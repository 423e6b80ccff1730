"""The timeline's loop button, with back-and-forth in its menu."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QMenu, QToolButton, QWidget

from ddim_studio.gui.theme import set_icon

_TOOLTIP = "Begin again at the end; the menu also plays back and forth"


class LoopButton(QToolButton):
    """Checked while frames play in a loop.

    Signals:
        mode_changed: Whether to loop, and whether back and forth.
    """

    mode_changed = Signal(bool, bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("loopButton")
        self.setAccessibleName("Loop")
        self.setToolTip(_TOOLTIP)
        self.setCheckable(True)
        set_icon(self, "loop")
        self.setPopupMode(QToolButton.ToolButtonPopupMode.MenuButtonPopup)
        menu = QMenu(self)
        self.ping_pong = menu.addAction("Back and forth")
        self.ping_pong.setCheckable(True)
        self.setMenu(menu)
        self.toggled.connect(self._loop_toggled)
        self.ping_pong.toggled.connect(self._ping_pong_toggled)

    def _loop_toggled(self, loop: bool) -> None:
        if not loop:
            self.ping_pong.setChecked(False)
        self._tell()

    def _ping_pong_toggled(self, ping_pong: bool) -> None:
        set_icon(self, "ping-pong" if ping_pong else "loop")
        if ping_pong:
            self.setChecked(True)
        self._tell()

    def _tell(self) -> None:
        self.mode_changed.emit(self.isChecked(), self.ping_pong.isChecked())
