"""The settings column of the Forward page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QComboBox,
    QDoubleSpinBox,
    QFileDialog,
    QLineEdit,
    QPushButton,
    QSpinBox,
    QWidget,
)

from ddim_studio.diffusion.bound_settings import BOUND_CLIPS, MAX_DRAWS
from ddim_studio.diffusion.settings import SettingsError
from ddim_studio.gui.cards import chooser_row
from ddim_studio.gui.pages.fit_choice import FitChoice, shrinkable
from ddim_studio.gui.pages.settings_panel import SettingsPanel
from ddim_studio.gui.widgets.image_slot import ImageSlot
from ddim_studio.gui.widgets.panels import Section
from ddim_studio.gui.widgets.seed_edit import SeedEdit
from ddim_studio.jobs.forward_events import MAX_POINTS, BoundRun, ForwardRun

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ddim_studio.models.info import ModelInfo

_TIPS = {
    "points": "How many timesteps are shown, spread evenly from t = 0 to T − 1. The chain takes "
    "every step all the same; the network looks at those shown.",
    "eta": "η of the reverse kernel q_σ(x_s | x_t, x_0) that stands between η = 0, which draws "
    "nothing (DDIM), and η = 1, the posterior of the chain (DDPM).",
    "seed": "n: ε of the closed form is x_T of this seed; the chain draws each step's noise from "
    "generators of its own, keyed by n and t.",
    "data": "The images that the bound is the mean over: a folder, a zip or tar archive, or an "
    "IDX file as of MNIST. Held-out images say more than those of the training.",
    "count": "At most so many images, spread evenly over the set. Twice as many make the standard "
    "error smaller by √2.",
    "draws": "At how many t from 1 to T − 1 each image is measured, beside t = 0: one drawn in "
    "each of so many strata, narrow near the image. T − 1 measures every t.",
    "clip": "Whether x̂_0 is kept in [−1, 1] before it enters the bound: clamp is what Ho et al. "
    "did, none takes the network as it is.",
}
_FILES = "Archives and IDX files (*.zip *.tar *.tgz *.gz *.bz2 *.xz *.idx *-ubyte);;All files (*)"
_SLOT_HEIGHT = 176
POINTS = 40


class ForwardPanel(SettingsPanel[ForwardRun]):
    """Model, image, what to show, and the images for the bound, with the buttons under them.

    Signals:
        bound_clicked: The bound is to be measured; `bound_settings` has how.
    """

    bound_clicked = Signal()

    def __init__(self, recent_models: Sequence[str] = (), parent: QWidget | None = None) -> None:
        tooltip = "Bring the image to noise, in one go and step by step"
        super().__init__("Add noise", "runButton", tooltip, recent_models, parent)
        self.slot = ImageSlot("Image")
        self.slot.setObjectName("forwardImage")
        self.slot.setFixedHeight(_SLOT_HEIGHT)
        self.points = self.steps
        self.points.setObjectName("pointsSpin")
        self.points.setRange(2, MAX_POINTS)
        self.points.setValue(POINTS)
        self.eta = QDoubleSpinBox()
        self.eta.setObjectName("etaSpin")
        self.eta.setRange(0.0, 1.0)
        self.eta.setSingleStep(0.05)
        self.eta.setValue(0.5)
        self.seed = SeedEdit()
        self.seed.set_locked(True)
        self.fit = FitChoice()
        self.data = QLineEdit()
        self.data.setObjectName("boundDataEdit")
        self.data.setPlaceholderText("folder, archive or IDX file")
        self.count = _spin("boundCountSpin", 1_000_000, 64)
        self.draws = _spin("boundDrawsSpin", MAX_DRAWS, 10)
        self.clip = QComboBox()
        self.clip.setObjectName("boundClipCombo")
        self.clip.addItems(BOUND_CLIPS)
        shrinkable(self.clip)
        self.bound_button = self._bound_button()
        self._add_cards()

    # --- what the page does ------------------------------------------------------------------

    def show_model(self, info: ModelInfo, device: str) -> None:
        """Fit the fields to an opened model."""
        self.model.show_info(info, device)
        self.points.setMaximum(max(2, min(MAX_POINTS, info.timesteps)))
        self.draws.setMaximum(max(1, min(MAX_DRAWS, info.timesteps - 1)))

    def set_running(self, running: bool) -> None:
        """Both buttons while nothing runs, Cancel while something does."""
        super().set_running(running)
        if hasattr(self, "bound_button"):
            self.bound_button.setEnabled(not running)

    def bound_settings(self) -> BoundRun:
        """How to measure the bound.

        Raises:
            SettingsError: A field is wrong; it is marked, with the reason under it.
        """
        self.clear_errors()
        try:
            return BoundRun(
                model=self.model.source(),
                device=self.model.device.currentText(),
                data=self.data.text().strip(),
                count=self.count.value(),
                draws=self.draws.value(),
                clip=self.clip.currentText(),  # type: ignore[arg-type]  # an entry of the list
                seed=self._seed(),
                class_label=self.model.class_label(),
            )
        except SettingsError as error:
            self.mark(error)
            raise

    def set_settings(self, run: ForwardRun) -> None:
        """Fill the fields of the forward process."""
        self.model.set_source(run.model)
        self.model.device.setCurrentText(run.device)
        self.model.set_class(run.class_label)
        self.points.setMaximum(max(self.points.maximum(), run.points))
        self.points.setValue(run.points)
        self.eta.setValue(run.eta)
        self.seed.set_value(run.seed)
        self.clear_errors()

    def memory(self) -> dict[str, Any] | None:
        """What is in the fields, if it is in order."""
        try:
            run = self._read()
        except SettingsError:
            return None
        bound = {"data": self.data.text(), "count": self.count.value(), "draws": self.draws.value()}
        return {"run": run.to_dict(), "bound": bound | {"clip": self.clip.currentText()}}

    def recall(self, values: dict[str, Any]) -> None:
        """Fill the fields; raises `SettingsError` or `TypeError` where they are damaged."""
        run = values.get("run")
        self.set_settings(ForwardRun.from_dict(run if isinstance(run, dict) else {}))
        bound = values.get("bound")
        if isinstance(bound, dict):
            self.data.setText(str(bound.get("data", "")))
            self.count.setValue(int(bound.get("count", 64)))
            self.draws.setValue(int(bound.get("draws", 10)))
            self.clip.setCurrentText(str(bound.get("clip", "none")))

    # --- inside ------------------------------------------------------------------------------

    def _read(self) -> ForwardRun:
        return ForwardRun(
            model=self.model.source(),
            device=self.model.device.currentText(),
            points=self.points.value(),
            eta=self.eta.value(),
            seed=self._seed(),
            class_label=self.model.class_label(),
        )

    def _seed(self) -> int:
        if self.seed.error():
            raise SettingsError("seed", self.seed.error())
        return self.seed.value()

    def _add_cards(self) -> None:
        shown, bound = Section("Forward process"), Section("Variational bound")
        shown.add_row("Timesteps", self.points, _TIPS["points"])
        shown.add_row("Noise η", self.eta, _TIPS["eta"])
        shown.add_row("Seed n", self.seed, _TIPS["seed"])
        bound.add_row("Images", self.data, _TIPS["data"])
        bound.add_widget(self._choosers())
        bound.add_row("At most", self.count, _TIPS["count"])
        bound.add_row("Draws k", self.draws, _TIPS["draws"])
        bound.add_row("Clip x₀", self.clip, _TIPS["clip"])
        bound.add_widget(self.bound_button)
        self.fields |= {
            "steps": (shown, self.points),
            "points": (shown, self.points),
            "eta": (shown, self.eta),
            "seed": (shown, self.seed),
            "data": (bound, self.data),
            "count": (bound, self.count),
            "draws": (bound, self.draws),
            "clip": (bound, self.clip),
        }
        for place, card in enumerate((self.slot, shown, bound, self.fit), start=1):
            self.add_section(card, place)

    def _bound_button(self) -> QPushButton:
        button = QPushButton("Measure bound")
        button.setObjectName("boundButton")
        button.setAccessibleName("Measure bound")
        button.setToolTip(
            "Estimate the variational bound over the images chosen; what there is when it is "
            "cancelled stays"
        )
        button.clicked.connect(self.bound_clicked)
        return button

    def _choosers(self) -> QWidget:
        return chooser_row(
            ("Folder…", "boundFolderButton", "Choose a folder of images", self._choose_folder),
            ("File…", "boundFileButton", "Choose an archive or an IDX file", self._choose_file),
        )

    def _choose_folder(self) -> None:
        self._take(QFileDialog.getExistingDirectory(self, "Open a folder of images"))

    def _choose_file(self) -> None:
        self._take(QFileDialog.getOpenFileName(self, "Open a set of images", "", _FILES)[0])

    def _take(self, path: str) -> None:
        if path:
            self.data.setText(path)


def _spin(name: str, highest: int, value: int) -> QSpinBox:
    spin = QSpinBox()
    spin.setObjectName(name)
    spin.setRange(1, highest)
    spin.setValue(value)
    return spin
