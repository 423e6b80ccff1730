"""Saving what the Invert page shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QApplication

from ddim_studio.gui.file_dialogs import ANIMATIONS, PICTURES, ask_where
from ddim_studio.gui.pages.page import FileWork
from ddim_studio.imaging.sheets import contact_sheet
from ddim_studio.jobs.export import save_animation, save_picture

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtWidgets import QWidget

    from ddim_studio.gui.pages.invert_view import InvertView


class InvertSaving(QObject):
    """The tools and the menu at the right of the page's bar.

    Args:
        view: What is shown.
        settings: The JSON of the settings that led to it, or None while there is no result.
        parent: Of the dialogs.

    Signals:
        file_requested: A `FileWork`.
    """

    file_requested = Signal(object)

    def __init__(
        self, view: InvertView, settings: Callable[[], str | None], parent: QWidget
    ) -> None:
        super().__init__(parent)
        self._parent, self._view, self._settings = parent, view, settings
        bar = view.bar
        bar.add_tool("copy", "Copy", "Copy the shown pictures to the clipboard", self.copy)
        self.menu = bar.add_menu("save", "Save", "Save pictures, or the way to x_T")
        self._pictures = self.menu.addAction("Shown pictures…", self.save_pictures)
        self._pictures.setObjectName("savePictures")
        self._encoding = self.menu.addAction("Way to x_T as animation…", self.save_encoding)
        self._encoding.setObjectName("saveEncoding")
        self.menu.aboutToShow.connect(self._refresh)

    def copy(self) -> None:
        """Put the pictures shown on the clipboard."""
        image = self._view.frames.shown_image()
        if not image.isNull():
            QApplication.clipboard().setImage(image)

    def save_pictures(self) -> None:
        """Save the pictures shown, as one sheet."""
        pixels = self._view.shown()
        if pixels is None:
            return
        if path := ask_where(self._parent, "Save the pictures", "inversion.png", PICTURES):
            four = self._view.bar.view() == "one"
            sheet = contact_sheet(pixels, columns=len(pixels) if four else None)
            text = self._settings()
            work = FileWork(f"Saving {path.name}", lambda: save_picture(path, sheet, text))
            self.file_requested.emit(work)

    def save_encoding(self) -> None:
        """Save the states from the images to x_T as an animation."""
        frames = self._view.trajectory()
        if not frames:
            return
        if path := ask_where(self._parent, "Save the way to x_T", "encoding.gif", ANIMATIONS):
            text = self._settings()
            work = FileWork(f"Saving {path.name}", lambda: save_animation(path, frames, text))
            self.file_requested.emit(work)

    def _refresh(self) -> None:
        self._pictures.setEnabled(self._view.shown() is not None)
        self._encoding.setEnabled(len(self._view.trajectory()) > 1)
