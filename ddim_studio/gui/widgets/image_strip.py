"""A row of images to work on: add by any means, choose one, remove."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QSignalBlocker, QSize, Qt, Signal
from PySide6.QtGui import QColor, QIcon, QKeySequence, QPainter, QPixmap
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from ddim_studio.gui.image_menu import ImageMenu
from ddim_studio.gui.image_source import can_take, sources_in
from ddim_studio.gui.painting import to_qimage
from ddim_studio.gui.remark import Remark
from ddim_studio.gui.theme import SPACE, current_colors, draw_icon, is_restyle, label, tool_button

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PySide6.QtGui import QDragEnterEvent, QDropEvent, QKeyEvent

_SIDE = 44
_ITEM = QSize(64, 72)
_HINT = (
    "The images to invert: drop files anywhere on the page, or paste with Ctrl+V.\n"
    "Click one to see it. Delete removes it."
)


@dataclass(frozen=True, eq=False)
class StripItem:
    """One image of the strip.

    Attributes:
        label: Its name.
        note: What was done to fit it.
        pixels: Shape (H, W, C), or None for a seed or an image still to be opened.
        opening: Whether it is still to be opened.
    """

    label: str
    note: str = ""
    pixels: NDArray[np.uint8] | None = None
    opening: bool = False


class ImageStrip(QFrame):
    """Thumbnails in a row, with a menu to add more.

    Signals:
        given: A list of `ImageSource` that the user wants to add.
        removed: Number of the image to remove.
        cleared: All are to be removed.
        chosen: Number of the image that was selected.
    """

    given = Signal(object)
    removed = Signal(int)
    cleared = Signal()
    chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "card")
        self.setAccessibleName("Images")
        self.setToolTip(_HINT)
        self.setAcceptDrops(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._items: list[StripItem] = []
        self.menu = ImageMenu(self, several=True)
        self.menu.given.connect(self.given)
        self.menu.complained.connect(self.complain)
        self.list = QListWidget()
        self.list.setObjectName("imageList")
        self.list.setAccessibleName("Images to invert")
        self.list.currentRowChanged.connect(self._choose)
        self._error = Remark()
        self._error.setObjectName("stripError")
        self._empty = label("Drop images here, or add some with +", "muted")
        self._set_up_list()
        self._lay_out()
        self.set_items([])

    def set_items(self, items: list[StripItem]) -> None:
        """Show these images; the selected number stays where it can."""
        row = max(0, min(self.list.currentRow(), len(items) - 1))
        self._items = list(items)
        with QSignalBlocker(self.list):
            self.list.clear()
            for item in items:
                made = QListWidgetItem(
                    _thumbnail(item, self.devicePixelRatioF()), _short(item.label)
                )
                made.setToolTip(f"{item.label}\n{item.note}".strip())
                made.setSizeHint(_ITEM)
                self.list.addItem(made)
            self.list.setCurrentRow(row if items else -1)
        self._empty.setVisible(not items)
        self.list.setVisible(bool(items))
        for button in (self._remove, self._clear):
            button.setEnabled(bool(items))

    def select(self, row: int) -> None:
        """Select an image."""
        self.list.setCurrentRow(row)

    def selected(self) -> int:
        """Number of the selected image; −1 if there is none."""
        return self.list.currentRow()

    def complain(self, sentence: str) -> None:
        """Say why an image was not added; an empty sentence takes it back."""
        self._error.say(sentence, "error")

    def error(self) -> str:
        """What `complain` said last."""
        return self._error.said()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Paste and remove."""
        if event.matches(QKeySequence.StandardKey.Paste):
            self.menu.paste()
        elif event.key() == Qt.Key.Key_Delete:
            self._remove_selected()
        else:
            super().keyPressEvent(event)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take files and pictures."""
        if can_take(event.mimeData()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Add what was dropped."""
        found = sources_in(event.mimeData())
        if found:
            event.acceptProposedAction()
            self.given.emit(found)

    def changeEvent(self, event: QEvent) -> None:
        """Follow the theme."""
        super().changeEvent(event)
        if is_restyle(event) and hasattr(self, "_clear"):
            self.set_items(self._items)

    def _choose(self, row: int) -> None:
        if row >= 0:
            self.chosen.emit(row)

    def _remove_selected(self) -> None:
        if self.list.currentRow() >= 0:
            self.removed.emit(self.list.currentRow())

    def _set_up_list(self) -> None:
        view = self.list
        view.setViewMode(QListWidget.ViewMode.IconMode)
        view.setFlow(QListWidget.Flow.LeftToRight)
        view.setWrapping(False)
        view.setMovement(QListWidget.Movement.Static)
        view.setIconSize(QSize(_SIDE, _SIDE))
        view.setFrameShape(QFrame.Shape.NoFrame)
        view.setUniformItemSizes(True)
        view.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        view.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        view.setFixedHeight(_ITEM.height() + 2 * SPACE)
        view.setStyleSheet("QListView { border: none; background: transparent; }")
        # Drops belong to the whole strip.
        view.setAcceptDrops(False)
        view.viewport().setAcceptDrops(False)
        font = view.font()
        font.setPointSizeF(max(6.5, font.pointSizeF() * 0.85))
        view.setFont(font)

    def _lay_out(self) -> None:
        add = tool_button("add", "Add images: files, clipboard, samples, seeds", boxed=True)
        add.setObjectName("addImage")
        add.setMenu(self.menu)
        add.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._remove = tool_button("trash", "Remove the selected image (Delete)", size=16)
        self._remove.setObjectName("removeImage")
        self._remove.clicked.connect(self._remove_selected)
        self._clear = tool_button("close", "Remove all images", size=16)
        self._clear.setObjectName("clearImages")
        self._clear.clicked.connect(self.cleared)
        tools = QVBoxLayout()
        tools.setSpacing(2)
        for button in (self._remove, self._clear):
            tools.addWidget(button)
        tools.addStretch(1)
        row = QHBoxLayout()
        row.setSpacing(SPACE)
        row.addWidget(add)
        row.addWidget(self._empty, 1)
        row.addWidget(self.list, 1)
        row.addLayout(tools)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE + 4, SPACE // 2, SPACE // 2, SPACE // 2)
        column.setSpacing(2)
        column.addLayout(row)
        column.addWidget(self._error)


def _short(label: str) -> str:
    """The name without the suffix of its file."""
    return label.rpartition(".")[0] or label


def _thumbnail(item: StripItem, ratio: float) -> QIcon:
    """The picture enlarged without smoothing, or a mark."""
    side = round(_SIDE * ratio)
    canvas = QPixmap(side, side)
    canvas.fill(QColor(current_colors().canvas))
    painter = QPainter(canvas)
    if item.pixels is None:
        name = "image" if item.opening else "dice"
        area = canvas.rect().adjusted(side // 4, side // 4, -side // 4, -side // 4)
        draw_icon(painter, name, area.toRectF(), current_colors().muted)
    else:
        painter.drawImage(canvas.rect(), to_qimage(item.pixels))
    painter.end()
    made = QIcon(canvas)
    made.addPixmap(canvas, QIcon.Mode.Selected)  # not tinted when selected
    return made
