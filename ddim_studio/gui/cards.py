"""Cards of the right columns: a frame around anything, and a table of numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from ddim_studio.gui.remark import Remark
from ddim_studio.gui.theme import SPACE, label, sized_font

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ddim_studio.gui.remark import Tone

DASH = "–"


def carded(*contents: QWidget, title: str = "") -> QFrame:
    """A card around widgets, one under the other."""
    card = QFrame()
    card.setProperty("role", "card")
    column = QVBoxLayout(card)
    column.setContentsMargins(SPACE + 4, SPACE, SPACE + 4, SPACE)
    column.setSpacing(SPACE // 2)
    if title:
        column.addWidget(label(title, "heading"))
    for content in contents:
        column.addWidget(content)
    return card


def chooser_row(*choosers: tuple[str, str, str, Callable[[], None]]) -> QWidget:
    """Buttons side by side that ask for a file or folder: text, object name, tooltip and action."""
    whole = QWidget()
    row = QHBoxLayout(whole)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(SPACE)
    for text, name, tip, choose in choosers:
        button = QPushButton(text)
        button.setObjectName(name)
        button.setAccessibleName(tip)
        button.setToolTip(tip)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.clicked.connect(lambda _on, choose=choose: choose())
        row.addWidget(button, 1)
    return whole


def scrolled(inner: QWidget) -> QScrollArea:
    """A column of cards that scrolls up and down where it is too high."""
    scroll = QScrollArea()
    scroll.setWidget(inner)
    scroll.setWidgetResizable(True)
    scroll.setFrameShape(QFrame.Shape.NoFrame)
    scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    return scroll


def card_column(cards: Sequence[QWidget], margins: bool = True) -> QScrollArea:
    """Cards one under the other in a column that scrolls: a tab of a right column."""
    inner = QWidget()
    column = QVBoxLayout(inner)
    edges = (SPACE, SPACE, 2 * SPACE, SPACE) if margins else (0, 0, 0, 0)
    column.setContentsMargins(*edges)
    column.setSpacing(SPACE + 4)
    for card in cards:
        column.addWidget(card)
    column.addStretch(1)
    return scrolled(inner)


class NumberTable(QWidget):
    """Names at the left, numbers at the right, in one or several columns.

    Args:
        rows: Name and tooltip of each row by its key; names may be rich text.
        columns: Heading and tooltip of each column; an empty heading for a single one.
    """

    def __init__(
        self,
        rows: Mapping[str, tuple[str, str]],
        columns: Mapping[str, str] | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._values: dict[str, list[Remark]] = {}
        self._names: dict[str, QLabel] = {}
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(SPACE if columns is None else SPACE - 2)
        self._grid.setVerticalSpacing(SPACE // 2)
        self._grid.setColumnStretch(1, 1)
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        heads = columns or {"": ""}
        for place, (heading, tooltip) in enumerate(heads.items(), start=1):
            head = label(heading, "small")
            head.setAlignment(right)
            head.setToolTip(tooltip)
            head.setVisible(bool(heading))
            self._grid.addWidget(head, 0, place)
        for row, (key, (name, tooltip)) in enumerate(rows.items(), start=1):
            words = label(name, "muted")
            words.setToolTip(tooltip)
            self._names[key] = words
            self._grid.addWidget(words, row, 0)
            self._values[key] = [
                self._value(about or tooltip, small=columns is not None) for about in heads.values()
            ]
            for place, value in enumerate(self._values[key], start=1):
                self._grid.addWidget(value, row, place, right)
        self.clear()

    def set_row(self, key: str, texts: Sequence[str], tones: Sequence[Tone] = ()) -> None:
        """Show a row's numbers; columns without one show a dash."""
        for place, value in enumerate(self._values[key]):
            text = texts[place] if place < len(texts) else DASH
            value.say(text, tones[place] if place < len(tones) else "text")

    def text(self, key: str, column: int = 0) -> str:
        """What a cell shows."""
        return self._values[key][column].said()

    def tone(self, key: str, column: int = 0) -> Tone:
        """The tone of a cell."""
        return self._values[key][column].tone()

    def show_rows(self, keys: Sequence[str]) -> None:
        """Show only these rows."""
        for key, values in self._values.items():
            for widget in (self._names[key], *values):
                widget.setVisible(key in keys)

    def clear(self) -> None:
        """No numbers."""
        for key in self._values:
            self.set_row(key, ())

    @staticmethod
    def _value(tooltip: str, small: bool) -> Remark:
        value = Remark(wrap=False, hides=False)
        if small:
            value.setFont(sized_font(value.font(), 0.9))
        value.setProperty("role", "mono")
        value.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        value.setToolTip(tooltip)
        return value
