"""The middle of the Interpolate page: the ends, the picture between them, slider and strip."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QSpinBox, QVBoxLayout, QWidget

from ddim_studio.gui.alpha_bar import AlphaBar
from ddim_studio.gui.live_path import TICKS
from ddim_studio.gui.pages.end_card import EndCard
from ddim_studio.gui.pages.view_bar import ViewBar
from ddim_studio.gui.strip_view import StripView
from ddim_studio.gui.theme import SPACE, settle
from ddim_studio.gui.widgets.frame_view import FrameView

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtGui import QResizeEvent

    from ddim_studio.jobs.events import Pixels
    from ddim_studio.jobs.inversion_events import Decoded

MODES = {
    "pair": ("A to B", "The path between two images, with a slider"),
    "grid": ("Four corners", "A square between four images: A and B above, C and D below"),
}
LETTERS = "ABCD"
BLANK = 96
WIDE = 560
_NARROWEST = 330
MOST_IN_ROW = 12
_SIDES = {"pair": 168, "grid": 150}
_ANY = 16777215
_LOWEST_WIDE = 120
_LOWEST = {"pair": 184, "grid": 160}


class InterpolateView(QWidget):
    """Shows what the page gives it, and says what the user does.

    Signals:
        mode_changed: "pair" or "grid".
        moved: α in thousandths, by the slider or the strip.
        frames_changed: How many frames the strip has.
        grid_changed: How many pictures a side of the grid has.
    """

    mode_changed = Signal(str)
    moved = Signal(int)
    frames_changed = Signal(int)
    grid_changed = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.bar = ViewBar(MODES)
        self.cards = [EndCard(letter) for letter in LETTERS]
        self.result = FrameView()
        self.result.setObjectName("resultView")
        self.result.setAccessibleName("Picture between the images")
        self.alpha = AlphaBar()
        self.strip = StripView()
        self.frames = _spin("framesSpin", 3, 21, 9, "N, the number of frames in the strip")
        self.side = _spin("gridSpin", 2, 9, 5, "Pictures along a side of the grid")
        self._grid: Pixels | None = None
        self._wide: bool | None = None
        self.setMinimumWidth(_NARROWEST)
        self._lay_out()
        self._connect()
        self._set_mode("pair")
        self.show_nothing()

    # --- what the page sets ------------------------------------------------------------------

    def mode(self) -> str:
        """Which mode is on: "pair" or "grid"."""
        return self.bar.view()

    def needed(self) -> int:
        """How many images the mode needs."""
        return 2 if self.mode() == "pair" else 4

    def stops(self) -> tuple[int, ...]:
        """α of the strip's frames, in thousandths."""
        last = self.frames.value() - 1
        return tuple(round(TICKS * i / last) for i in range(last + 1))

    def show_nothing(self) -> None:
        """No result: say what to do."""
        self._grid = None
        for view in (self.result, self.strip):
            view.set_captions([])
            view.set_columns(None)
            view.set_pixels(None)
        words = "A and B" if self.mode() == "pair" else "A, B, C and D"
        self.result.set_placeholder(
            f"Put images into {words}, then press Invert",
            "Each is traced back to the noise x_T it would come from; then walk between them.",
        )
        self.strip.set_placeholder("", "The frames of the path appear here")
        self.alpha.setEnabled(False)
        self.alpha.set_coarse(coarse=False)
        self.alpha.set_playing(playing=False)

    def show_encoding(self, x: Pixels, captions: list[str]) -> None:
        """While inverting: the states on their way to x_T, (N, H, W, C)."""
        self.result.set_columns(None)
        self.result.set_captions(captions)
        self.result.set_pixels(x)

    def show_point(self, pixels: Pixels, final: bool) -> None:
        """The picture at α, (H, W, C)."""
        self.alpha.setEnabled(True)
        self.result.set_captions([])
        self.result.set_columns(None)
        self.result.set_pixels(pixels[None])
        self.alpha.set_coarse(coarse=not final)

    def show_strip(self, final: Callable[[int], Pixels | None]) -> None:
        """The strip's frames, those that are known; ``final`` gives the picture of a tick."""
        stops = self.stops()
        known = [final(tick) for tick in stops]
        some = next((pixels for pixels in known if pixels is not None), None)
        if some is None:
            return
        blank = np.full_like(some, BLANK)
        self.strip.set_columns(len(stops) if len(stops) <= MOST_IN_ROW else None, gap=4)
        self.strip.set_pixels(np.stack([blank if p is None else p for p in known]))
        self._mark_nearest()

    def begin_grid(self, corners: Pixels) -> None:
        """An empty grid, but for its corners, (4, H, W, C)."""
        side = self.side.value()
        self._grid = np.full((side * side, *corners.shape[1:]), BLANK, np.uint8)
        for place, corner in zip((0, side - 1, side * (side - 1), -1), corners, strict=True):
            self._grid[place] = corner
        self._show_grid()

    def add_to_grid(self, event: Decoded) -> None:
        """Pictures of the grid have arrived."""
        if self._grid is None:
            return
        side = round(len(self._grid) ** 0.5)
        cells = self._grid.copy()  # the view keeps the array that it shows
        for (across, down), picture in zip(event.alphas, event.pixels, strict=True):
            cells[round(down * (side - 1)) * side + round(across * (side - 1))] = picture
        self._grid = cells
        self._show_grid()

    def grid_pixels(self) -> Pixels | None:
        """All pictures of the grid, row by row, (n·n, H, W, C)."""
        return self._grid

    # --- inside ------------------------------------------------------------------------------

    def _show_grid(self) -> None:
        if self._grid is not None:
            self.result.set_captions([])
            self.result.set_columns(round(len(self._grid) ** 0.5), gap=2)
            self.result.set_pixels(self._grid)

    def _set_mode(self, mode: str) -> None:
        pair = mode == "pair"
        for card in self.cards[2:]:
            card.setVisible(not pair)
        for widget in (self.alpha, self.strip):
            widget.setVisible(pair)
        self._wide = None
        self._arrange()

    def _mark_nearest(self) -> None:
        stops = self.stops()
        here = self.alpha.tick()
        self.strip.set_selected(min(range(len(stops)), key=lambda i: abs(stops[i] - here)))

    def _moved(self, tick: int) -> None:
        self._mark_nearest()
        self.moved.emit(tick)

    def _connect(self) -> None:
        self.alpha.moved.connect(self._moved)
        self.strip.frame_clicked.connect(lambda frame: self.alpha.set_tick(self.stops()[frame]))
        self.bar.view_chosen.connect(self._set_mode)
        self.bar.view_chosen.connect(self.mode_changed)
        self.frames.valueChanged.connect(lambda _n: self.alpha.set_stops(self.stops()))
        self.frames.valueChanged.connect(self.frames_changed)
        self.side.valueChanged.connect(self.grid_changed)
        self.alpha.set_stops(self.stops())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Ends beside the result where there is room, else above it."""
        super().resizeEvent(event)
        self._arrange()

    def _arrange(self) -> None:
        wide = self.width() >= WIDE
        if wide == self._wide:
            return
        self._wide = wide
        for widget in (*self.cards, self.result):
            self._places.removeWidget(widget)
        a, b, c, d = self.cards
        across = ((a, 0, 0), (b, 0, 2), (c, 1, 0), (d, 1, 2))
        down = ((a, 0, 0), (b, 0, 1), (c, 2, 0), (d, 2, 1))
        pair = self.mode() == "pair"
        for card, row, column in across if wide else down:
            self._places.addWidget(card, row, column)
            card.set_noise_visible(visible=wide and pair)
            card.setMaximumWidth(_SIDES[self.mode()] if wide else _ANY)
        self.result.setMinimumHeight(_LOWEST_WIDE if wide else _LOWEST[self.mode()])
        if wide:
            self._places.addWidget(self.result, 0, 1, 2, 1)
        else:
            self._places.addWidget(self.result, 1, 0, 1, 2)
        rows = (1, int(not pair), 0) if wide else (1, 3, int(not pair))
        for index in range(3):
            self._places.setColumnStretch(index, int(index == 1) if wide else int(index < 2))
            self._places.setRowStretch(index, rows[index])

    def _lay_out(self) -> None:
        self._places = QGridLayout()
        self._places.setSpacing(SPACE)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE, 2 * SPACE, SPACE, 2 * SPACE)
        column.setSpacing(SPACE)
        column.addWidget(self.bar)
        column.addLayout(self._places, 1)
        column.addWidget(self.alpha)
        column.addWidget(self.strip)


def _spin(name: str, low: int, high: int, value: int, tooltip: str) -> QSpinBox:
    spin = QSpinBox()
    spin.setObjectName(name)
    spin.setAccessibleName(tooltip)
    spin.setToolTip(tooltip)
    spin.setRange(low, high)
    spin.setValue(value)
    spin.setAlignment(Qt.AlignmentFlag.AlignLeft)
    settle(spin)
    return spin
