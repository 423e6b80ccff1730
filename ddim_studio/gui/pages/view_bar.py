"""The row over the pictures: which view, how shown, and what to do with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QButtonGroup,
    QFrame,
    QHBoxLayout,
    QMenu,
    QSizePolicy,
    QToolButton,
    QWidget,
)

from ddim_studio.gui.labels import ElidedLabel
from ddim_studio.gui.theme import set_icon

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class ViewBar(QWidget):
    """Buttons for the views, and tools at the right.

    Args:
        views: Label and tooltip of each view by its key.

    Signals:
        view_chosen: Key of the view.
    """

    view_chosen = Signal(str)

    def __init__(self, views: Mapping[str, tuple[str, str]], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._group = QButtonGroup(self)
        self._buttons: dict[str, QToolButton] = {}
        segments = QFrame()
        segments.setProperty("role", "segments")
        inner = QHBoxLayout(segments)
        inner.setContentsMargins(2, 2, 2, 2)
        inner.setSpacing(0)
        for key, (text, tooltip) in views.items():
            inner.addWidget(self._segment(key, text, tooltip))
        self.probe = ElidedLabel("small")
        self.probe.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(2)
        self._row.addWidget(segments)
        self._row.addWidget(self.probe, 1)
        self._buttons[next(iter(views))].setChecked(True)

    def view(self) -> str:
        """Key of the view that is on."""
        return next(key for key, button in self._buttons.items() if button.isChecked())

    def set_view(self, key: str) -> None:
        """Turn a view on, as a click would."""
        self._buttons[key].click()

    def add_tool(
        self, icon: str, name: str, tooltip: str, action: Callable[[], None]
    ) -> QToolButton:
        """A tool at the right end."""
        button = QToolButton()
        set_icon(button, icon)
        button.setAccessibleName(name)
        button.setToolTip(tooltip)
        button.clicked.connect(lambda _checked: action())
        self._row.addWidget(button)
        return button

    def add_menu(self, icon: str, name: str, tooltip: str) -> QMenu:
        """A tool at the right end that opens a menu."""
        button = self.add_tool(icon, name, tooltip, lambda: None)
        menu = QMenu(button)
        button.setMenu(menu)
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        return menu

    def _segment(self, key: str, text: str, tooltip: str) -> QToolButton:
        button = QToolButton()
        button.setText(text)
        button.setCheckable(True)
        button.setProperty("segment", True)
        button.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        button.setToolTip(tooltip)
        button.setAccessibleName(f"View {text}")
        button.setObjectName(f"view_{key}")
        button.clicked.connect(lambda _checked: self.view_chosen.emit(key))
        self._group.addButton(button)
        self._buttons[key] = button
        return button
