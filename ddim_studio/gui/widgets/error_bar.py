"""A bar that says what went wrong and what to do about it."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtGui import QAccessible, QAccessibleEvent, QGuiApplication
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from ddim_studio.gui.theme import SPACE, icon, is_restyle, restyle, tool_button

_DETAILS_HEIGHT = 140


class ErrorBar(QFrame):
    """Hidden until there is an error or a notice to show; then until it is closed."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("errorBar")
        self.setAccessibleName("Error")
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self._mark = QLabel()
        self._mark.setFixedSize(20, 20)
        self._message = self._words("heading")
        self._message.setObjectName("errorMessage")
        self._advice = self._words("")
        self._advice.setObjectName("errorAdvice")
        self._details = QPlainTextEdit()
        self._details.setObjectName("errorDetails")
        self._details.setAccessibleName("Details of the error")
        self._details.setReadOnly(True)
        self._details.setFixedHeight(_DETAILS_HEIGHT)
        self._copy = self._button(
            "Copy details", "Copy what happened, with all details, to report it"
        )
        self._copy.clicked.connect(self._copy_all)
        self._toggle = self._button("Show details", "What the program knows about the error")
        self._toggle.setCheckable(True)
        self._toggle.toggled.connect(self._show_details)
        self._close = tool_button("close", "Close", size=16)
        self._close.setObjectName("errorClose")
        self._close.clicked.connect(self.hide)
        self._lay_out()
        self.hide()

    def _words(self, role: str) -> QLabel:
        words = QLabel()
        words.setProperty("role", role)
        words.setWordWrap(True)
        words.setTextFormat(Qt.TextFormat.PlainText)
        words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        return words

    def _button(self, text: str, tooltip: str) -> QPushButton:
        button = QPushButton(text)
        button.setProperty("flat", True)
        button.setToolTip(tooltip)
        return button

    def _lay_out(self) -> None:
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(self._message)
        words.addWidget(self._advice)
        row = QHBoxLayout()
        row.setSpacing(SPACE)
        top = Qt.AlignmentFlag.AlignTop
        row.addWidget(self._mark, 0, top)
        row.addLayout(words, 1)
        for control in (self._toggle, self._copy, self._close):
            row.addWidget(control, 0, top)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE + 2, SPACE, SPACE, SPACE)
        column.addLayout(row)
        column.addWidget(self._details)

    def show_error(self, message: str, advice: str = "", details: str = "") -> None:
        """Show an error.

        Args:
            message: What happened, in a sentence.
            advice: What to do about it.
            details: For a report, such as a traceback.
        """
        self._show("error", message, advice, details)

    def show_notice(self, text: str) -> None:
        """Show something worth knowing that stops nothing."""
        self._show("notice", text, "", "")

    def message(self) -> str:
        """What is or was last shown."""
        return self._message.text()

    def _show(self, tone: str, message: str, advice: str, details: str) -> None:
        self.setProperty("tone", tone)
        self.setAccessibleName("Error" if tone == "error" else "Notice")
        self.setAccessibleDescription(f"{message} {advice}".strip())
        self._draw_mark()
        self._message.setText(message)
        self._advice.setText(advice)
        self._advice.setVisible(bool(advice))
        self._details.setPlainText(details)
        self._toggle.setChecked(False)
        self._show_details(False)
        self._toggle.setVisible(bool(details))
        self._copy.setVisible(tone == "error")
        restyle(self)
        self.show()
        QAccessible.updateAccessibility(QAccessibleEvent(self, QAccessible.Event.Alert))

    def _draw_mark(self) -> None:
        error = self.property("tone") == "error"
        drawn = icon("warning", "error") if error else icon("info", "warning")
        self._mark.setPixmap(drawn.pixmap(QSize(20, 20), self.devicePixelRatioF()))

    def changeEvent(self, event: QEvent) -> None:
        """Follow the theme."""
        super().changeEvent(event)
        if is_restyle(event) and self.isVisible():
            self._draw_mark()

    def _show_details(self, shown: bool) -> None:
        self._details.setVisible(shown)
        self._toggle.setText("Hide details" if shown else "Show details")

    def _copy_all(self) -> None:
        parts = (self._message.text(), self._advice.text(), self._details.toPlainText())
        QGuiApplication.clipboard().setText("\n\n".join(part for part in parts if part))
