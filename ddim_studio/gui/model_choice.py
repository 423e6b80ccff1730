"""Choosing a model and a device, with a line about the model chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QComboBox, QLabel, QSpinBox, QWidget

from ddim_studio.diffusion.settings import MAX_CLASSES
from ddim_studio.gui.file_dialogs import ask_for_checkpoint, ask_for_model_folder
from ddim_studio.gui.theme import label
from ddim_studio.gui.widgets.panels import Section
from ddim_studio.jobs.kinds import short_name
from ddim_studio.jobs.runs import DEVICE_NAMES
from ddim_studio.models.catalog import bundled_models

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ddim_studio.gui.model_shelf import ModelShelf
    from ddim_studio.models.info import ModelInfo

_FOLDER, _FILE, _ALL = "open a folder", "open a file", "all models"
_COMMANDS = {_FOLDER: "Open a folder…", _FILE: "Open a file…", _ALL: "All models…"}
_MODEL_TIP = (
    "The network that predicts the noise: a bundled model, the folder of a diffusers model, a "
    "checkpoint file, or a model of the hub. The Models page shows what each is."
)
CLASS_TIP = "Which of its classes the model draws, counted from 0 as in its training data."
DEVICE_TIP = (
    "Where the network runs. auto takes a graphics processor (cuda, mps) if there is one, "
    "else the processor (cpu). Seeds give the same noise on all of them."
)


class ModelChoice(Section):
    """The card "Model" of a settings column.

    Signals:
        chosen: Source and device, whenever either changes.
        browse_requested: The Models page is wanted.
    """

    chosen = Signal(str, str)
    browse_requested = Signal()

    def __init__(self, recent: Sequence[str] = (), parent: QWidget | None = None) -> None:
        super().__init__("Model", parent)
        self._shelf: ModelShelf | None = None
        self.combo = QComboBox()
        self.combo.setObjectName("modelCombo")
        self.combo.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self.combo.setMinimumContentsLength(10)
        self.device = QComboBox()
        self.device.setObjectName("deviceCombo")
        self.device.addItems(DEVICE_NAMES)
        self.label = QSpinBox()
        self.label.setObjectName("classSpin")
        self.label.setMaximum(MAX_CLASSES - 1)
        self._classes: int | None = None
        self._asked_class: int | None = None
        self.about: QLabel = label("", "small")
        self.about.setWordWrap(True)
        self.about.setMinimumHeight(2 * self.about.fontMetrics().lineSpacing())
        self.add_row("Model", self.combo, _MODEL_TIP)
        self.add_row("Device", self.device, DEVICE_TIP)
        self.add_row("Class", self.label, CLASS_TIP)
        self.set_row_visible(self.label, visible=False)
        self.add_widget(self.about)
        self._source = next(iter(bundled_models()), "")
        self._list(recent)
        self.combo.activated.connect(self._picked)
        self.device.currentTextChanged.connect(self._device_changed)

    def follow(self, shelf: ModelShelf) -> None:
        """Offer the models on a shelf from now on, each where it runs."""
        self._shelf = shelf
        self._list(shelf.recent())
        shelf.recent_changed.connect(lambda: self._list(shelf.recent()))
        shelf.device_changed.connect(self._moved)

    def source(self) -> str:
        """What `load_model` takes to open the chosen model."""
        return self._source

    def sources(self) -> list[str]:
        """All models in the list."""
        listed = (self.combo.itemData(index) for index in range(self.combo.count()))
        return [str(source) for source in listed if source and source not in _COMMANDS]

    def set_source(self, source: str) -> None:
        """Choose a model, adding it to the list if it is new there."""
        if source == self._source:
            return
        self._source = source
        self._classes = None
        self.label.setMaximum(MAX_CLASSES - 1)
        self.set_row_visible(self.label, visible=False)
        if self.combo.findData(source) < 0:
            self._list([source, *self.sources()])
        self._show_source()
        if self._shelf is not None:
            with QSignalBlocker(self.device):
                self.device.setCurrentText(self._shelf.device_of(source))
        self._announce()

    def class_label(self) -> int | None:
        """The class to draw; None where the model has none, or as long as none is known of it."""
        return self.label.value() if self._classes else self._asked_class

    def set_class(self, label: int | None) -> None:
        """Choose a class of a model that may not be open yet."""
        self._asked_class = label if self._classes is None else None
        self.label.setValue(label or 0)

    def show_info(self, info: ModelInfo, device: str) -> None:
        """Say what the opened model is."""
        self.set_error(self.combo, "")
        self._classes, self._asked_class = info.classes, None
        self.label.setMaximum(max(0, info.classes - 1))
        self.set_row_visible(self.label, visible=info.classes > 0)
        channels, height, width = info.image_shape
        colour = "grey" if channels == 1 else "colour"
        classes = f" · {info.classes} classes" if info.classes else ""
        self.about.setText(
            f"{width}×{height} {colour}{classes} · {info.parameters / 1e6:.1f} M parameters · "
            f"T\u00a0=\u00a0{info.timesteps} · on {device}"
        )
        self.about.setToolTip("\n".join(f"{name}: {text}" for name, text in info.lines()))

    def show_error(self, text: str) -> None:
        """Say why the chosen model could not be opened."""
        self.about.setText("")
        self.set_error(self.combo, text)

    def _list(self, recent: Sequence[str]) -> None:
        """Fill the list: the bundled models, those used last, the chosen one, and commands."""
        self.combo.clear()
        bundled = list(bundled_models())
        others = dict.fromkeys([*recent, self._source])
        for source in [*bundled, *(other for other in others if other and other not in bundled)]:
            self.combo.addItem(short_name(source), source)
            tip = source if source not in bundled else "Comes with the program"
            self.combo.setItemData(self.combo.count() - 1, tip, Qt.ItemDataRole.ToolTipRole)
        self.combo.insertSeparator(self.combo.count())
        for command, text in _COMMANDS.items():
            self.combo.addItem(text, command)
        self._show_source()

    def _show_source(self) -> None:
        self.combo.setCurrentIndex(self.combo.findData(self._source))

    def _picked(self, index: int) -> None:
        source = str(self.combo.itemData(index))
        if source not in _COMMANDS:
            self.set_source(source)
            return
        self._show_source()
        if source == _ALL:
            self.browse_requested.emit()
            return
        path = ask_for_model_folder(self) if source == _FOLDER else ask_for_checkpoint(self)
        if path is not None:
            self.set_source(str(path))

    def _device_changed(self, device: str) -> None:
        if self._shelf is not None:
            self._shelf.set_device(self._source, device)
        self._announce()

    def _moved(self, source: str, device: str) -> None:
        """A model runs elsewhere from now on, as somebody chose, here or on another page."""
        if source == self._source and device != self.device.currentText():
            self.device.setCurrentText(device)

    def _announce(self) -> None:
        self.about.setText("Opening…")
        self.set_error(self.combo, "")
        self.chosen.emit(self._source, self.device.currentText())
