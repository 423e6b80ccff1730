"""One end of the path: its image, what inversion made of it, and how well."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QToolButton, QVBoxLayout, QWidget

from ddim_studio.gui.painting import stretched
from ddim_studio.gui.remark import Remark
from ddim_studio.gui.theme import SPACE, label
from ddim_studio.gui.tile_canvas import TileCanvas
from ddim_studio.gui.widgets.image_slot import ImageSlot
from ddim_studio.gui.words import decibels, small_number

if TYPE_CHECKING:
    from ddim_studio.jobs.events import Pixels
    from ddim_studio.jobs.inversion_events import Inverted

_VIEWS = {
    "orig": "The original, as the model takes it",
    "recon": "Decoded from its x_T: the reconstruction",
    "diff": "|original − reconstruction|, stretched so that the largest error is white",
}
_SMALLEST = 60


class EndCard(QWidget):
    """An `ImageSlot` with a choice of views under it, and the error of the reconstruction.

    Args:
        letter: A, B, C or D.
    """

    def __init__(self, letter: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.slot = ImageSlot(letter)
        self.slot.setObjectName(f"image{letter}")
        self._views: dict[str, tuple[Pixels, str]] = {}
        self._group = QButtonGroup(self)
        self._buttons: dict[str, QToolButton] = {}
        self.numbers = Remark(hides=False)
        self.numbers.setObjectName(f"numbers{letter}")
        self.numbers.setToolTip("Error of the reconstruction, on pixels from 0 to 1")
        self.numbers.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self.warning = Remark(hides=False)
        self.warning.setObjectName(f"warning{letter}")
        self.warning.setToolTip(
            "Network calls a step of encoding, or the steps that did not converge"
        )
        self.warning.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self._noise_title = label(f"x<sub>T</sub> of {letter}", "small")
        self._noise = _noise_view(letter)
        self._lay_out()
        self.show_result(None, 0)

    def view(self) -> str:
        """Which picture is shown: "orig", "recon" or "diff"."""
        return next(key for key, button in self._buttons.items() if button.isChecked())

    def set_view(self, key: str) -> None:
        """Show another picture, as a click would."""
        self._buttons[key].click()

    def set_noise_visible(self, visible: bool) -> None:
        """Whether there is room for the picture of x_T."""
        for part in (self._noise_title, self._noise):
            part.setVisible(visible)

    def show_result(self, result: Inverted | None, index: int) -> None:
        """Show what inversion made of image number ``index``, or nothing."""
        self._views = {}
        for button in self._buttons.values():
            button.setEnabled(result is not None)
        self._buttons["orig"].setChecked(True)
        if result is None:
            self.numbers.say("")
            self.warning.say("")
            self._noise.set_pixels(None)
        else:
            self._fill(result, index)
        self._show()

    def _fill(self, result: Inverted, index: int) -> None:
        difference, scale = stretched(result.differences[index], result.difference_scale)
        white = f"white is {small_number(scale)}"
        self._views = {
            "recon": (result.reconstructions[index], "reconstruction"),
            "diff": (difference, f"|difference|, {white}"),
        }
        if self.slot.pixels() is None:
            self._views["orig"] = (result.originals[index], "decoded from its seed")
        self._noise.set_pixels(result.latents[index : index + 1])
        quality = result.quality[index]
        if self.slot.pixels() is None:
            self.numbers.say("noise of a seed")
            self.warning.say("nothing to invert")
            return
        self.numbers.say(f"MSE {small_number(quality.mse)} · {decibels(quality.psnr)} dB")
        missed = int((~result.converged[:, index]).sum())
        steps = "step" if missed == 1 else "steps"
        if missed:
            self.warning.say(f"{missed} {steps} unconverged", "warning")
        else:
            self.warning.say(f"{result.calls[:, index].mean():.1f} calls a step")

    def _show(self) -> None:
        self.slot.show_instead(*self._views.get(self.view(), (None, "")))

    def _button(self, key: str, tooltip: str) -> QToolButton:
        button = QToolButton()
        button.setText(key)
        button.setObjectName(f"show_{key}")
        button.setAccessibleName(f"Show the {key}")
        button.setCheckable(True)
        button.setToolTip(tooltip)
        button.clicked.connect(self._show)
        self._group.addButton(button)
        self._buttons[key] = button
        return button

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(2)
        row.addStretch(1)
        for key, tooltip in _VIEWS.items():
            row.addWidget(self._button(key, tooltip))
        row.addStretch(1)
        self._noise_title.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE // 4)
        column.addWidget(self.slot, 1)
        column.addLayout(row)
        column.addWidget(self.numbers)
        column.addWidget(self.warning)
        column.addWidget(self._noise_title)
        column.addWidget(self._noise, 1)


def _noise_view(letter: str) -> TileCanvas:
    view = TileCanvas()
    view.setMinimumSize(_SMALLEST, _SMALLEST)
    view.setToolTip("x_T, the noise that this image comes from; shown from −3 to 3")
    view.setAccessibleName(f"x_T of {letter}")
    view.set_placeholder("", f"x_T of {letter} appears here")
    return view
