"""The settings column of the Compare page: two axes, and the settings that are on neither."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import QComboBox, QSpinBox, QWidget

from ddim_studio.diffusion.settings import CLIPS, MAX_SEED, SPACINGS, SettingsError
from ddim_studio.gui.compare_words import cost
from ddim_studio.gui.pages.axis_choice import AxisChoice
from ddim_studio.gui.pages.fit_choice import shrinkable
from ddim_studio.gui.pages.sample_panel import TIPS
from ddim_studio.gui.pages.settings_panel import SettingsPanel
from ddim_studio.gui.remark import Remark
from ddim_studio.gui.widgets.eta_edit import EtaEdit
from ddim_studio.gui.widgets.panels import Section
from ddim_studio.gui.widgets.seed_edit import SeedEdit
from ddim_studio.jobs.matrix import MAX_SEEDS, PRESETS, CompareRun
from ddim_studio.jobs.runs import SampleRun

if TYPE_CHECKING:
    from collections.abc import Sequence

_OWN = "own axes"
_PRESET_TIP = (
    "Matrices to start from: one x_T with more and more steps, the axes of the paper's Table 1, "
    "or seeds by η."
)
_COUNT_TIP = "How many images a cell has, with the seeds n, n+1, n+2, … in every cell."
_SPACING_TIP = TIPS["spacing"].partition("; own list")[0] + "."
_ON_AXIS = "on the {}"


class ComparePanel(SettingsPanel[CompareRun]):
    """Model, axes and the settings of all cells, with Run and Cancel under them.

    Signals:
        settings_changed: Anything in the fields changed.

    Attributes:
        rows: The axis from row to row.
        columns: The axis from column to column.
    """

    settings_changed = Signal()
    _running = False
    _in_order = True

    def __init__(self, recent_models: Sequence[str] = (), parent: QWidget | None = None) -> None:
        tooltip = "Compute all cells of the matrix, those with the fewest steps first"
        super().__init__("Run", "runButton", tooltip, recent_models, parent)
        self.preset = QComboBox()
        self.preset.setObjectName("presetCombo")
        self.preset.addItems([_OWN, *PRESETS])
        self.preset.view().setMinimumWidth(
            self.preset.fontMetrics().horizontalAdvance(max(PRESETS, key=len)) + 32
        )
        self.rows = AxisChoice("rows", "eta", self.known_models, self)
        self.columns = AxisChoice("columns", "steps", self.known_models, self)
        self.eta = EtaEdit()
        self.spacing = QComboBox()
        self.spacing.setObjectName("spacingCombo")
        self.spacing.addItems(SPACINGS)
        self.clip = QComboBox()
        self.clip.setObjectName("clipCombo")
        self.clip.addItems(CLIPS)
        self.seed = SeedEdit()
        self.count = QSpinBox()
        self.count.setObjectName("countSpin")
        self.count.setRange(1, MAX_SEEDS)
        self.count.setValue(4)
        self.cost = Remark(hides=False)
        self.cost.setObjectName("costLine")
        self._notes: dict[str, tuple[Section, QWidget, Remark]] = {}
        self._add_cards()
        self.foot.insertWidget(0, self.cost)
        self._connect()
        self._refresh()

    # --- what a page uses --------------------------------------------------------------------

    def known_models(self) -> list[str]:
        """The models that can be chosen in the card above, the chosen one first."""
        return list(dict.fromkeys([self.model.source(), *self.model.sources()]))

    def set_settings(self, run: CompareRun) -> None:
        """Fill the fields."""
        base = run.base
        self.model.set_source(base.model)
        self.model.device.setCurrentText(base.device)
        self.model.set_class(base.class_label)
        self.eta.set_value(base.eta)
        self.set_steps(base.steps)
        self.spacing.setCurrentText(base.spacing)
        self.clip.setCurrentText(base.clip)
        self.seed.set_value(run.seeds[0])
        self.count.setValue(len(run.seeds))
        self.rows.set_axis(run.rows)
        self.columns.set_axis(run.columns)

    def set_running(self, running: bool) -> None:
        """Run while nothing runs and the fields are in order, Cancel while something does."""
        self._running = running
        super().set_running(running)
        self.run_button.setEnabled(not running and self._in_order)

    def _read(self) -> CompareRun:
        if self.seed.error():
            raise SettingsError("seeds", self.seed.error())
        base = SampleRun(
            model=self.model.source(),
            device=self.model.device.currentText(),
            steps=self.steps.value(),
            eta=self.eta.value(),
            spacing=self.spacing.currentText(),  # type: ignore[arg-type]  # from the list
            clip=self.clip.currentText(),  # type: ignore[arg-type]  # from the list
            seed=self.seed.value(),
            class_label=self.model.class_label(),
        )
        return CompareRun(
            base=base,
            rows=self.rows.axis(),
            columns=self.columns.axis(),
            seeds=_seeds(base.seed, self.count.value()),
        )

    # --- inside ------------------------------------------------------------------------------

    def _add_cards(self) -> None:
        matrix, base = Section("Matrix"), Section("All cells")
        matrix.add_row("Preset", shrinkable(self.preset), _PRESET_TIP)
        for choice in (self.rows, self.columns):
            matrix.add_row(choice.name.capitalize(), choice.combo)
            matrix.add_row("Values", choice.edit)
            self.fields[choice.name] = (matrix, choice.edit)
        self._add_base(base, "eta", "Noise η", self.eta)
        self._add_base(base, "steps", "Steps S", self.steps)
        self._add_base(base, "spacing", "Spacing τ", self.spacing)
        self._add_base(base, "clip", "Clip x₀", self.clip)
        self._add_base(base, "seed", "Seed n", self.seed)
        base.add_row("Images", self.count, _COUNT_TIP)
        note = Remark(hides=False)
        self.model.add_widget(note)
        self._notes["model"] = (self.model, self.model.combo, note)
        self.fields["seeds"] = (base, self.seed)
        for section in (matrix, base):
            self.add_section(section)
        self._base = base

    def _add_base(self, section: Section, field: str, text: str, control: QWidget) -> None:
        """Add a setting of all cells, and what stands there while it is on an axis."""
        tip = _SPACING_TIP if field == "spacing" else TIPS.get(field, "")
        note = Remark(wrap=False, hides=False)
        section.add_row(text, control, tip)
        section.add_row(text, note, tip)
        self.fields[field] = (section, control)
        self._notes[field] = (section, control, note)

    def _connect(self) -> None:
        self.preset.activated.connect(self._choose_preset)
        for choice, other in ((self.rows, self.columns), (self.columns, self.rows)):
            choice.field_changed.connect(partial(self._keep_apart, choice, other))
            choice.changed.connect(self._refresh)
        signals = (
            self.model.chosen,
            self.eta.value_changed,
            self.steps.valueChanged,
            self.spacing.currentTextChanged,
            self.clip.currentTextChanged,
            self.seed.value_changed,
            self.count.valueChanged,
        )
        for signal in signals:
            signal.connect(lambda *_values: self._refresh())

    def _keep_apart(self, choice: AxisChoice, other: AxisChoice, before: str) -> None:
        """Where both axes would have one setting, they change places."""
        if choice.field() == other.field():
            values = other.text()
            other.set_text(before, choice.kept(before))  # type: ignore[arg-type]  # a field
            choice.set_text(choice.field(), values)

    def _choose_preset(self, index: int) -> None:
        axes = PRESETS.get(self.preset.itemText(index))
        if axes is not None:
            self.rows.set_axis(axes[0])
            self.columns.set_axis(axes[1])

    def _refresh(self) -> None:
        """Check the fields as they are typed, and say what the matrix costs."""
        on_axis = {choice.field(): choice.name for choice in (self.rows, self.columns)}
        for field, (section, control, note) in self._notes.items():
            words = _ON_AXIS.format(on_axis[field]) if field in on_axis else ""
            control.setEnabled(field not in on_axis)
            note.say(f"The models are {words}." if field == "model" else words)
            section.set_row_visible(note, bool(words))
            if field != "model":
                section.set_row_visible(control, not words)
        self._base.set_row_visible(self.count, "seed" not in on_axis)
        self.clear_errors()
        run: CompareRun | None = None
        try:
            run = self._read()
            self.cost.say(cost(run))
        except SettingsError as error:
            section, control = self.fields.get(error.field, self.fields["rows"])
            section.set_error(control, str(error))
            self.cost.say("Correct the marked field to run.", "error")
        self._in_order = run is not None
        self._show_preset(run)
        self.set_running(self._running)
        self.settings_changed.emit()

    def _show_preset(self, run: CompareRun | None) -> None:
        axes = None if run is None else (run.rows, run.columns)
        name = next((name for name, preset in PRESETS.items() if preset == axes), _OWN)
        with QSignalBlocker(self.preset):
            self.preset.setCurrentText(name)


def _seeds(first: int, count: int) -> tuple[int, ...]:
    """Seeds n, n + 1, …, which go on from 0 after the largest."""
    return tuple((first + i) % (MAX_SEED + 1) for i in range(count))
