"""The Compare page: one x_T under many settings, side by side."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, ClassVar

from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QMenu, QWidget

from ddim_studio.diffusion.settings import SettingsError
from ddim_studio.gui.comparison_record import ComparisonRecord
from ddim_studio.gui.image_source import ImageSource
from ddim_studio.gui.pages.compare_panel import ComparePanel
from ddim_studio.gui.pages.compare_readout import CompareReadout
from ddim_studio.gui.pages.compare_saving import CompareSaving
from ddim_studio.gui.pages.compare_view import CompareView
from ddim_studio.gui.pages.page import Page
from ddim_studio.gui.pages.page_layout import beside, with_readout
from ddim_studio.gui.pages.sample import PANEL_WIDTH
from ddim_studio.gui.pages.send_menu import add_sends
from ddim_studio.jobs.comparison import ScoreOrder
from ddim_studio.jobs.comparison_events import CellDone, CellFailed, Scored
from ddim_studio.jobs.events import Ended, ModelOpened, Notice
from ddim_studio.jobs.matrix import CompareRun

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from PySide6.QtGui import QKeyEvent

    from ddim_studio.gui.model_choice import ModelChoice
    from ddim_studio.jobs.events import Event
    from ddim_studio.jobs.matrix import Place
    from ddim_studio.models.info import ModelInfo


class ComparePage(Page):
    """Settings left; the matrix, a cell or two in the middle; numbers right; timeline below."""

    title: ClassVar[str] = "Compare"
    icon_name: ClassVar[str] = "compare"

    def __init__(self, recent_models: Sequence[str] = (), parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("comparePage")
        self.setAccessibleName("Compare")
        self._asked: CompareRun | None = None
        self._shape: tuple[int, int, int] | None = None
        # What is being measured: of which matrix, and against which of its cells.
        self._measuring: deque[tuple[ComparisonRecord, Place]] = deque()
        self.panel = ComparePanel(recent_models)
        self.panel.setFixedWidth(PANEL_WIDTH)
        self.view = CompareView()
        self.readout = CompareReadout()
        self.saving = CompareSaving(self.view, self)
        beside(self, self.panel, with_readout(self.view, self.readout, self.view.timeline))
        self._connect()

    # --- the run -----------------------------------------------------------------------------

    def begin(self) -> None:
        """The run was accepted: the last matrix makes room."""
        if self._asked is None:
            return
        self.panel.set_running(running=True)
        self.view.set_record(ComparisonRecord(self._asked), self._shape)
        self.view.bar.set_view("matrix")
        self._show_numbers()

    def receive(self, events: Sequence[Event]) -> None:
        """Keep everything, draw the cells that changed."""
        record = self.view.record
        changed: set[Place] = set()
        complete = False
        for event in events:
            place = None if record is None else record.take(event)
            if place is not None:
                changed.add(place)
            complete = complete or isinstance(event, CellDone | CellFailed)
            if isinstance(event, ModelOpened) and event.info.source == self.panel.model.source():
                self.show_model(event.info, event.device)
            elif isinstance(event, Notice):
                self.said.emit(event.text)
        if changed:
            self.view.refresh(changed)
        if complete:
            self._show_numbers()
            self._score()
        elif self.view.place() in changed:
            self.readout.show_cell(record, self.view.place(), self.view.image())

    def end(self, ended: Ended) -> None:
        """The run is over; complete cells stay, and so does what others have."""
        self.panel.set_running(running=False)
        if self.view.record is not None:
            self.view.record.end()
            self._show()
            self._score()
        if ended.failure is not None:
            self.problem.emit(ended.failure)

    # --- likeness ----------------------------------------------------------------------------

    def receive_live(self, events: Sequence[Event]) -> None:
        """Scores have arrived, those of the oldest order first."""
        for event in events:
            if isinstance(event, Scored):
                record, _ = self._measuring[0]
                if record is self.view.record and record.take_scores(event):
                    self._show()
            elif isinstance(event, Notice):
                self.said.emit(event.text)
            elif isinstance(event, Ended):
                self._measuring.popleft()
                if event.outcome == "finished":
                    self._score()  # what was completed meanwhile

    def _score(self) -> None:
        """Have the cells measured that are complete and were not measured yet."""
        record = self.view.record
        if record is None or (record, record.reference) in self._measuring:
            return
        images = record.unscored()
        if images:
            self._measuring.append((record, record.reference))
            self.side_requested.emit(ScoreOrder(record.reference, images))

    def make_reference(self, place: Place) -> None:
        """Measure every cell against this one."""
        record = self.view.record
        if record is None or record.cells[place].state == "failed":
            return
        record.choose(place)
        self._show()
        self._score()

    # --- what it shows -----------------------------------------------------------------------

    def _show(self) -> None:
        self.view.refresh()
        self._show_numbers()

    def _show_numbers(self) -> None:
        self.readout.show_record(self.view.record, self.view.place(), self.view.image())

    def _choose_metric(self, metric: str) -> None:
        self.view.set_metric(metric)
        self._show_numbers()

    # --- what the user does ------------------------------------------------------------------

    def ask_to_run(self) -> None:
        """Run what the fields say, or mark the field that is wrong."""
        if not self.panel.run_button.isEnabled():
            return
        if not self.panel.seed.is_locked():
            self.panel.seed.roll()
        try:
            self._asked = self.panel.settings()
        except SettingsError:
            return
        self.run_requested.emit(self._asked)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Home, End, Space, and arrows outside the matrix, belong to the timeline."""
        if not self.view.handle_key(event):
            super().keyPressEvent(event)

    def _offer_cell(self, point: QPoint, place: Place | None) -> None:
        """A menu of what can be done with a cell."""
        if place is None or self.view.record is None:
            return
        menu = self._menu()
        matrix = self.view.matrix
        menu.addAction("Open its trajectory").triggered.connect(lambda: self.view.open(place))
        reference = menu.addAction("Make it the reference")
        reference.triggered.connect(lambda: self.make_reference(place))
        reference.setEnabled(place != self.view.record.reference)
        pair = menu.addAction("Beside the selected cell")
        pair.triggered.connect(lambda: self._put_beside(place))
        pair.setEnabled(place != matrix.scene.selected)
        menu.addSeparator()
        menu.addAction("Take its settings to the Sample page").triggered.connect(
            lambda: self._send_settings(place)
        )
        menu.popup(point)

    def _offer_image(self, point: QPoint, tile: int, place: Place | None) -> None:
        """A menu of what can be done with an image of a cell."""
        record = self.view.record
        pixels = None if place is None else self.view.cell_pixels(place)
        if tile < 0 or record is None or place is None or pixels is None:
            return
        seed = record.cells[place].seeds[tile]
        source = ImageSource(f"{record.label(place)}, seed {seed}", pixels[tile].copy())
        menu = self._menu()
        add_sends(menu, source, self.sent)
        menu.popup(point)

    def _menu(self) -> QMenu:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        return menu

    def _put_beside(self, place: Place) -> None:
        self.view.matrix.set_partner(place)
        self.view.bar.set_view("pair")

    def _send_settings(self, place: Place) -> None:
        if self.view.record is not None:
            self.settings_sent.emit(self.view.record.cells[place].run)

    # --- what the window asks ----------------------------------------------------------------

    def slow_parts(self) -> list[Callable[[], None]]:
        """The plots."""
        return self.readout.slow_parts()

    def model(self) -> ModelChoice:
        """Where the model is chosen."""
        return self.panel.model

    def show_model(self, info: ModelInfo, device: str) -> None:
        """Fit the fields to the opened model."""
        self.panel.show_model(info, device)
        self._shape = info.image_shape

    def memory(self) -> dict[str, Any] | None:
        """The settings in the fields, if they are in order."""
        try:
            return {"run": self.panel.settings().to_dict(), "metric": self.readout.chosen_metric()}
        except SettingsError:
            return None

    def recall(self, values: dict[str, Any]) -> None:
        """Fill the fields."""
        run = values.get("run")
        if not isinstance(run, dict):
            raise SettingsError("settings", "These are not the settings of a matrix.")
        self.panel.set_settings(CompareRun.from_dict(run))
        self.readout.set_metric(str(values.get("metric", "")))

    def _connect(self) -> None:
        self.panel.run_clicked.connect(self.ask_to_run)
        self.panel.cancel_clicked.connect(self.cancel_requested)
        self.panel.model.chosen.connect(lambda _source, _device: self.ask_for_model())
        self.saving.file_requested.connect(self.file_requested)
        view, readout = self.view, self.readout
        view.selected.connect(lambda _place: self._show_numbers())
        view.image_selected.connect(
            lambda image: readout.show_cell(view.record, view.place(), image)
        )
        view.matrix.reference_wanted.connect(self.make_reference)
        view.matrix.menu_requested.connect(self._offer_cell)
        view.cell.frames.menu_requested.connect(
            lambda point, tile: self._offer_image(point, tile, view.place())
        )
        view.pair.menu_requested.connect(
            lambda number, point, tile: self._offer_image(
                point, tile, view.second() if number else view.place()
            )
        )
        readout.metric_chosen.connect(self._choose_metric)
        readout.reference_wanted.connect(lambda: self.make_reference(view.place()))
        readout.settings_wanted.connect(lambda: self._send_settings(view.place()))
        readout.place_chosen.connect(view.matrix.set_selected)
