"""Choosing how exact the network computes, and what that changes, as it was measured here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QStandardItemModel
from PySide6.QtWidgets import QComboBox, QWidget

from ddim_studio.diffusion.settings import PRECISIONS
from ddim_studio.gui.remark import Remark
from ddim_studio.jobs.events import ModelOpened

if TYPE_CHECKING:
    from ddim_studio.diffusion.settings import Precision
    from ddim_studio.jobs.model_events import FastMeasured

PRECISION_TIP = (
    "How exact the network computes. precise: float32 throughout. fast: 16 bits where the device "
    "computes with them, which moves pixels by a level here and there. Inversion is always precise."
)
_FAST = PRECISIONS.index("fast")
_LINES = 3
"""What the longest remark takes in the settings column."""


class PrecisionChoice(QComboBox):
    """The choice; its ``remark`` goes under it.

    Signals:
        chosen: The user chose another precision.
    """

    chosen = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("precisionCombo")
        self.addItems(PRECISIONS)
        self.remark = Remark()
        self.remark.setObjectName("precisionRemark")
        self._hindrance, self._measured = "", ""
        self.activated.connect(lambda _index: self.chosen.emit())
        self.currentIndexChanged.connect(lambda _index: self._say())

    def value(self) -> Precision:
        """What is chosen."""
        return PRECISIONS[self.currentIndex()]

    def set_value(self, precision: Precision) -> None:
        """Choose; this is no choice of the user."""
        with QSignalBlocker(self):
            self.setCurrentIndex(PRECISIONS.index(precision))
        self._say()

    def show_engine(self, found: ModelOpened | FastMeasured) -> None:
        """Offer "fast" where it can be had, and say what it changes once that was measured."""
        if isinstance(found, ModelOpened):
            self._hindrance = found.no_fast
            self._allow_fast(allowed=not found.no_fast)
        else:
            self._measured = measured_words(found)
        self._say()

    def forget(self) -> None:
        """Another model was chosen: nothing is known of it."""
        self._hindrance = self._measured = ""
        self._allow_fast(allowed=True)
        self._say()

    def _allow_fast(self, *, allowed: bool) -> None:
        items = self.model()
        assert isinstance(items, QStandardItemModel)
        item = items.item(_FAST)
        item.setEnabled(allowed)
        item.setData(self._hindrance or None, Qt.ItemDataRole.ToolTipRole)
        self.setToolTip("\n".join(filter(None, (PRECISION_TIP, self._hindrance))))

    def _say(self) -> None:
        fast = self.value() == "fast"
        if fast and self._hindrance:
            self.remark.say(self._hindrance, "warning")
        else:
            self.remark.say(self._measured if fast else "")
        # A scrolled column would take the room of a wrapped line from the rows above.
        lines = _LINES if self.remark.said() else 0
        self.remark.setMinimumHeight(lines * self.remark.fontMetrics().lineSpacing())


def measured_words(found: FastMeasured) -> str:
    """What "fast" changes, such as "1.6 times as fast here; pixels differ by 0.31 of 255 …"."""
    return (
        f"{found.speed:.1f} times as fast here; pixels differ by {found.change:.2f} of 255 on "
        f"average, by {found.largest} at most."
    )
