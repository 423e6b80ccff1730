"""Saving what the Interpolate page shows: a picture, the strip or grid, a ping-pong animation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QApplication

from ddim_studio.gui.file_dialogs import ANIMATIONS, PICTURES, ask_where
from ddim_studio.gui.live_path import TICKS
from ddim_studio.gui.pages.page import FileWork
from ddim_studio.imaging.sheets import contact_sheet
from ddim_studio.jobs.export import save_animation, save_picture

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtWidgets import QWidget

    from ddim_studio.gui.live_path import LivePath
    from ddim_studio.gui.pages.interpolate_view import InterpolateView
    from ddim_studio.jobs.events import Pixels
    from ddim_studio.jobs.runner import Job


class InterpolateSaving(QObject):
    """The tools and the menu at the right of the page's bar.

    Args:
        view: What is shown.
        path: Where the final pictures are.
        settings: The JSON of the settings that led to them, or None while there is no result.
        parent: Of the dialogs.

    Signals:
        file_requested: A `FileWork`.
    """

    file_requested = Signal(object)

    def __init__(
        self,
        view: InterpolateView,
        path: LivePath,
        settings: Callable[[], str | None],
        parent: QWidget,
    ) -> None:
        super().__init__(parent)
        self._parent, self._view, self._path, self._settings = parent, view, path, settings
        view.bar.add_tool(
            "copy", "Copy", "Copy the large picture to the clipboard (Ctrl+C)", self.copy
        )
        self.menu = view.bar.add_menu("save", "Save", "Save a picture, the strip or an animation")
        self._add("savePicture", "Picture at α…", self.save_picture)
        self._add("saveStrip", "Strip as one picture…", self.save_strip)
        self._add("savePingPong", "Back and forth as animation…", self.save_ping_pong)
        self._add("saveGrid", "Grid as one picture…", self.save_grid)
        self.menu.aboutToShow.connect(self._refresh)

    def copy(self) -> None:
        """Put the large picture on the clipboard."""
        image = self._view.result.shown_image()
        if not image.isNull():
            QApplication.clipboard().setImage(image)

    def save_picture(self) -> None:
        """Save the final picture at α, of the model's own size."""
        picture = self._path.final(self._view.alpha.tick())
        if picture is None:
            return
        name = f"alpha-{self._view.alpha.tick() / TICKS:.3f}.png"
        if path := ask_where(self._parent, "Save the picture", name, PICTURES):
            text = self._settings()
            self._write(path.name, lambda: save_picture(path, picture, text))

    def save_strip(self) -> None:
        """Save all frames of the strip side by side."""
        frames = self._frames()
        if not frames:
            return
        if path := ask_where(self._parent, "Save the strip", "strip.png", PICTURES):
            sheet = contact_sheet(np.stack(frames), columns=len(frames))
            text = self._settings()
            self._write(path.name, lambda: save_picture(path, sheet, text))

    def save_ping_pong(self) -> None:
        """Save the frames of the strip from A to B and back."""
        frames = self._frames()
        if not frames:
            return
        if path := ask_where(self._parent, "Save the animation", "from-a-to-b.gif", ANIMATIONS):
            there_and_back = [frame[None] for frame in [*frames, *frames[-2:0:-1]]]
            text = self._settings()
            self._write(path.name, lambda: save_animation(path, there_and_back, text))

    def save_grid(self) -> None:
        """Save the grid as it is."""
        cells = self._view.grid_pixels()
        if cells is None:
            return
        if path := ask_where(self._parent, "Save the grid", "grid.png", PICTURES):
            sheet = contact_sheet(cells, columns=round(len(cells) ** 0.5))
            text = self._settings()
            self._write(path.name, lambda: save_picture(path, sheet, text))

    def _frames(self) -> list[Pixels]:
        """The frames of the strip, or nothing while one of them is missing."""
        frames = [self._path.final(tick) for tick in self._view.stops()]
        known = [frame for frame in frames if frame is not None]
        return known if len(known) == len(frames) else []

    def _write(self, name: str, start: Callable[[], Job]) -> None:
        self.file_requested.emit(FileWork(f"Saving {name}", start))

    def _add(self, name: str, text: str, action: Callable[[], None]) -> None:
        made = self.menu.addAction(text)
        made.setObjectName(name)
        made.triggered.connect(lambda _checked: action())

    def _refresh(self) -> None:
        some = self._settings() is not None
        pair = self._view.mode() == "pair"
        possible = {
            "savePicture": pair and self._path.final(self._view.alpha.tick()) is not None,
            "saveStrip": pair and bool(self._frames()),
            "savePingPong": pair and bool(self._frames()),
            "saveGrid": not pair and self._view.grid_pixels() is not None,
        }
        for action in self.menu.actions():
            action.setEnabled(some and possible[action.objectName()])
