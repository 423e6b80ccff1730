"""The Train page: from a set of images to a model, in a process of its own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMenu, QWidget

from ddim_studio.diffusion.settings import SettingsError
from ddim_studio.gui.cards import scrolled
from ddim_studio.gui.drops import dropped_path
from ddim_studio.gui.image_source import ImageSource
from ddim_studio.gui.pages.page import Page
from ddim_studio.gui.pages.page_layout import beside, with_readout
from ddim_studio.gui.pages.sample import PANEL_WIDTH
from ddim_studio.gui.pages.send_menu import add_sends
from ddim_studio.gui.pages.train_panel import TrainPanel
from ddim_studio.gui.pages.train_readout import TrainReadout
from ddim_studio.gui.pages.train_view import TrainView
from ddim_studio.gui.training_desk import TrainingDesk
from ddim_studio.gui.training_plans import is_run, may_be_images
from ddim_studio.gui.training_record import TrainingRecord
from ddim_studio.gui.training_runs import RunShelf, RunState
from ddim_studio.jobs.events import Failure
from ddim_studio.jobs.training_events import ChildEnded, LogRead, NoImages, Surveyed
from ddim_studio.jobs.training_survey import SurveyOrder

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from PySide6.QtCore import QPoint
    from PySide6.QtGui import QDragEnterEvent, QDropEvent, QKeyEvent

    from ddim_studio.jobs.events import Ended, Event

ONE_AT_A_TIME = "One run trains at a time: stop it, or wait for its end."
NO_RUN = "There is no run of training in {}: choose the folder of a model that was trained here."


class TrainPage(Page):
    """Images and settings left, samples and loss in the middle, numbers and runs right."""

    title: ClassVar[str] = "Train"
    icon_name: ClassVar[str] = "train"

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("trainPage")
        self.setAccessibleName("Train")
        self.setAcceptDrops(True)
        self.record: TrainingRecord | None = None
        self.state = RunState()
        self.shelf = RunShelf()
        self.desk = TrainingDesk(self)
        self._wanted = ""
        self.panel = TrainPanel()
        self.panel.setFixedWidth(PANEL_WIDTH)
        self.view = TrainView()
        self.readout = TrainReadout()
        beside(
            self, self.panel, with_readout(self.view, scrolled(self.readout), self.view.timeline)
        )
        self._connect()
        self._refresh()

    # --- what others call --------------------------------------------------------------------

    def take_path(self, path: Path) -> None:
        """Take what was dropped: the folder of a run, or images to train on."""
        if self.desk.is_training():
            self.said.emit(ONE_AT_A_TIME)
        elif is_run(path):
            self.show_run(path)
        else:
            self.new_run()
            self.panel.set_path(path)
            self.survey(path)

    def survey(self, path: Path) -> None:
        """Look at images, in the thread of files."""
        self._wanted = str(path)
        self.panel.data.show_reading()
        self.view.show_sheet(None)
        self.view.set_view("images")
        self.side_requested.emit(SurveyOrder(path))

    def show_run(self, folder: Path) -> None:
        """Show a run that nobody continues at the moment, and offer to go on with it."""
        if self.desk.is_training():
            self.said.emit(ONE_AT_A_TIME)
            return
        if not is_run(folder):
            self.shelf.forget(folder)
            self.problem.emit(Failure(NO_RUN.format(folder.name)))
            self._list_runs()
            return
        self.shelf.add(folder)
        self.record, self.state = TrainingRecord(folder), RunState()
        self.view.show_sheet(None)
        self.panel.clear_errors()
        self.view.show_record(self.record)
        self.view.set_view("samples")
        self.desk.look(folder)
        self._refresh()

    def new_run(self) -> None:
        """Leave the run on show, and let the fields be those of a new one."""
        self.record, self.state = None, RunState()
        self.panel.show_run(None)
        self.view.show_record(None)
        self._refresh()

    def close_down(self) -> None:
        """The window is closing: stop the run, which keeps its checkpoint and its model."""
        self.desk.close()

    # --- what the user does ------------------------------------------------------------------

    def ask_to_start(self) -> None:
        """Train what the fields say, or mark the field that is wrong."""
        if self.desk.is_training():
            self.said.emit(ONE_AT_A_TIME)
            return
        try:
            order = self.panel.order()
        except SettingsError:
            return
        before = self.record
        self.shelf.add(order.folder)
        self.record = TrainingRecord(order.folder)
        if before is not None and order.resume:
            self.record.sheets, self.record.kept = dict(before.sheets), before.kept
        self.state = RunState.starting(order)
        self.view.show_record(self.record)
        self.view.set_view("samples")
        self.desk.start(order)
        self._refresh()
        self._list_runs()

    def ask_to_pause(self) -> None:
        """Have the run wait, or go on."""
        self.state.wants_pause = not self.state.wants_pause
        self.desk.set_paused(self.state.wants_pause)
        self._refresh()

    def ask_to_stop(self) -> None:
        """Have the run end."""
        self.state.wants_stop = True
        self.desk.stop()
        self._refresh()

    def ask_to_use(self) -> None:
        """Set every page to the model of the run on show."""
        if self.record is not None and self.record.kept:
            self.use_requested.emit(str(self.record.folder), "")

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take a folder or an archive; what is no set of images is the window's."""
        path = dropped_path(event.mimeData())
        if path is not None and may_be_images(path):
            event.acceptProposedAction()
        else:
            event.ignore()

    def dropEvent(self, event: QDropEvent) -> None:
        """Take images, or the folder of a run."""
        path = dropped_path(event.mimeData())
        if path is not None:
            event.acceptProposedAction()
            self.take_path(path)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrows, Home, End and Space belong to the timeline wherever the focus is."""
        if not self.view.handle_key(event):
            super().keyPressEvent(event)

    # --- what arrives ------------------------------------------------------------------------

    def receive_live(self, events: Sequence[Event]) -> None:
        """What is known of the images that were chosen."""
        for event in events:
            if isinstance(event, Surveyed) and event.path == self._wanted:
                if event.path == self.panel.data.path():
                    self.panel.show_survey(event)
                self.view.show_sheet(event.sheet)
            elif isinstance(event, NoImages) and event.path == self._wanted:
                self.panel.data.show_problem(event.reason)

    def _receive(self, events: Sequence[Event]) -> None:
        """What is new in the folder of the run on show."""
        record = self.record
        if record is None:
            return
        fresh = False
        for event in events:
            record.add(event)
            fresh = fresh or not isinstance(event, self.state.QUIET)
            if isinstance(event, LogRead):
                self.state.read(event)
            elif isinstance(event, ChildEnded):
                self.state.end(event)
                if event.failure is not None:
                    self.problem.emit(event.failure)
        if fresh:
            self.view.refresh()
            self._refresh()

    def _ended(self, ended: Ended) -> None:
        """The run is over, or what there was of one was read."""
        if ended.failure is not None:
            self.state.fail(ended.failure)
            self.problem.emit(ended.failure)
        if self.record is not None and self.record.settings is not None:
            self.panel.show_run(self.record)
        self._refresh()
        self._list_runs()

    # --- what it shows -----------------------------------------------------------------------

    def _refresh(self) -> None:
        live = self.desk.is_training()
        self.readout.show_state(*self.state.said(self.record))
        self.readout.problem.say(self.state.problem, "error")
        self.readout.show_record(self.record)
        self.readout.set_running(running=live)
        self.panel.set_state(running=live, paused=self.state.wants_pause)
        self.panel.stop.setEnabled(live and not self.state.wants_stop)
        self.panel.pause.setEnabled(live and not self.state.wants_stop)

    def _list_runs(self) -> None:
        shown = None if self.record is None else self.record.folder
        live = shown if self.desk.is_training() else None
        self.readout.show_runs(self.shelf.states(live), shown)

    def _offer(self, place: QPoint, tile: int) -> None:
        """A menu of what can be done with an image."""
        pixels = self.view.shown()
        if tile < 0 or pixels is None:
            return
        images = self.view.bar.view() == "images"
        name = "training image" if images else f"sample of step {self.view.shown_step()}"
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        add_sends(menu, ImageSource(name, pixels[tile].copy()), self.sent)
        menu.popup(place)

    # --- what it remembers -------------------------------------------------------------------

    def slow_parts(self) -> list[Callable[[], None]]:
        """The plots; then the last run can be read, or the last images looked at."""
        return [*self.view.plot.slow_parts(), self._get_ready]

    def memory(self) -> dict[str, Any] | None:
        """The fields, and the runs."""
        try:
            values = self.panel.memory()
        except SettingsError:
            values = {}
        return {"settings": values, "runs": self.shelf.memory()}

    def recall(self, values: dict[str, Any]) -> None:
        """Take the fields and the runs of the last start."""
        self.shelf.recall(values.get("runs"))
        settings = values.get("settings")
        if isinstance(settings, dict):
            self.panel.recall(settings)

    def _get_ready(self) -> None:
        self._list_runs()
        unfinished = self.shelf.unfinished()
        if unfinished is not None and self.record is None:
            self.show_run(unfinished)

    def _connect(self) -> None:
        self.desk.received.connect(self._receive)
        self.desk.ended.connect(self._ended)
        self.panel.data.path_given.connect(self.take_path)
        self.panel.data.stop_clicked.connect(self._stop_looking)
        self.panel.start_clicked.connect(self.ask_to_start)
        self.panel.pause_clicked.connect(self.ask_to_pause)
        self.panel.stop_clicked.connect(self.ask_to_stop)
        self.panel.new_clicked.connect(self.new_run)
        self.readout.use_clicked.connect(self.ask_to_use)
        self.readout.run_chosen.connect(self.show_run)
        self.view.frames.menu_requested.connect(self._offer)
        self.view.sheet_wanted.connect(self._look_at_images)

    def _look_at_images(self) -> None:
        """Show the images of the run on show."""
        settings = None if self.record is None else self.record.settings
        if settings is not None:
            self._wanted = settings.data
            self.side_requested.emit(SurveyOrder(Path(settings.data)))

    def _stop_looking(self) -> None:
        self._wanted = ""
        self.panel.data.show_stopped()
        self.side_requested.emit(SurveyOrder(None))
