"""The right column of the Restore page: how good, how consistent, and by which equation."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QTabWidget, QVBoxLayout, QWidget

from ddim_studio.gui.cards import NumberTable, card_column, carded
from ddim_studio.gui.remark import Remark
from ddim_studio.gui.restore_words import agreement_words, method_words, quality_words, task_words
from ddim_studio.gui.theme import SPACE
from ddim_studio.gui.widgets.plots import LinePlot
from ddim_studio.gui.widgets.restore_equation import RestoreEquation
from ddim_studio.gui.words import small_number

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ddim_studio.gui.restore_record import RestoreRecord
    from ddim_studio.gui.widgets.restore_equation import Form
    from ddim_studio.jobs.inversion_events import Quality
    from ddim_studio.jobs.restore_order import RestoreRun

_COLUMNS = {
    "PSNR": "Peak signal-to-noise ratio against the clean image, −10 log₁₀ MSE, in decibels.",
    "SSIM": "Structural similarity to the clean image, 1 for equal pictures.",
    "|Ax−y|": "Largest absolute difference between what would be measured of this picture, "
    "before it was rounded, and what was measured; pixels from −1 to 1.",
}
_STEP = {
    "step": ("Step", "From timestep t to timestep s; −1 is the clean image."),
    "c0": (
        "<i>c</i><sub>0</sub> = √ᾱ<sub>s</sub>",
        "How much of the predicted image the state has after the step.",
    ),
    "c1": ("<i>c</i><sub>1</sub>", "How much of the noise that the network sees is kept."),
    "c2": ("<i>c</i><sub>2</sub>", "How much noise is drawn afresh, by η."),
    "guess": ("missed before", "Root mean square of A x̂_0 − y, before the correction."),
    "given": ("missed after", "Root mean square of A x̂_0 − y, after the correction."),
}
_PLOT_HEIGHT = 176
ROUNDING = 1e-9
"""What the corrected guess misses without noise is rounding: no line is drawn of it."""
_WAITING = "After a run, this compares every answer with the clean image."


class RestoreReadout(QWidget):
    """Two tabs: the numbers of the answers, and how a step is made.

    Signals:
        frame_chosen: Number of the frame that a click into the plot meant.
    """

    frame_chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.quality = NumberTable({}, _COLUMNS)
        self._table = carded(self.quality, title="Against the clean image")
        self.verdict = Remark(hides=False)
        self.verdict.setObjectName("verdict")
        self.residual = LinePlot(
            "|A x̂₀ − y|",
            "rms",
            "How far the network's guess is from the measurement in each step, before the "
            "correction and after it. Click to go to a step.",
            log_y=True,
        )
        self.residual.setMinimumHeight(_PLOT_HEIGHT)
        self.residual.setMaximumHeight(_PLOT_HEIGHT)
        self.equation = RestoreEquation()
        self.step = NumberTable(_STEP)
        self.method = Remark(hides=False)
        self.method.setObjectName("methodWords")
        self.measured, self.undone = Remark(hides=False), Remark(hides=False)
        self.measured.setObjectName("measuredWords")
        self.undone.setObjectName("undoneWords")
        self.tabs = QTabWidget()
        self.tabs.setAccessibleName("Numbers and plots")
        result = [self._table, carded(self.verdict, title="Reading"), carded(self.residual)]
        how = [
            carded(self.equation, self.step, title="The step"),
            carded(self.method, title="In words"),
            carded(self.measured, self.undone, title="The measurement A, and A⁺"),
        ]
        self.tabs.addTab(card_column(result), "Result")
        self.tabs.addTab(card_column(how), "Step")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, SPACE, 0, 0)
        column.addWidget(self.tabs)
        self.residual.clicked.connect(lambda x: self.frame_chosen.emit(round(x)))
        self.clear()

    def slow_parts(self) -> list[Callable[[], None]]:
        """What builds the plot."""
        return [self.residual.prepare]

    def explain(self, run: RestoreRun) -> None:
        """Say what a run does, whether it was made or not."""
        words = task_words(run)
        self.equation.set_form(_form(run))
        self.method.say(method_words(run), "text")
        self.measured.say(words.measured, "text")
        self.undone.say(words.undone, "text")

    def begin(self, record: RestoreRecord) -> None:
        """A run begins; again once its measurement and its seeds are known."""
        self.clear()
        self.explain(record.run)
        self._fill_table(record)
        if record.total:
            self.residual.set_x([float(i) for i in range(record.total)], "frame")

    def show_numbers(self, record: RestoreRecord, image: int) -> None:
        """Draw the lines of one answer, as far as they go."""
        steps = record.agreements
        self.residual.set_series("before", [math.nan, *(n.guess_rms[image] for n in steps)])
        after = [n.rms[image] for n in steps]
        if max(after, default=0.0) > ROUNDING:
            self.residual.set_series("after", [math.nan, *after], dashed=True)

    def show_result(self, record: RestoreRecord) -> None:
        """The run is over: what there is of it."""
        self._fill_table(record)
        known, done = record.measured, record.restored
        if known is not None and done is not None:
            words = quality_words(known.baseline_quality, done.quality)
            self.verdict.say(f"{words} {agreement_words(done)}", "text")

    def show_frame(self, record: RestoreRecord, index: int, image: int) -> None:
        """Move the cursor and show the numbers of a frame."""
        self.residual.set_cursor(index)
        n, agreement = record.numbers[index], record.agreement(index)
        if agreement is None:
            self.step.clear()
            self.step.set_row("step", [f"start at t = {n.s}"])
            return
        texts = {
            "step": f"{n.t} → {'x₀' if n.s < 0 else n.s}",
            "c0": f"{math.sqrt(n.alpha_bar_s):.4f}",
            "c1": f"{n.direction:.4f}",
            "c2": f"{n.sigma:.4f}",
            "guess": small_number(agreement.guess_rms[image]),
            "given": small_number(agreement.rms[image]),
        }
        for key, text in texts.items():
            self.step.set_row(key, [text])

    def clear(self) -> None:
        """No run."""
        self.verdict.say(_WAITING)
        self.residual.clear()
        self.step.clear()
        self._replace({})

    def _fill_table(self, record: RestoreRecord) -> None:
        known, done = record.measured, record.restored
        if known is None:
            return
        rows = {"baseline": (known.baseline_name, "What simple means make of the measurement.")}
        self._replace(rows | {str(seed): (f"seed {seed}", "") for seed in record.seeds})
        self.quality.set_row("baseline", _texts(known.baseline_quality))
        for place, seed in enumerate(record.seeds):
            missed = math.nan if done is None else done.final_max[place]
            texts = [*_texts(record.quality(place)), small_number(missed)]
            self.quality.set_row(str(seed), texts)

    def _replace(self, rows: dict[str, tuple[str, str]]) -> None:
        table = NumberTable(rows, _COLUMNS)
        layout = self._table.layout()
        if layout is not None:
            layout.replaceWidget(self.quality, table)
        self.quality.deleteLater()
        self.quality = table


def _form(run: RestoreRun) -> Form:
    if run.method == "repaint":
        return "repaint"
    return "ddnm+" if run.sigma > 0 else "ddnm"


def _texts(quality: Quality | None) -> Sequence[str]:
    if quality is None:
        return ("–", "–")
    ssim = "–" if math.isnan(quality.ssim) else f"{quality.ssim:.3f}"
    return ("∞" if math.isinf(quality.psnr) else f"{quality.psnr:.2f}", ssim)
