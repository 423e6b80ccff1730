"""The settings column of the Invert and Interpolate pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from ddim_studio.diffusion.settings import SPACINGS, SettingsError
from ddim_studio.gui.model_choice import ModelChoice
from ddim_studio.gui.pages.fit_choice import FitChoice, shrinkable
from ddim_studio.gui.pages.sample_panel import parse_timesteps
from ddim_studio.gui.remark import Remark
from ddim_studio.gui.theme import SPACE, make_primary
from ddim_studio.gui.widgets.panels import Section
from ddim_studio.jobs.runs import InvertRun

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ddim_studio.jobs.runs import SampleRun
    from ddim_studio.models.info import ModelInfo

_AUTO, _OWN_LIST = "auto", "own list"
METHODS = {
    "exact": "exact",
    "source": "naïve, source time",
    "target": "naïve, target time",
}
_TIPS = {
    "steps": "S, the number of steps from the image to x_T, and back again.",
    "method": "How each step towards x_T is found.\n"
    "exact: solve for the x that the sampler's step leads back from; takes several network calls "
    "a step, and says where it did not converge.\n"
    "naïve: one call a step, with ε_θ at the state and the source time t, or with the time t′ that "
    "the step leads to (as diffusers does). An error remains, smaller with more steps.",
    "spacing": "How τ, the list of timesteps used, is spread from 0 to T−1.\n"
    "auto: quadratic for exact inversion, whose steps near the image are short so that it "
    "converges, and linear for the naïve methods, as in the paper.",
    "timesteps": "τ as you like it: whole numbers from 0 to T−1, rising, separated by commas.",
}
_ONLY_SO = "η = 0, no clipping, full precision: inversion is exact only so."
_NAIVE = "η = 0, no clipping, full precision. A naïve step is not exact: see the error beside."


class InversionPanel(QWidget):
    """Model, inversion and fit, with the button to begin and Cancel under them.

    Args:
        action: Text of the main button.
        button_name: Its object name.
        tooltip: What it does.
        recent_models: Models used before.

    Signals:
        run_clicked: The main button was pressed; `settings` has what to run.
        cancel_clicked: Cancel was pressed.
        settings_changed: A field of `settings` changed.
    """

    run_clicked = Signal()
    cancel_clicked = Signal()
    settings_changed = Signal()

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
        self.method = QComboBox()
        self.method.setObjectName("methodCombo")
        for key, text in METHODS.items():
            self.method.addItem(text, key)
        self.spacing = QComboBox()
        self.spacing.setObjectName("spacingCombo")
        for key in (_AUTO, *SPACINGS, _OWN_LIST):
            self.spacing.addItem(key, key)
        self.timesteps = QLineEdit()
        self.timesteps.setObjectName("timestepsEdit")
        self.timesteps.setPlaceholderText("0, 10, 50, 200, 999")
        self.fit = FitChoice()
        self._remark = Remark()
        self._remark.setObjectName("exactnessRemark")
        self._inversion = Section("Inversion")
        self._column = QVBoxLayout()
        self._add_sections()
        self._add_buttons(action, button_name, tooltip)
        self._connect()
        self._refresh()

    def settings(self) -> InvertRun:
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

    def adopt(self, run: SampleRun) -> None:
        """Take what is of use from the settings of a sampling run, and say what is not taken."""
        self.model.set_source(run.model)
        self.model.device.setCurrentText(run.device)
        self.steps.setMaximum(max(self.steps.maximum(), run.steps))
        self.steps.setValue(run.steps)
        own = run.timesteps is not None
        key = _OWN_LIST if own else run.spacing
        self.spacing.setCurrentIndex(self.spacing.findData(key))
        self.timesteps.setText(", ".join(map(str, run.timesteps or ())))
        asked = []
        if run.eta != 0:
            asked.append(f"η = {'σ̂' if run.eta == 'hat' else f'{run.eta:g}'}")
        if run.clip != "none":
            asked.append(f"clipping ({run.clip})")
        if asked:
            self.explain(
                f"{' and '.join(asked)} was asked for. Random noise and clipping cannot be undone, "
                "so inversion runs with η = 0 and no clipping."
            )

    def explain(self, text: str) -> None:
        """Say, in place, why something that was asked for is done otherwise."""
        self._remark.say(text, "warning")

    def remark(self) -> str:
        """The line about exactness."""
        return self._remark.said()

    def mark(self, error: SettingsError) -> None:
        """Mark the field that an error is about, and say why under it."""
        section, widget = self._fields.get(error.field, self._fields["steps"])
        section.set_error(widget, str(error))
        widget.setFocus()

    def clear_errors(self) -> None:
        """Take all marks away."""
        for section, widget in self._fields.values():
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
        """Add a card of the page's own, after the others or at a place among them."""
        at = self._column.count() - 1 if place is None else place
        self._column.insertWidget(at, section)

    def _read(self) -> InvertRun:
        spacing = self.spacing.currentData()
        own = spacing == _OWN_LIST
        return InvertRun(
            model=self.model.source(),
            device=self.model.device.currentText(),
            steps=self.steps.value(),
            method=self.method.currentData(),
            spacing=None if own or spacing == _AUTO else spacing,
            timesteps=parse_timesteps(self.timesteps.text()) if own else None,
        )

    def _add_sections(self) -> None:
        for combo in (self.method, self.spacing):
            shrinkable(combo)
        section = self._inversion
        section.add_row("Steps S", self.steps, _TIPS["steps"])
        section.add_row("Method", self.method, _TIPS["method"])
        section.add_row("Spacing τ", self.spacing, _TIPS["spacing"])
        section.add_row("List τ", self.timesteps, _TIPS["timesteps"])
        section.add_widget(self._remark)
        self._fields: dict[str, tuple[Section, QWidget]] = {
            "model": (self.model, self.model.combo),
            "device": (self.model, self.model.device),
            "steps": (section, self.steps),
            "method": (section, self.method),
            "spacing": (section, self.spacing),
            "timesteps": (section, self.timesteps),
        }
        inner = QWidget()
        inner.setLayout(self._column)
        self._column.setContentsMargins(2 * SPACE, 2 * SPACE, SPACE, SPACE)
        self._column.setSpacing(SPACE + 4)
        for card in (self.model, section, self.fit):
            self._column.addWidget(card)
        self._column.addStretch(1)
        self._scroll = QScrollArea()
        self._scroll.setWidget(inner)
        self._scroll.setWidgetResizable(True)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)

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
        self.foot = QVBoxLayout()
        self.foot.setContentsMargins(2 * SPACE, SPACE, SPACE, 2 * SPACE)
        self.foot.setSpacing(SPACE)
        row = QHBoxLayout()
        row.setSpacing(SPACE)
        row.addWidget(self.run_button, 2)
        row.addWidget(self.cancel_button, 1)
        self.foot.addLayout(row)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._scroll, 1)
        column.addLayout(self.foot)
        self.set_running(running=False)

    def _connect(self) -> None:
        for combo in (self.method, self.spacing):
            combo.currentIndexChanged.connect(self._refresh)
            combo.currentIndexChanged.connect(self.settings_changed)
        self.steps.valueChanged.connect(self.settings_changed)
        self.timesteps.textChanged.connect(self.settings_changed)

    def _refresh(self) -> None:
        exact = self.method.currentData() == "exact"
        own = self.spacing.currentData() == _OWN_LIST
        self.spacing.setItemText(0, f"auto ({'quadratic' if exact else 'linear'})")
        self._inversion.set_row_visible(self.timesteps, own)
        self.steps.setEnabled(not own)
        self._remark.say(_ONLY_SO if exact else _NAIVE)
