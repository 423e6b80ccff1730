"""Something that is out of the way until it is wanted."""

from __future__ import annotations

from PySide6.QtWidgets import QPushButton, QSizePolicy, QVBoxLayout, QWidget

from ddim_studio.gui.theme import SPACE, set_icon


class Fold(QWidget):
    """A button with a word, which shows and hides what is under it.

    Args:
        text: On the button.
        tooltip: What is hidden.
        body: What is shown and hidden; folded away at first.
    """

    def __init__(
        self, text: str, tooltip: str, body: QWidget, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._body = body
        self.button = QPushButton(text)
        self.button.setObjectName("foldButton")
        self.button.setAccessibleName(text)
        self.button.setToolTip(tooltip)
        self.button.setProperty("flat", True)
        self.button.setCheckable(True)
        self.button.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self.button.toggled.connect(self.set_open)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE // 2)
        column.addWidget(self.button)
        column.addWidget(body)
        self.set_open(False)

    def is_open(self) -> bool:
        """Whether what is under it is shown."""
        return self.button.isChecked()

    def set_open(self, is_open: bool) -> None:
        """Show what is under it, or fold it away."""
        self.button.setChecked(is_open)
        self._body.setVisible(is_open)
        set_icon(self.button, "chevron-up" if is_open else "chevron-down")
