"""The fields of the Restore page's settings, and what they say of themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from PySide6.QtWidgets import QComboBox, QDoubleSpinBox, QSpinBox

from ddim_studio.gui.pages.fit_choice import shrinkable

if TYPE_CHECKING:
    from collections.abc import Mapping

TIPS: Final = {
    "given": "Whether the image is a clean one, which is measured first and compared with at the "
    "end, or what was measured.",
    "task": "What was lost, and is to come back: A, the measurement, is linear and known.",
    "method": "DDNM replaces, in every step, the part of x̂_0 that the measurement sees by what was "
    "measured.\nRePaint puts the known pixels, noised, into every state; it fills holes only.",
    "scale": "k: the measurement has the means of blocks of k×k pixels. Every k that divides the "
    "model's size is listed.",
    "grey": "Which grey was measured: the mean of red, green and blue, or their luma.",
    "sigma": "σ, the standard deviation of the measurement's noise, in units of pixels from −1 to "
    "1: 0.1 is 12.75 of 255 levels. 0 is an exact measurement.",
    "eta": "η: the share of noise that each step draws afresh. DDNM takes 0.85; RePaint takes 1, "
    "which is DDPM.",
    "seed": "n: the first answer draws x_T and all noise from this seed, the next from n+1, and so "
    "on. Several seeds show how much the measurement leaves open.",
    "count": "How many answers side by side, with the seeds n, n+1, n+2, …",
    "travel_length": "L: so many steps a time-travel goes back towards noise, to walk them again "
    "with more of the picture known.",
    "travel_interval": "s: after how many steps there is a time-travel again.",
    "travel_repeats": "r: how often each stretch is walked in all. 1 is no time-travel; RePaint "
    "takes 10.",
}


def combo_of(name: str, entries: Mapping[Any, str]) -> QComboBox:
    """A list of entries by their data, with an object name."""
    combo = shrinkable(QComboBox())
    combo.setObjectName(name)
    for key, text in entries.items():
        combo.addItem(text, key)
    return combo


def whole_of(name: str, low: int, high: int, value: int) -> QSpinBox:
    """A whole number from low to high."""
    spin = QSpinBox()
    spin.setObjectName(name)
    spin.setRange(low, high)
    spin.setValue(value)
    return spin


def real_of(name: str, high: float, value: float) -> QDoubleSpinBox:
    """A number from 0 to high, with three decimals."""
    spin = QDoubleSpinBox()
    spin.setObjectName(name)
    spin.setDecimals(3)
    spin.setRange(0.0, high)
    spin.setSingleStep(0.05)
    spin.setValue(value)
    return spin
