"""How images of other shapes are brought to the model's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtGui import QColor, QIcon, QPainter, QPixmap
from PySide6.QtWidgets import QColorDialog, QComboBox, QWidget

from ddim_studio.gui.theme import current_colors
from ddim_studio.gui.widgets.panels import Section

if TYPE_CHECKING:
    from ddim_studio.imaging.loading import Fit

_OTHER = "other"
_COLOURS = {"black": (0, 0, 0), "grey": (128, 128, 128), "white": (255, 255, 255)}
_FITS = {
    "crop": "crop the centre",
    "pad": "pad to a square",
    "stretch": "stretch",
}
_FIT_TIP = (
    "What to do with an image that is not square: cut its centre out, put it whole on the "
    "background, or stretch it. The image is then scaled to the model's size. "
    "What was done is said under each image."
)
_BACKGROUND_TIP = "The colour under transparent parts, and beside a padded image."


class FitChoice(Section):
    """The card "Fitting images".

    Signals:
        changed: Another fit or background was chosen.
    """

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Fitting images", parent)
        self._colour = (0, 0, 0)
        self.mode = QComboBox()
        self.mode.setObjectName("fitCombo")
        for key, text in _FITS.items():
            self.mode.addItem(text, key)
        self.ground = QComboBox()
        self.ground.setObjectName("backgroundCombo")
        for name, colour in _COLOURS.items():
            self.ground.addItem(_swatch(colour), name, colour)
        self.ground.addItem("Other…", _OTHER)
        for combo in (self.mode, self.ground):
            shrinkable(combo)
        self.add_row("Shape", self.mode, _FIT_TIP)
        self.add_row("Background", self.ground, _BACKGROUND_TIP)
        self.mode.currentIndexChanged.connect(lambda _index: self.changed.emit())
        self.ground.activated.connect(self._picked)

    def fit(self) -> Fit:
        """The fit chosen."""
        chosen: Fit = self.mode.currentData()
        return chosen

    def background(self) -> tuple[int, int, int]:
        """Red, green and blue of the background chosen."""
        return self._colour

    def set_background(self, colour: tuple[int, int, int]) -> None:
        """Choose a background, adding it to the list if it is new there."""
        name = "#{:02x}{:02x}{:02x}".format(*colour)
        known = {tuple(self.ground.itemData(i) or ()): i for i in range(self.ground.count() - 1)}
        if colour not in known:
            self.ground.insertItem(self.ground.count() - 1, _swatch(colour), name, colour)
        self.ground.setCurrentIndex(known.get(colour, self.ground.count() - 2))
        if colour != self._colour:
            self._colour = colour
            self.changed.emit()

    def _picked(self, index: int) -> None:
        colour = self.ground.itemData(index)
        if colour != _OTHER:
            self.set_background(tuple(colour))
            return
        self.set_background(self._colour)  # the list shows what holds until another is chosen
        picked = QColorDialog.getColor(QColor(*self._colour), self, "Background")
        if picked.isValid():
            self.set_background((picked.red(), picked.green(), picked.blue()))


def shrinkable(combo: QComboBox) -> QComboBox:
    """Let a combo box be narrower than its longest entry, so that it never widens its column."""
    combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    combo.setMinimumContentsLength(6)
    return combo


def _swatch(colour: tuple[int, int, int]) -> QIcon:
    pixmap = QPixmap(14, 14)
    pixmap.fill(QColor(current_colors().field_border))
    inner = QPixmap(12, 12)
    inner.fill(QColor(*colour))
    painter = QPainter(pixmap)
    painter.drawPixmap(1, 1, inner)
    painter.end()
    return QIcon(pixmap)
