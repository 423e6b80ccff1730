"""The settings column of the Sample page."""

from __future__ import annotations

import re
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

from ddim_studio.diffusion.settings import CLIPS, SPACINGS, SettingsError
from ddim_studio.gui.model_choice import ModelChoice
from ddim_studio.gui.theme import SPACE, make_primary
from ddim_studio.gui.widgets.eta_edit import EtaEdit
from ddim_studio.gui.widgets.panels import Section
from ddim_studio.gui.widgets.seed_edit import SeedEdit
from ddim_studio.jobs.runs import SampleRun

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ddim_studio.models.info import ModelInfo

MAX_COUNT = 64
_OWN_LIST = "own list"
_TIPS = {
    "steps": "S, the number of steps: how many of the T training timesteps are used. "
    "More steps are slower and finer.",
    "spacing": "How τ, the list of timesteps used, is spread from 0 to T−1. linear and quadratic "
    "are the paper's (quadratic takes short steps near the image); leading, linspace and trailing "
    "are those of the library diffusers; own list takes the timesteps that you type.",
    "timesteps": "τ as you like it: whole numbers from 0 to T−1, rising, separated by commas.",
    "clip": "What to do where the predicted image x̂_0 leaves the range from −1 to 1. none: "
    "nothing, as in the paper. clamp: cut it off. rederive: cut it off and recompute ε_θ to match.",
    "count": "How many images, with the seeds n, n+1, n+2, …",
    "seed": "n: the first image draws its noise x_T from this seed, the next from n+1, and so on. "
    "The same seed gives the same noise on every computer.",
}


class SamplePanel(QWidget):
    """Model, sampler and noise, with Run and Cancel under them.

    Signals:
        run_clicked: Run was pressed; `settings` has what to run.
        cancel_clicked: Cancel was pressed.
    """

    run_clicked = Signal()
    cancel_clicked = Signal()

    def __init__(self, recent_models: Sequence[str] = (), parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.model = ModelChoice(recent_models)
        self.eta = EtaEdit()
        self.steps = QSpinBox()
        self.steps.setObjectName("stepsSpin")
        self.steps.setRange(1, 1000)
        self.steps.setValue(50)
        self.spacing = QComboBox()
        self.spacing.setObjectName("spacingCombo")
        self.spacing.addItems([*SPACINGS, _OWN_LIST])
        self.timesteps = QLineEdit()
        self.timesteps.setObjectName("timestepsEdit")
        self.timesteps.setPlaceholderText("0, 10, 50, 200, 999")
        self.clip = QComboBox()
        self.clip.setObjectName("clipCombo")
        self.clip.addItems(CLIPS)
        self.seed = SeedEdit()
        self.seed.set_locked(True)
        self.count = QSpinBox()
        self.count.setObjectName("countSpin")
        self.count.setRange(1, MAX_COUNT)
        self.count.setValue(16)
        self._add_sections()
        self._add_buttons()
        self.spacing.currentTextChanged.connect(self._spacing_changed)
        self._spacing_changed()

    def settings(self) -> SampleRun:
        """What the fields say.

        Raises:
            SettingsError: A field is wrong; it is marked, with the reason under it.
        """
        self._clear_errors()
        try:
            return self._read()
        except SettingsError as error:
            self.mark(error)
            raise

    def set_settings(self, run: SampleRun) -> None:
        """Fill the fields."""
        self.model.set_source(run.model)
        self.model.device.setCurrentText(run.device)
        self.eta.set_value(run.eta)
        self.steps.setMaximum(max(self.steps.maximum(), run.steps))
        self.steps.setValue(run.steps)
        own = run.timesteps is not None
        self.spacing.setCurrentText(_OWN_LIST if own else run.spacing)
        self.timesteps.setText(", ".join(map(str, run.timesteps or ())))
        self.clip.setCurrentText(run.clip)
        self.seed.set_value(run.seed)
        self.count.setValue(run.count)
        self._clear_errors()

    def mark(self, error: SettingsError) -> None:
        """Mark the field that an error is about, and say why under it."""
        section, widget = self._fields.get(error.field, self._fields["steps"])
        section.set_error(widget, str(error))
        widget.setFocus()

    def show_model(self, info: ModelInfo, device: str) -> None:
        """Fit the fields to an opened model."""
        self.model.show_info(info, device)
        self.steps.setMaximum(info.timesteps)

    def set_running(self, running: bool) -> None:
        """Run while nothing runs, Cancel while something does."""
        self.run_button.setEnabled(not running)
        self.cancel_button.setEnabled(running)

    def _read(self) -> SampleRun:
        own = self.spacing.currentText() == _OWN_LIST
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
            count=self.count.value(),
        )

    def _add_sections(self) -> None:
        sampler, noise = Section("Sampler"), Section("Noise")
        sampler.add_row("Noise η", self.eta)
        sampler.add_row("Steps S", self.steps, _TIPS["steps"])
        sampler.add_row("Spacing τ", self.spacing, _TIPS["spacing"])
        sampler.add_row("List τ", self.timesteps, _TIPS["timesteps"])
        sampler.add_row("Clip x̂₀", self.clip, _TIPS["clip"])
        noise.add_row("Seed n", self.seed, _TIPS["seed"])
        noise.add_row("Images", self.count, _TIPS["count"])
        self._fields: dict[str, tuple[Section, QWidget]] = {
            "model": (self.model, self.model.combo),
            "device": (self.model, self.model.device),
            "eta": (sampler, self.eta),
            "steps": (sampler, self.steps),
            "spacing": (sampler, self.spacing),
            "timesteps": (sampler, self.timesteps),
            "clip": (sampler, self.clip),
            "seed": (noise, self.seed),
            "count": (noise, self.count),
        }
        self._sampler = sampler
        inner = QWidget()
        column = QVBoxLayout(inner)
        column.setContentsMargins(2 * SPACE, 2 * SPACE, SPACE, SPACE)
        column.setSpacing(SPACE + 4)
        for section in (self.model, sampler, noise):
            column.addWidget(section)
        column.addStretch(1)
        self._scroll = QScrollArea()
        self._scroll.setWidget(inner)
        self._scroll.setWidgetResizable(True)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)

    def _add_buttons(self) -> None:
        self.run_button = make_primary(QPushButton("Run"))
        self.run_button.setObjectName("runButton")
        self.run_button.setAccessibleName("Run")
        self.run_button.setToolTip("Draw x_T from the seeds and denoise it (Ctrl+Return)")
        self.run_button.setShortcut("Ctrl+Return")
        self.run_button.clicked.connect(self.run_clicked)
        self.cancel_button = QPushButton("Cancel")
        self.cancel_button.setObjectName("cancelButton")
        self.cancel_button.setAccessibleName("Cancel")
        self.cancel_button.setToolTip("Stop after the present step; the frames so far stay (Esc)")
        self.cancel_button.setShortcut("Esc")
        self.cancel_button.clicked.connect(self.cancel_clicked)
        row = QHBoxLayout()
        row.setContentsMargins(2 * SPACE, SPACE, SPACE, 2 * SPACE)
        row.setSpacing(SPACE)
        row.addWidget(self.run_button, 2)
        row.addWidget(self.cancel_button, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._scroll, 1)
        column.addLayout(row)
        self.set_running(running=False)

    def _clear_errors(self) -> None:
        for section, widget in self._fields.values():
            section.set_error(widget, "")

    def _spacing_changed(self) -> None:
        own = self.spacing.currentText() == _OWN_LIST
        self._sampler.set_row_visible(self.timesteps, own)
        self.steps.setEnabled(not own)


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
