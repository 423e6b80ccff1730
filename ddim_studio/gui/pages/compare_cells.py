"""One cell of a matrix large, or two: side by side, or in turn in one place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, Qt, QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from ddim_studio.gui.labels import ElidedLabel
from ddim_studio.gui.theme import SPACE
from ddim_studio.gui.widgets.twin_view import TwinView

if TYPE_CHECKING:
    from PySide6.QtGui import QHideEvent

    from ddim_studio.gui.pages.compare_pictures import CellPicture

FLICKER_MS = 250
"""How long each of two cells is shown: both twice a second."""


class CellPane(QWidget):
    """A heading over the pictures of one cell.

    Args:
        name: Object name of the view.
        spoken: Its accessible name.
    """

    def __init__(self, name: str, spoken: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.heading = ElidedLabel("heading")
        self.heading.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self.frames = TwinView()
        self.frames.setObjectName(name)
        self.frames.setAccessibleName(spoken)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE // 2)
        column.addWidget(self.heading)
        column.addWidget(self.frames, 1)

    def show_picture(self, picture: CellPicture) -> None:
        """Show a cell at a time."""
        self.heading.set_full_text(picture.title)
        self.frames.set_placeholder(*picture.absence)
        self.frames.set_captions(list(picture.captions))
        self.frames.set_pixels(picture.pixels)


class PairPane(QWidget):
    """Two cells side by side, or both in turn in one place.

    Signals:
        menu_requested: Which of the two (0 or 1), global position and tile of a right click.
    """

    menu_requested = Signal(int, QPoint, int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.panes = (
            CellPane("firstCellView", "Pictures of the first cell"),
            CellPane("secondCellView", "Pictures of the second cell"),
        )
        self.panes[0].frames.join(self.panes[1].frames)
        self._pictures: tuple[CellPicture, CellPicture] | None = None
        self._second = False
        self._timer = QTimer(self)
        self._timer.setInterval(FLICKER_MS)
        self._timer.timeout.connect(self._alternate)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(SPACE)
        for number, pane in enumerate(self.panes):
            row.addWidget(pane, 1)
            pane.frames.menu_requested.connect(
                lambda place, tile, number=number: self.menu_requested.emit(
                    self.shown() if self.is_flickering() else number, place, tile
                )
            )

    def show_pictures(self, first: CellPicture, second: CellPicture) -> None:
        """Show two cells."""
        self._pictures = first, second
        self._show()

    def set_flickering(self, flickering: bool) -> None:
        """Show both in turn, or side by side."""
        if flickering == self.is_flickering():
            return
        self._second = False
        if flickering:
            self._timer.start()
        else:
            self._timer.stop()
        self.panes[1].setVisible(not flickering)
        self._show()

    def is_flickering(self) -> bool:
        """Whether both are shown in turn."""
        return self._timer.isActive()

    def shown(self) -> int:
        """Which of the two is on show while they flicker: 0 or 1."""
        return int(self._second)

    def hideEvent(self, event: QHideEvent) -> None:
        """Nothing flickers where nobody can see it."""
        self.set_flickering(False)
        super().hideEvent(event)

    def _alternate(self) -> None:
        self._second = not self._second
        self._show()

    def _show(self) -> None:
        if self._pictures is None:
            return
        if self.is_flickering():
            self.panes[0].show_picture(self._pictures[self._second])
        else:
            for pane, picture in zip(self.panes, self._pictures, strict=True):
                pane.show_picture(picture)
