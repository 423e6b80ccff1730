"""Saving what the Sample page shows: one image, the grid, or the whole trajectory."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from ddim_studio.gui.file_dialogs import ANIMATIONS, PICTURES, ask_where
from ddim_studio.gui.pages.file_menu import FileMenu
from ddim_studio.jobs.export import save_animation, save_picture
from ddim_studio.jobs.runs import SampleRun

if TYPE_CHECKING:
    from PySide6.QtGui import QImage
    from PySide6.QtWidgets import QWidget

    from ddim_studio.gui.pages.stage import Stage


class SaveMenu(FileMenu):
    """The actions that write what a stage shows to files or to the clipboard."""

    def __init__(self, stage: Stage, parent: QWidget) -> None:
        self._stage = stage
        bar = stage.view_bar
        fit, alone = "Fit the pictures into the pane (F)", "Grid of all, or one (double click)"
        bar.add_tool("zoom-fit", "Fit", fit, stage.frames.reset_zoom)
        bar.add_tool("grid", "Grid or one", alone, self._toggle)
        super().__init__(bar, "Save pictures or the whole trajectory", parent)
        self._add("saveImage", "Selected image…", self.save_image)
        self._add("saveGrid", "Grid of this frame…", self.save_grid)
        self._add("saveTrajectory", "Whole trajectory as animation…", self.save_trajectory)

    def save_image(self) -> None:
        """Save the selected image at the model's own size, with settings that repeat it alone."""
        record, pixels = self._stage.record, self._stage.shown_pixels()
        if record is None or pixels is None:
            return
        image = min(self._stage.frames.selected(), len(pixels) - 1)
        settings = record.order
        if self._stage.view() != "terms" and isinstance(settings, SampleRun):
            seed = self._stage.seed_of(image)
            settings = dataclasses.replace(settings, seed=seed, count=1)
        if path := ask_where(self._parent, "Save the selected image", "image.png", PICTURES):
            chosen, text = pixels[image], settings.to_json()
            self._write(path, lambda: save_picture(path, chosen, text))

    def save_grid(self) -> None:
        """Save all pictures of the frame as one sheet."""
        record, pixels = self._stage.record, self._stage.shown_pixels()
        if record is None or pixels is None:
            return
        if path := ask_where(self._parent, "Save the grid", "samples.png", PICTURES):
            text = record.order.to_json()
            self._write(path, lambda: save_picture(path, pixels, text))

    def save_trajectory(self) -> None:
        """Save every kept frame of the view as an animation."""
        record, frames = self._stage.record, self._stage.trajectory()
        if record is None or not frames:
            return
        if path := ask_where(self._parent, "Save the trajectory", "denoising.gif", ANIMATIONS):
            text = record.order.to_json()
            self._write(path, lambda: save_animation(path, frames, text))

    def _shown_image(self) -> QImage:
        return self._stage.frames.shown_image()

    def _refresh(self) -> None:
        some = self._stage.shown_pixels() is not None
        for action in self.menu.actions():
            action.setEnabled(some)

    def _toggle(self) -> None:
        self._stage.frames.set_single(not self._stage.frames.is_single())
