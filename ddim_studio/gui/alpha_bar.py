"""The slider from A to B, with ping-pong play."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QElapsedTimer, Qt, QTimer, Signal
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QSlider,
    QStyle,
    QToolButton,
    QWidget,
)

from ddim_studio.gui.live_path import TICKS
from ddim_studio.gui.playback import Playback
from ddim_studio.gui.remark import Remark
from ddim_studio.gui.theme import SPACE, label, set_icon, tool_button

if TYPE_CHECKING:
    from PySide6.QtGui import QMouseEvent

_TIP = (
    "α: 0 is A, 1 is B. The noise x_T(α) lies between x_T of A and of B on the chosen path, and "
    "is decoded as you drag: at once with few steps, then with all of them.\n"
    "← → move it by 0.01, Page Up and Down by 0.1, Home and End to A and B."
)
_PLAY_MS = 83
_HALF_SPEED = 0.5


class _AlphaSlider(QSlider):
    """Goes where it is clicked."""

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Put the knob under the pointer, where the drag then begins."""
        if event.button() == Qt.MouseButton.LeftButton:
            place = round(event.position().x())
            value = QStyle.sliderValueFromPosition(0, TICKS, place - 8, max(1, self.width() - 16))
            self.setValue(value)
        super().mousePressEvent(event)


class AlphaBar(QWidget):
    """Play, A, the slider, B, and the value of α.

    Signals:
        moved: α in thousandths.
    """

    moved = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._stops: tuple[int, ...] = (0, TICKS)
        self._playback = Playback(speed=_HALF_SPEED, loop=True, ping_pong=True)
        self._clock = QElapsedTimer()
        self._timer = QTimer(self)
        self._timer.setInterval(_PLAY_MS)
        self._timer.timeout.connect(self._advance)
        self.slider = _AlphaSlider(Qt.Orientation.Horizontal)
        self.slider.setObjectName("alphaSlider")
        self.slider.setAccessibleName("α, from A to B")
        self.slider.setToolTip(_TIP)
        self.slider.setRange(0, TICKS)
        self.slider.setSingleStep(10)
        self.slider.setPageStep(100)
        self.slider.setValue(TICKS // 2)
        self.slider.valueChanged.connect(self._changed)
        self.slider.sliderPressed.connect(lambda: self.set_playing(playing=False))
        self.play = self._play_button()
        self._value = QLabel()
        self._value.setObjectName("alphaValue")
        self._value.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._coarse = Remark(wrap=False, hides=False)
        self._coarse.setObjectName("coarseMark")
        self._coarse.setToolTip("Decoded with few steps while you move; refined when it rests")
        self._lay_out()
        self._show_value()

    def tick(self) -> int:
        """α in thousandths."""
        return self.slider.value()

    def set_tick(self, tick: int) -> None:
        """Move the slider."""
        self.slider.setValue(tick)

    def set_stops(self, ticks: tuple[int, ...]) -> None:
        """The points that play goes through."""
        self._stops = ticks

    def set_coarse(self, coarse: bool) -> None:
        """Whether the picture on show is the coarse one."""
        self._coarse.say("coarse" if coarse else "")

    def is_coarse(self) -> bool:
        """Whether it says so."""
        return bool(self._coarse.said())

    def is_playing(self) -> bool:
        """Whether it plays."""
        return self._timer.isActive()

    def set_playing(self, playing: bool) -> None:
        """Walk back and forth through the stops, or rest."""
        if playing and not self.is_playing():
            self._playback.start()
            self._clock.start()
            self._timer.start()
        elif not playing:
            self._timer.stop()
        self.play.setChecked(playing)
        set_icon(self.play, "pause" if playing else "play", "accent_text")

    def _play_button(self) -> QToolButton:
        button = tool_button("play", "Play back and forth through the strip (Space)")
        button.setObjectName("pingPongButton")
        button.setProperty("round", True)
        set_icon(button, "play", "accent_text")
        button.setCheckable(True)
        button.clicked.connect(self.set_playing)
        return button

    def _advance(self) -> None:
        here = min(range(len(self._stops)), key=lambda i: abs(self._stops[i] - self.tick()))
        seconds = self._clock.restart() / 1000
        there, _ = self._playback.advance(here, len(self._stops) - 1, seconds)
        if there != here:
            self.set_tick(self._stops[there])

    def _changed(self, tick: int) -> None:
        self._show_value()
        self.moved.emit(tick)

    def _show_value(self) -> None:
        self._value.setText(f"α = {self.tick() / TICKS:.3f}")

    def _lay_out(self) -> None:
        self._value.setMinimumWidth(self.fontMetrics().horizontalAdvance("α = 0.000") + 4)
        self._coarse.setFixedWidth(self.fontMetrics().horizontalAdvance("coarse") + 2)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(SPACE)
        row.addWidget(self.play)
        row.addWidget(label("A", "heading"))
        row.addWidget(self.slider, 1)
        row.addWidget(label("B", "heading"))
        row.addWidget(self._value)
        row.addWidget(self._coarse)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
