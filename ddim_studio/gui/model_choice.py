"""Choosing a model and a device, with a line about the model chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QFileDialog, QLabel, QWidget

from ddim_studio.gui.theme import label
from ddim_studio.gui.widgets.panels import Section
from ddim_studio.jobs.runs import DEVICE_NAMES
from ddim_studio.models.catalog import bundled_models

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ddim_studio.models.info import ModelInfo

_OPEN = "open a folder"
_MODEL_TIP = (
    "The network that predicts the noise: a bundled model, or the folder of a diffusers model."
)
_DEVICE_TIP = (
    "Where the network runs. auto takes a graphics processor (cuda, mps) if there is one, "
    "else the processor (cpu). Seeds give the same noise on all of them."
)


class ModelChoice(Section):
    """The card "Model" of a settings column.

    Signals:
        chosen: Source and device, whenever either changes.
    """

    chosen = Signal(str, str)

    def __init__(self, recent: Sequence[str] = (), parent: QWidget | None = None) -> None:
        super().__init__("Model", parent)
        self.combo = QComboBox()
        self.combo.setObjectName("modelCombo")
        self.combo.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self.combo.setMinimumContentsLength(10)
        for name in bundled_models():
            self.combo.addItem(name, name)
        for source in recent:
            self._add(source)
        self.combo.insertSeparator(self.combo.count())
        self.combo.addItem("Open a folder…", _OPEN)
        self.device = QComboBox()
        self.device.setObjectName("deviceCombo")
        self.device.addItems(DEVICE_NAMES)
        self.about: QLabel = label("", "small")
        self.about.setWordWrap(True)
        self.about.setMinimumHeight(2 * self.about.fontMetrics().lineSpacing())
        self.add_row("Model", self.combo, _MODEL_TIP)
        self.add_row("Device", self.device, _DEVICE_TIP)
        self.add_widget(self.about)
        self._source = str(self.combo.itemData(0))
        self.combo.activated.connect(self._picked)
        self.device.currentTextChanged.connect(self._announce)

    def source(self) -> str:
        """What `load_model` takes to open the chosen model."""
        return self._source

    def set_source(self, source: str) -> None:
        """Choose a model, adding it to the list if it is new there."""
        if source == self._source:
            return
        self._add(source)
        self._source = source
        self._show_source()
        self._announce()

    def show_info(self, info: ModelInfo, device: str) -> None:
        """Say what the opened model is."""
        self.set_error(self.combo, "")
        channels, height, width = info.image_shape
        colour = "grey" if channels == 1 else "colour"
        self.about.setText(
            f"{width}×{height} {colour} · {info.parameters / 1e6:.1f} M parameters · "
            f"T = {info.timesteps} · on {device}"
        )
        self.about.setToolTip("\n".join(f"{name}: {text}" for name, text in info.lines()))

    def show_error(self, text: str) -> None:
        """Say why the chosen model could not be opened."""
        self.about.setText("")
        self.set_error(self.combo, text)

    def _add(self, source: str) -> None:
        if self.combo.findData(source) >= 0:
            return
        place = self.combo.findData(_OPEN)
        at = self.combo.count() if place < 0 else place - 1
        self.combo.insertItem(
            at, source.rstrip("/\\").replace("\\", "/").rpartition("/")[2], source
        )
        self.combo.setItemData(at, source, 3)  # Qt.ToolTipRole

    def _show_source(self) -> None:
        self.combo.setCurrentIndex(self.combo.findData(self._source))

    def _picked(self, index: int) -> None:
        source = str(self.combo.itemData(index))
        if source != _OPEN:
            if source != self._source:
                self._source = source
                self._announce()
            return
        self._show_source()
        folder = QFileDialog.getExistingDirectory(self, "Open the folder of a diffusers model")
        if folder:
            self.set_source(folder)

    def _announce(self) -> None:
        self.about.setText("Opening…")
        self.set_error(self.combo, "")
        self.chosen.emit(self._source, self.device.currentText())
