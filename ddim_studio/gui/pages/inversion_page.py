"""What the Invert and Interpolate pages have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QStackedWidget, QWidget

from ddim_studio.gui.model_mark import ModelMark, size_note, under_mark
from ddim_studio.gui.pages.page import Page
from ddim_studio.gui.pages.page_layout import beside, with_readout
from ddim_studio.gui.pages.sample import PANEL_WIDTH
from ddim_studio.gui.pages.watch_view import WatchView
from ddim_studio.jobs.events import Frame, ModelOpened, Notice, Started
from ddim_studio.jobs.orders import CurveOrder, GridOrder, InvertOrder, WatchOrder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtGui import QKeyEvent

    from ddim_studio.gui.model_choice import ModelChoice
    from ddim_studio.gui.model_mark import Shape
    from ddim_studio.gui.pages.inversion_panel import InversionPanel
    from ddim_studio.jobs.events import Event
    from ddim_studio.jobs.inversion_events import Inverted
    from ddim_studio.models.info import ModelInfo

Order = InvertOrder | CurveOrder | GridOrder | WatchOrder


class InversionPage(Page):
    """A panel of settings at the left; the page's own view, or a denoising, beside it.

    Args:
        title: The page's accessible name.
        panel: The settings.
        parent: Qt's owner.

    Attributes:
        order: What was asked for last and is not over yet, or None.
        inverted: The last complete inversion that still holds: its order and its result.
    """

    def __init__(self, title: str, panel: InversionPanel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(title)
        self.order: Order | None = None
        self.inverted: tuple[InvertOrder, Inverted] | None = None
        self.panel = panel
        self.panel.setFixedWidth(PANEL_WIDTH)
        self._fitted: Shape | None = None
        self._wanted: Shape | None = None
        self.mark = ModelMark()
        self.mark.follow(panel.model)
        self.watching = WatchView()
        self._stack = QStackedWidget()
        panel.cancel_clicked.connect(self.cancel_requested)
        panel.model.chosen.connect(lambda _source, _device: self._model_chosen())
        self.watching.left.connect(self._leave_watching)

    def model(self) -> ModelChoice:
        """Where the model is chosen."""
        return self.panel.model

    def show_model(self, info: ModelInfo, device: str) -> None:
        """The chosen model is open: images are fitted to it, once nothing of another is on show."""
        self.panel.show_model(info, device)
        self._wanted = info.image_shape
        self._settle()

    def fit_to(self, image_shape: Shape) -> None:
        """Fit images to a model's, (C, H, W)."""
        raise NotImplementedError

    def is_watching(self) -> bool:
        """Whether a denoising is on show."""
        return self._stack.currentWidget() is self.watching

    def settings_json(self) -> str | None:
        """The settings of the inversion on show, as JSON; None if there is none."""
        return None if self.inverted is None else self.inverted[0].run.to_json()

    def receive(self, events: Sequence[Event]) -> None:
        """What all orders may tell."""
        frames = [event for event in events if isinstance(event, Frame | Started)]
        if frames and isinstance(self.order, WatchOrder):
            self.watching.receive(frames)
        for event in events:
            if isinstance(event, ModelOpened):
                if self._made_with() == self.panel.model.source():
                    self.show_model(event.info, event.device)
            elif isinstance(event, Notice):
                self.said.emit(event.text)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """While watching, the keys of its timeline."""
        stage = self.watching.stage
        if not (self.is_watching() and stage is not None and stage.handle_key(event)):
            super().keyPressEvent(event)

    def _forget_result(self) -> None:
        """Show no inversion any more."""
        raise NotImplementedError

    def _settle(self) -> None:
        """Fit the images to the model chosen, unless they are those of what is on show."""
        if self._wanted not in {None, self._fitted} and self._made_with() is None:
            self._fitted = self._wanted
            self.fit_to(self._wanted)
        self._refresh_mark()

    def _make_room(self) -> None:
        """Before a new order: give up what is on show where the model takes other images."""
        if self._wanted != self._fitted:
            self._forget_result()

    def _made_with(self) -> str | None:
        """The model of what is on show or under way, or None where nothing is."""
        held = self.order if self.inverted is None else self.inverted[0]
        return None if held is None else held.run.model

    def _refresh_mark(self) -> None:
        note = ""
        if self._fitted is not None and self._wanted is not None:
            note = size_note(self._fitted, self._wanted, self.panel.run_button.text())
        self.mark.show_for(self._made_with(), self.panel.model.source(), note)

    def _model_chosen(self) -> None:
        self._refresh_mark()
        self.ask_for_model()

    def _ask(self, order: Order) -> None:
        """Emit an order, unless one is still under way."""
        if self.order is None:
            self.order = order
            self.run_requested.emit(order)

    def _watch(self, title: str, order: WatchOrder) -> None:
        """The denoising was accepted: show it."""
        self.watching.begin(title, order.run)
        self._stack.setCurrentWidget(self.watching)

    def _leave_watching(self) -> None:
        if isinstance(self.order, WatchOrder):
            self.cancel_requested.emit()
        self._stack.setCurrentIndex(0)

    def _lay_out(self, view: QWidget, readout: QWidget, foot: QWidget | None = None) -> None:
        self._stack.addWidget(with_readout(view, readout, foot))
        self._stack.addWidget(self.watching)
        beside(self, self.panel, under_mark(self.mark, self._stack))
