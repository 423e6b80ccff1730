"""The timeline under every page's pictures: play, step and scrub through frames."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QElapsedTimer, QSignalBlocker, QSize, Qt, QTimer, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from ddim_studio.gui.labels import ElidedLabel
from ddim_studio.gui.loop_button import LoopButton
from ddim_studio.gui.playback import FRAMES_PER_SECOND, Playback
from ddim_studio.gui.theme import SPACE, label, set_icon, tool_button
from ddim_studio.gui.track import Track

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtGui import QHideEvent, QKeyEvent

SPEEDS = {"¼×": 0.25, "½×": 0.5, "1×": 1.0, "2×": 2.0, "4×": 4.0, "8×": 8.0}
_SHORTEST_TICK_MS = 16
_SPEED_WIDTH = 64


class Timeline(QWidget):
    """Transport buttons, a slider over the frames so far, speed and loop, and a caption.

    While a run is live the timeline follows its newest frame, until the user goes elsewhere; the
    Last button follows again.

    Signals:
        position_changed: Number of the frame to show, by whatever means it changed.
        play_toggled: Whether it plays now.
    """

    position_changed = Signal(int)
    play_toggled = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Timeline")
        self._total = 0
        self._available = 0
        self._position = 0
        self._following = True
        self._playback = Playback()
        self._clock = QElapsedTimer()
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._tick)
        self._make_controls()
        self._lay_out()
        self._refresh()

    # --- what a page sets and reads ----------------------------------------------------------

    def set_total(self, total: int) -> None:
        """How many frames there will be: S + 1."""
        self._total = max(0, total)
        self._refresh()

    def set_available(self, n: int) -> None:
        """How many frames there are so far; while following, the newest is shown."""
        self._available = max(0, n)
        target = self._last() if self._following else min(self._position, self._last())
        self._refresh()
        self._go(target)

    def position(self) -> int:
        """Number of the frame shown; 0 is x_T."""
        return self._position

    def set_position(self, i: int) -> None:
        """Show a frame; a number out of range is brought into it. Following is unchanged."""
        self._go(i)

    def set_caption(self, text: str) -> None:
        """What the frame is, in a line."""
        self._caption.set_full_text(text)

    def set_note(self, text: str) -> None:
        """A remark about the trajectory, such as "every 4th frame kept"; empty for none."""
        self._note.setText(text)
        self._note.setVisible(bool(text))

    def is_following(self) -> bool:
        """Whether the newest frame is shown as it arrives."""
        return self._following

    def set_following(self, following: bool) -> None:
        """Follow the newest frame, or stay."""
        self._following = following
        if following:
            self._go(self._last())

    def is_playing(self) -> bool:
        """Whether it plays."""
        return self._timer.isActive()

    def set_playing(self, playing: bool) -> None:
        """Play from here (from the beginning if at the end), or pause."""
        if playing == self.is_playing() or (playing and self._available < 2):
            self._play.setChecked(self.is_playing())
            return
        if playing:
            self._following = False
            if self._position == self._last():
                self._go(0)
            self._playback.start()
            self._clock.start()
            self._timer.start(self._interval())
        else:
            self._timer.stop()
        self._show_playing()
        self.play_toggled.emit(playing)

    def reset(self) -> None:
        """No frames, at rest, ready to follow the next run."""
        self.set_playing(False)
        self._total = self._available = 0
        self._following = True
        self.set_caption("")
        self.set_note("")
        self._go(0)
        self._refresh()

    def handle_key(self, event: QKeyEvent) -> bool:
        """Act on ←, →, Home, End and Space, wherever the page's focus is.

        Returns:
            Whether the key was one of these, without Control, Alt or Shift.
        """
        actions: dict[int, Callable[[], None]] = {
            Qt.Key.Key_Left: self._previous.click,
            Qt.Key.Key_Right: self._next.click,
            Qt.Key.Key_Home: self._first.click,
            Qt.Key.Key_End: self._last_button.click,
            Qt.Key.Key_Space: self._play.click,
        }
        action = actions.get(event.key())
        plain = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        if action is None or plain != Qt.KeyboardModifier.NoModifier:
            return False
        action()
        event.accept()
        return True

    def hideEvent(self, event: QHideEvent) -> None:
        """Pause: nothing plays where nobody can see it."""
        self.set_playing(False)
        super().hideEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """The same keys when the focus is in the timeline."""
        if not self.handle_key(event):
            super().keyPressEvent(event)

    # --- construction ------------------------------------------------------------------------

    def _make_controls(self) -> None:
        self._first = self._button("first", "First frame: x_T (Home)", lambda: self._user(0))
        self._previous = self._button(
            "previous", "Previous frame (←)", lambda: self._user(self._position - 1)
        )
        self._play = tool_button("play", "Play (Space)")
        self._play.setObjectName("playButton")
        self._play.setProperty("round", True)
        set_icon(self._play, "play", "accent_text")
        self._play.setCheckable(True)
        self._play.clicked.connect(self.set_playing)
        self._next = self._button("next", "Next frame (→)", lambda: self._user(self._position + 1))
        self._last_button = self._button(
            "last", "Last frame, and follow a live run (End)", lambda: self.set_following(True)
        )
        self._track = Track()
        self._track.slider.setObjectName("timelineSlider")
        self._track.slider.valueChanged.connect(self._user)
        self._frame = QLabel()
        self._frame.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._frame.setToolTip("Frame shown, of S: frame 0 is x_T, frame S is x_0")
        self._speed = QComboBox()
        self._speed.setObjectName("speedCombo")
        self._speed.setAccessibleName("Playing speed")
        self._speed.setToolTip(f"Playing speed: 1× is {FRAMES_PER_SECOND:g} frames a second")
        self._speed.addItems(list(SPEEDS))
        self._speed.setMaximumWidth(_SPEED_WIDTH)
        self._speed.setCurrentText("1×")
        self._speed.currentTextChanged.connect(self._set_speed)
        self._loop = LoopButton()
        self._loop.setIconSize(QSize(20, 20))
        self._loop.mode_changed.connect(self._set_loop)
        self._caption = ElidedLabel("muted")
        self._note = label("", "small")
        self._note.hide()

    @staticmethod
    def _button(name: str, tooltip: str, action: Callable[[], None]) -> QToolButton:
        button = tool_button(name, tooltip)
        button.clicked.connect(action)
        return button

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(SPACE // 2)
        for button in (self._first, self._previous, self._play, self._next, self._last_button):
            row.addWidget(button)
        row.addSpacing(SPACE)
        row.addWidget(self._track, 1)
        row.addSpacing(SPACE)
        for control in (self._frame, self._speed, self._loop):
            row.addWidget(control)
            row.addSpacing(SPACE // 2)
        words = QHBoxLayout()
        words.setSpacing(2 * SPACE)
        words.addWidget(self._caption, 1)
        words.addWidget(self._note)
        self._note.setObjectName("timelineNote")
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE, SPACE // 2, SPACE, SPACE // 2)
        column.setSpacing(SPACE // 4)
        column.addLayout(row)
        column.addLayout(words)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    # --- inside ------------------------------------------------------------------------------

    def _last(self) -> int:
        return max(0, self._available - 1)

    def _interval(self) -> int:
        return max(_SHORTEST_TICK_MS, round(1000 / (FRAMES_PER_SECOND * self._playback.speed)))

    def _user(self, position: int) -> None:
        self._following = False
        self._go(position)

    def _go(self, position: int) -> None:
        position = max(0, min(position, self._last()))
        changed = position != self._position
        self._position = position
        with QSignalBlocker(self._track.slider):
            self._track.slider.setValue(position)
        self._show_frame()
        if changed:
            self.position_changed.emit(position)

    def _tick(self) -> None:
        seconds = self._clock.restart() / 1000
        position, ended = self._playback.advance(self._position, self._last(), seconds)
        self._go(position)
        if ended:
            self.set_playing(False)
            # Having caught up with a live run, go on with it.
            self._following = self._available < self._total

    def _set_speed(self, text: str) -> None:
        self._playback.speed = SPEEDS[text]
        if self.is_playing():
            self._timer.start(self._interval())

    def _set_loop(self, loop: bool, ping_pong: bool) -> None:
        self._playback.loop = loop
        self._playback.ping_pong = ping_pong

    def _refresh(self) -> None:
        with QSignalBlocker(self._track.slider):
            self._track.set_frames(self._available, max(self._total, self._available))
        usable = self._available > 1
        for control in (
            self._first,
            self._previous,
            self._play,
            self._next,
            self._last_button,
            self._track.slider,
        ):
            control.setEnabled(usable)
        last = max(self._total, self._available, 1) - 1
        widest = self._frame.fontMetrics().horizontalAdvance(f"frame {last} / {last}")
        self._frame.setMinimumWidth(widest + 2)
        self._show_frame()

    def _show_frame(self) -> None:
        last = max(self._total, self._available) - 1
        self._frame.setText(f"frame {self._position} / {last}" if self._available else "no frames")

    def _show_playing(self) -> None:
        playing = self.is_playing()
        self._play.setChecked(playing)
        set_icon(self._play, "pause" if playing else "play", "accent_text")
        self._play.setToolTip("Pause (Space)" if playing else "Play (Space)")
        self._play.setAccessibleName("Pause" if playing else "Play")
