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
        self.pages = QListWidget()
        self.pages.setObjectName("pageList")
        self.pages.setAccessibleName("Pages")
        self.pages.setViewMode(QListWidget.ViewMode.IconMode)
        self.pages.setMovement(QListWidget.Movement.Static)
        self.pages.setFlow(QListWidget.Flow.TopToBottom)
        self.pages.setWrapping(False)
        self.pages.setUniformItemSizes(True)
        self.pages.setFrameShape(QFrame.Shape.NoFrame)
        self.pages.setIconSize(QSize(24, 24))
        self.pages.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        for number, (title, icon_name) in enumerate(entries, start=1):
            item = QListWidgetItem(icon(icon_name), title)
            item.setSizeHint(QSize(WIDTH - 12, ROW_HEIGHT))
            item.setToolTip(f"{title} (Ctrl+{number})")
            self.pages.addItem(item)
        self.theme_button = QToolButton()
        self.theme_button.setObjectName("themeButton")
        self.theme_button.setAccessibleName("Light or dark")
        self.theme_button.setToolTip("Light or dark")
        self.theme_button.clicked.connect(self.theme_clicked)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, SPACE, 0, SPACE)
        column.addWidget(self.pages, 1)
        column.addWidget(self.theme_button, 0, Qt.AlignmentFlag.AlignHCenter)

    def refresh_icons(self) -> None:
        """Draw the icons anew after the theme changed."""
        set_icon(self.theme_button, "sun" if is_dark() else "moon")
        for row, name in enumerate(self._icons):
            self.pages.item(row).setIcon(icon(name))
