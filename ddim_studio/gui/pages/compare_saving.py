"""Saving what the Compare page shows: a figure, a table, or the pictures of a cell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ddim_studio.gui.file_dialogs import ANIMATIONS, PICTURES, ask_where
from ddim_studio.gui.pages.file_menu import FileMenu
from ddim_studio.jobs.compare_files import save_figure, save_table
from ddim_studio.jobs.export import save_animation, save_picture

if TYPE_CHECKING:
    from PySide6.QtGui import QImage
    from PySide6.QtWidgets import QWidget

    from ddim_studio.gui.comparison_record import CellRecord
    from ddim_studio.gui.pages.compare_view import CompareView

FIGURES = "PNG picture (*.png);;SVG drawing (*.svg);;PDF document (*.pdf)"
TABLES = "CSV table (*.csv)"


class CompareSaving(FileMenu):
    """Entries for the matrix, and for the selected cell."""

    def __init__(self, view: CompareView, parent: QWidget) -> None:
        self._view = view
        super().__init__(view.bar, "Save a figure, a table or a cell's pictures", parent)
        self._add("saveFigure", "Labelled figure…", self.save_figure)
        self._add("saveTable", "Table of all numbers…", self.save_table)
        self.menu.addSeparator()
        self._add("saveCell", "Pictures of the selected cell…", self.save_cell)
        self._add("saveTrajectory", "Its trajectory as animation…", self.save_trajectory)

    def save_figure(self) -> None:
        """Save the matrix with labels and numbers, fit for a paper."""
        record = self._view.record
        if record is None or not record.done():
            return
        if path := ask_where(self._parent, "Save the figure", "comparison.png", FIGURES):
            comparison, metric = record.comparison(), self._view.metric_shown()
            self._write(path, lambda: save_figure(path, comparison, metric))

    def save_table(self) -> None:
        """Save one row per cell and seed."""
        record = self._view.record
        if record is None or not record.done():
            return
        if path := ask_where(self._parent, "Save the table", "comparison.csv", TABLES):
            comparison = record.comparison()
            self._write(path, lambda: save_table(path, comparison))

    def save_cell(self) -> None:
        """Save the pictures of the selected cell as they are shown, with its settings."""
        cell, pixels = self._cell(), self._view.cell_pixels()
        if cell is None or pixels is None:
            return
        if path := ask_where(self._parent, "Save the cell's pictures", "cell.png", PICTURES):
            text = cell.run.to_json()
            self._write(path, lambda: save_picture(path, pixels, text))

    def save_trajectory(self) -> None:
        """Save every kept frame of the selected cell as an animation."""
        cell = self._cell()
        if cell is None:
            return
        shown = [cell.shown(index, self._view.view())[1] for index in cell.frames.kept]
        frames = [pixels for pixels in shown if pixels is not None]
        if path := ask_where(self._parent, "Save the trajectory", "denoising.gif", ANIMATIONS):
            text = cell.run.to_json()
            self._write(path, lambda: save_animation(path, frames, text))

    def _cell(self) -> CellRecord | None:
        record = self._view.record
        cell = None if record is None else record.cells[self._view.place()]
        return cell if cell is not None and len(cell.frames) else None

    def _shown_image(self) -> QImage:
        return self._view.shown_image()

    def _refresh(self) -> None:
        record, cell = self._view.record, self._cell()
        some = record is not None and bool(record.done())
        possible = {
            "copyPictures": record is not None,
            "saveFigure": some,
            "saveTable": some,
            "saveCell": cell is not None,
            "saveTrajectory": cell is not None,
        }
        for action in self.menu.actions():
            action.setEnabled(possible.get(action.objectName(), True))
