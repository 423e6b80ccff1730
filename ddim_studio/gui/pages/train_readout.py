"""The right column of the Train page: how far the run is, its numbers, and the runs before it."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import (
    QFileDialog,
    QListWidget,
    QListWidgetItem,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from ddim_studio.gui import words
from ddim_studio.gui.cards import NumberTable, carded
from ddim_studio.gui.labels import ElidedLabel
from ddim_studio.gui.remark import Remark
from ddim_studio.gui.theme import SPACE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ddim_studio.gui.remark import Tone
    from ddim_studio.gui.training_record import TrainingRecord

_ROWS = {
    "step": ("Step", "Steps of the optimiser done, and in all."),
    "rate": ("Speed", "Images a second that are trained on, over the last steps."),
    "took": ("Time", "What the run has taken so far, pauses left out."),
    "loss": ("Loss", "The simple objective, a mean over the last hundred steps."),
    "validation": (
        "Held out",
        "The same on images that are never trained on, with the moving average of the weights.",
    ),
    "learning_rate": ("Learning rate", "Of the last step; it falls to 0 in the last fifth."),
    "images": ("Images", "Trained on, and held out for the validation loss."),
    "skipped": ("Left out", "Files that cannot be used; training/skipped.txt lists them."),
    "network": ("Weights", "How many numbers are learned."),
    "place": ("Runs on", "Where the network computes, and how precisely."),
}
_TICKS = 1000
_LIST_HEIGHT = 64
_NONE = "Runs that you begin stay here"
_FOLDER = Qt.ItemDataRole.UserRole
MOST_REMARKS = 3


class TrainReadout(QWidget):
    """Numbers of a run, the button that uses its model, and the list of runs.

    Signals:
        use_clicked: The model of the run on show is to be used.
        run_chosen: The `Path` of a run to show.
    """

    use_clicked = Signal()
    run_chosen = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.state = ElidedLabel("heading")
        self.state.setObjectName("trainState")
        self.left = Remark(hides=False)
        self.left.setObjectName("trainLeft")
        self.problem = Remark()
        self.problem.setObjectName("trainProblem")
        self.remarks = Remark()
        self.remarks.setObjectName("trainRemarks")
        self.progress = QProgressBar()
        self.progress.setObjectName("trainProgress")
        self.progress.setAccessibleName("Progress of the training")
        self.progress.setTextVisible(False)
        self.progress.setRange(0, _TICKS)
        self.table = NumberTable(_ROWS)
        self._make_controls()
        self._lay_out()
        self.show_record(None)

    def show_state(self, text: str, about: str = "", tone: Tone = "muted") -> None:
        """Say how the run stands, in a word or two, and in a sentence more."""
        self.state.set_full_text(text)
        self.left.say(about, tone)

    def show_record(self, record: TrainingRecord | None) -> None:
        """Show the numbers of a run, or none."""
        self.use.setEnabled(record is not None and record.kept)
        if record is None:
            self.table.clear()
            self.progress.setValue(0)
            self.remarks.say("")
            return
        self.progress.setValue(round(_TICKS * record.done))
        self.remarks.say("\n".join(record.remarks[-MOST_REMARKS:]), "warning")
        for key, text in _texts(record).items():
            self.table.set_row(key, [text] if text else [])

    def show_runs(self, runs: Mapping[Path, str], shown: Path | None) -> None:
        """List the runs, each with how it stands, and select the one on show."""
        with QSignalBlocker(self.runs):
            self.runs.clear()
            for folder, state in runs.items():
                item = QListWidgetItem(f"{folder.name}: {state}")
                item.setData(_FOLDER, str(folder))
                item.setToolTip(str(folder))
                self.runs.addItem(item)
                if folder == shown:
                    self.runs.setCurrentItem(item)
            if not runs:
                hint = QListWidgetItem(_NONE)
                hint.setFlags(Qt.ItemFlag.NoItemFlags)
                self.runs.addItem(hint)

    def set_running(self, running: bool) -> None:
        """Whether a run goes on, so that no other one can be shown."""
        self.runs.setEnabled(not running)
        self.open.setEnabled(not running)

    def _make_controls(self) -> None:
        self.use = QPushButton("Use this model")
        self.use.setObjectName("useTrainedButton")
        self.use.setAccessibleName("Use this model")
        self.use.setToolTip("Set every page to the model as it was saved last")
        self.use.clicked.connect(self.use_clicked)
        self.runs = QListWidget()
        self.runs.setObjectName("runList")
        self.runs.setAccessibleName("Runs of training")
        self.runs.setToolTip("Runs that were begun here; choose one to see it or to go on with it")
        self.runs.setMinimumHeight(_LIST_HEIGHT)
        self.runs.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Ignored)
        self.runs.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.runs.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.runs.currentItemChanged.connect(self._chosen)
        self.open = QPushButton("Open a run…")
        self.open.setObjectName("openRunButton")
        self.open.setAccessibleName("Open a run")
        self.open.setToolTip("The folder of a model that was trained here or by the command train")
        self.open.clicked.connect(self._open)

    def _chosen(self, item: QListWidgetItem | None) -> None:
        if item is not None and item.data(_FOLDER):
            self.run_chosen.emit(Path(item.data(_FOLDER)))

    def _open(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, "Open the folder of a run")
        if chosen:
            self.run_chosen.emit(Path(chosen))

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE, 2 * SPACE, 2 * SPACE, 0)
        column.setSpacing(SPACE + 4)
        column.addWidget(carded(self.state, self.progress, self.left, self.problem, self.remarks))
        column.addWidget(carded(self.table))
        column.addWidget(self.use)
        runs = carded(self.runs, self.open, title="Runs")
        runs.layout().setStretchFactor(self.runs, 1)  # type: ignore[union-attr]
        column.addWidget(runs, 1)


def _texts(record: TrainingRecord) -> dict[str, str]:
    """The number of each row, "" where it is not known."""
    total, begun = record.total, record.begun
    of_all = "" if total is None else f" / {total:,}"
    images, held_out = (int(begun.get(name, 0)) for name in ("images", "held_out"))
    weights = begun.get("parameters")
    return {
        "step": f"{record.step:,}{of_all}" if record.step or total else "",
        "rate": words.rate(record.number("images_per_second"), "image"),
        "took": words.duration(record.seconds) if record.step else "",
        "loss": _short(record.recent_loss),
        "validation": _short(record.validations[-1][1]) if record.validations else "",
        "learning_rate": _short(record.number("learning_rate")),
        "images": f"{images:,} + {held_out:,}" if begun else "",
        "skipped": f"{int(begun['skipped']):,}" if "skipped" in begun else "",
        "network": f"{weights / 1e6:.2f} M" if isinstance(weights, int) else "",
        "place": str(begun.get("place", "")),
    }


def _short(number: float) -> str:
    return f"{number:.4g}" if math.isfinite(number) else ""
