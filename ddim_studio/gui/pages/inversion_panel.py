"""The settings column of the Invert and Interpolate pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QWidget

from ddim_studio.diffusion.settings import SPACINGS
from ddim_studio.gui.pages.fit_choice import FitChoice, shrinkable
from ddim_studio.gui.pages.settings_panel import (
    LIST_TIP,
    OWN_LIST,
    SettingsPanel,
    parse_timesteps,
)
from ddim_studio.gui.remark import Remark
from ddim_studio.gui.widgets.panels import Section
from ddim_studio.jobs.runs import InvertRun

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ddim_studio.jobs.runs import SampleRun

_AUTO = "auto"
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
}
_ONLY_SO = "η = 0, no clipping, full precision: inversion is exact only so."
_NAIVE = "η = 0, no clipping, full precision. A naïve step is not exact: see the error beside."


class InversionPanel(SettingsPanel[InvertRun]):
    """Model, inversion and fit, with the button to begin and Cancel under them.

    Signals:
        settings_changed: A field of `settings` changed.
    """

    settings_changed = Signal()

    def __init__(
        self,
        action: str,
        button_name: str,
        tooltip: str,
        recent_models: Sequence[str] = (),
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(action, button_name, tooltip, recent_models, parent)
        self.method = QComboBox()
        self.method.setObjectName("methodCombo")
        for key, text in METHODS.items():
            self.method.addItem(text, key)
        self.spacing = QComboBox()
        self.spacing.setObjectName("spacingCombo")
        for key in (_AUTO, *SPACINGS, OWN_LIST):
            self.spacing.addItem(key, key)
        self.fit = FitChoice()
        self._remark = Remark()
        self._remark.setObjectName("exactnessRemark")
        self._inversion = Section("Inversion")
        self._add_cards()
        self._connect()
        self._refresh()

    def adopt(self, run: SampleRun) -> None:
        """Take what is of use from the settings of a sampling run, and say what is not taken."""
        self.model.set_source(run.model)
        self.model.device.setCurrentText(run.device)
        self.model.set_class(run.class_label)
        self.set_steps(run.steps)
        own = run.timesteps is not None
        key = OWN_LIST if own else run.spacing
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

    def _read(self) -> InvertRun:
        spacing = self.spacing.currentData()
        own = spacing == OWN_LIST
        return InvertRun(
            model=self.model.source(),
            device=self.model.device.currentText(),
            steps=self.steps.value(),
            method=self.method.currentData(),
            spacing=None if own or spacing == _AUTO else spacing,
            timesteps=parse_timesteps(self.timesteps.text()) if own else None,
            class_label=self.model.class_label(),
        )

    def _add_cards(self) -> None:
        for combo in (self.method, self.spacing):
            shrinkable(combo)
        section = self._inversion
        section.add_row("Steps S", self.steps, _TIPS["steps"])
        section.add_row("Method", self.method, _TIPS["method"])
        section.add_row("Spacing τ", self.spacing, _TIPS["spacing"])
        section.add_row("List τ", self.timesteps, LIST_TIP)
        section.add_widget(self._remark)
        self.fields |= {
            "steps": (section, self.steps),
            "method": (section, self.method),
            "spacing": (section, self.spacing),
            "timesteps": (section, self.timesteps),
        }
        self.add_section(section)
        self.add_section(self.fit)

    def _connect(self) -> None:
        for combo in (self.method, self.spacing):
            combo.currentIndexChanged.connect(self._refresh)
            combo.currentIndexChanged.connect(self.settings_changed)
        self.steps.valueChanged.connect(self.settings_changed)
        self.timesteps.textChanged.connect(self.settings_changed)

    def _refresh(self) -> None:
        exact = self.method.currentData() == "exact"
        own = self.spacing.currentData() == OWN_LIST
        self.spacing.setItemText(0, f"auto ({'quadratic' if exact else 'linear'})")
        self._inversion.set_row_visible(self.timesteps, own)
        self.steps.setEnabled(not own)
        self._remark.say(_ONLY_SO if exact else _NAIVE)
