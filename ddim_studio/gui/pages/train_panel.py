"""The settings column of the Train page: images, network, length, place, and the buttons."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from ddim_studio.diffusion.settings import SettingsError
from ddim_studio.gui.cards import scrolled
from ddim_studio.gui.pages.train_cards import LengthCard, NetworkCard, RunCard
from ddim_studio.gui.pages.train_data import DataCard
from ddim_studio.gui.pages.train_more import MoreSettings
from ddim_studio.gui.theme import SPACE, make_primary, set_icon
from ddim_studio.gui.training_plans import checked_place, free_name, suggested_size
from ddim_studio.gui.widgets.fold import Fold
from ddim_studio.jobs.training_run import TrainOrder
from ddim_studio.training.settings import FIXED, TrainSettings, continued

if TYPE_CHECKING:
    from ddim_studio.gui.training_record import TrainingRecord
    from ddim_studio.gui.widgets.panels import Section
    from ddim_studio.jobs.training_events import Surveyed

_WORDS = {
    "channels": "Widths",
    "size": "Size",
    "held_out": "Held out",
    "steps": "The steps",
    "minutes": "The minutes",
}


class TrainPanel(QWidget):
    """What to train, and the buttons that start, pause and stop it.

    Signals:
        start_clicked: The run is to begin or to go on; `order` says which.
        pause_clicked: The run is to wait, or to go on.
        stop_clicked: The run is to end, its model kept.
        new_clicked: A new run is wanted in place of one that can go on.

    Attributes:
        fields: The card and the control of each setting, by the setting's name.
    """

    start_clicked = Signal()
    pause_clicked = Signal()
    stop_clicked = Signal()
    new_clicked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._record: TrainingRecord | None = None
        self._survey: Surveyed | None = None
        self._size_before = 0
        self.run = RunCard()
        self.data = DataCard()
        self.network = NetworkCard()
        self.length = LengthCard()
        self.more = MoreSettings()
        self.fold = Fold("More settings", "What most people leave as it is", self.more)
        self.fields: dict[str, tuple[Section, QWidget]] = {
            "data": (self.data, self.data.edit),
            "size": (self.network, self.network.size_spin),
            "colours": (self.network, self.network.colours),
            "channels": (self.network, self.network.own),
            "steps": (self.length, self.length.amount_row),
            "minutes": (self.length, self.length.amount_row),
            "out": (self.length, self.length.name_row),
        }
        for name, control in self.more.controls.items():
            self.fields[name] = (self.more, control)
        self._make_buttons()
        self._lay_out()
        self.run.new.clicked.connect(self.new_clicked)
        self.set_state(running=False, paused=False)
        self.show_run(None)

    # --- what the page sets and reads --------------------------------------------------------

    def order(self) -> TrainOrder:
        """The run that the fields describe.

        Raises:
            SettingsError: A field is wrong; it is marked, with the reason under it.
        """
        self.clear_errors()
        try:
            return self._read()
        except SettingsError as error:
            self.mark(error)
            raise

    def mark(self, error: SettingsError) -> None:
        """Mark the field that an error is about, and say why under it."""
        section, widget = self.fields.get(error.field, self.fields["data"])
        if error.field in self.more.controls:
            self.fold.set_open(True)
        text = str(error)
        word = _WORDS.get(error.field)
        if word and text.startswith(error.field):
            text = word + text[len(error.field) :]
        section.set_error(widget, text)
        widget.setFocus()

    def clear_errors(self) -> None:
        """Take all marks away."""
        for section, widget in self.fields.values():
            section.set_error(widget, "")

    def show_run(self, record: TrainingRecord | None) -> None:
        """Let the fields be those of a run that can go on, or of a new one."""
        self._record = record
        going_on = record is not None and record.settings is not None
        self.run.setVisible(going_on)
        self.network.setVisible(not going_on)
        self.data.setVisible(not going_on)
        self.length.set_new(not going_on)
        self.more.set_fixed(going_on)
        self.start.setText("Go on" if going_on else "Start")
        self.start.setAccessibleName(self.start.text())
        if record is not None and record.settings is not None:
            self.run.show_record(record)
            self.more.show_settings(record.settings)
            self.length.show_total(record)

    def set_path(self, path: Path) -> None:
        """Take images, and propose a name for their model."""
        self._size_before = self.network.size_spin.value()
        self.data.set_path(str(path))
        self.length.name.setText(free_name(str(path), self.length.parent_folder()))

    def show_survey(self, survey: Surveyed) -> None:
        """The images were looked at: say what they are, and propose a size."""
        if survey.complete and (self._survey is None or self._survey.path != survey.path):
            self._survey = survey
            untouched = self.network.size_spin.value() == self._size_before
            if untouched and self.start.isEnabled():
                self.network.size_spin.setValue(suggested_size(survey.smallest))
        self.data.show_survey(survey)

    def set_state(self, *, running: bool, paused: bool) -> None:
        """Which buttons can be used."""
        self.start.setEnabled(not running)
        self.pause.setEnabled(running)
        self.stop.setEnabled(running)
        self.pause.setText("Resume" if paused else "Pause")
        self.pause.setAccessibleName(self.pause.text())
        set_icon(self.pause, "play" if paused else "pause")
        for card in (self.run, self.data, self.network, self.length, self.fold):
            card.setEnabled(not running)

    def memory(self) -> dict[str, Any]:
        """What the fields of a new run say, for the next start."""
        return {
            **self.network.values(),
            **self.length.values(),
            **self.more.values(),
            "data": self.data.path(),
        }

    def recall(self, values: dict[str, Any]) -> None:
        """Fill the fields; raises `SettingsError` where the values are damaged."""
        if not values.get("data"):
            return
        settings = TrainSettings.from_dict(values)
        self.network.show_settings(settings)
        self.length.show_settings(settings)
        self.more.show_settings(settings)

    # --- inside ------------------------------------------------------------------------------

    def _read(self) -> TrainOrder:
        if self._record is not None and self._record.settings is not None:
            return self._read_more_of(self._record, self._record.settings)
        if not self.data.path():
            raise SettingsError("data", "Choose the images to train on.")
        values = {
            **self.more.values(),
            **self.network.values(),
            **self.length.values(),
            "data": str(Path(self.data.path()).expanduser().absolute()),
        }
        settings = TrainSettings.from_dict(values)
        count = self._survey.count if self._survey and self._survey.path == values["data"] else None
        if count is not None and (settings.held_out or 0) >= count:
            raise SettingsError(
                "held_out", f"held_out must be less than the number of images, {count}."
            )
        place = checked_place(self.length.name.text(), self.length.parent_folder())
        return TrainOrder(settings, place)

    def _read_more_of(self, record: TrainingRecord, stored: TrainSettings) -> TrainOrder:
        free = {name: value for name, value in self.more.values().items() if name not in FIXED}
        settings = continued(stored, free | self.length.values())
        if settings.steps is not None and settings.steps <= record.step:
            raise SettingsError(
                "steps", f"The run has done {record.step:,} steps already: give more in all."
            )
        if settings.minutes is not None and 60 * settings.minutes <= record.seconds:
            spent = record.seconds / 60
            raise SettingsError(
                "minutes", f"The run has taken {spent:.1f} minutes already: give more in all."
            )
        return TrainOrder(settings, record.folder, resume=True)

    def _make_buttons(self) -> None:
        self.start = make_primary(QPushButton("Start"))
        self.start.setObjectName("startButton")
        self.start.setToolTip("Train in the background; other pages can be used (Ctrl+Return)")
        self.start.setShortcut("Ctrl+Return")
        self.pause = QPushButton("Pause")
        self.pause.setObjectName("pauseButton")
        self.pause.setToolTip("Keep a checkpoint and wait, until the run is to go on")
        self.stop = QPushButton("Stop and keep")
        self.stop.setObjectName("stopButton")
        self.stop.setToolTip("End the run; its checkpoint and its model are kept, and it can go on")
        for button in (self.start, self.pause, self.stop):
            button.setAccessibleName(button.text())
        self.start.clicked.connect(self.start_clicked)
        self.pause.clicked.connect(self.pause_clicked)
        self.stop.clicked.connect(self.stop_clicked)

    def _lay_out(self) -> None:
        inner = QWidget()
        cards = QVBoxLayout(inner)
        cards.setContentsMargins(2 * SPACE, 2 * SPACE, SPACE, SPACE)
        cards.setSpacing(SPACE + 4)
        for card in (self.run, self.data, self.network, self.length, self.fold):
            cards.addWidget(card)
        cards.addStretch(1)
        row = QHBoxLayout()
        row.setSpacing(SPACE)
        row.addWidget(self.pause, 1)
        row.addWidget(self.stop, 1)
        foot = QVBoxLayout()
        foot.setContentsMargins(2 * SPACE, SPACE, SPACE, 2 * SPACE)
        foot.setSpacing(SPACE)
        foot.addWidget(self.start)
        foot.addLayout(row)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(scrolled(inner), 1)
        column.addLayout(foot)
