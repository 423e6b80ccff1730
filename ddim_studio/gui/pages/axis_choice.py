"""One axis of a matrix: which setting, and which values of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, QSignalBlocker, Signal
from PySide6.QtWidgets import QComboBox, QFileDialog

from ddim_studio.diffusion.settings import SettingsError
from ddim_studio.gui.pages.fit_choice import shrinkable
from ddim_studio.gui.widgets.values_edit import ValuesEdit
from ddim_studio.jobs.matrix import CHOICES, SPOKEN_CLIPS, Axis, spoken

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ddim_studio.jobs.matrix import AxisField

FIELDS: Final[dict[AxisField, str]] = {
    "eta": "η, noise",
    "steps": "S, steps",
    "spacing": "τ, spacing",
    "seed": "seed",
    "model": "model",
    "clip": "clipping of x₀",
}
_FIRST: Final[dict[str, str]] = {
    "eta": "0, 0.5, 1, hat",
    "steps": "10, 20, 50",
    "spacing": "linear, quadratic",
    "seed": "0-3",
    "clip": "none, clamp, rederive",
}
_TIPS: Final[dict[str, str]] = {
    "eta": "Values of η from 0 (DDIM) to 1 (DDPM) with commas between; hat is σ̂.",
    "steps": "Numbers of steps S with commas between.",
    "spacing": "How τ is spread: linear, quadratic, leading, linspace, trailing.",
    "seed": "Seeds with commas between, or ranges such as 0-7. Each cell then has one image.",
    "model": "Names or folders of models with commas between; + has those that are known.",
    "clip": "What to do with x̂₀ outside [−1, 1]: none, clamp, rederive.",
}


class AxisChoice(QObject):
    """The two controls of an axis. Each setting's values are kept while another one is chosen.

    Args:
        name: "rows" or "columns".
        field: The setting to begin with.
        models: Gives the names of the models that are known.

    Signals:
        field_changed: The setting that was chosen before.
        changed: Setting or values changed.

    Attributes:
        combo: Which setting.
        edit: Its values.
    """

    field_changed = Signal(str)
    changed = Signal()

    def __init__(
        self,
        name: str,
        field: AxisField,
        models: Callable[[], Sequence[str]],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.name = name
        self._models = models
        self._texts = dict(_FIRST)
        self._field: AxisField = field
        self.combo = QComboBox()
        self.combo.setObjectName(f"{name}Combo")
        self.combo.setAccessibleName(f"Setting of the {name}")
        for key, text in FIELDS.items():
            self.combo.addItem(text, key)
        shrinkable(self.combo)
        self.edit = ValuesEdit()
        self.edit.setObjectName(f"{name}Edit")
        self.edit.setAccessibleName(f"Values of the {name}")
        self.combo.setCurrentIndex(self.combo.findData(field))
        self._show_field()
        self.combo.currentIndexChanged.connect(self._choose)
        self.edit.textChanged.connect(self.changed)
        self.edit.more_wanted.connect(self._ask_for_folder)

    def field(self) -> AxisField:
        """Which setting is on this axis."""
        return self._field

    def axis(self) -> Axis:
        """What the controls say.

        Raises:
            SettingsError: The values are wrong; its field is the name of this axis.
        """
        try:
            return Axis.of(self._field, self.edit.text())
        except SettingsError as error:
            raise SettingsError(self.name, str(error)) from None

    def set_axis(self, axis: Axis) -> None:
        """Fill the controls."""
        self.set_text(axis.field, _written(axis))

    def set_text(self, field: AxisField, text: str) -> None:
        """Fill the controls with a setting and its values as text."""
        self._texts[self._field] = self.edit.text()
        self._texts[field] = text
        self._field = field
        with QSignalBlocker(self.combo):
            self.combo.setCurrentIndex(self.combo.findData(field))
        with QSignalBlocker(self.edit):
            self._show_field()
        self.changed.emit()

    def text(self) -> str:
        """The values as they stand there."""
        return self.edit.text()

    def kept(self, field: str) -> str:
        """The values that a setting had last on this axis, or begins with."""
        return self._texts.get(field, ", ".join(self._models()[:2]))

    def _choose(self, _index: int) -> None:
        before, chosen = self._field, self.combo.currentData()
        self.set_text(chosen, self.kept(chosen))
        self.field_changed.emit(before)

    def _show_field(self) -> None:
        field = self._field
        if field == "model":
            known = [(spoken("model", source), source) for source in self._models()]
            self.edit.set_choices(known, "Add a folder…")
        else:
            choices = CHOICES.get(field, ())
            self.edit.set_choices([(SPOKEN_CLIPS.get(value, value), value) for value in choices])
        self.edit.setText(self._texts.get(field, ""))
        self.edit.setCursorPosition(0)
        self.edit.setToolTip(_TIPS[field])
        self.combo.setToolTip(f"The setting that changes along the {self.name}.\n{_TIPS[field]}")

    def _ask_for_folder(self) -> None:
        title = "Add the folder of a diffusers model"
        folder = QFileDialog.getExistingDirectory(self.edit, title)
        if folder:
            self.edit.add_value(folder)


def _written(axis: Axis) -> str:
    """The values as people would type them; seeds in a row as a range."""
    values = axis.values
    if axis.field == "seed" and values == tuple(range(values[0], values[0] + len(values))):
        return f"{values[0]}-{values[-1]}"
    return axis.text().replace(",", ", ")
