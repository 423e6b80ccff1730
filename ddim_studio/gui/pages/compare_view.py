"""The middle of the Compare page: the matrix, one cell of it, or two, on one timeline."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QStackedWidget, QToolButton, QVBoxLayout, QWidget

from ddim_studio.gui.compare_words import METRIC_NAMES, describe
from ddim_studio.gui.comparison_record import CLEAN, labels
from ddim_studio.gui.pages.compare_cells import CellPane, PairPane
from ddim_studio.gui.pages.compare_pictures import (
    NO_SECOND,
    CellPicture,
    cell_look,
    cell_picture,
    pictures,
    time_words,
)
from ddim_studio.gui.pages.view_bar import ViewBar
from ddim_studio.gui.run_record import thinning
from ddim_studio.gui.theme import SPACE
from ddim_studio.gui.widgets.matrix_view import MatrixView
from ddim_studio.gui.widgets.timeline import Timeline

if TYPE_CHECKING:
    from collections.abc import Iterable

    from PySide6.QtGui import QImage, QKeyEvent

    from ddim_studio.gui.comparison_record import CellRecord, ComparisonRecord
    from ddim_studio.jobs.events import Pixels, View
    from ddim_studio.jobs.matrix import Place

MODES = {
    "matrix": ("Matrix", "All cells, at one time of their denoising"),
    "cell": ("Cell", "The selected cell alone, with its whole trajectory (Enter)"),
    "pair": ("Two cells", "The selected cell beside another (Ctrl+click), or the reference"),
}
_MATRIX_TIP = (
    "Click: select · double click: its trajectory · Ctrl+click: compare two · R: reference\n"
    "Arrow keys: another cell · wheel: scroll · Ctrl+wheel: zoom · F: fit"
)
_GUESS = 28


class CompareView(QWidget):
    """Shows a `ComparisonRecord`, live or finished.

    The page gives the timeline its place, which is wider than this.

    Signals:
        selected: The `Place` of the cell that was selected.
        image_selected: Number of the image that was selected in a cell.
    """

    selected = Signal(object)
    image_selected = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.record: ComparisonRecord | None = None
        self._metric = "ssim"
        self._master: CellRecord | None = None
        self._t = CLEAN
        self.bar = ViewBar(MODES)
        self.matrix = MatrixView()
        self.matrix.setToolTip(_MATRIX_TIP)
        self.matrix.describe = self._describe
        self.cell = CellPane("cellView", "Pictures of the selected cell")
        self.pair = PairPane()
        self.timeline = Timeline()
        self._stack = QStackedWidget()
        for pane in (self.matrix, self.cell, self.pair):
            self._stack.addWidget(pane)
        self._add_tools()
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE, 2 * SPACE, SPACE, SPACE)
        column.setSpacing(SPACE)
        column.addWidget(self.bar)
        column.addWidget(self._stack, 1)
        self._connect()
        self.set_record(None)

    # --- what the page sets ------------------------------------------------------------------

    def set_record(
        self, record: ComparisonRecord | None, image_shape: tuple[int, int, int] | None = None
    ) -> None:
        """Put a matrix on show, or none.

        Args:
            record: What is on show; while it grows, call `refresh`.
            image_shape: (C, H, W) expected of its pictures.
        """
        self.record, self._master, self._t = record, None, CLEAN
        self.timeline.reset()
        title = "Press Run"
        hint = "and the cells of the matrix fill one by one, all from the same x_T (Ctrl+Return)"
        self.matrix.set_placeholder(title, hint)
        if record is not None:
            _, height, width = image_shape or (1, _GUESS, _GUESS)
            rows, columns = labels(record.run.rows), labels(record.run.columns)
            images = len(record.cells[record.reference].seeds)
            self.matrix.set_matrix(rows, columns, images, (width, height))
            self.matrix.set_selected(record.reference)
        self.refresh()

    def set_metric(self, metric: str) -> None:
        """Say this metric under the cells."""
        self._metric = metric
        self.refresh()

    def metric_shown(self) -> str:
        """Key of the metric under the cells."""
        return self._metric

    def refresh(self, changed: Iterable[Place] | None = None) -> None:
        """Show what is new in the record: in these cells, or in all of them."""
        self._follow_master()
        self._draw(changed)

    def mode(self) -> str:
        """What is on show: "matrix", "cell" or "pair"."""
        return self.bar.view()

    def place(self) -> Place:
        """The selected cell."""
        return self.matrix.scene.selected

    def second(self) -> Place | None:
        """The cell beside the selected one: the one chosen for it, else the reference."""
        if self.record is None:
            return None
        other = self.matrix.scene.partner or self.record.reference
        return None if other == self.place() else other

    def image(self) -> int:
        """Which image of the cells is selected."""
        pane = self.pair.panes[0] if self.mode() == "pair" else self.cell
        return pane.frames.selected()

    def view(self) -> View:
        """Which pictures are shown: the state x_t or the prediction x̂_0."""
        return "x0" if self.prediction.isChecked() else "x"

    def cell_pixels(self, place: Place | None = None) -> Pixels | None:
        """The pictures on show of a cell, by default the selected one, (N, H, W, C)."""
        if self.record is None:
            return None
        cell = self.record.cells[self.place() if place is None else place]
        return pictures(cell, self._t, self.view())

    def shown_image(self) -> QImage:
        """What is shown, to copy; a null image while there is nothing."""
        if self.mode() == "matrix":
            return self.matrix.shown_image()
        return (self.cell if self.mode() == "cell" else self.pair.panes[0]).frames.shown_image()

    def open(self, place: Place) -> None:
        """Show a cell's trajectory."""
        self.matrix.set_selected(place)
        self.bar.set_view("cell")

    def handle_key(self, event: QKeyEvent) -> bool:
        """Arrows, Home, End and Space are the timeline's wherever else the focus is."""
        return self.timeline.handle_key(event)

    # --- time --------------------------------------------------------------------------------

    def _find_master(self) -> CellRecord | None:
        """The cell whose frames the timeline counts: the one whose frames are closest together."""
        if self.record is None:
            return None
        if self.mode() == "matrix":
            return self.record.finest()
        places = [self.place(), self.second()] if self.mode() == "pair" else [self.place()]
        cells = [self.record.cells[place] for place in places if place is not None]
        begun = [cell for cell in cells if len(cell.frames)]
        return max(begun, key=lambda cell: len(cell.times), default=None)

    def _follow_master(self) -> None:
        """Let the timeline count the frames of another cell at the same time t, or more of them."""
        master = self._find_master()
        if master is None:
            self._master = None
            self.timeline.reset()
            return
        timeline, t = self.timeline, self._t
        known, self._master = self._master, master
        blocked = timeline.blockSignals(True)
        timeline.set_total(len(master.times) if master.state == "running" else len(master.frames))
        timeline.set_available(len(master.frames))
        if master is not known and not timeline.is_following():
            timeline.set_position(master.near(t))
        timeline.blockSignals(blocked)
        self._take_time()

    def _take_time(self) -> None:
        """Timestep of the frame that the timeline is at; at its end, the clean image."""
        if self._master is None:
            return
        position = self.timeline.position()
        at_end = position == len(self._master.frames) - 1
        self._t = CLEAN if at_end else self._master.times[position]

    def _moved(self, _position: int) -> None:
        self._take_time()
        self._draw(None)

    # --- drawing -----------------------------------------------------------------------------

    def _draw(self, changed: Iterable[Place] | None) -> None:
        record = self.record
        if record is None:
            self.timeline.set_caption("")
            return
        if self.mode() == "matrix":
            for place in record.cells if changed is None else changed:
                cell = record.cells[place]
                look = cell_look(record, place, self._t, self._metric)
                self.matrix.set_cell(place, look, pictures(cell, self._t, self.view()))
            self.matrix.set_reference(record.reference, METRIC_NAMES[self._metric])
        elif self.mode() == "cell":
            self.cell.show_picture(self._picture(record, self.place()))
        else:
            second = self.second()
            other = NO_SECOND if second is None else self._picture(record, second)
            self.pair.show_pictures(self._picture(record, self.place()), other)
        self._say_time(record)

    def _say_time(self, record: ComparisonRecord) -> None:
        words = ""
        if self._master is not None:
            places = [] if self.mode() == "matrix" else [self.place()]
            second = self.second() if self.mode() == "pair" else None
            places += [] if second is None else [second]
            words = time_words(record, places, self._t)
        self.timeline.set_caption(words)
        self.timeline.set_note(thinning(self._master.frames) if self._master else "")

    def _picture(self, record: ComparisonRecord, place: Place) -> CellPicture:
        return cell_picture(record, place, self._t, self.view(), self._metric)

    # --- parts -------------------------------------------------------------------------------

    def _add_tools(self) -> None:
        self.prediction = self._tool("x-hat", "x̂₀ instead of xₜ", "predictionButton")
        self.prediction.setToolTip("Show x̂₀, the network's guess at the clean image (X)")
        self.prediction.setShortcut("X")
        self.flicker = self._tool("flicker", "Flicker", "flickerButton")
        self.flicker.setToolTip("Show the two cells in turn in one place, twice a second")
        self.bar.add_tool("zoom-fit", "Fit", "Fit the pictures into the pane (F)", self._fit)

    def _tool(self, icon: str, name: str, object_name: str) -> QToolButton:
        tool = self.bar.add_tool(icon, name, name, lambda: None)
        tool.setObjectName(object_name)
        tool.setCheckable(True)
        return tool

    def _fit(self) -> None:
        for view in (self.matrix, self.cell.frames, self.pair.panes[0].frames):
            view.reset_zoom()

    def _connect(self) -> None:
        self.bar.view_chosen.connect(self._choose_mode)
        self.timeline.position_changed.connect(self._moved)
        self.prediction.toggled.connect(lambda _on: self._draw(None))
        self.flicker.toggled.connect(self.pair.set_flickering)
        self.matrix.cell_selected.connect(self._select)
        self.matrix.cell_paired.connect(lambda _place: self.refresh(()))
        self.matrix.cell_opened.connect(self.open)
        self.matrix.cell_hovered.connect(self._probe)
        self.cell.frames.tile_selected.connect(self.image_selected)
        self.pair.panes[0].frames.tile_selected.connect(self.image_selected)
        self._choose_mode("matrix")

    def _choose_mode(self, mode: str) -> None:
        self._stack.setCurrentIndex(list(MODES).index(mode))
        self.flicker.setVisible(mode == "pair")
        if mode != "pair":
            self.flicker.setChecked(False)
        self.bar.probe.set_full_text("")
        self.refresh()

    def _select(self, place: Place) -> None:
        self.refresh(())
        self.selected.emit(place)

    def _probe(self, place: Place | None) -> None:
        text = "" if place is None else self._describe(place)
        self.bar.probe.set_full_text(" · ".join(text.split("\n")))

    def _describe(self, place: Place) -> str:
        return "" if self.record is None else describe(self.record, place)
