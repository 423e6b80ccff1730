"""Cards of the Train page's settings: network, length and place, and the run to go on with."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtWidgets import (
    QComboBox,
    QDoubleSpinBox,
    QFileDialog,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QSizePolicy,
    QSpinBox,
    QWidget,
)

from ddim_studio.gui.labels import ElidedLabel
from ddim_studio.gui.remark import Remark
from ddim_studio.gui.theme import SPACE, restyle, tool_button
from ddim_studio.gui.training_plans import (
    OWN,
    WIDTHS,
    models_folder,
    read_widths,
    widths_of,
    word_of,
)
from ddim_studio.gui.widgets.panels import Section
from ddim_studio.training.settings import COLOURS

if TYPE_CHECKING:
    from ddim_studio.gui.training_record import TrainingRecord
    from ddim_studio.training.settings import TrainSettings

AS_THEY_ARE = "as the images"
_COLOUR_WORDS = {"grey": "grey", "rgb": "colour"}
MINUTES, STEPS = "minutes", "steps"
_SIZE_TIP = (
    "Side of the images that the model will draw, in pixels. Others are cropped to a square and "
    "brought to this size. Twice the side takes about four times as long."
)
_NETWORK_TIP = (
    "How wide the network is, level by level; each level after the first halves the image. small "
    "learns in an hour or so on a processor; large wants a graphics processor."
)
_LENGTH_TIP = "How long the run is in all, pauses left out; it can be stopped at any time."


class Amount(QDoubleSpinBox):
    """A number that shows no digits that it does not need."""

    def textFromValue(self, value: float) -> str:
        """Such as "60" or "0.5"."""
        return (
            f"{value:.{self.decimals()}f}".rstrip("0").rstrip(".") if value % 1 else f"{value:.0f}"
        )


class Pair(QWidget):
    """Two controls beside each other, of which the first one is the field."""

    def __init__(self, first: QWidget, second: QWidget, stretch: int = 0) -> None:
        super().__init__()
        self.setFocusProxy(first)
        self.setAccessibleName(first.accessibleName())
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(SPACE // 2)
        row.addWidget(first, 1)
        row.addWidget(second, stretch)


class NetworkCard(Section):
    """Size, colours and width of the network."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Model", parent)
        self.size_spin = QSpinBox()
        self.size_spin.setObjectName("sizeSpin")
        self.size_spin.setRange(4, 1024)
        self.size_spin.setSingleStep(4)
        self.size_spin.setSuffix(" px")
        self.size_spin.setValue(32)
        self.colours = QComboBox()
        self.colours.setObjectName("coloursCombo")
        self.colours.addItems([AS_THEY_ARE, *_COLOUR_WORDS.values()])
        self.network = QComboBox()
        self.network.setObjectName("networkCombo")
        self.network.addItems([*WIDTHS, OWN])
        self.own = QLineEdit("32, 64, 128")
        self.own.setObjectName("widthsEdit")
        self.note = Remark(hides=False)
        self.note.setObjectName("networkRemark")
        self.add_row("Size", self.size_spin, _SIZE_TIP)
        self.add_row("Colours", self.colours, "Whether the model draws in colour or in grey")
        self.add_row("Network", self.network, _NETWORK_TIP)
        self.add_row("Widths", self.own, "Multiples of 4, one a level, with commas between")
        self.add_widget(self.note)
        self.network.currentTextChanged.connect(lambda _text: self._refresh())
        self.size_spin.valueChanged.connect(lambda _value: self._refresh())
        self._refresh()

    def values(self) -> dict[str, Any]:
        """What the controls say, by the setting's name; raises `SettingsError`."""
        shown = {text: name for name, text in _COLOUR_WORDS.items()}
        word = self.network.currentText()
        size = self.size_spin.value()
        return {
            "size": size,
            "colours": shown.get(self.colours.currentText()),
            "channels": read_widths(self.own.text()) if word == OWN else widths_of(word, size),
        }

    def show_settings(self, settings: TrainSettings) -> None:
        """Fill the controls."""
        self.size_spin.setValue(settings.size)
        named = settings.colours in COLOURS
        self.colours.setCurrentText(_COLOUR_WORDS[settings.colours or ""] if named else AS_THEY_ARE)
        self.own.setText(", ".join(map(str, settings.channels)))
        self.network.setCurrentText(word_of(settings.channels, settings.size))
        self._refresh()

    def _refresh(self) -> None:
        word = self.network.currentText()
        self.set_row_visible(self.own, word == OWN)
        self.set_row_visible(self.note, word != OWN)
        if word != OWN:
            widths = ", ".join(map(str, widths_of(word, self.size_spin.value())))
            self.note.say(f"Widths {widths}.")


