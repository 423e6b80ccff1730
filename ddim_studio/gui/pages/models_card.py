"""The card of a model: its name, samples that it drew, and what it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QHBoxLayout,
    QMenu,
    QPushButton,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from ddim_studio.gui.cards import carded
from ddim_studio.gui.labels import ElidedLabel
from ddim_studio.gui.pages.models_details import ModelDetails
from ddim_studio.gui.pages.page_layout import with_readout
from ddim_studio.gui.remark import Remark
from ddim_studio.gui.theme import SPACE, make_primary, tool_button
from ddim_studio.gui.widgets.frame_view import FrameView

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ddim_studio.jobs.events import Pixels
    from ddim_studio.jobs.model_events import CardRead, MemoryMeasured

_WIDTHS = [580, 306]


class ModelCard(QWidget):
    """What is known of the selected model.

    Attributes:
        details: The column at the right.
        shown: The samples on show, (N, H, W, C), or None.

    Signals:
        use_requested: The title of the page that is to use it, or "" for all.
        draw_requested: Samples are wanted.
        cancel_requested: Drawing them is to stop.
        forget_requested: It is to leave the list of recent models.
    """

    use_requested = Signal(str)
    draw_requested = Signal()
    cancel_requested = Signal()
    forget_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.shown: Pixels | None = None
        self.title = ElidedLabel("title")
        self.title.setObjectName("modelTitle")
        self.summary, self.said = Remark(hides=False), Remark(hides=False)
        self.summary.setObjectName("modelSummary")
        self.said.setObjectName("samplesRemark")
        self.problem, self._advice = Remark(hides=False), Remark()
        self.problem.setObjectName("modelProblem")
        self.problem.setProperty("role", "")
        self.use_menu = QMenu(self)
        self.samples = FrameView()
        self.samples.setObjectName("previewView")
        self.samples.setAccessibleName("Samples of the model")
        self.samples.set_placeholder("No samples yet", "Draw samples to see what the model makes")
        self.details = ModelDetails()
        self._make_buttons()
        self._lay_out()
        self.set_drawing(drawing=False)

    # --- what the page sets ------------------------------------------------------------------

    def show_reading(self, name: str) -> None:
        """A model was selected, and its card is being read."""
        self.title.set_full_text(name)
        self._show_parts(good=True, forget=False)
        self.summary.say("Reading its card…")
        self.said.say("")
        self.details.show_nothing()
        self.show_samples(None)

    def show_card(self, card: CardRead, memory: MemoryMeasured | None) -> None:
        """Show what the model is."""
        self.title.set_full_text(card.info.name)
        self.summary.say(card.info.summary)
        self._show_parts(good=True, forget=False)
        self.details.show_card(card, memory)
        self.show_samples(card.samples)

    def show_problem(self, message: str, advice: str, *, forgettable: bool) -> None:
        """Say in place why there is no card, and what to do about it."""
        self.summary.say("")
        self.problem.say(message, "error")
        self._advice.say(advice)
        self._show_parts(good=False, forget=forgettable)

    def show_samples(self, samples: Pixels | None) -> None:
        """Show samples (N, H, W, C), or how to get some."""
        self.shown = samples
        self.samples.set_pixels(samples)

    def set_pages(self, titles: Sequence[str]) -> None:
        """Which pages can use a model."""
        self.use_menu.clear()
        for title in titles:
            action = self.use_menu.addAction(f"Use it on {title}")
            action.setObjectName(f"useOn_{title}")
            action.triggered.connect(lambda _on, page=title: self.use_requested.emit(page))

    def set_drawing(self, drawing: bool) -> None:
        """Whether samples are being drawn."""
        self.draw.setEnabled(not drawing)
        self.cancel.setEnabled(drawing)

    # --- parts -------------------------------------------------------------------------------

    def _show_parts(self, *, good: bool, forget: bool) -> None:
        self.forget.setVisible(forget)
        self._stack.setCurrentWidget(self._body if good else self._trouble)
        for part in (self.use, self.more):
            part.setEnabled(good)

    def _make_buttons(self) -> None:
        self.use = make_primary(QPushButton("Use this model"))
        self.use.setObjectName("useButton")
        self.use.setToolTip("Set every page to this model; what the pages show stays there")
        self.use.clicked.connect(lambda: self.use_requested.emit(""))
        self.more = tool_button("chevron-down", "Use it on one page only", size=14, boxed=True)
        self.more.setObjectName("useMenuButton")
        self.more.clicked.connect(
            lambda: self.use_menu.popup(self.more.mapToGlobal(self.more.rect().bottomLeft()))
        )
        self.draw = QPushButton("Draw samples")
        self.draw.setObjectName("drawButton")
        self.draw.setToolTip("Open the model and let it draw a few images")
        self.draw.clicked.connect(self.draw_requested)
        self.cancel = QPushButton("Cancel")
        self.cancel.setObjectName("drawCancelButton")
        self.cancel.setToolTip("Stop opening or drawing")
        self.cancel.clicked.connect(self.cancel_requested)
        self.forget = QPushButton("Take off the list")
        self.forget.setObjectName("forgetButton")
        self.forget.setToolTip("List it no longer among the recent models; its files stay")
        self.forget.clicked.connect(self.forget_requested)
        for button in (self.use, self.draw, self.cancel, self.forget):
            button.setAccessibleName(button.text())

    def _lay_out(self) -> None:
        self._body = with_readout(self._pictures(), self.details)
        for splitter in self._body.findChildren(QSplitter):
            splitter.setSizes(_WIDTHS)
        self._trouble = QWidget()
        trouble = QVBoxLayout(self._trouble)
        trouble.setContentsMargins(SPACE, 0, 2 * SPACE, 0)
        trouble.setSpacing(SPACE)
        trouble.addWidget(carded(self.problem, self._advice))
        trouble.addWidget(self.forget, 0, Qt.AlignmentFlag.AlignLeft)
        trouble.addStretch(1)
        self._stack = QStackedWidget()
        self._stack.addWidget(self._body)
        self._stack.addWidget(self._trouble)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 2 * SPACE, 0, SPACE)
        column.setSpacing(SPACE)
        column.addLayout(self._head())
        column.addWidget(self._stack, 1)

    def _head(self) -> QHBoxLayout:
        names = QVBoxLayout()
        names.setSpacing(2)
        names.addWidget(self.title)
        names.addWidget(self.summary)
        row = QHBoxLayout()
        row.setContentsMargins(SPACE, 0, 2 * SPACE, 0)
        row.setSpacing(SPACE)
        row.addLayout(names, 1)
        row.addWidget(self.use, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(self.more, 0, Qt.AlignmentFlag.AlignTop)
        return row

    def _pictures(self) -> QWidget:
        row = QHBoxLayout()
        row.setSpacing(SPACE)
        row.addWidget(self.draw)
        row.addWidget(self.cancel)
        row.addWidget(self.said, 1)
        whole = QWidget()
        column = QVBoxLayout(whole)
        column.setContentsMargins(SPACE, 0, SPACE, 0)
        column.setSpacing(SPACE)
        column.addWidget(self.samples, 1)
        column.addLayout(row)
        return whole
