"""The column at the left edge: the pages, and light or dark."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import (
    QFrame,
    QListWidget,
    QListWidgetItem,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from ddim_studio.gui.history_menu import HistoryMenu
from ddim_studio.gui.theme import SPACE, icon, is_dark, set_icon

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDTH = 92
ROW_HEIGHT = 60


class Navigation(QFrame):
    """Icons with names under them.

    Args:
        entries: Title and icon of every page.

    Signals:
        theme_clicked: The other theme is wanted.
    """

    theme_clicked = Signal()

    def __init__(self, entries: Sequence[tuple[str, str]], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFixedWidth(WIDTH)
        self._icons = [name for _, name in entries]
        self.pages = _page_list(entries)
        self.history = HistoryMenu("Past runs", self)
        tip = "Past runs: take their settings again"
        self.history_button = _tool("historyButton", "Past runs", tip)
        self.history_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.history_button.setMenu(self.history)
        self.theme_button = _tool("themeButton", "Light or dark", "Light or dark")
        self.theme_button.clicked.connect(self.theme_clicked)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, SPACE, 0, SPACE)
        column.addWidget(self.pages, 1)
        for button in (self.history_button, self.theme_button):
            column.addWidget(button, 0, Qt.AlignmentFlag.AlignHCenter)

    def refresh_icons(self) -> None:
        """Draw the icons anew after the theme changed."""
        set_icon(self.history_button, "history")
        set_icon(self.theme_button, "sun" if is_dark() else "moon")
        for row, name in enumerate(self._icons):
            self.pages.item(row).setIcon(icon(name))


def _page_list(entries: Sequence[tuple[str, str]]) -> QListWidget:
    pages = QListWidget()
    pages.setObjectName("pageList")
    pages.setAccessibleName("Pages")
    pages.setViewMode(QListWidget.ViewMode.IconMode)
    pages.setMovement(QListWidget.Movement.Static)
    pages.setFlow(QListWidget.Flow.TopToBottom)
    pages.setWrapping(False)
    pages.setUniformItemSizes(True)
    pages.setFrameShape(QFrame.Shape.NoFrame)
    pages.setIconSize(QSize(24, 24))
    pages.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    for number, (title, icon_name) in enumerate(entries, start=1):
        item = QListWidgetItem(icon(icon_name), title)
        item.setSizeHint(QSize(WIDTH - 12, ROW_HEIGHT))
        item.setToolTip(f"{title} (Ctrl+{number})")
        pages.addItem(item)
    return pages


def _tool(name: str, accessible: str, tooltip: str) -> QToolButton:
    button = QToolButton()
    button.setObjectName(name)
    button.setAccessibleName(accessible)
    button.setToolTip(tooltip)
    return button
