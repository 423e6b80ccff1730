"""The card in which the images to train on are chosen, and said what they are."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFileDialog, QLineEdit, QPushButton, QWidget

from ddim_studio.gui.cards import chooser_row
from ddim_studio.gui.remark import Remark
from ddim_studio.gui.widgets.panels import Section

if TYPE_CHECKING:
    from ddim_studio.jobs.training_events import Surveyed

_TIP = (
    "A folder of pictures, a zip or tar archive of some, or an IDX file as of MNIST; it can be "
    "dropped on the window as well. What is no picture is left out, and listed."
)
_FILTER = (
    "Archives and IDX files (*.zip *.tar *.tar.gz *.tgz *.tar.bz2 *.tar.xz *.gz *ubyte);;"
    "All files (*)"
)
MOST_NAMED = 3
MOST_LISTED = 30


class DataCard(Section):
    """A path, two buttons to choose it, and what is there.

    Signals:
        path_given: A `Path` that the user gave by typing or choosing.
        stop_clicked: The images are not to be looked at any further.
    """

    path_given = Signal(object)
    stop_clicked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Images", parent)
        self.edit = QLineEdit()
        self.edit.setObjectName("dataEdit")
        self.edit.setAccessibleName("Images to train on")
        self.edit.setToolTip(_TIP)
        self.edit.setPlaceholderText("Drop a folder or an archive")
        self.edit.editingFinished.connect(self._typed)
        self._given = ""
        self.found = Remark(hides=False)
        self.found.setObjectName("dataRemark")
        self.left_out = Remark()
        self.left_out.setObjectName("skippedRemark")
        self.stop = QPushButton("Stop looking")
        self.stop.setObjectName("stopLookingButton")
        self.stop.setAccessibleName("Stop looking at the images")
        self.stop.setToolTip("Look at no more of the images; the training reads them all anyway")
        self.stop.setProperty("flat", True)
        self.stop.clicked.connect(self.stop_clicked)
        self.add_widget(self.edit)
        self.add_widget(self._buttons())
        self.add_widget(self.found)
        self.add_widget(self.left_out)
        self.add_widget(self.stop)
        self.show_nothing()

    def path(self) -> str:
        """Where the images are, or nothing."""
        return self.edit.text().strip()

    def set_path(self, path: str) -> None:
        """Show a path."""
        self._given = path
        self.edit.setText(path)
        self.edit.setCursorPosition(len(path))
        self.edit.setToolTip(f"{path}\n{_TIP}" if path else _TIP)

    def show_nothing(self) -> None:
        """Nothing is known of the images."""
        self.found.say(_TIP.partition(";")[0] + ".")
        self.left_out.say("")
        self._show_stop(shown=False)
        self.set_error(self.edit, "")

    def show_reading(self) -> None:
        """The path was given to be looked at."""
        self.found.say("Opening…")
        self.left_out.say("")
        self._show_stop(shown=True)
        self.set_error(self.edit, "")

    def show_survey(self, survey: Surveyed) -> None:
        """Say what was found so far."""
        self.found.say(" ".join([_found(survey), _looked(survey)]).strip(), "text")
        self.left_out.say(_left_out(survey), "warning")
        names = [f"{name}: {reason}" for name, reason in survey.skipped[:MOST_LISTED]]
        self.left_out.setToolTip("\n".join(names))
        self._show_stop(shown=not survey.complete)

    def show_stopped(self) -> None:
        """The user wanted no more of it."""
        self._show_stop(shown=False)

    def show_problem(self, text: str) -> None:
        """Say in place why the images cannot be used."""
        self.found.say("")
        self.left_out.say("")
        self._show_stop(shown=False)
        self.set_error(self.edit, text)

    def _show_stop(self, *, shown: bool) -> None:
        self.set_row_visible(self.stop, shown)

    def _typed(self) -> None:
        if self.path() != self._given:
            self._give(self.path())

    def _give(self, path: str) -> None:
        if path:
            self.set_path(path)
            self.path_given.emit(Path(path))
        else:
            self._given = ""
            self.show_nothing()

    def _choose_folder(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, "Open a folder of images")
        if chosen:
            self._give(chosen)

    def _choose_file(self) -> None:
        title = "Open an archive or an IDX file of images"
        chosen, _kind = QFileDialog.getOpenFileName(self, title, "", _FILTER)
        if chosen:
            self._give(chosen)

    def _buttons(self) -> QWidget:
        return chooser_row(
            ("Folder…", "dataFolderButton", "Choose a folder of pictures", self._choose_folder),
            ("Archive…", "dataFileButton", "Choose a zip, tar or IDX file", self._choose_file),
        )


def _found(survey: Surveyed) -> str:
    number = "1 image" if survey.count == 1 else f"{survey.count:,} images"
    parts = [f"{number} in this {survey.kind}"]
    if min(survey.smallest):
        low, high = ("×".join(map(str, size)) for size in (survey.smallest, survey.largest))
        parts += [low if low == high else f"{low} to {high}"]
        parts += ["colour" if survey.colours == "rgb" else "grey"]
    return ", ".join(parts) + "."


def _looked(survey: Surveyed) -> str:
    if not survey.complete:
        return f"Looked at {survey.looked:,} of {survey.wanted:,}…"
    if survey.wanted < survey.count:
        return f"Looked at {survey.wanted:,} of them, spread evenly."
    return ""


def _left_out(survey: Surveyed) -> str:
    count = len(survey.skipped)
    if not count:
        return ""
    names = ", ".join(Path(name).name for name, _ in survey.skipped[:MOST_NAMED])
    more = f" and {count - MOST_NAMED:,} more" if count > MOST_NAMED else ""
    word = "1 file is" if count == 1 else f"{count:,} files are"
    return f"{word} left out: {names}{more}."
