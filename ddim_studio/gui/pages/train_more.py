"""The settings of a run that most people leave as they are."""

from __future__ import annotations

from typing import Any

from PySide6.QtWidgets import QCheckBox, QComboBox, QDoubleSpinBox, QLineEdit, QSpinBox, QWidget

from ddim_studio.gui.widgets.panels import Section
from ddim_studio.training.settings import (
    DEVICES,
    FIXED,
    PRECISIONS,
    PREDICTIONS,
    WEIGHTINGS,
    TrainSettings,
)

MOST = 1_000_000_000
TIPS = {
    "flip": "Mirror half of the images, drawn anew every time: as good as more images where left "
    "and right mean nothing.",
    "held_out": "Images that are never trained on. Their loss tells whether the network only "
    "learns its images by heart.",
    "prediction": "What the network predicts: the noise ε in x_t, or v = √ᾱ ε − √(1−ᾱ) x_0, which "
    "is steadier at high noise.",
    "weighting": "inverse divides the loss of each timestep by its running mean, so that the "
    "high-noise steps, whose loss is tiny, are learned as well; none is the paper's objective.",
    "batch_size": "Images in a step. More are steadier and slower.",
    "learning_rate": "How far a step of the optimiser AdamW goes, at its highest.",
    "warmup": "Steps in which the learning rate rises from 0.",
    "ema": "Decay of the moving average of the weights, which is what is sampled from and saved: "
    "nearer to 1 is smoother and slower.",
    "precision": "What the network computes in; auto is bfloat16 where that is faster. The "
    "weights stay float32.",
    "compile": "Compile the network first: it takes minutes, and then saves time in long runs.",
    "seed": "Of the weights, the order of the images, the timesteps and the noise.",
    "device": "Where the training runs; auto takes a graphics processor if there is one.",
    "threads": "Threads of the processor; 0 leaves it to the program.",
    "licence": "Licence of the images, for the card of the model, such as cc-by-4.0.",
}
_NAMES = {
    "flip": "Mirror",
    "held_out": "Held out",
    "prediction": "Predict",
    "weighting": "Weighting",
    "batch_size": "Batch",
    "learning_rate": "Rate",
    "warmup": "Warm-up",
    "ema": "EMA",
    "precision": "Precision",
    "compile": "Compile",
    "seed": "Seed",
    "device": "Device",
    "threads": "Threads",
    "licence": "Licence",
}
_SHOWN = {"epsilon": "noise ε", "v": "v"}
_NARROW = 96
_AUTO = {"held_out": -1, "threads": 0}
"""The values that leave a number to the program."""


class MoreSettings(Section):
    """A control for each of them.

    Attributes:
        controls: By the setting's name.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("", parent)
        preset = TrainSettings(data="images")
        self.controls: dict[str, QWidget] = {
            "flip": QCheckBox("at random"),
            "held_out": _spin(-1, MOST, special="a twentieth"),
            "prediction": _combo([_SHOWN[name] for name in PREDICTIONS]),
            "weighting": _combo(WEIGHTINGS),
            "batch_size": _spin(1, 65_536),
            "learning_rate": _real(1e-6, 1.0, 6, 1e-4),
            "warmup": _spin(0, MOST),
            "ema": _real(0.0, 0.999999, 6, 1e-3),
            "precision": _combo(PRECISIONS),
            "compile": QCheckBox("first"),
            "seed": _spin(0, 2**31 - 1),
            "device": _combo(DEVICES),
            "threads": _spin(0, 4096, special="automatic"),
            "licence": QLineEdit(),
        }
        for name, control in self.controls.items():
            control.setObjectName(f"train_{name}")
            control.setMinimumWidth(_NARROW)  # the largest number of a spin box would take more
            self.add_row(_NAMES[name], control, TIPS[name])
        self.show_settings(preset)

    def values(self) -> dict[str, Any]:
        """What the controls say, by the setting's name."""
        return {name: self._value(name) for name in self.controls}

    def show_settings(self, settings: TrainSettings) -> None:
        """Fill the controls."""
        for name, control in self.controls.items():
            value = getattr(settings, name)
            if isinstance(control, QCheckBox):
                control.setChecked(value)
            elif isinstance(control, QComboBox):
                control.setCurrentText(_SHOWN.get(value, value))
            elif isinstance(control, QSpinBox):
                control.setValue(_AUTO[name] if value is None else value)
            elif isinstance(control, QDoubleSpinBox):
                control.setValue(value)
            elif isinstance(control, QLineEdit):
                control.setText(value)

    def set_fixed(self, fixed: bool) -> None:
        """Whether what cannot change while a run goes on is shut."""
        for name, control in self.controls.items():
            control.setEnabled(not (fixed and name in FIXED))

    def _value(self, name: str) -> object:
        control = self.controls[name]
        if isinstance(control, QCheckBox):
            return control.isChecked()
        if isinstance(control, QComboBox):
            back = {text: value for value, text in _SHOWN.items()}
            return back.get(control.currentText(), control.currentText())
        if isinstance(control, QSpinBox):
            return None if control.value() == _AUTO.get(name) else control.value()
        if isinstance(control, QDoubleSpinBox):
            return round(control.value(), control.decimals())
        return control.text().strip() if isinstance(control, QLineEdit) else None


def _spin(low: int, high: int, special: str = "") -> QSpinBox:
    spin = QSpinBox()
    spin.setRange(low, high)
    spin.setSpecialValueText(special)
    return spin


def _real(low: float, high: float, decimals: int, step: float) -> QDoubleSpinBox:
    spin = QDoubleSpinBox()
    spin.setDecimals(decimals)
    spin.setRange(low, high)
    spin.setSingleStep(step)
    return spin


def _combo(choices: tuple[str, ...] | list[str]) -> QComboBox:
    combo = QComboBox()
    combo.addItems(list(choices))
    return combo
