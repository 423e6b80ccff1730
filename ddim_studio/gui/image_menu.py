"""The menu of all the ways to bring an image in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QIcon, QPixmap
from PySide6.QtWidgets import QApplication, QFileDialog, QInputDialog, QMenu, QWidget

from ddim_studio.gui.image_source import (
    FILE_FILTER,
    bundled_samples,
    can_take,
    from_file,
    from_seed,
    parse_image_seed,
    sources_in,
)
from ddim_studio.gui.theme import set_icon

if TYPE_CHECKING:
    from collections.abc import Callable

_ENLARGED = 56
_SEED_RANGE = "A seed is a whole number from 0 to 2⁶⁴ − 1."


class SourceMenu(QMenu):
    """A menu of images from elsewhere in the program.

    Signals:
        image_chosen: An `ImageSource`.
    """

    image_chosen = Signal(object)


class ImageMenu(QMenu):
    """Open a file, paste, take a bundled sample, or draw x_T from a seed.

    Args:
        parent: Whose menu it is, and the parent of its dialogs.
        several: Whether several files may be chosen at once.

    Signals:
        given: A list of `ImageSource`, never empty.
        complained: A sentence on why there is nothing to take.
    """

    given = Signal(object)
    complained = Signal(str)

    providers: ClassVar[list[Callable[[QWidget], SourceMenu]]] = []
    """Makers of further menus, given by the window: this module knows nothing of runs."""

    def __init__(self, parent: QWidget, *, several: bool = False) -> None:
        super().__init__(parent)
        self._several = several
        self._add("openImage", "folder", "Open a file…", self.open_file)
        self._add("pasteImage", "copy", "Paste (Ctrl+V)", self.paste)
        self.samples = self.addMenu("Bundled sample")
        self.samples.setObjectName("sampleMenu")
        self.samples.aboutToShow.connect(self._fill_samples)
        for make in self.providers:
            menu = make(self)
            menu.image_chosen.connect(lambda source: self.given.emit([source]))
            self.addMenu(menu)
        self._add("seedImage", "dice", "From a seed…", self.ask_seed)
        self.aboutToShow.connect(self._refresh)

    def open_file(self) -> None:
        """Let the user choose files."""
        window = self.parentWidget()
        if self._several:
            chosen, _ = QFileDialog.getOpenFileNames(window, "Open images", "", FILE_FILTER)
        else:
            one, _ = QFileDialog.getOpenFileName(window, "Open an image", "", FILE_FILTER)
            chosen = [one] if one else []
        if chosen:
            self.given.emit([from_file(Path(name)) for name in chosen])

    def paste(self) -> None:
        """Take what is on the clipboard."""
        found = sources_in(QApplication.clipboard().mimeData())
        if not found:
            self.complained.emit("There is no image on the clipboard.")
            return
        self.given.emit(found if self._several else found[:1])

    def ask_seed(self) -> None:
        """Let the user type a seed."""
        text, accepted = QInputDialog.getText(
            self.parentWidget(), "From a seed", "Seed of the noise x_T:", text="0"
        )
        if not accepted:
            return
        seed = parse_image_seed(text)
        if seed is None:
            self.complained.emit(_SEED_RANGE)
        else:
            self.given.emit([from_seed(seed)])

    def take_sample(self, path: Path) -> None:
        """Take a bundled sample."""
        self.given.emit([from_file(path)])

    def _add(self, name: str, icon: str, text: str, action: Callable[[], None]) -> None:
        made = self.addAction(text)
        made.setObjectName(name)
        set_icon(made, icon)
        made.triggered.connect(lambda _checked: action())

    def _refresh(self) -> None:
        data = QApplication.clipboard().mimeData()
        for action in self.actions():
            if action.objectName() == "pasteImage":
                action.setEnabled(can_take(data))

    def _fill_samples(self) -> None:
        if not self.samples.isEmpty():
            return
        for path in bundled_samples():
            made = self.samples.addAction(_thumbnail(path), path.stem.replace("-", " "))
            made.setObjectName(f"sample_{path.stem}")
            made.triggered.connect(lambda _checked, path=path: self.take_sample(path))


def _thumbnail(path: Path) -> QIcon:
    picture = QPixmap(str(path))
    return QIcon(picture.scaled(_ENLARGED, _ENLARGED, Qt.AspectRatioMode.KeepAspectRatio))
