"""Menus of past runs: to take their settings again, or one of their images."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QIcon, QPixmap

from ddim_studio.gui.history import Remembered, images_of, remembered
from ddim_studio.gui.image_menu import SourceMenu
from ddim_studio.gui.image_source import ImageSource
from ddim_studio.gui.painting import to_qimage

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from ddim_studio.jobs.events import Pixels

ICON_SIZE = 48
MOST_IMAGES = 64


class HistoryMenu(SourceMenu):
    """The last runs, filled when it opens.

    Args:
        title: Of the menu.
        parent: Its owner.
        of_images: Whether a run opens a menu of its images rather than being chosen itself.

    Signals:
        run_chosen: The `SampleRun` of a past run.
    """

    run_chosen = Signal(object)

    def __init__(self, title: str, parent: QWidget, *, of_images: bool = False) -> None:
        super().__init__(parent)
        self.setTitle(title)
        self.setObjectName("historyMenu")
        self.setToolTipsVisible(True)
        self._of_images = of_images
        self.aboutToShow.connect(self.fill)

    def fill(self) -> None:
        """List the runs anew."""
        self.clear()
        past_runs = remembered()
        for past in past_runs:
            if self._of_images:
                self._add_images(past)
            else:
                action = self.addAction(_icon(images_of(past)[:1]), past.text)
                action.triggered.connect(lambda _on, run=past.run: self.run_chosen.emit(run))
        if not past_runs:
            self.addAction("No runs yet").setEnabled(False)

    def _add_images(self, past: Remembered) -> None:
        """A menu of a run's images, filled only when it opens."""
        images = images_of(past)[:MOST_IMAGES]
        menu = self.addMenu(_icon(images[:1]), past.text)

        def fill() -> None:
            menu.clear()
            for number, pixels in enumerate(images):
                label = f"seed {(past.run.seed + number) % 2**64}"
                source = ImageSource(f"history, {label}", pixels.copy())
                action = menu.addAction(_icon([pixels]), label)
                action.triggered.connect(lambda _on, one=source: self.image_chosen.emit(one))

        menu.aboutToShow.connect(fill)


def _icon(images: list[Pixels]) -> QIcon:
    if not images:
        return QIcon()
    picture = QPixmap.fromImage(to_qimage(images[0]))
    keep = Qt.AspectRatioMode.KeepAspectRatio
    return QIcon(picture.scaled(ICON_SIZE, ICON_SIZE, keep))
