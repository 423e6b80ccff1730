"""The row of branches over the pictures: a run, and what left it at one of its frames."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QTabBar, QWidget

from ddim_studio.gui.theme import SPACE

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST = 8


class BranchRow(QWidget):
    """A tab for the run and for each of its branches; hidden while there is but one.

    Signals:
        chosen: Number of the record to show.
        side_by_side: Whether the selected image is to be shown from all of them at once.
    """

    chosen = Signal(int)
    side_by_side = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.tabs = QTabBar()
        self.tabs.setObjectName("branchTabs")
        self.tabs.setAccessibleName("Branches")
        self.tabs.setExpanding(False)
        self.tabs.setUsesScrollButtons(True)
        self.tabs.currentChanged.connect(self.chosen)
        self.beside = QPushButton("Side by side")
        self.beside.setObjectName("sideBySideButton")
        self.beside.setAccessibleName("Side by side")
        self.beside.setCheckable(True)
        self.beside.setToolTip("Show the selected image from the run and all its branches at once")
        self.beside.toggled.connect(self.side_by_side)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(SPACE)
        row.addWidget(self.tabs, 1)
        row.addWidget(self.beside)
        self.hide()

    def show_names(self, names: Sequence[str], current: int) -> None:
        """One tab a record, ``current`` on top."""
        with QSignalBlocker(self.tabs):
            while self.tabs.count():
                self.tabs.removeTab(0)
            for name in names:
                self.tabs.addTab(name)
            self.tabs.setCurrentIndex(current)
        if len(names) < 2:
            self.beside.setChecked(False)
        self.setVisible(len(names) > 1)
