"""The right column of the Compare page: the selected cell, its likeness, and what it all says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QStandardItemModel
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from ddim_studio.evaluation.perceptual import BACKBONE
from ddim_studio.gui.cards import NumberTable, carded, scrolled
from ddim_studio.gui.compare_words import (
    METRIC_NAMES,
    METRIC_TIPS,
    reading,
    sharing,
)
from ddim_studio.gui.comparison_record import plain
from ddim_studio.gui.labels import ElidedLabel
from ddim_studio.gui.pages.compare_plot import ComparePlot
from ddim_studio.gui.remark import Remark
from ddim_studio.gui.theme import SPACE, label
from ddim_studio.gui.words import short_seconds
from ddim_studio.jobs.axes import SPOKEN_CLIPS, spoken
from ddim_studio.jobs.compare_files import spoken_metric
from ddim_studio.jobs.matrix import Place

if TYPE_CHECKING:
    from collections.abc import Callable

    from ddim_studio.gui.comparison_record import CellRecord, ComparisonRecord
    from ddim_studio.jobs.comparison_events import CellScore

_CELL = {
    "eta": ("η", "How much noise each step adds; σ̂ is the larger of DDPM's two noise levels."),
    "steps": ("S", "Number of steps, each of which takes one network call."),
    "spacing": ("τ", "How the timesteps used are spread."),
    "clip": ("clip x₀", "What is done where the predicted image leaves [−1, 1]."),
    "model": ("model", "The network that predicts the noise."),
    "seconds": ("time per image", "From x_T to x_0, divided by the images of the cell."),
}
_METRICS = {key: (name, METRIC_TIPS[key]) for key, name in METRIC_NAMES.items()}
_METRICS["psnr"] = ("PSNR, dB", METRIC_TIPS["psnr"])
_COLUMNS = {
    "mean": "The mean over the images of the cell; of PSNR, that of the mean error.",
    "selected": "The image that is selected in the views of one and of two cells.",
}
_NO_LPIPS = (
    f"LPIPS needs torchvision and the weights of AlexNet ({BACKBONE} in the checkpoints folder of "
    "torch.hub). They are not at hand, and nothing is fetched from here."
)
_STATES = {
    "waiting": "Waiting for its turn",
    "running": "Under way",
    "stopped": "Stopped before its end",
    "failed": "Not computed",
}


class CompareReadout(QWidget):
    """Numbers, a plot and a reading.

    Signals:
        metric_chosen: Key of a metric.
        reference_wanted: The selected cell is to be the reference.
        settings_wanted: The selected cell's settings are wanted on the Sample page.
        place_chosen: The `Place` of a cell to select.
    """

    metric_chosen = Signal(str)
    reference_wanted = Signal()
    settings_wanted = Signal()
    place_chosen = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title = ElidedLabel("heading")
        self._state = Remark()
        self.cell_table = NumberTable(_CELL)
        self.score_table = NumberTable(_METRICS, _COLUMNS)
        self._against = Remark(hides=False)
        self._against.setObjectName("referenceLine")
        self.metrics = self._metric_combo()
        self.plot = ComparePlot()
        self.reading = Remark(hides=False)
        self.reading.setObjectName("reading")
        self.sharing = Remark(hides=False)
        self.sharing.setObjectName("sharing")
        self.reference_button = self._button(
            "Make reference",
            "makeReferenceButton",
            "Measure all other cells against this one (R)",
        )
        self.reference_button.setShortcut("R")
        self.settings_button = self._button(
            "To Sample", "toSampleButton", "Take this cell's settings to the Sample page"
        )
        self._lay_out()
        self.reference_button.clicked.connect(self.reference_wanted)
        self.settings_button.clicked.connect(self.settings_wanted)
        self.plot.place_chosen.connect(self.place_chosen)
        self.metrics.currentIndexChanged.connect(
            lambda _index: self.metric_chosen.emit(self.chosen_metric())
        )
        self.show_record(None, Place(0, 0), 0)

    def chosen_metric(self) -> str:
        """Key of the metric chosen."""
        return str(self.metrics.currentData())

    def set_metric(self, metric: str) -> None:
        """Choose a metric, if it can be chosen."""
        index, model = self.metrics.findData(metric), self.metrics.model()
        if isinstance(model, QStandardItemModel) and index >= 0 and model.item(index).isEnabled():
            self.metrics.setCurrentIndex(index)

    def slow_parts(self) -> list[Callable[[], None]]:
        """The plots."""
        return self.plot.slow_parts()

    def show_record(self, record: ComparisonRecord | None, place: Place, image: int) -> None:
        """Show numbers of a matrix, or none.

        Args:
            record: The matrix.
            place: The selected cell.
            image: The selected image of it.
        """
        self.show_cell(record, place, image)
        self.plot.show_record(record, self.chosen_metric(), place)
        if record is None:
            self._against.say("The cell that all others are measured against")
            self.reading.say("After a run, this says what the numbers mean.")
            self.sharing.say(
                "All cells draw x_T from the same seeds, so that they differ only by the settings."
            )
            return
        self._offer_lpips(record)
        self._against.say(f"Against {record.label(record.reference)}")
        self.reading.say(reading(record), "text")
        self.sharing.say(sharing(record.run))

    def show_cell(self, record: ComparisonRecord | None, place: Place, image: int) -> None:
        """Show the numbers of a cell, and of one of its images."""
        cell = None if record is None else record.cells[place]
        usable = cell is not None and cell.state != "failed"
        is_reference = record is not None and record.reference == place
        self.reference_button.setEnabled(usable and not is_reference)
        self.settings_button.setEnabled(cell is not None)
        if record is None or cell is None:
            self._title.set_full_text("No cell yet")
            self._state.say("")
            self.cell_table.clear()
            self.score_table.clear()
            return
        self._title.set_full_text(record.label(place))
        self._say_state(cell)
        for key, text in _settings(cell).items():
            self.cell_table.set_row(key, [text])
        self._show_scores(record.scores.get(place), image)

    def _say_state(self, cell: CellRecord) -> None:
        if cell.failure is not None:
            advice = f" {cell.failure.advice}" if cell.failure.advice else ""
            self._state.say(f"{cell.failure.message}{advice}", "error")
        else:
            self._state.say(_STATES.get(cell.state, ""))

    def _show_scores(self, score: CellScore | None, image: int) -> None:
        for metric in METRIC_NAMES:
            values = score.values.get(metric, ()) if score is not None else ()
            if score is None or not values:
                self.score_table.set_row(metric, [])
                continue
            one = values[image] if image < len(values) else values[0]
            self.score_table.set_row(
                metric, [_number(metric, score.mean(metric)), _number(metric, one)]
            )

    def _offer_lpips(self, record: ComparisonRecord) -> None:
        """LPIPS can be chosen once a measurement had it."""
        model, index = self.metrics.model(), self.metrics.findData("lpips")
        if isinstance(model, QStandardItemModel) and record.scores:
            known = any("lpips" in score.values for score in record.scores.values())
            item = model.item(index)
            if item.isEnabled() != known:
                item.setEnabled(known)
                item.setToolTip(METRIC_TIPS["lpips"] if known else _NO_LPIPS)
                if not known and self.chosen_metric() == "lpips":
                    self.set_metric("ssim")

    def _metric_combo(self) -> QComboBox:
        combo = QComboBox()
        combo.setObjectName("metricCombo")
        combo.setAccessibleName("Metric")
        combo.setToolTip("What the cells and the plot say; LPIPS where its weights are at hand")
        for key, name in METRIC_NAMES.items():
            combo.addItem(name, key)
            combo.setItemData(combo.count() - 1, METRIC_TIPS[key], Qt.ItemDataRole.ToolTipRole)
        model = combo.model()
        if isinstance(model, QStandardItemModel):
            item = model.item(combo.findData("lpips"))
            item.setEnabled(False)
            item.setToolTip(_NO_LPIPS)
        combo.setCurrentIndex(combo.findData("ssim"))
        return combo

    @staticmethod
    def _button(text: str, name: str, tooltip: str) -> QPushButton:
        button = QPushButton(text)
        button.setObjectName(name)
        button.setAccessibleName(text)
        button.setToolTip(tooltip)
        return button

    def _lay_out(self) -> None:
        buttons = QWidget()
        row = QHBoxLayout(buttons)
        row.setContentsMargins(0, SPACE // 2, 0, SPACE // 2)
        row.setSpacing(SPACE)
        row.addWidget(self.reference_button, 3)
        row.addWidget(self.settings_button, 2)
        chooser = QWidget()
        line = QHBoxLayout(chooser)
        line.setContentsMargins(0, 0, 0, 0)
        line.addWidget(label("Metric", "heading"), 1)
        line.addWidget(self.metrics)
        inner = QWidget()
        column = QVBoxLayout(inner)
        column.setContentsMargins(SPACE, 2 * SPACE, 2 * SPACE, SPACE)
        column.setSpacing(SPACE + 4)
        column.addWidget(carded(self._title, self._state, self.cell_table, buttons))
        column.addWidget(carded(chooser, self.plot))
        column.addWidget(carded(self.reading, self.sharing, title="Reading"))
        column.addWidget(carded(self._against, self.score_table, title="Likeness"))
        column.addStretch(1)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(scrolled(inner))


def _number(metric: str, value: float) -> str:
    """A value as the table shows it, whose row names the unit."""
    return spoken_metric(metric, value).removesuffix(" dB")


def _settings(cell: CellRecord) -> dict[str, str]:
    """What stands in the rows of a cell."""
    run = cell.run
    return {
        "eta": plain(spoken("eta", run.eta)).removeprefix("η = "),
        "steps": str(run.steps),
        "spacing": run.spacing,
        "clip": plain(SPOKEN_CLIPS[run.clip]).removeprefix("x₀ "),
        "model": spoken("model", run.model),
        "seconds": short_seconds(cell.seconds) if cell.state == "done" else "–",
    }
