"""The settings column of the Sample page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QComboBox, QSpinBox, QWidget

from ddim_studio.diffusion.settings import CLIPS, SPACINGS, SettingsError
from ddim_studio.gui.pages.precision_choice import PRECISION_TIP, PrecisionChoice
from ddim_studio.gui.pages.settings_panel import (
    LIST_TIP,
    OWN_LIST,
    SettingsPanel,
    parse_timesteps,
)
from ddim_studio.gui.widgets.eta_edit import EtaEdit
from ddim_studio.gui.widgets.panels import Section
from ddim_studio.gui.widgets.seed_edit import SeedEdit
from ddim_studio.jobs.runs import SampleRun

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_COUNT = 64
TIPS = {
    "steps": "S, the number of steps: how many of the T training timesteps are used. "
    "More steps are slower and finer.",
    "spacing": "How τ, the list of timesteps used, is spread from 0 to T−1. linear and quadratic "
    "are the paper's (quadratic takes short steps near the image); leading, linspace and trailing "
    "are those of the library diffusers; own list takes the timesteps that you type.",
    "clip": "What to do where the predicted image x̂_0 leaves the range from −1 to 1. none: "
    "nothing, as in the paper. clamp: cut it off. rederive: cut it off and recompute ε_θ to match.",
    "count": "How many images, with the seeds n, n+1, n+2, …",
    "seed": "n: the first image draws its noise x_T from this seed, the next from n+1, and so on. "
    "The same seed gives the same noise on every computer.",
}
_LIVE = (
    "Shows the selected image anew as you change η, S, τ, clipping or the seed: first coarsely, in "
    "a few steps, then in all of them.\nRun stays the way to compute all images."
)


class SamplePanel(SettingsPanel[SampleRun]):
    """Model, sampler and noise, with Run and Cancel under them.

    Signals:
        changed: A setting of the sampler, the seed or the class is another now.
    """

    changed = Signal()

    def __init__(self, recent_models: Sequence[str] = (), parent: QWidget | None = None) -> None:
        tooltip = "Draw x_T from the seeds and denoise it"
        super().__init__("Run", "runButton", tooltip, recent_models, parent)
        self.eta = EtaEdit()
        self.spacing = QComboBox()
        self.spacing.setObjectName("spacingCombo")
        self.spacing.addItems([*SPACINGS, OWN_LIST])
        self.clip = QComboBox()
        self.clip.setObjectName("clipCombo")
        self.clip.addItems(CLIPS)
        self.precision = PrecisionChoice()
        self.seed = SeedEdit()
        self.seed.set_locked(True)
        self.count = QSpinBox()
        self.count.setObjectName("countSpin")
        self.count.setRange(1, MAX_COUNT)
        self.count.setValue(16)
        self.live = QCheckBox("Live preview")
        self.live.setObjectName("liveCheck")
        self.live.setAccessibleName("Live preview")
        self.live.setToolTip(_LIVE)
        self.foot.insertWidget(0, self.live)
        self._add_cards()
        self._tell_of_changes()
        self.spacing.currentTextChanged.connect(self._spacing_changed)
        self._spacing_changed()

    def set_settings(self, run: SampleRun) -> None:
        """Fill the fields."""
        self.model.set_source(run.model)
        self.model.device.setCurrentText(run.device)
        self.model.set_class(run.class_label)
        self.eta.set_value(run.eta)
        self.set_steps(run.steps)
        own = run.timesteps is not None
        self.spacing.setCurrentText(OWN_LIST if own else run.spacing)
        self.timesteps.setText(", ".join(map(str, run.timesteps or ())))
        self.clip.setCurrentText(run.clip)
        self.seed.set_value(run.seed)
        self.count.setValue(run.count)
        self.precision.set_value(run.precision)
        self.clear_errors()

    def peek(self) -> SampleRun | None:
        """What the fields say, or None where one is wrong; unlike `settings` it marks none."""
        try:
            return self._read()
        except SettingsError:
            return None

    def _read(self) -> SampleRun:
        own = self.spacing.currentText() == OWN_LIST
        if self.seed.error():
            raise SettingsError("seed", self.seed.error())
        return SampleRun(
            model=self.model.source(),
            device=self.model.device.currentText(),
            steps=self.steps.value(),
            eta=self.eta.value(),
            spacing="linear" if own else self.spacing.currentText(),  # type: ignore[arg-type]
            timesteps=parse_timesteps(self.timesteps.text()) if own else None,
            clip=self.clip.currentText(),  # type: ignore[arg-type]
            seed=self.seed.value(),
            class_label=self.model.class_label(),
            count=self.count.value(),
            precision=self.precision.value(),
        )

    def _add_cards(self) -> None:
        sampler, noise = Section("Sampler"), Section("Noise")
        sampler.add_row("Noise η", self.eta)
        sampler.add_row("Steps S", self.steps, TIPS["steps"])
        sampler.add_row("Spacing τ", self.spacing, TIPS["spacing"])
        sampler.add_row("List τ", self.timesteps, LIST_TIP)
        sampler.add_row("Clip x₀", self.clip, TIPS["clip"])
        sampler.add_row("Precision", self.precision, PRECISION_TIP)
        sampler.add_widget(self.precision.remark)
        noise.add_row("Seed n", self.seed, TIPS["seed"])
        noise.add_row("Images", self.count, TIPS["count"])
        self.fields |= {
            "eta": (sampler, self.eta),
            "steps": (sampler, self.steps),
            "spacing": (sampler, self.spacing),
            "timesteps": (sampler, self.timesteps),
            "clip": (sampler, self.clip),
            "precision": (sampler, self.precision),
            "seed": (noise, self.seed),
            "count": (noise, self.count),
        }
        self._sampler = sampler
        self.add_section(sampler)
        self.add_section(noise)

    def _tell_of_changes(self) -> None:
        for signal in (
            self.eta.value_changed,
            self.steps.valueChanged,
            self.spacing.currentTextChanged,
            self.timesteps.textChanged,
            self.clip.currentTextChanged,
            self.precision.currentTextChanged,
            self.seed.value_changed,
            self.model.label.valueChanged,
        ):
            signal.connect(lambda _value: self.changed.emit())

    def _spacing_changed(self) -> None:
        own = self.spacing.currentText() == OWN_LIST
        self._sampler.set_row_visible(self.timesteps, own)
        self.steps.setEnabled(not own)
