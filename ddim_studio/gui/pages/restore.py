"""The Restore page: bring back what was lost, with a model that never learned to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QFileDialog, QMenu, QPushButton, QWidget

from ddim_studio.diffusion.settings import SettingsError
from ddim_studio.gui.drops import dropped_path, run_in
from ddim_studio.gui.image_source import FILE_FILTER, ImageSource, can_take, sources_in
from ddim_studio.gui.mask_presets import read_mask
from ddim_studio.gui.model_mark import ModelMark, under_mark
from ddim_studio.gui.pages.page import Page
from ddim_studio.gui.pages.page_layout import beside, with_readout
from ddim_studio.gui.pages.restore_display import RestoreDisplay
from ddim_studio.gui.pages.restore_image import RestoreImage
from ddim_studio.gui.pages.restore_panel import RestorePanel
from ddim_studio.gui.pages.restore_readout import RestoreReadout
from ddim_studio.gui.pages.restore_saving import RestoreSaving
from ddim_studio.gui.pages.restore_view import RestoreView
from ddim_studio.gui.pages.sample import PANEL_WIDTH
from ddim_studio.gui.pages.send_menu import add_sends
from ddim_studio.gui.theme import set_icon
from ddim_studio.imaging.errors import ImageError
from ddim_studio.jobs.events import ModelOpened, Notice
from ddim_studio.jobs.restore_order import RestoreOrder, RestoreRun
from ddim_studio.jobs.runs import SampleRun

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from PySide6.QtCore import QPoint
    from PySide6.QtGui import QDragEnterEvent, QDropEvent, QKeyEvent

    from ddim_studio.gui.model_choice import ModelChoice
    from ddim_studio.jobs.events import Ended, Event
    from ddim_studio.models.info import ModelInfo

_EMPTY_MASK = "Paint what is to be filled first, or take a ready-made mask from the menu."
_FULL_MASK = "The mask leaves no pixel to go by: erase some of it, so that something is known."


class RestorePage(Page):
    """Settings left; mask, answers and timeline in the middle; numbers and equations right."""

    title: ClassVar[str] = "Restore"
    icon_name: ClassVar[str] = "restore"

    def __init__(self, recent_models: Sequence[str] = (), parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("restorePage")
        self.setAccessibleName("Restore")
        self.setAcceptDrops(True)
        self._asked: RestoreOrder | SampleRun | None = None
        self._once_settled: Callable[[], None] | None = None
        self.panel = RestorePanel(recent_models)
        self.panel.setFixedWidth(PANEL_WIDTH)
        self.view = RestoreView()
        self.readout = RestoreReadout()
        self.display = RestoreDisplay(self.view, self.readout, self)
        self.image = RestoreImage(self.panel, self)
        self.saving = RestoreSaving(self.view, self)
        self.mark = ModelMark()
        self.mark.follow(self.panel.model)
        self._add_button()
        whole = with_readout(self.view, self.readout, self.view.timeline)
        beside(self, self.panel, under_mark(self.mark, whole))
        self._connect()
        self._measurement_changed()

    # --- what others call --------------------------------------------------------------------

    def give(self, source: ImageSource) -> None:
        """Take an image, as if it had been dropped here."""
        self.panel.slot.take(source)

    def take(self, run: RestoreRun) -> None:
        """Take the settings of a run; its image and its mask are not among them."""
        self.panel.set_settings(run)
        self._measurement_changed()

    def model(self) -> ModelChoice:
        """Where the model is chosen."""
        return self.panel.model

    def show_model(self, info: ModelInfo, device: str) -> None:
        """The chosen model is open: the image is fitted to it."""
        self.panel.show_model(info, device)
        self._measurement_changed()

    def slow_parts(self) -> list[Callable[[], None]]:
        """The plot."""
        return self.readout.slow_parts()

    def memory(self) -> dict[str, Any] | None:
        """The settings in the fields, if they are in order."""
        run = self.panel.peek()
        return None if run is None else run.to_dict()

    def recall(self, values: dict[str, Any]) -> None:
        """Fill the fields."""
        self.take(RestoreRun.from_dict(values))

    def begin(self) -> None:
        """The order was accepted: a restoration makes room for itself."""
        self._set_running(running=True)
        if isinstance(self._asked, RestoreOrder):
            self.display.begin(self._asked)
            self._refresh_mark()

    def receive(self, events: Sequence[Event]) -> None:
        """Keep every frame, draw the newest."""
        for event in events:
            if isinstance(event, ModelOpened):
                if self._made_with() == self.panel.model.source():
                    self.show_model(event.info, event.device)
            elif isinstance(event, Notice):
                self.said.emit(event.text)
        if isinstance(self._asked, RestoreOrder):
            self.display.receive(events)
        else:
            self.image.receive(events)

    def end(self, ended: Ended) -> None:
        """The order is done, or not; the frames that there are stay."""
        order, self._asked = self._asked, None
        self._set_running(running=False)
        if isinstance(order, RestoreOrder):
            self.display.end(complete=ended.outcome == "finished")
            self._refresh_mark()
            self._explain()
        else:
            self.image.end(complete=ended.outcome == "finished")
        if ended.failure is not None:
            self.problem.emit(ended.failure)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Ctrl+V takes an image; the keys of the mask or of the timeline work wherever one is."""
        if event.matches(QKeySequence.StandardKey.Paste):
            self.panel.slot.menu.paste()
        elif not self.view.handle_key(event):
            super().keyPressEvent(event)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take images anywhere on the page."""
        if can_take(event.mimeData()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """A picture that was restored here brings its settings back; any other one is taken."""
        found = sources_in(event.mimeData())
        if not found:
            return
        event.acceptProposedAction()
        run = _restored_here(dropped_path(event.mimeData()))
        if run is None:
            self.give(found[0])
        else:
            self.settings_sent.emit(run)

    # --- what the user does ------------------------------------------------------------------

    def ask_to_run(self) -> None:
        """Restore what is in the slot, or say what is missing where it is."""
        if not self.panel.seed.is_locked():
            self.panel.seed.roll()
        self._once_settled = None
        try:
            run = self.panel.settings()
        except SettingsError:
            return
        if self.image.is_busy():
            self._once_settled = self.ask_to_run
        elif not self.image.complain_of_gap():
            self._ask(run)

    def ask_for_other_seeds(self) -> None:
        """Roll the dice and run again."""
        self.panel.seed.roll()
        self.ask_to_run()

    def load_mask(self) -> None:
        """Let the user choose a picture as mask."""
        mask = self.view.editor.drawn()
        chosen, _ = QFileDialog.getOpenFileName(self, "Open a mask", "", FILE_FILTER)
        if not chosen or mask is None:
            return
        try:
            self.view.editor.take(read_mask(chosen, *mask.shape))
        except ImageError as error:
            self.view.editor.complain(str(error))

    def _ask(self, run: RestoreRun) -> None:
        mask = self.view.editor.drawn() if run.task == "inpaint" else None
        if mask is not None and (mask.all() or not mask.any()):
            self.view.bar.set_view("mask")
            self.view.editor.complain(_FULL_MASK if mask.any() else _EMPTY_MASK)
            return
        pixels = self.image.pixels()
        if pixels is not None:
            self._order(RestoreOrder(run, pixels, mask, self.image.label()))

    def _order(self, order: RestoreOrder | SampleRun) -> None:
        if self._asked is None:
            self._asked = order
            self.run_requested.emit(order)

    # --- what it shows -----------------------------------------------------------------------

    def _image_changed(self) -> None:
        self.view.set_image(self.image.pixels(), painted=self._needs_mask())

    def _needs_mask(self) -> bool:
        return bool(self.panel.task.currentData() == "inpaint")

    def _measurement_changed(self) -> None:
        """Another task, factor or model: fit the image to what is measured now."""
        shape = self.panel.measured_shape()
        if shape is not None:
            self.image.set_shape(shape)
        self.view.set_mask_wanted(self._needs_mask())
        self.view.set_image(self.image.pixels(), painted=self._needs_mask())
        self._explain()

    def _settled(self) -> None:
        if self._once_settled is not None:
            self._once_settled()

    def _explain(self) -> None:
        run = self.panel.peek()
        if run is not None:
            self.display.explain(run)

    def _offer(self, place: QPoint, tile: int) -> None:
        """A menu of what can be done with a picture."""
        pixels, captions = self.view.shown(), self.view.captions()
        if tile < 0 or pixels is None:
            return
        name = captions[tile] if tile < len(captions) else "image"
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        add_sends(menu, ImageSource(f"restored, {name}", pixels[tile].copy()), self.sent)
        menu.popup(place)

    def _made_with(self) -> str | None:
        """The model of what is on show or under way, or None where nothing is."""
        if isinstance(self._asked, SampleRun):
            return self._asked.model
        return None if self.view.record is None else self.view.record.run.model

    def _refresh_mark(self) -> None:
        made = None if self.view.record is None else self.view.record.run.model
        self.mark.show_for(made, self.panel.model.source())

    def _model_chosen(self) -> None:
        self._refresh_mark()
        self.ask_for_model()

    def _set_running(self, running: bool) -> None:
        self.panel.set_running(running=running)
        self.other_button.setEnabled(not running)

    # --- parts -------------------------------------------------------------------------------

    def _add_button(self) -> None:
        self.other_button = QPushButton("Other seeds")
        self.other_button.setObjectName("otherSeedsButton")
        self.other_button.setToolTip("Draw another seed and restore again (Ctrl+D)")
        self.other_button.setShortcut("Ctrl+D")
        set_icon(self.other_button, "dice")
        self.panel.foot.insertWidget(0, self.other_button)

    def _connect(self) -> None:
        panel, view = self.panel, self.view
        panel.run_clicked.connect(self.ask_to_run)
        panel.cancel_clicked.connect(self.cancel_requested)
        panel.model.chosen.connect(lambda _source, _device: self._model_chosen())
        panel.measurement_changed.connect(self._measurement_changed)
        panel.explained_otherwise.connect(self._explain)
        self.other_button.clicked.connect(self.ask_for_other_seeds)
        self.image.file_requested.connect(self.file_requested)
        self.image.changed.connect(self._image_changed)
        self.image.settled.connect(self._settled)
        self.image.sample_wanted.connect(self._order)
        self.saving.file_requested.connect(self.file_requested)
        view.editor.load_requested.connect(self.load_mask)
        view.frames.menu_requested.connect(self._offer)


def _restored_here(path: Path | None) -> RestoreRun | None:
    """The settings in a picture that this page saved; None where it is another picture."""
    try:
        run = None if path is None else run_in(path)
    except (ImageError, SettingsError, TypeError):
        return None
    return run if isinstance(run, RestoreRun) else None
