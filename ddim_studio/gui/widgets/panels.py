"""The settings column: titled groups of labelled controls, with errors shown under their rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QGridLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from ddim_studio.gui.theme import SPACE, label, restyle, settle

if TYPE_CHECKING:
    from PySide6.QtGui import QResizeEvent

_LABEL_WIDTH = 72


class Section(QFrame):
    """A card with a title and rows of a label and a control.

    Args:
        title: Over the rows; empty for none.
    """

    def __init__(self, title: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "card")
        self.setAccessibleName(title)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE + 4, SPACE + 2, SPACE + 4, SPACE + 4)
        column.setSpacing(SPACE)
        if title:
            column.addWidget(label(title, "heading"))
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(SPACE)
        self._grid.setVerticalSpacing(0)
        self._grid.setColumnMinimumWidth(0, _LABEL_WIDTH)
        self._grid.setColumnStretch(1, 1)
        column.addLayout(self._grid)
        self._labels: dict[QWidget, QLabel] = {}
        self._errors: dict[QWidget, QLabel] = {}
        self._gaps: dict[QWidget, int] = {}

    def add_row(self, text: str, widget: QWidget, tooltip: str = "") -> QLabel:
        """Add a control with its label, and say what the symbol means to whoever points at either.

        Args:
            text: The label; also the control's accessible name unless it has one.
            widget: The control.
            tooltip: What it does; the control's own tooltip is kept where this is empty.

        Returns:
            The label.
        """
        words = QLabel(text)
        words.setBuddy(widget)
        words.setToolTip(tooltip or widget.toolTip())
        words.setMinimumHeight(28)
        if tooltip:
            widget.setToolTip(tooltip)
        if not widget.accessibleName():
            widget.setAccessibleName(text)
        row = self._begin_row()
        self._grid.addWidget(words, row, 0, Qt.AlignmentFlag.AlignTop)
        self._grid.addWidget(widget, row, 1)
        self._labels[widget] = words
        self._end_row(row, widget)
        return words

    def add_widget(self, widget: QWidget) -> None:
        """Add something as wide as the card."""
        row = self._begin_row()
        self._grid.addWidget(widget, row, 0, 1, 2)
        self._end_row(row, widget)

    def set_error(self, widget: QWidget, text: str) -> None:
        """Mark a control as wrong and say why under it; an empty text removes both.

        Raises:
            KeyError: The control was not added here.
        """
        words = self._errors[widget]
        words.setText(text)
        words.setVisible(bool(text))
        self._fit_errors()
        if bool(widget.property("invalid")) != bool(text):
            widget.setProperty("invalid", bool(text))
            restyle(widget)

    def error(self, widget: QWidget) -> str:
        """What `set_error` said last about a control."""
        return self._errors[widget].text()

    def set_row_visible(self, widget: QWidget, visible: bool) -> None:
        """Show or hide a control with its label and its error."""
        widget.setVisible(visible)
        if widget in self._labels:
            self._labels[widget].setVisible(visible)
        words = self._errors[widget]
        words.setVisible(visible and bool(words.text()))
        if widget in self._gaps:
            self._grid.setRowMinimumHeight(self._gaps[widget], SPACE if visible else 0)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep errors whole: a scrolled column would cut lines that were wrapped."""
        super().resizeEvent(event)
        self._fit_errors()

    def _fit_errors(self) -> None:
        width = self._grid.cellRect(0, 1).width()
        for words in self._errors.values():
            words.setMinimumHeight(words.heightForWidth(width) if words.text() else 0)

    def _begin_row(self) -> int:
        """Number of the next free grid row, after a narrow one that parts it from the last."""
        row = self._grid.rowCount()
        if self._errors:
            self._grid.setRowMinimumHeight(row, SPACE)
            row += 1
        return row

    def _end_row(self, row: int, widget: QWidget) -> None:
        if self._errors:
            self._gaps[widget] = row - 1
        settle(widget)
        words = label("", "error")
        words.setWordWrap(True)
        words.hide()
        words.setContentsMargins(0, 2, 0, 0)
        self._errors[widget] = words
        self._grid.addWidget(words, row + 1, 1)
