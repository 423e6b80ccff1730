"""The seed: any unsigned 64-bit number, which Qt's spin boxes cannot hold."""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QSizePolicy, QToolButton, QWidget

from ddim_studio.diffusion.settings import MAX_SEED
from ddim_studio.gui.theme import SPACE, restyle, set_icon, tool_button

if TYPE_CHECKING:
    from PySide6.QtGui import QKeyEvent, QResizeEvent, QWheelEvent

_TOOLTIP = (
    "Seed n: picture i draws its x_T and the noise of every step from generators keyed by n + i.\n"
    "A whole number from 0 to 2⁶⁴ − 1, decimal or hexadecimal (0x…). ↑ and ↓ step by one."
)
_RANGE = f"The seed must be a whole number from 0 to {MAX_SEED} (2⁶⁴ − 1), or 0x… in hexadecimal."
_NUMBER = re.compile(r"0[xX][0-9a-fA-F]+|[0-9]+")
_STEPPER = QSize(18, 12)
_RANDOM_BITS = 32


def parse_seed(text: str) -> int | None:
    """The number that ``text`` writes, or None where it is not one from 0 to 2⁶⁴ − 1.

    Spaces and underscores between digits are skipped, as they come with pasted numbers.
    """
    bare = re.sub(r"[\s_]", "", text)
    # Longer than any allowed number: Python refuses to convert very long ones.
    if len(bare) > 40 or not _NUMBER.fullmatch(bare):
        return None
    value = int(bare, 16) if bare[:2].lower() == "0x" else int(bare)
    return value if value <= MAX_SEED else None


class _SeedLine(QLineEdit):
    """A line edit with two small buttons inside, like a spin box."""

    stepped = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setTextMargins(0, 0, _STEPPER.width(), 0)
        self._steppers = [self._stepper("chevron-up", 1), self._stepper("chevron-down", -1)]

    def _stepper(self, icon: str, step: int) -> QToolButton:
        button = QToolButton(self)
        button.setProperty("stepper", True)
        set_icon(button, icon, "muted")
        button.setIconSize(QSize(10, 10))
        button.setAutoRepeat(True)
        button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        button.setCursor(Qt.CursorShape.ArrowCursor)
        button.setAccessibleName("Next seed" if step > 0 else "Previous seed")
        button.clicked.connect(lambda: self.stepped.emit(step))
        return button

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the buttons at the right edge."""
        super().resizeEvent(event)
        left = self.width() - _STEPPER.width() - 3
        middle = self.height() // 2
        for button, top in zip(self._steppers, (middle - _STEPPER.height(), middle), strict=True):
            button.setGeometry(left, top, _STEPPER.width(), _STEPPER.height())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """↑ and ↓ step by one, Page Up and Page Down by ten."""
        steps = {
            Qt.Key.Key_Up: 1,
            Qt.Key.Key_Down: -1,
            Qt.Key.Key_PageUp: 10,
            Qt.Key.Key_PageDown: -10,
        }
        step = steps.get(Qt.Key(event.key()))
        if step is None:
            super().keyPressEvent(event)
        else:
            self.stepped.emit(step)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Step when focused; otherwise the panel around scrolls."""
        turn = event.angleDelta().y()
        if self.hasFocus() and turn:
            self.stepped.emit(1 if turn > 0 else -1)
            event.accept()
        else:
            event.ignore()


class SeedEdit(QWidget):
    """A seed to type, to step, to throw dice for, and to lock.

    Signals:
        value_changed: The new seed, a Python int of up to 64 bits.
        lock_changed: Whether it is locked now.
    """

    value_changed = Signal(object)
    lock_changed = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Seed")
        self._value = 0
        self._error = ""
        self._line = _SeedLine()
        self._line.setObjectName("seedSpin")
        self._line.setAccessibleName("Seed")
        self._line.setToolTip(_TOOLTIP)
        self._line.setText("0")
        self._line.textChanged.connect(self._read)
        self._line.editingFinished.connect(self._tidy)
        self._line.stepped.connect(self._step)
        self._dice = tool_button("dice", "Throw dice for a new seed", size=18, boxed=True)
        self._dice.setObjectName("seedDice")
        self._dice.clicked.connect(self.roll)
        self._lock = tool_button("lock", "", size=18, boxed=True)
        self._lock.setObjectName("seedLock")
        self._lock.setCheckable(True)
        self._lock.setChecked(True)
        self._lock.toggled.connect(self._show_lock)
        self._lock.toggled.connect(self.lock_changed)
        self._show_lock(True)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(SPACE // 2)
        row.addWidget(self._line, 1)
        row.addWidget(self._dice)
        row.addWidget(self._lock)
        self.setFocusProxy(self._line)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def value(self) -> int:
        """The seed; the last valid one while the text is not."""
        return self._value

    def set_value(self, value: int) -> None:
        """Take a seed.

        Raises:
            ValueError: It is not from 0 to 2⁶⁴ − 1.
        """
        if not 0 <= value <= MAX_SEED:
            raise ValueError(_RANGE)
        self._line.setText(str(value))
        # A long number shows its beginning, not its end.
        self._line.setCursorPosition(0)

    def error(self) -> str:
        """What is wrong with the text, or nothing."""
        return self._error

    def is_locked(self) -> bool:
        """Whether a run keeps this seed; unlocked, a page throws dice before every run."""
        return self._lock.isChecked()

    def set_locked(self, locked: bool) -> None:
        """Keep this seed for every run, or not."""
        self._lock.setChecked(locked)

    def roll(self) -> None:
        """Take a random seed of 32 bits, short enough to read out."""
        self.set_value(secrets.randbits(_RANDOM_BITS))

    def _read(self, text: str) -> None:
        value = parse_seed(text)
        error = _RANGE if value is None else ""
        if error != self._error:
            self._error = error
            self._line.setProperty("invalid", bool(error))
            self._line.setToolTip(error or _TOOLTIP)
            restyle(self._line)
        if value is not None and value != self._value:
            self._value = value
            self.value_changed.emit(value)

    def _tidy(self) -> None:
        if not self._error:
            self._line.setText(str(self._value))

    def _step(self, step: int) -> None:
        self.set_value(max(0, min(MAX_SEED, self._value + step)))

    def _show_lock(self, locked: bool) -> None:
        set_icon(self._lock, "lock" if locked else "unlock")
        words = (
            "Locked: every run uses this seed" if locked else "Unlocked: every run draws a new one"
        )
        self._lock.setToolTip(words)
        self._lock.setAccessibleName(words)
