"""The settings column of the Restore page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSignalBlocker, Signal

from ddim_studio.diffusion.restore_settings import (
    DEFAULT_ETA,
    DEFAULT_REPEATS,
    MAX_REPEATS,
    MAX_SIGMA,
    check_task,
    scales_of,
)
from ddim_studio.diffusion.settings import CLIPS, MAX_STEPS, SPACINGS, SettingsError
from ddim_studio.gui.pages.fit_choice import FitChoice
from ddim_studio.gui.pages.restore_fields import TIPS, combo_of, real_of, whole_of
from ddim_studio.gui.pages.sample_panel import TIPS as SAMPLE_TIPS
from ddim_studio.gui.pages.settings_panel import (
    LIST_TIP,
    OWN_LIST,
    SettingsPanel,
    parse_timesteps,
)
from ddim_studio.gui.remark import Remark
from ddim_studio.gui.restore_words import (
    GREY_NAMES,
    METHOD_NAMES,
    NOTHING_TO_COLOURISE,
    TASK_NAMES,
)
from ddim_studio.gui.widgets.image_slot import ImageSlot
from ddim_studio.gui.widgets.panels import Section
from ddim_studio.gui.widgets.seed_edit import SeedEdit
from ddim_studio.jobs.restore_order import RestoreRun

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtWidgets import QWidget

    from ddim_studio.diffusion.restore_settings import RestoreMethod, Task
    from ddim_studio.models.info import ModelInfo

MAX_SEEDS = 16
NOISY = 0.25
_SCALES = (2, 4, 8)
"""Offered before a model is known."""


class RestorePanel(SettingsPanel[RestoreRun]):
    """Model, image, task, sampler and noise, with Run and Cancel under them.

    Signals:
        measurement_changed: What is measured, and so the shape of the image wanted, may be another.
        explained_otherwise: A field that decides how a step is made.
    """

    measurement_changed = Signal()
    explained_otherwise = Signal()

    def __init__(self, recent_models: Sequence[str] = (), parent: QWidget | None = None) -> None:
        tooltip = "Find images that the measurement agrees with"
        super().__init__("Restore", "runButton", tooltip, recent_models, parent)
        self._image_shape: tuple[int, int, int] | None = None
        self._last: tuple[Task, RestoreMethod] = ("inpaint", "ddnm")
        self._noise_seed = 0
        self._sigmas = {True: NOISY, False: 0.0}
        self.slot = ImageSlot("Image")
        self.given = combo_of("givenCombo", {True: "clean: degrade it", False: "the measurement"})
        self.task = combo_of("taskCombo", TASK_NAMES)
        self.method = combo_of("methodCombo", METHOD_NAMES)
        self.scale = combo_of("scaleCombo", {})
        self.grey = combo_of("greyCombo", GREY_NAMES)
        self.sigma = real_of("sigmaSpin", MAX_SIGMA, 0.0)
        self.eta = real_of("etaSpin", 1.0, DEFAULT_ETA["ddnm"])
        self.spacing = combo_of("spacingCombo", {key: key for key in (*SPACINGS, OWN_LIST)})
        self.clip = combo_of("clipCombo", {key: key for key in CLIPS})
        self.seed = SeedEdit()
        self.seed.set_locked(True)
        self.count = whole_of("countSpin", 1, MAX_SEEDS, 4)
        self.length = whole_of("travelLengthSpin", 1, MAX_STEPS, 10)
        self.interval = whole_of("travelIntervalSpin", 0, MAX_STEPS, 0)
        self.repeats = whole_of("travelRepeatsSpin", 1, MAX_REPEATS, DEFAULT_REPEATS["ddnm"])
        self.fit = FitChoice()
        self.price = Remark()
        self.price.setObjectName("priceRemark")
        self._add_cards()
        self._list_scales(RestoreRun().scale)
        self._connect()
        self._refresh()

    # --- what the page does ------------------------------------------------------------------

    def show_model(self, info: ModelInfo, device: str) -> None:
        """Fit the fields to an opened model."""
        super().show_model(info, device)
        self._image_shape = info.image_shape
        self._list_scales(self.scale.currentData())
        self._refresh()

    def is_clean(self) -> bool:
        """Whether the image is a clean one, to be degraded."""
        return bool(self.given.currentData())

    def set_clean(self, clean: bool) -> None:
        """Say whether the image is a clean one."""
        self.given.setCurrentIndex(self.given.findData(clean))

    def set_settings(self, run: RestoreRun) -> None:
        """Fill the fields."""
        self.model.set_source(run.model)
        self.model.device.setCurrentText(run.device)
        self.model.set_class(run.class_label)
        self.task.setCurrentIndex(self.task.findData(run.task))
        self.method.setCurrentIndex(self.method.findData(run.method))
        self._list_scales(run.scale)
        self.grey.setCurrentIndex(self.grey.findData(run.grey))
        self.sigma.setValue(run.sigma)
        self.eta.setValue(float(run.eta))
        self.set_steps(run.steps)
        own = run.timesteps is not None
        self.spacing.setCurrentIndex(self.spacing.findData(OWN_LIST if own else run.spacing))
        self.timesteps.setText(", ".join(map(str, run.timesteps or ())))
        self.clip.setCurrentIndex(self.clip.findData(run.clip))
        self.seed.set_value(run.seed)
        self.count.setValue(run.count)
        self.set_clean(run.degrade)
        self._noise_seed = run.noise_seed
        self.length.setValue(run.travel_length)
        self.interval.setValue(run.travel_interval or 0)
        self.repeats.setValue(run.travel_repeats or 1)
        self.clear_errors()
        self._refresh()

    def measured_shape(self) -> tuple[int, int, int] | None:
        """(C, H, W) that the image is to be fitted to: the model's, or the measurement's."""
        if self._image_shape is None or self.is_clean():
            return self._image_shape
        channels, height, width = self._image_shape
        task, k = self.task.currentData(), self.scale.currentData()
        if task == "superres" and k in scales_of(height, width):
            return channels, height // k, width // k
        return self._image_shape

    def peek(self) -> RestoreRun | None:
        """What the fields say, or None where one is wrong; nothing is marked."""
        try:
            return self._read()
        except SettingsError:
            return None

    # --- inside ------------------------------------------------------------------------------

    def _read(self) -> RestoreRun:
        if self.seed.error():
            raise SettingsError("seed", self.seed.error())
        own = self.spacing.currentData() == OWN_LIST
        task = self.task.currentData()
        run = RestoreRun(
            model=self.model.source(),
            device=self.model.device.currentText(),
            class_label=self.model.class_label(),
            task=task,
            method=self._method(),
            scale=self.scale.currentData(),
            grey=self.grey.currentData(),
            sigma=round(self.sigma.value(), 3),
            eta=round(self.eta.value(), 3),
            steps=self.steps.value(),
            spacing="linear" if own else self.spacing.currentData(),
            timesteps=parse_timesteps(self.timesteps.text()) if own else None,
            clip=self.clip.currentData(),
            seed=self.seed.value(),
            count=self.count.value(),
            degrade=self.is_clean(),
            noise_seed=self._noise_seed,
            travel_length=self.length.value(),
            travel_interval=self.interval.value() or None,
            travel_repeats=self.repeats.value(),
        )
        if self._image_shape is not None:
            check_task(run, self._image_shape)
        return run

    def _method(self) -> RestoreMethod:
        """The method chosen; only holes give a choice."""
        chosen: RestoreMethod = self.method.currentData()
        return chosen if self.task.currentData() == "inpaint" else "ddnm"

    def _list_scales(self, asked: int) -> None:
        """List every factor that divides the model's size, and the one asked for."""
        height, width = (0, 0) if self._image_shape is None else self._image_shape[1:]
        known = scales_of(height, width) if height else _SCALES
        with QSignalBlocker(self.scale):
            self.scale.clear()
            for k in sorted({*known, asked}):
                self.scale.addItem(f"×{k}", k)
            self.scale.setCurrentIndex(self.scale.findData(asked))

    def _task_changed(self) -> None:
        task, method = self.task.currentData(), self._method()
        before, method_before = self._last
        self._last = task, method
        if (task == "denoise") != (before == "denoise"):
            self._sigmas[before == "denoise"] = self.sigma.value()
            self.sigma.setValue(self._sigmas[task == "denoise"])
        if method != method_before:
            if self.eta.value() == DEFAULT_ETA[method_before]:
                self.eta.setValue(DEFAULT_ETA[method])
            if self.repeats.value() == DEFAULT_REPEATS[method_before]:
                self.repeats.setValue(DEFAULT_REPEATS[method])
        self._refresh()
        self.measurement_changed.emit()

    def _refresh(self) -> None:
        task, own = self.task.currentData(), self.spacing.currentData() == OWN_LIST
        section = self._task
        section.set_row_visible(self.method, task == "inpaint")
        section.set_row_visible(self.scale, task == "superres")
        section.set_row_visible(self.grey, task == "colorize")
        self._sampler.set_row_visible(self.timesteps, own)
        self.steps.setEnabled(not own)
        for row in (self.length, self.interval):
            row.setEnabled(self.repeats.value() > 1)
        self._warn(task)
        self._show_price()

    def _warn(self, task: Task) -> None:
        """Say at once, in place, what the model cannot do."""
        shape = self._image_shape
        grey = shape is not None and shape[0] == 1
        self._task.set_error(self.task, NOTHING_TO_COLOURISE if task == "colorize" and grey else "")
        wrong = ""
        if task == "superres" and shape is not None:
            try:
                check_task(RestoreRun(task=task, scale=self.scale.currentData()), shape)
            except SettingsError as error:
                wrong = str(error)
        self._task.set_error(self.scale, wrong)

    def _show_price(self) -> None:
        """How many network calls the time-travels make of S steps."""
        steps, length, times = self.steps.value(), self.length.value(), self.repeats.value() - 1
        interval = self.interval.value() or length
        calls = steps + len(range(0, steps - length, interval)) * length * times
        self.price.say(f"{calls} network calls a seed instead of {steps}." if times else "")

    def _connect(self) -> None:
        self.task.currentIndexChanged.connect(self._task_changed)
        self.method.currentIndexChanged.connect(self._task_changed)
        for combo in (self.given, self.scale):
            combo.currentIndexChanged.connect(self._refresh)
            combo.currentIndexChanged.connect(self.measurement_changed)
        self.spacing.currentIndexChanged.connect(self._refresh)
        self.grey.currentIndexChanged.connect(self.explained_otherwise)
        for real in (self.sigma, self.eta):
            real.valueChanged.connect(self.explained_otherwise)
        for spin in (self.steps, self.length, self.interval, self.repeats):
            spin.valueChanged.connect(self._refresh)

    def _add_cards(self) -> None:
        image = Section()
        self.slot.setFixedHeight(152)
        image.add_widget(self.slot)
        image.add_row("It is", self.given, TIPS["given"])
        self._task = Section("Task")
        self._sampler = Section("Sampler")
        noise, travel = Section("Noise"), Section("Time-travel")
        rows: dict[str, tuple[Section, str, QWidget, str]] = {
            "task": (self._task, "Task", self.task, TIPS["task"]),
            "method": (self._task, "Method", self.method, TIPS["method"]),
            "scale": (self._task, "Factor k", self.scale, TIPS["scale"]),
            "grey": (self._task, "Grey", self.grey, TIPS["grey"]),
            "sigma": (self._task, "Its noise σ", self.sigma, TIPS["sigma"]),
            "eta": (self._sampler, "Noise η", self.eta, TIPS["eta"]),
            "steps": (self._sampler, "Steps S", self.steps, SAMPLE_TIPS["steps"]),
            "spacing": (self._sampler, "Spacing τ", self.spacing, SAMPLE_TIPS["spacing"]),
            "timesteps": (self._sampler, "List τ", self.timesteps, LIST_TIP),
            "clip": (self._sampler, "Clip x₀", self.clip, SAMPLE_TIPS["clip"]),
            "seed": (noise, "Seed n", self.seed, TIPS["seed"]),
            "count": (noise, "Seeds", self.count, TIPS["count"]),
            "travel_repeats": (travel, "Repeats r", self.repeats, TIPS["travel_repeats"]),
            "travel_length": (travel, "Length L", self.length, TIPS["travel_length"]),
            "travel_interval": (travel, "Every s", self.interval, TIPS["travel_interval"]),
        }
        for name, (section, text, widget, tooltip) in rows.items():
            section.add_row(text, widget, tooltip)
            self.fields[name] = section, widget
        self.interval.setSpecialValueText("L")
        travel.add_widget(self.price)
        for section in (image, self._task, self._sampler, noise, travel, self.fit):
            self.add_section(section)
