"""What something is: names at the left, words at the right, as many lines as they need."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QLabel, QWidget

from ddim_studio.gui.labels import ElidedLabel
from ddim_studio.gui.remark import Remark
from ddim_studio.gui.theme import SPACE, label

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from ddim_studio.gui.remark import Tone

_NAME_WIDTH = 78


class Facts(QWidget):
    """A table of words; a row without any is hidden.

    Args:
        rows: Name and tooltip of each row by its key.
        cut: Keys of the rows that take one line and are cut where they do not fit, such as paths.
    """

    def __init__(
        self,
        rows: Mapping[str, tuple[str, str]],
        cut: Collection[str] = (),
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._names: dict[str, QLabel] = {}
        self._values: dict[str, Remark | ElidedLabel] = {}
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(SPACE)
        grid.setVerticalSpacing(SPACE // 2)
        grid.setColumnMinimumWidth(0, _NAME_WIDTH)
        grid.setColumnStretch(1, 1)
        for row, (key, (name, tooltip)) in enumerate(rows.items()):
            words = label(name, "muted")
            words.setToolTip(tooltip)
            value = ElidedLabel() if key in cut else Remark(hides=False)
            value.setObjectName(f"fact_{key}")
            value.setProperty("role", "")
            value.setToolTip(tooltip)
            value.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            self._names[key], self._values[key] = words, value
            grid.addWidget(words, row, 0, Qt.AlignmentFlag.AlignTop)
            grid.addWidget(value, row, 1, Qt.AlignmentFlag.AlignTop)
        self.clear()

    def set_text(self, key: str, text: str, tone: Tone = "text") -> None:
        """Show a row's words, or hide it where there are none."""
        value = self._values[key]
        if isinstance(value, ElidedLabel):
            value.set_full_text(text)
        else:
            value.say(text, tone)
        for part in (self._names[key], value):
            part.setVisible(bool(text))

    def text(self, key: str) -> str:
        """What a row says."""
        value = self._values[key]
        return value.full_text() if isinstance(value, ElidedLabel) else value.said()

    def clear(self) -> None:
        """No words."""
        for key in self._values:
            self.set_text(key, "")
