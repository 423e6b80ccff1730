"""What every settings column has: a model, τ, cards one under the other, a button and Cancel."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Generic, TypeVar

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from ddim_studio.diffusion.settings import SettingsError
from ddim_studio.gui.model_choice import ModelChoice
from ddim_studio.gui.theme import SPACE, make_primary

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ddim_studio.gui.widgets.panels import Section
    from ddim_studio.models.info import ModelInfo

S = TypeVar("S")

OWN_LIST = "own list"
LIST_TIP = "τ as you like it: whole numbers from 0 to T−1, rising, separated by commas."


class SettingsPanel(QWidget, Generic[S]):
    """The column at the left of a page. Subclasses add their cards, and read them.

    Args:
        action: Text of the main button.
        button_name: Its object name.
        tooltip: What it does.
        recent_models: Models used before.

    Signals:
        run_clicked: The main button was pressed; `settings` has what to run.
        cancel_clicked: Cancel was pressed.

    Attributes:
        fields: The card and the control of each setting, by the setting's name.
        foot: The rows of buttons, to which a page may add.
    """

    run_clicked = Signal()
    cancel_clicked = Signal()

    def __init__(
        self,
        action: str,
        button_name: str,
        tooltip: str,
        recent_models: Sequence[str] = (),
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.model = ModelChoice(recent_models)
        self.steps = QSpinBox()
        self.steps.setObjectName("stepsSpin")
        self.steps.setRange(1, 1000)
        self.steps.setValue(50)
        self.timesteps = QLineEdit()
        self.timesteps.setObjectName("timestepsEdit")
        self.timesteps.setPlaceholderText("0, 10, 50, 200, 999")
        self.fields: dict[str, tuple[Section, QWidget]] = {
            "model": (self.model, self.model.combo),
            "device": (self.model, self.model.device),
            "class_label": (self.model, self.model.label),
        }
        self.foot = QVBoxLayout()
        self._cards = QVBoxLayout()
        self._cards.setContentsMargins(2 * SPACE, 2 * SPACE, SPACE, SPACE)
        self._cards.setSpacing(SPACE + 4)
        self._cards.addWidget(self.model)
        self._cards.addStretch(1)
        self._add_buttons(action, button_name, tooltip)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(_scrolled(self._cards), 1)
        column.addLayout(self.foot)
        self.set_running(running=False)

    def settings(self) -> S:
        """What the fields say.

        Raises:
            SettingsError: A field is wrong; it is marked, with the reason under it.
        """
        self.clear_errors()
        try:
            return self._read()
        except SettingsError as error:
            self.mark(error)
            raise

    def mark(self, error: SettingsError) -> None:
        """Mark the field that an error is about, and say why under it."""
        section, widget = self.fields.get(error.field, self.fields["steps"])
        section.set_error(widget, str(error))
        widget.setFocus()

    def clear_errors(self) -> None:
        """Take all marks away."""
        for section, widget in self.fields.values():
            section.set_error(widget, "")

    def show_model(self, info: ModelInfo, device: str) -> None:
        """Fit the fields to an opened model."""
        self.model.show_info(info, device)
        self.steps.setMaximum(info.timesteps)

    def set_running(self, running: bool) -> None:
        """The main button while nothing runs, Cancel while something does."""
        self.run_button.setEnabled(not running)
        self.cancel_button.setEnabled(running)

    def add_section(self, section: QWidget, place: int | None = None) -> None:
        """Add a card, after the others or at a place among them."""
        at = self._cards.count() - 1 if place is None else place
        self._cards.insertWidget(at, section)

    def set_steps(self, steps: int) -> None:
        """Show S, whatever the model allows; the model's job refuses it in words."""
        self.steps.setMaximum(max(self.steps.maximum(), steps))
        self.steps.setValue(steps)

    def _read(self) -> S:
        """The settings that the fields give; raises `SettingsError`."""
        raise NotImplementedError

    def _add_buttons(self, action: str, name: str, tooltip: str) -> None:
        self.run_button = make_primary(QPushButton(action))
        self.run_button.setObjectName(name)
        self.run_button.setAccessibleName(action)
        self.run_button.setToolTip(f"{tooltip} (Ctrl+Return)")
        self.run_button.setShortcut("Ctrl+Return")
        self.run_button.clicked.connect(self.run_clicked)
        self.cancel_button = QPushButton("Cancel")
        self.cancel_button.setObjectName("cancelButton")
        self.cancel_button.setAccessibleName("Cancel")
        self.cancel_button.setToolTip("Stop after the present network call (Esc)")
        self.cancel_button.setShortcut("Esc")
        self.cancel_button.clicked.connect(self.cancel_clicked)
        row = QHBoxLayout()
        row.setSpacing(SPACE)
        row.addWidget(self.run_button, 2)
        row.addWidget(self.cancel_button, 1)
        self.foot.setContentsMargins(2 * SPACE, SPACE, SPACE, 2 * SPACE)
        self.foot.setSpacing(SPACE)
        self.foot.addLayout(row)


def _scrolled(cards: QVBoxLayout) -> QScrollArea:
    inner = QWidget()
    inner.setLayout(cards)
    scroll = QScrollArea()
    scroll.setWidget(inner)
    scroll.setWidgetResizable(True)
    scroll.setFrameShape(QFrame.Shape.NoFrame)
    return scroll


def parse_timesteps(text: str) -> tuple[int, ...]:
    """Whole numbers separated by commas or blanks.

    Raises:
        SettingsError: There is something else in the text.
    """
    words = [word for word in re.split(r"[,;\s]+", text.strip()) if word]
    if not all(re.fullmatch(r"\d{1,9}", word) for word in words):
        raise SettingsError(
            "timesteps", "timesteps must be whole numbers separated by commas, such as 0, 10, 50."
        )
    return tuple(map(int, words))
