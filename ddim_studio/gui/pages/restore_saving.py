"""Saving what the Restore page shows: pictures, the way there, the numbers, the mask."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ddim_studio.gui.file_dialogs import ANIMATIONS, PICTURES, ask_where
from ddim_studio.gui.mask_presets import mask_pixels
from ddim_studio.gui.pages.compare_saving import TABLES
from ddim_studio.gui.pages.file_menu import FileMenu
from ddim_studio.imaging.sheets import contact_sheet
from ddim_studio.jobs.export import save_animation, save_picture
from ddim_studio.jobs.table_file import save_rows

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from PySide6.QtGui import QImage
    from PySide6.QtWidgets import QWidget

    from ddim_studio.gui.pages.restore_view import RestoreView
    from ddim_studio.jobs.runner import Job

MOST_IN_ROW = 8


class RestoreSaving(FileMenu):
    """The menu at the right of the page's bar.

    Args:
        view: What is shown.
        parent: Of the dialogs.
    """

    def __init__(self, view: RestoreView, parent: QWidget) -> None:
        self._view = view
        bar = view.bar
        alone = "Grid of all, or one (double click)"
        bar.add_tool("grid", "Grid or one", alone, self._toggle)
        super().__init__(bar, "Save pictures, the way there, numbers or the mask", parent)
        self._add("saveImage", "Selected picture…", self.save_image)
        self._add("saveSheet", "All pictures on one sheet…", self.save_sheet)
        self._add("saveTrajectory", "Whole trajectory as animation…", self.save_trajectory)
        self._add("saveNumbers", "Table of the numbers…", self.save_numbers)
        self._add("saveMask", "Mask…", self.save_mask)
        view.editor.save_requested.connect(self.save_mask)

    def save_image(self) -> None:
        """Save the selected picture at the model's own size, with settings that repeat it alone."""
        record, pixels = self._view.record, self._view.shown()
        if record is None or pixels is None:
            return
        tile = min(self._view.frames.selected(), len(pixels) - 1)
        seed = tile - record.first_answer() if self._view.bar.view() == "result" else tile
        run = record.alone(seed) if 0 <= seed < len(record.seeds) else record.run
        chosen = pixels[tile]
        self._save(
            "Save the picture",
            "restored.png",
            PICTURES,
            lambda path: save_picture(path, chosen, run.to_json()),
        )

    def save_sheet(self) -> None:
        """Save all pictures on show as one sheet; results stand side by side."""
        record, pixels = self._view.record, self._view.shown()
        if record is None or pixels is None:
            return
        columns = len(pixels) if len(pixels) <= MOST_IN_ROW else None
        sheet, text = contact_sheet(pixels, columns=columns), record.run.to_json()
        self._save(
            "Save the pictures",
            "restoration.png",
            PICTURES,
            lambda path: save_picture(path, sheet, text),
        )

    def save_trajectory(self) -> None:
        """Save every kept frame of the view as an animation."""
        record, frames = self._view.record, self._view.trajectory()
        if record is None or not frames:
            return
        text = record.run.to_json()
        self._save(
            "Save the trajectory",
            "restoring.gif",
            ANIMATIONS,
            lambda path: save_animation(path, frames, text),
        )

    def save_numbers(self) -> None:
        """Save a row for every answer and for every step of it."""
        record = self._view.record
        if record is None or not record.numbers:
            return
        rows = record.table()
        self._save(
            "Save the numbers", "restoration.csv", TABLES, lambda path: save_rows(path, rows)
        )

    def save_mask(self) -> None:
        """Save the mask: white is to be filled."""
        mask = self._view.editor.drawn()
        if mask is None:
            return
        pixels = mask_pixels(mask)
        self._save(
            "Save the mask", "mask.png", PICTURES, lambda path: save_picture(path, pixels, None)
        )

    def _save(self, title: str, name: str, filters: str, start: Callable[[Path], Job]) -> None:
        if path := ask_where(self._parent, title, name, filters):
            self._write(path, lambda: start(path))

    def _shown_image(self) -> QImage:
        view = self._view
        return (view.editor.canvas if view.is_painting() else view.frames).shown_image()

    def _refresh(self) -> None:
        view, record = self._view, self._view.record
        pictures = record is not None and view.shown() is not None
        possible = {
            "saveImage": pictures,
            "saveSheet": pictures,
            "saveTrajectory": bool(view.trajectory()),
            "saveNumbers": record is not None and bool(record.numbers),
            "saveMask": view.editor.drawn() is not None,
        }
        for action in self.menu.actions():
            action.setEnabled(possible.get(action.objectName(), True))

    def _toggle(self) -> None:
        frames = self._view.frames
        frames.set_single(not frames.is_single())