class LengthCard(Section):
    """How long a run is, and where its model goes."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Run", parent)
        self._amounts = {MINUTES: 60.0, STEPS: 10_000.0}
        self._unit = MINUTES
        self._parent = models_folder()
        self.amount = Amount()
        self.amount.setMinimumWidth(48)
        self.amount.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.amount.setObjectName("lengthSpin")
        self.amount.setAccessibleName("Length of the run")
        self.unit = QComboBox()
        self.unit.setObjectName("unitCombo")
        self.unit.setAccessibleName("Minutes or steps")
        self.unit.addItems([MINUTES, STEPS])
        self.name = QLineEdit()
        self.name.setObjectName("nameEdit")
        self.name.setAccessibleName("Name of the model")
        self.name.setPlaceholderText("A name")
        self.place = Remark(hides=False)
        self.place.setObjectName("placeRemark")
        self.choose = tool_button("folder", "Choose where the model's folder goes", boxed=True)
        self.choose.setObjectName("placeButton")
        self.amount_row = Pair(self.amount, self.unit)
        self.name_row = Pair(self.name, self.choose)
        self.add_row("Length", self.amount_row, _LENGTH_TIP)
        self.add_row("Name", self.name_row, "Of the model, and of its folder")
        self.add_widget(self.place)
        self.unit.currentTextChanged.connect(self._set_unit)
        self.choose.clicked.connect(self._choose)
        self._show_amount()
        self._show_place()

    def parent_folder(self) -> Path:
        """The folder in which the model's folder is."""
        return self._parent

    def values(self) -> dict[str, Any]:
        """The length, by the setting's name."""
        whole = self._unit == STEPS
        return {
            "steps": round(self.amount.value()) if whole else None,
            "minutes": None if whole else round(self.amount.value(), 2),
        }

    def show_settings(self, settings: TrainSettings) -> None:
        """Show the length of a run."""
        if settings.minutes is not None:
            self._show(MINUTES, settings.minutes)
        elif settings.steps is not None:
            self._show(STEPS, settings.steps)

    def show_total(self, record: TrainingRecord) -> None:
        """Show how long a run is in all; of one that is over, twice as long."""
        settings = record.settings
        if settings is None:
            return
        factor = 2 if record.done >= 1 else 1
        if settings.minutes is not None:
            self._show(MINUTES, settings.minutes * factor)
        elif settings.steps is not None:
            self._show(STEPS, settings.steps * factor)

    def set_error(self, widget: QWidget, text: str) -> None:
        """Mark the field of a pair as well."""
        super().set_error(widget, text)
        field = widget.focusProxy()
        if field is not None and bool(field.property("invalid")) != bool(text):
            field.setProperty("invalid", bool(text))
            restyle(field)

    def set_new(self, new: bool) -> None:
        """Whether the run is new, so that its model needs a name."""
        self.set_row_visible(self.name_row, new)
        self.set_row_visible(self.place, new)

    def _show(self, unit: str, amount: float) -> None:
        self._amounts[unit] = amount
        self._unit = unit
        self.unit.setCurrentText(unit)
        self._show_amount()

    def _set_unit(self, unit: str) -> None:
        if unit != self._unit:
            self._amounts[self._unit] = self.amount.value()
            self._unit = unit
            self._show_amount()

    def _show_amount(self) -> None:
        whole = self._unit == STEPS
        amount = self._amounts[self._unit]
        self.amount.setDecimals(0 if whole else 2)
        self.amount.setRange(1 if whole else 0.01, 1e9)
        self.amount.setSingleStep(1000 if whole else 10)
        self.amount.setValue(amount)

    def _choose(self) -> None:
        chosen = QFileDialog.getExistingDirectory(
            self, "Choose where the model's folder goes", str(self._parent)
        )
        if chosen:
            self._parent = Path(chosen)
            self._show_place()

    def _show_place(self) -> None:
        self.place.say(f"In {self._parent}")
        self.place.setToolTip(str(self._parent))


class RunCard(Section):
    """The run that goes on, and what of it stays as it is."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Go on with a run", parent)
        self.name = ElidedLabel("heading")
        self.name.setObjectName("runName")
        self.about = Remark(hides=False)
        self.about.setObjectName("runRemark")
        self.new = QPushButton("New run instead")
        self.new.setObjectName("newRunButton")
        self.new.setAccessibleName("New run instead")
        self.new.setToolTip("Choose other images and train another model; this run stays")
        for widget in (self.name, self.about, self.new):
            self.add_widget(widget)

    def show_record(self, record: TrainingRecord) -> None:
        """Say which run it is."""
        settings = record.settings
        if settings is None:
            return
        colour = "grey" if settings.colours == "grey" else "colour"
        widths = ", ".join(map(str, settings.channels))
        self.name.set_full_text(record.folder.name)
        self.name.setToolTip(str(record.folder))
        self.about.say(
            f"{record.step:,} steps done on {Path(settings.data).name}: {settings.size}×"
            f"{settings.size} {colour}, widths {widths}. Images and network stay as they are."
        )
