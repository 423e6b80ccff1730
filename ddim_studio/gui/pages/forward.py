"""The Forward page: where x_T comes from, the kernels that lead back, and what the bound says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QMenu, QWidget

from ddim_studio.diffusion.settings import SettingsError
from ddim_studio.gui.forward_record import ForwardRecord
from ddim_studio.gui.image_source import ImageSource, can_take, sources_in
from ddim_studio.gui.model_mark import ModelMark, size_note, under_mark
from ddim_studio.gui.pages.ends import Ends
from ddim_studio.gui.pages.forward_panel import ForwardPanel
from ddim_studio.gui.pages.forward_readout import ForwardReadout
from ddim_studio.gui.pages.forward_saving import ForwardSaving
from ddim_studio.gui.pages.forward_view import ForwardView
from ddim_studio.gui.pages.page import Page
from ddim_studio.gui.pages.page_layout import beside, with_readout
from ddim_studio.gui.pages.sample import PANEL_WIDTH
from ddim_studio.gui.pages.send_menu import add_sends
from ddim_studio.jobs.events import ModelOpened, Notice
from ddim_studio.jobs.forward_events import (
    BoundMeasured,
    BoundRun,
    ForwardFrame,
    ForwardOrder,
    ForwardStarted,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from PySide6.QtCore import QPoint
    from PySide6.QtGui import QDragEnterEvent, QDropEvent, QKeyEvent

    from ddim_studio.gui.model_choice import ModelChoice
    from ddim_studio.gui.model_mark import Shape
    from ddim_studio.jobs.events import Ended, Event
    from ddim_studio.models.info import ModelInfo


class ForwardPage(Page):
    """Settings left; pictures, equation and timeline in the middle; numbers and plots right."""

    title: ClassVar[str] = "Forward"
    icon_name: ClassVar[str] = "forward"

    def __init__(self, recent_models: Sequence[str] = (), parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("forwardPage")
        self.setAccessibleName("Forward")
        self.setAcceptDrops(True)
        self._order: ForwardOrder | BoundRun | None = None
        self._once_settled = False
        self._wanted: Shape | None = None
        self.panel = ForwardPanel(recent_models)
        self.panel.setFixedWidth(PANEL_WIDTH)
        self.images = Ends([self.panel.slot], self.panel.fit, self)
        self.view = ForwardView()
        self.readout = ForwardReadout()
        self.saving = ForwardSaving(self.view, lambda: self.readout.bound.measured, self)
        self.mark = ModelMark()
        self.mark.follow(self.panel.model)
        middle = with_readout(self.view, self.readout, self.view.timeline)
        beside(self, self.panel, under_mark(self.mark, middle))
        self._connect()

    # --- what others call --------------------------------------------------------------------

    def give(self, source: ImageSource) -> None:
        """Take an image, as if it had been dropped here."""
        self.panel.slot.take(source)

    def model(self) -> ModelChoice:
        """Where the model is chosen."""
        return self.panel.model

    def show_model(self, info: ModelInfo, device: str) -> None:
        """The chosen model is open: the image is fitted to it."""
        self.panel.show_model(info, device)
        self._wanted = info.image_shape
        self.images.set_shape(info.image_shape)
        self._refresh_mark()

    def slow_parts(self) -> list[Callable[[], None]]:
        """The plots."""
        return self.readout.slow_parts()

    def memory(self) -> dict[str, Any] | None:
        """What is in the fields."""
        return self.panel.memory()

    def recall(self, values: dict[str, Any]) -> None:
        """Fill the fields."""
        self.panel.recall(values)

    def begin(self) -> None:
        """The order was accepted."""
        self.panel.set_running(running=True)
        if isinstance(self._order, ForwardOrder):
            record = ForwardRecord(self._order)
            self.readout.show_record(record)
            self.view.show_record(record)
            self._refresh_mark()
        elif isinstance(self._order, BoundRun):
            self.readout.bound.clear()
            self.readout.tabs.setCurrentIndex(self.readout.tabs.count() - 1)

    def receive(self, events: Sequence[Event]) -> None:
        """Keep every frame and the newest estimate, and draw once."""
        self._receive_frames(events)
        estimates = [event for event in events if isinstance(event, BoundMeasured)]
        if estimates:
            self.readout.bound.show_measured(estimates[-1])
        for event in events:
            if isinstance(event, ModelOpened):
                self._opened(event)
            elif isinstance(event, Notice):
                self.said.emit(event.text)

    def end(self, ended: Ended) -> None:
        """The order is done, or not; what there is stays."""
        order, self._order = self._order, None
        self.panel.set_running(running=False)
        if isinstance(order, BoundRun):
            self.readout.bound.finish(ended.outcome == "finished")
        elif self.view.record is not None and not self.view.record.times:
            self.view.show_record(None)
            self.readout.show_record(None)
        else:
            self.view.finish()
        self._refresh_mark()
        if ended.failure is not None:
            self.problem.emit(ended.failure)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Ctrl+V gives an image; the timeline's keys work wherever the focus is."""
        if event.matches(QKeySequence.StandardKey.Paste):
            self.panel.slot.menu.paste()
        elif not self.view.handle_key(event):
            super().keyPressEvent(event)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take an image anywhere on the page."""
        if can_take(event.mimeData()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Take the first image of what was dropped."""
        found = sources_in(event.mimeData())
        if found:
            event.acceptProposedAction()
            self.give(found[0])

    # --- what the user does ------------------------------------------------------------------

    def ask_to_run(self) -> None:
        """Bring the image to noise."""
        self._once_settled = False
        try:
            run = self.panel.settings()
        except SettingsError:
            return
        if self.images.complain_of_gaps(1):
            return
        if self.images.is_busy():
            self._once_settled = True
            return
        found = self.images.inputs(1)
        if found:
            self._ask(ForwardOrder(run, found[0]))

    def ask_for_bound(self) -> None:
        """Measure the bound."""
        try:
            run = self.panel.bound_settings()
        except SettingsError:
            return
        self._ask(run)

    def _ask(self, order: ForwardOrder | BoundRun) -> None:
        if self._order is None:
            self._order = order
            self.run_requested.emit(order)

    def _settled(self) -> None:
        if self._once_settled:
            self.ask_to_run()

    def _offer(self, place: QPoint, tile: int) -> None:
        """A menu of where a picture can go."""
        pixels, record = self.view.shown(), self.view.record
        if tile < 0 or pixels is None or record is None:
            return
        t = record.times[self.view.timeline.position()]
        name = self.view.captions()[tile]
        label = name if self.view.bar.view() == "strip" else f"{name}, t = {t}"
        menu = QMenu(self)
        menu.setObjectName("forwardSendMenu")
        add_sends(menu, ImageSource(label, pixels[tile].copy()), self.sent)
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(place)

    def _go_to_time(self, t: int) -> None:
        """Show the timestep nearest to t."""
        record = self.view.record
        if record is not None and record.times:
            near = min(range(len(record.times)), key=lambda index: abs(record.times[index] - t))
            self.view.go_to(near)

    # --- inside ------------------------------------------------------------------------------

    def _receive_frames(self, events: Sequence[Event]) -> None:
        record = self.view.record
        if record is None or not isinstance(self._order, ForwardOrder):
            return
        before = len(record.times)
        for event in events:
            if isinstance(event, ForwardFrame):
                record.add(event)
            elif isinstance(event, ForwardStarted):
                record.started = event
                self.readout.announce()
                self.view.announce()
        if len(record.times) > before:
            self.readout.refresh()
            self.view.refresh()

    def _opened(self, event: ModelOpened) -> None:
        order = self._order
        run = order.run if isinstance(order, ForwardOrder) else order
        if run is not None and run.model == self.panel.model.source():
            self.show_model(event.info, event.device)

    def _refresh_mark(self) -> None:
        record, note, made_with = self.view.record, "", None
        if record is not None:
            made_with = record.order.run.model
            if record.started is not None and self._wanted is not None:
                height, width, channels = record.started.image.shape
                action = self.panel.run_button.text()
                note = size_note((channels, height, width), self._wanted, action)
        self.mark.show_for(made_with, self.panel.model.source(), note)

    def _model_chosen(self) -> None:
        self._refresh_mark()
        self.ask_for_model()

    def _connect(self) -> None:
        self.panel.run_clicked.connect(self.ask_to_run)
        self.panel.bound_clicked.connect(self.ask_for_bound)
        self.panel.cancel_clicked.connect(self.cancel_requested)
        self.panel.model.chosen.connect(lambda _source, _device: self._model_chosen())
        self.images.file_requested.connect(self.file_requested)
        self.images.settled.connect(self._settled)
        self.saving.file_requested.connect(self.file_requested)
        self.view.frame_shown.connect(self.readout.show_frame)
        self.view.frames.menu_requested.connect(self._offer)
        self.readout.time_chosen.connect(self._go_to_time)
