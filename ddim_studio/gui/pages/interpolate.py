"""The Interpolate page: two images (or four), their x_T, and the walk between."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QComboBox,
    QPushButton,
    QWidget,
)

from ddim_studio.diffusion.settings import SettingsError
from ddim_studio.gui.live_path import TICKS, LivePath
from ddim_studio.gui.pages.ends import Ends
from ddim_studio.gui.pages.fit_choice import shrinkable
from ddim_studio.gui.pages.interpolate_readout import InterpolateReadout
from ddim_studio.gui.pages.interpolate_saving import InterpolateSaving
from ddim_studio.gui.pages.interpolate_view import LETTERS, InterpolateView
from ddim_studio.gui.pages.inversion_page import InversionPage
from ddim_studio.gui.pages.inversion_panel import InversionPanel
from ddim_studio.gui.widgets.panels import Section
from ddim_studio.jobs.inversion_events import Decoded, EncodeStep, Inverted
from ddim_studio.jobs.orders import GridOrder, InvertOrder, WatchOrder

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from PySide6.QtGui import QKeyEvent

    from ddim_studio.gui.image_source import ImageSource
    from ddim_studio.gui.model_mark import Shape
    from ddim_studio.jobs.events import Ended, Event
    from ddim_studio.jobs.orders import PathKind

_PATH_TIP = (
    "slerp: along the sphere that noise lives on, as in the paper; directions turn, norms are "
    "interpolated.\nlinear: the straight line, whose middle is weaker noise."
)


class InterpolatePage(InversionPage):
    """Settings left; images, picture, slider and strip in the middle; numbers right."""

    title: ClassVar[str] = "Interpolate"
    icon_name: ClassVar[str] = "interpolate"

    def __init__(self, recent_models: Sequence[str] = (), parent: QWidget | None = None) -> None:
        action = (
            "Invert",
            "invertButton",
            "Trace the images back to the noise x_T that they would come from",
        )
        super().__init__("Interpolate", InversionPanel(*action, recent_models), parent)
        self.setObjectName("interpolatePage")
        self._waiting_for_images = False
        self.view = InterpolateView()
        self.readout = InterpolateReadout()
        self.live = LivePath(self)
        self.ends = Ends([card.slot for card in self.view.cards], self.panel.fit, self)
        self._add_path_choice()
        self._lay_out(self.view, self.readout)
        self.saving = InterpolateSaving(self.view, self.live, self.settings_json, self)
        self._connect()

    # --- what others call --------------------------------------------------------------------

    def give(self, place: int, source: ImageSource) -> None:
        """Put an image into a place, 0 for A … 3 for D, as if it had been dropped there."""
        self.view.cards[place].slot.take(source)

    def fit_to(self, image_shape: Shape) -> None:
        """Fit images to a model's, (C, H, W)."""
        self.ends.set_shape(image_shape)

    def slow_parts(self) -> list[Callable[[], None]]:
        """The plot."""
        return [self.readout.plot.prepare]

    def begin(self) -> None:
        """The order was accepted."""
        self.panel.set_running(running=True)
        if isinstance(self.order, InvertOrder):
            self._forget_result()
        elif isinstance(self.order, GridOrder) and self.inverted is not None:
            self.view.begin_grid(self.inverted[1].reconstructions[:4])
        elif isinstance(self.order, WatchOrder):
            self._watch(f"Denoising of x_T at α = {self.order.alpha:.3f}", self.order)

    def receive(self, events: Sequence[Event]) -> None:
        """Show what arrives; of many states on the way to x_T only the newest."""
        super().receive(events)
        steps = [event for event in events if isinstance(event, EncodeStep)]
        if steps:
            self._show_encoding(steps[-1])
        for event in events:
            if isinstance(event, Inverted):
                self._show_inverted(event)
            elif isinstance(event, Decoded):
                self.view.add_to_grid(event)

    def end(self, ended: Ended) -> None:
        """The order is done, or not."""
        order, self.order = self.order, None
        self._settle()
        self.panel.set_running(running=False)
        if isinstance(order, WatchOrder):
            self.watching.finish()
        elif self.inverted is None:
            self.view.show_nothing()
        if ended.failure is not None:
            self.problem.emit(ended.failure)
        elif isinstance(order, InvertOrder) and ended.outcome == "finished":
            self._ask_for_grid()

    def receive_live(self, events: Sequence[Event]) -> None:
        """Answers to the slider."""
        self.live.receive(events)

    def close_down(self) -> None:
        """No more pictures of the path."""
        self.live.stop()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Space plays back and forth."""
        playable = self.view.alpha.isEnabled() and not self.is_watching()
        if event.key() == Qt.Key.Key_Space and playable:
            self.view.alpha.play.click()
        else:
            super().keyPressEvent(event)

    # --- what the user does ------------------------------------------------------------------

    def ask_to_invert(self) -> None:
        """Invert what is in the places, or say what is missing."""
        if self.order is not None:
            return
        self._make_room()
        try:
            run = self.panel.settings()
        except SettingsError:
            return
        count = self.view.needed()
        if self.ends.complain_of_gaps(count):
            return
        self._waiting_for_images = self.ends.is_busy()
        images = self.ends.inputs(count)
        if not self._waiting_for_images and len(images) == count:
            self._ask(InvertOrder(run, images))

    def ask_to_watch(self) -> None:
        """Show the whole denoising of the point on show."""
        if self.inverted is None or self.order is not None:
            return
        (order, result), alpha = self.inverted, self.view.alpha.tick() / TICKS
        self._ask(WatchOrder(result.key, order.run, alpha, self.path_kind()))

    def path_kind(self) -> PathKind:
        """On the sphere or straight."""
        kind: PathKind = self.path.currentData()
        return kind

    def _ask_for_grid(self) -> None:
        if self.inverted is None or self.order is not None or self.view.mode() != "grid":
            return
        order, result = self.inverted
        if len(order.images) == 4:
            side = self.view.side.value()
            self._ask(GridOrder(result.key, order.run, side, side, self.path_kind()))

    def _images_changed(self) -> None:
        if self.inverted is not None:
            self._forget_result()

    def _images_settled(self) -> None:
        if self._waiting_for_images:
            self.ask_to_invert()

    def _path_changed(self) -> None:
        self.live.set_path(self.path_kind())
        self.readout.show_alpha(self.view.alpha.tick(), self.path_kind())
        self._ask_for_grid()

    def _mode_changed(self) -> None:
        pair = self.view.mode() == "pair"
        self._path_section.set_row_visible(self.view.frames, pair)
        self._path_section.set_row_visible(self.view.side, not pair)
        self.readout.set_count(self.view.needed())
        self._forget_result()

    # --- what it shows -----------------------------------------------------------------------

    def _forget_result(self) -> None:
        self.inverted = None
        self.live.stop()
        self.readout.clear()
        for card in self.view.cards:
            card.show_result(None, 0)
        self.view.show_nothing()
        self.watch_button.setEnabled(False)
        self._settle()

    def _show_encoding(self, step: EncodeStep) -> None:
        if not isinstance(self.order, InvertOrder):
            return
        letters = LETTERS[: len(step.x)]
        self.view.show_encoding(step.x, [f"{letter} at t = {step.t_next}" for letter in letters])

    def _show_inverted(self, result: Inverted) -> None:
        if not isinstance(self.order, InvertOrder):
            return
        self.inverted = self.order, result
        for index, card in enumerate(self.view.cards[: len(result.quality)]):
            card.show_result(result, index)
        self.readout.show_result(result)
        if len(result.quality) == 2:
            self.watch_button.setEnabled(True)
            first, last = result.reconstructions[:2]
            self.live.begin(result.key, self.order.run, first, last)
            self.live.want(self.view.stops())
            self._moved(self.view.alpha.tick())

    def _moved(self, tick: int) -> None:
        if self.inverted is not None:
            self.live.show(tick)
            self.readout.show_alpha(tick, self.path_kind())

    def _strip_changed(self) -> None:
        self.live.want(self.view.stops())
        if self.inverted is not None:
            self.view.show_strip(self.live.final)

    # --- parts -------------------------------------------------------------------------------

    def _add_path_choice(self) -> None:
        self.path = QComboBox()
        self.path.setObjectName("pathCombo")
        self.path.addItem("slerp, on the sphere", "slerp")
        self.path.addItem("linear, straight", "lerp")
        section = Section("Path")
        section.add_row("Kind", shrinkable(self.path), _PATH_TIP)
        section.add_row("Frames N", self.view.frames)
        section.add_row("Grid side", self.view.side)
        section.set_row_visible(self.view.side, visible=False)
        self._path_section = section
        self.panel.add_section(section, 2)
        self.watch_button = QPushButton("Watch the denoising")
        self.watch_button.setObjectName("watchButton")
        self.watch_button.setToolTip(
            "Every step from x_T(α) to the picture on show, with the timeline"
        )
        self.watch_button.setEnabled(False)
        self.view.bar.add_tool("swap", "Swap A and B", "Swap A and B", self.ends.swap)
        self.panel.foot.insertWidget(0, self.watch_button)

    def _connect(self) -> None:
        self.panel.run_clicked.connect(self.ask_to_invert)
        self.path.currentIndexChanged.connect(lambda _index: self._path_changed())
        self.watch_button.clicked.connect(self.ask_to_watch)
        self.ends.file_requested.connect(self.file_requested)
        self.ends.changed.connect(self._images_changed)
        self.ends.settled.connect(self._images_settled)
        self.saving.file_requested.connect(self.file_requested)
        self.live.wanted.connect(self.live_requested)
        self.live.shown.connect(self.view.show_point)
        self.live.filled.connect(lambda: self.view.show_strip(self.live.final))
        self.view.moved.connect(self._moved)
        self.view.frames_changed.connect(lambda _n: self._strip_changed())
        self.view.grid_changed.connect(lambda _n: self._ask_for_grid())
        self.view.mode_changed.connect(lambda _mode: self._mode_changed())
