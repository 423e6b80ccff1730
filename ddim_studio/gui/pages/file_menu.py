"""A menu at the right of a page's bar that writes what is shown to files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QApplication

from ddim_studio.gui.pages.page import FileWork

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from PySide6.QtGui import QAction, QImage
    from PySide6.QtWidgets import QWidget

    from ddim_studio.gui.pages.view_bar import ViewBar
    from ddim_studio.jobs.runner import Job


class FileMenu(QObject):
    """The menu "Save". Subclasses add the entries, and say what they write.

    Args:
        bar: Gets the menu.
        tooltip: What can be saved.
        parent: Of the dialogs.

    Signals:
        file_requested: A `FileWork`.
    """

    file_requested = Signal(object)

    def __init__(self, bar: ViewBar, tooltip: str, parent: QWidget) -> None:
        super().__init__(parent)
        self._parent = parent
        self.menu = bar.add_menu("save", "Save", tooltip)
        self._add("copyPictures", "Copy what is shown", self.copy).setShortcut("Ctrl+C")
        self.menu.addSeparator()
        self.menu.aboutToShow.connect(self._refresh)

    def copy(self) -> None:
        """Put what is shown on the clipboard."""
        image = self._shown_image()
        if not image.isNull():
            QApplication.clipboard().setImage(image)

    def _shown_image(self) -> QImage:
        raise NotImplementedError

    def _refresh(self) -> None:
        """Enable what is possible now."""
        raise NotImplementedError

    def _write(self, path: Path, start: Callable[[], Job]) -> None:
        self.file_requested.emit(FileWork(f"Saving {path.name}", start))

    def _add(self, name: str, text: str, action: Callable[[], None]) -> QAction:
        made = self.menu.addAction(text)
        made.setObjectName(name)
        made.triggered.connect(lambda _checked: action())
        return made
