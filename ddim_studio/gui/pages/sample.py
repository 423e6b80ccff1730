"""The Sample page: watch x_T become images, step by step."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, ClassVar

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMenu, QWidget

from ddim_studio.diffusion.settings import MAX_SEED, SettingsError
from ddim_studio.gui.history import keep_job
from ddim_studio.gui.image_source import ImageSource
from ddim_studio.gui.live_sample import LiveSample
from ddim_studio.gui.model_mark import ModelMark, under_mark
from ddim_studio.gui.pages.branches import MOST
from ddim_studio.gui.pages.page import FileWork, Page
from ddim_studio.gui.pages.page_layout import beside
from ddim_studio.gui.pages.sample_panel import SamplePanel
from ddim_studio.gui.pages.saving import SaveMenu
from ddim_studio.gui.pages.send_menu import add_sends
from ddim_studio.gui.pages.stage import Stage
from ddim_studio.gui.run_record import RunRecord, preview_words
from ddim_studio.jobs.events import Frame, ModelOpened, Notice, Started
from ddim_studio.jobs.runs import BranchRun, SampleRun

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from PySide6.QtCore import QPoint
    from PySide6.QtGui import QKeyEvent

    from ddim_studio.diffusion.settings import Precision
    from ddim_studio.gui.model_choice import ModelChoice
    from ddim_studio.jobs.events import Ended, Event
    from ddim_studio.jobs.model_events import FastMeasured
    from ddim_studio.models.info import ModelInfo

PANEL_WIDTH = 284


class SamplePage(Page):
    """Settings left, pictures and timeline in the middle, numbers and plots right."""

    title: ClassVar[str] = "Sample"
    icon_name: ClassVar[str] = "sample"

    def __init__(self, recent_models: Sequence[str] = (), parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("samplePage")
        self.setAccessibleName("Sample")
        self._asked: SampleRun | BranchRun | None = None
        self._records: list[RunRecord] = []  # the run, and its branches
        self._image = 0  # which of its images the live preview shows
        self.live = LiveSample(self)
        self.panel = SamplePanel(recent_models)
        self.panel.setFixedWidth(PANEL_WIDTH)
        self.stage = Stage()
        self.branch_button = self.stage.view_bar.add_tool(
            "branch",
            "Branch",
            "Branch: go on from this frame with the settings at the left (η, S, spacing, clip, "
            "seed); branches can stand side by side (B)",
            self.ask_to_branch,
        )
        self.branch_button.setObjectName("branchButton")
        self.branch_button.setShortcut("B")
        self.saving = SaveMenu(self.stage, self)
        self.saving.file_requested.connect(self.file_requested)
        self.mark = ModelMark()
        self.mark.follow(self.panel.model)
        beside(self, self.panel, under_mark(self.mark, self.stage))
        self.panel.run_clicked.connect(self.ask_to_run)
        self.panel.cancel_clicked.connect(self.cancel_requested)
        self.panel.model.chosen.connect(lambda _source, _device: self._model_chosen())
        self.panel.precision.chosen.connect(self.ask_for_model)
        self.panel.live.toggled.connect(self._toggle_live)
        self.panel.changed.connect(self._preview)
        self.live.wanted.connect(self.live_requested)
        self.live.unwanted.connect(self.live_cancelled)
        self.live.shown.connect(self._show_preview)
        self.stage.frames.menu_requested.connect(self._offer)
        self.stage.branches.chosen.connect(self._choose_branch)
        self.stage.branches.side_by_side.connect(
            lambda on: self.stage.show_beside(self._records if on else ())
        )

    def begin(self) -> None:
        """The run was accepted: the last one's frames make room."""
        if self._asked is None:
            return
        self.panel.set_running(running=True)
        self.live.stop()
        self.stage.remark.say("")
        self._records = self._records[-MOST + 1 :] if isinstance(self._asked, BranchRun) else []
        self._records.append(RunRecord(self._asked))
        self.stage.branches.beside.setChecked(False)
        self._show(len(self._records) - 1)

    def receive(self, events: Sequence[Event]) -> None:
        """Keep every frame, draw the newest."""
        record = self._records[-1] if self._records else None
        fresh = False
        for event in events:
            if isinstance(event, Frame) and record is not None:
                record.add(event)
                fresh = True
            elif isinstance(event, Started) and record is not None:
                record.started = event
                self.stage.announce()
            elif isinstance(event, ModelOpened) and self._made_with() == self.panel.model.source():
                self.show_model(event.info, event.device)
            elif isinstance(event, Notice):
                self.said.emit(event.text)
        if fresh:
            self.stage.refresh()

    def end(self, ended: Ended) -> None:
        """The run is over; its frames stay."""
        self.panel.set_running(running=False)
        if self._records and not self._records[-1].numbers:
            self._records.pop()
            self._show(len(self._records) - 1)
        self.stage.finish()
        if ended.outcome == "finished":
            self._keep()
        if ended.failure is not None:
            self.problem.emit(ended.failure)

    def receive_live(self, events: Sequence[Event]) -> None:
        """Answers to the settings as they are changed."""
        self.live.receive(events)

    def close_down(self) -> None:
        """No more previews."""
        self.live.stop()

    def slow_parts(self) -> list[Callable[[], None]]:
        """The plots."""
        return self.stage.readout.slow_parts()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrows, Home, End and Space belong to the timeline wherever the focus is."""
        if not self.stage.handle_key(event):
            super().keyPressEvent(event)

    def ask_to_run(self) -> None:
        """Run what the fields say, or mark the field that is wrong."""
        if not self.panel.seed.is_locked():
            self.panel.seed.roll()
        try:
            self._asked = self.panel.settings()
        except SettingsError:
            return
        self.run_requested.emit(self._asked)

    def _keep(self) -> None:
        """Remember a finished run, with the images that it ended with."""
        record = self._records[-1] if self._records else None
        if record is None or not isinstance(record.order, SampleRun):
            return
        run, pixels = record.order, record.shown(len(record.numbers) - 1, "x")[1]
        if pixels is not None:
            self.file_requested.emit(FileWork("Keeping the run", lambda: keep_job(run, pixels)))

    def ask_to_branch(self) -> None:
        """Go on from the frame on show with what the fields say."""
        record, frame = self.stage.record, self.stage.timeline.position()
        if record is None or not self.panel.run_button.isEnabled():
            return
        if record not in self._records:
            self._records = [record]  # a live preview, which has branches from now on
        if frame >= len(record.numbers) - 1 or not isinstance(record.order, SampleRun):
            self.said.emit(
                "To branch, show the first run and go back to a frame before its last one."
            )
            return
        try:
            run = self.panel.settings()
        except SettingsError:
            return
        self._asked = BranchRun(record.order, frame, run)
        self.run_requested.emit(self._asked)

    def _toggle_live(self, on: bool) -> None:
        """Preview from now on, or go back to the run."""
        if on:
            self._image = self.stage.image()
            self._preview()
        else:
            self.live.stop()
            self.stage.remark.say("")
            if self.stage.record not in self._records:
                self._show(len(self._records) - 1)

    def _preview(self) -> None:
        """Ask for the settings in the fields, for one image, if previews are wanted."""
        run = self.panel.peek()
        if run is None or not self.panel.live.isChecked() or not self.panel.run_button.isEnabled():
            return
        if self.stage.record in self._records:
            self._image = self.stage.image()
        seed = min(run.seed + min(self._image, run.count - 1), MAX_SEED)
        self.live.ask(dataclasses.replace(run, seed=seed, count=1))

    def _show_preview(self, record: RunRecord, final: bool) -> None:
        """A preview is complete, coarse or whole: it takes the place of the one before."""
        self.stage.branches.show_names([], -1)
        self.stage.exchange(record)
        self.stage.remark.say(preview_words(record, final=final), "text" if final else "warning")
        self._refresh_mark()

    def _show(self, number: int) -> None:
        """Put the run or one of its branches on the stage."""
        self.stage.branches.show_names([record.name for record in self._records], number)
        self.stage.show_record(self._records[number] if self._records else None)
        self._refresh_mark()

    def _made_with(self) -> str | None:
        """The model of the run on show and of its branches, or None where nothing is."""
        order = self.stage.record.order if self.stage.record else None
        run = order.parent if isinstance(order, BranchRun) else order
        return None if run is None else run.model

    def _refresh_mark(self) -> None:
        self.mark.show_for(self._made_with(), self.panel.model.source())

    def _model_chosen(self) -> None:
        self.panel.precision.forget()
        self._refresh_mark()
        self.ask_for_model()
        self._preview()

    def _choose_branch(self, number: int) -> None:
        frame = self.stage.timeline.position()
        self.stage.show_record(self._records[number])
        self.stage.timeline.set_following(following=False)
        self.stage.timeline.set_position(frame)

    def model(self) -> ModelChoice:
        """Where the model is chosen."""
        return self.panel.model

    def show_model(self, info: ModelInfo, device: str) -> None:
        """Fit the fields to the opened model."""
        self.panel.show_model(info, device)

    def show_engine(self, found: ModelOpened | FastMeasured) -> None:
        """Offer the fast precision where there is one, and say what it changes."""
        self.panel.precision.show_engine(found)

    def precision(self) -> Precision:
        """As chosen."""
        return self.panel.precision.value()

    def memory(self) -> dict[str, Any] | None:
        """The settings in the fields, if they are in order."""
        try:
            return self.panel.settings().to_dict()
        except SettingsError:
            return None

    def recall(self, values: dict[str, Any]) -> None:
        """Fill the fields."""
        self.panel.set_settings(SampleRun.from_dict(values))

    def _offer(self, place: QPoint, tile: int) -> None:
        """A menu of what can be done with an image."""
        pixels = self.stage.shown_pixels()
        if tile < 0 or pixels is None or self.stage.view() == "terms":
            return
        source = ImageSource(f"sample, seed {self.stage.seed_of(tile)}", pixels[tile].copy())
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        add_sends(menu, source, self.sent)
        menu.popup(place)
