"""η, how much random noise each step adds, or σ̂ instead."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import (
    QDoubleSpinBox,
    QHBoxLayout,
    QSizePolicy,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from ddim_studio.gui.theme import SPACE, label, settle, tool_button

if TYPE_CHECKING:
    from ddim_studio.diffusion.settings import Eta

_ETA = (
    "η scales the random noise σ that every step adds: 0 adds none, so x_T alone decides the "
    "picture (DDIM).\n1 adds as much as the original diffusion model does (DDPM)."
)
_HAT = (
    "σ̂ = √(1 − ᾱ_t/ᾱ_s), the larger of DDPM's two noise levels, in place of η.\n"
    "With few steps it leaves visible noise in the pictures, as Table 1 of the paper shows."
)
_TICKS = 100


class _EtaSpin(QDoubleSpinBox):
    """Shows two decimals, and a third only where there is one."""

    def textFromValue(self, value: float) -> str:
        """Such as "0.50" or "0.125"."""
        text = f"{value:.3f}"
        return self.locale().toString(value, "f", 2 if text.endswith("0") else 3)


class EtaEdit(QWidget):
    """A spin box and a slider for η from 0 to 1, and a button for σ̂.

    Signals:
        value_changed: η as a float, or "hat" for σ̂.
    """

    value_changed = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("η, eta")
        self._spin = _EtaSpin()
        self._spin.setObjectName("etaSpin")
        self._spin.setAccessibleName("η, eta")
        self._spin.setToolTip(_ETA)
        self._spin.setDecimals(3)
        self._spin.setRange(0.0, 1.0)
        self._spin.setSingleStep(0.05)
        self._slider = QSlider(Qt.Orientation.Horizontal)
        self._slider.setObjectName("etaSlider")
        self._slider.setAccessibleName("η, eta, as a slider")
        self._slider.setToolTip(_ETA)
        self._slider.setRange(0, _TICKS)
        self._slider.setPageStep(10)
        # An icon, since many fonts place the hat of σ̂ wrongly.
        self._hat = tool_button("sigma-hat", _HAT, boxed=True)
        self._hat.setObjectName("etaHat")
        self._hat.setCheckable(True)
        self._hat.setAccessibleName("σ̂, sigma hat, instead of η")
        self._spin.valueChanged.connect(self._spin_changed)
        self._slider.valueChanged.connect(lambda tick: self._spin.setValue(tick / _TICKS))
        self._hat.toggled.connect(self._hat_changed)
        self._lay_out()

    def _lay_out(self) -> None:
        above = QHBoxLayout()
        above.setSpacing(SPACE // 2)
        above.addWidget(self._spin, 1)
        above.addWidget(self._hat)
        below = QHBoxLayout()
        below.setSpacing(SPACE)
        ends = (label("DDIM", "small"), label("DDPM", "small"))
        below.addWidget(ends[0])
        below.addWidget(self._slider, 1)
        below.addWidget(ends[1])
        for end in ends:
            end.setToolTip(_ETA)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE // 2)
        column.addLayout(above)
        column.addLayout(below)
        self.setFocusProxy(self._spin)
        settle(self)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def value(self) -> Eta:
        """η from 0 to 1, or "hat"."""
        return "hat" if self._hat.isChecked() else round(self._spin.value(), 3)

    def set_value(self, value: Eta) -> None:
        """Take η or "hat"; a number out of range is brought into it."""
        if value == "hat":
            self._hat.setChecked(True)
            return
        before = self.value()
        with QSignalBlocker(self):
            self._spin.setValue(value)
            self._hat.setChecked(False)
        if self.value() != before:
            self.value_changed.emit(self.value())

    def _spin_changed(self, value: float) -> None:
        # The slider is coarser: moved by the spin box, it must not round it in return.
        with QSignalBlocker(self._slider):
            self._slider.setValue(round(value * _TICKS))
        if not self._hat.isChecked():
            self.value_changed.emit(self.value())

    def _hat_changed(self, hat: bool) -> None:
        self._spin.setEnabled(not hat)
        self._slider.setEnabled(not hat)
        self.value_changed.emit(self.value())
