"""A line of small print in one of the theme's tones."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Literal

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QWidget

from ddim_studio.gui.theme import current_colors, is_restyle

if TYPE_CHECKING:
    from PySide6.QtCore import QEvent

Tone = Literal["muted", "text", "warning", "error", "good"]


class Remark(QLabel):
    """Small print.

    Args:
        wrap: Whether it may take several lines.
        hides: Whether it hides itself while it is empty.
    """

    def __init__(
        self, parent: QWidget | None = None, *, wrap: bool = True, hides: bool = True
    ) -> None:
        super().__init__(parent)
        self._hides = hides
        self._text = ""
        self._tone: Tone = "muted"
        self.setProperty("role", "small")
        self.setWordWrap(wrap)
        self.setTextFormat(Qt.TextFormat.RichText)
        if hides:
            self.hide()

    def say(self, text: str, tone: Tone = "muted") -> None:
        """Show a text in a tone, or nothing."""
        if (text, tone) == (self._text, self._tone):
            return
        self._text, self._tone = text, tone
        self.setAccessibleName(text)
        self._show()
        if self._hides:
            self.setVisible(bool(text))

    def said(self) -> str:
        """The plain text shown."""
        return self._text

    def tone(self) -> Tone:
        """The tone it is shown in."""
        return self._tone

    def changeEvent(self, event: QEvent) -> None:
        """Follow the theme."""
        super().changeEvent(event)
        if is_restyle(event) and hasattr(self, "_text"):
            self._show()

    def _show(self) -> None:
        color = getattr(current_colors(), self._tone)
        self.setText(f'<span style="color:{color}">{html.escape(self._text)}</span>')
