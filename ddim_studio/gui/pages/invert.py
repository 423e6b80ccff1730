"""The Invert page: encode images to x_T, decode them again, and look at what happened."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QWidget

from ddim_studio.diffusion.settings import SettingsError
from ddim_studio.gui.image_set import ImageSet
from ddim_studio.gui.image_source import can_take, sources_in
from ddim_studio.gui.intake import Target
from ddim_studio.gui.pages.error_curve import METHODS, STEPS
from ddim_studio.gui.pages.inversion_page import InversionPage
from ddim_studio.gui.pages.inversion_panel import InversionPanel
from ddim_studio.gui.pages.invert_readout import InvertReadout
from ddim_studio.gui.pages.invert_saving import InvertSaving
from ddim_studio.gui.pages.invert_view import InvertView
from ddim_studio.gui.theme import SPACE
from ddim_studio.jobs.inversion_events import EncodeStep, ErrorCurve, Inverted
from ddim_studio.jobs.orders import CurveOrder, InvertOrder, WatchOrder

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from PySide6.QtGui import QDragEnterEvent, QDropEvent, QKeyEvent

    from ddim_studio.gui.image_source import ImageSource
    from ddim_studio.gui.model_mark import Shape
    from ddim_studio.jobs.events import Ended, Event

CURVE_STEPS = STEPS[:4]
_NO_IMAGES = "Add an image first: drop one on this page, or press +."


class InvertPage(InversionPage):
    """Settings left; images, pictures and timeline in the middle; numbers and plots right."""

    title: ClassVar[str] = "Invert"
    icon_name: ClassVar[str] = "invert"

    def __init__(self, recent_models: Sequence[str] = (), parent: QWidget | None = None) -> None:
        action = ("Invert", "runButton", "Encode the images to x_T, and decode them again")
        super().__init__("Invert", InversionPanel(*action, recent_models), parent)
        self.setObjectName("invertPage")
        self.setAcceptDrops(True)
        self._steps: list[EncodeStep] = []
        self._once_settled: Callable[[], None] | None = None
        self.images = ImageSet(self)
        self.view = InvertView()
        self.readout = InvertReadout()
        self.saving = InvertSaving(self.view, self.settings_json, self)
        self._add_buttons()
        self._lay_out(self.view, self.readout, self.view.timeline)
        self._connect()

    # --- what others call --------------------------------------------------------------------

    def add(self, sources: Sequence[ImageSource]) -> None:
        """Add images, as if they had been dropped here."""
        self.images.add(list(sources))

    def fit_to(self, image_shape: Shape) -> None:
        """Fit images to a model's, (C, H, W)."""
        fit = self.panel.fit
        self.images.set_target(Target(image_shape, fit.fit(), fit.background()))

    def slow_parts(self) -> list[Callable[[], None]]:
        """The plots."""
        return self.readout.slow_parts()

    def begin(self) -> None:
        """The order was accepted."""
        self.panel.set_running(running=True)
        self.curve_button.setEnabled(False)
        self.watch_button.setEnabled(False)
        order = self.order
        if isinstance(order, InvertOrder):
            self._forget_result()
            self.view.begin(order)
        elif isinstance(order, CurveOrder):
            self.readout.curve.clear()
            self.readout.tabs.setCurrentIndex(self.readout.tabs.count() - 1)
        elif isinstance(order, WatchOrder):
            label = "" if self.inverted is None else self.inverted[0].images[order.ends[0]].label
            self._watch(f"Decoding of x_T of {label}", order)

    def receive(self, events: Sequence[Event]) -> None:
        """Keep every state, draw the newest."""
        super().receive(events)
        steps = [event for event in events if isinstance(event, EncodeStep)]
        if steps:
            self._steps += steps
            self.view.add(steps)
            self._show_encoding()
        for event in events:
            if isinstance(event, Inverted) and isinstance(self.order, InvertOrder):
                self.inverted = self.order, event
                self.view.show_result(event)
                self._show_image()
            elif isinstance(event, ErrorCurve):
                self.readout.curve.add(event)

    def end(self, ended: Ended) -> None:
        """The order is done, or not; the states that there are stay."""
        order, self.order = self.order, None
        self._settle()
        self.panel.set_running(running=False)
        self.curve_button.setEnabled(True)
        self.watch_button.setEnabled(self.inverted is not None)
        if isinstance(order, WatchOrder):
            self.watching.finish()
        elif isinstance(order, InvertOrder):
            self.view.finish()
        if ended.failure is not None:
            self.problem.emit(ended.failure)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Ctrl+V adds an image; the timeline's keys work wherever the focus is."""
        if event.matches(QKeySequence.StandardKey.Paste):
            self.view.strip.menu.paste()
        elif self.is_watching() or not self.view.handle_key(event):
            super().keyPressEvent(event)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take images anywhere on the page."""
        if can_take(event.mimeData()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Add what was dropped."""
        found = sources_in(event.mimeData())
        if found:
            event.acceptProposedAction()
            self.add(found)

    # --- what the user does ------------------------------------------------------------------

    def ask_to_invert(self) -> None:
        """Invert all images."""
        self._ask_with_images(self.ask_to_invert, InvertOrder)

    def ask_for_curve(self) -> None:
        """Measure the error of every method at several S."""
        most = self.panel.steps.maximum()
        steps = tuple(s for s in CURVE_STEPS if s <= most)
        self._ask_with_images(
            self.ask_for_curve, lambda run, images: CurveOrder(run, images, METHODS, steps)
        )

    def ask_to_watch(self) -> None:
        """Show the decoding of the selected image."""
        if self.inverted is not None:
            order, result = self.inverted
            image = self.view.image()
            self._ask(WatchOrder(result.key, order.run, 0.0, "slerp", (image, image)))

    def _ask_with_images(
        self, again: Callable[[], None], make: Callable[..., InvertOrder | CurveOrder]
    ) -> None:
        self._once_settled = None
        self._make_room()
        try:
            run = self.panel.settings()
        except SettingsError:
            return
        if not len(self.images):
            self.view.strip.complain(_NO_IMAGES)
        elif self.images.is_busy():
            self._once_settled = again
        else:
            self._ask(make(run, self.images.inputs()))

    def _settled(self) -> None:
        if self._once_settled is not None:
            self._once_settled()

    def _images_changed(self) -> None:
        self.view.strip.set_items(self.images.items())
        if self.inverted is not None:
            self._forget_result()

    def _fit_changed(self) -> None:
        target = self.images.target()
        if target is not None:
            self.fit_to(target.image_shape)

    # --- what it shows -----------------------------------------------------------------------

    def _forget_result(self) -> None:
        self.inverted = None
        self._steps = []
        self.view.show_nothing()
        self.readout.clear()
        self.watch_button.setEnabled(False)
        self._settle()

    def _show_image(self) -> None:
        if self.inverted is None:
            self._show_encoding()
        else:
            result = self.inverted[1]
            self.readout.show_result(result, min(self.view.image(), len(result.quality) - 1))

    def _show_encoding(self) -> None:
        if self._steps:
            last = len(self._steps[0].calls) - 1
            self.readout.show_encoding(self._steps, min(self.view.image(), last))

    # --- parts -------------------------------------------------------------------------------

    def _add_buttons(self) -> None:
        self.watch_button = QPushButton("Watch decoding")
        self.watch_button.setObjectName("watchButton")
        self.watch_button.setToolTip(
            "Every step from x_T of the selected image back to it, with the timeline"
        )
        self.watch_button.setEnabled(False)
        self.curve_button = QPushButton("Error / S")
        self.curve_button.setObjectName("curveButton")
        self.curve_button.setToolTip(
            "Measure the reconstruction error of the images at S = "
            f"{', '.join(map(str, CURVE_STEPS))} with every method, beside the paper's Table 2"
        )
        row = QHBoxLayout()
        row.setSpacing(SPACE)
        row.addWidget(self.watch_button)
        row.addWidget(self.curve_button)
        self.panel.foot.insertLayout(0, row)

    def _connect(self) -> None:
        self.panel.run_clicked.connect(self.ask_to_invert)
        self.panel.fit.changed.connect(self._fit_changed)
        self.curve_button.clicked.connect(self.ask_for_curve)
        self.watch_button.clicked.connect(self.ask_to_watch)
        self.images.file_requested.connect(self.file_requested)
        self.images.changed.connect(self._images_changed)
        self.images.settled.connect(self._settled)
        self.images.complained.connect(self.view.strip.complain)
        self.saving.file_requested.connect(self.file_requested)
        self.view.strip.given.connect(self.add)
        self.view.strip.removed.connect(self.images.remove)
        self.view.strip.cleared.connect(self.images.clear)
        self.view.image_chosen.connect(lambda _image: self._show_image())
