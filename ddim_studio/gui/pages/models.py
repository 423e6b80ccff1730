"""The Models page: what there is to open, and what each model is."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtWidgets import QHBoxLayout, QMenu, QPushButton, QStackedWidget, QVBoxLayout, QWidget

from ddim_studio.gui.file_dialogs import ask_for_checkpoint, ask_for_model_folder
from ddim_studio.gui.image_source import ImageSource
from ddim_studio.gui.pages.models_card import ModelCard
from ddim_studio.gui.pages.models_hub import HubPanel
from ddim_studio.gui.pages.models_list import BUNDLED, HUB, RECENT, ModelList, shown_name
from ddim_studio.gui.pages.page import FileWork, Page
from ddim_studio.gui.pages.page_layout import beside
from ddim_studio.gui.pages.sample import PANEL_WIDTH
from ddim_studio.gui.pages.send_menu import add_sends
from ddim_studio.gui.theme import SPACE
from ddim_studio.jobs.cards import CardOrder, PreviewOrder, keep_preview
from ddim_studio.jobs.events import Frame, ModelOpened, Notice
from ddim_studio.jobs.model_events import CardRead, CardUnreadable, MemoryMeasured
from ddim_studio.jobs.runs import SampleRun
from ddim_studio.models.catalog import bundled_models
from ddim_studio.models.hub_cache import HUB_PREFIX
from ddim_studio.storage import DEFAULT_MODEL

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from PySide6.QtCore import QPoint

    from ddim_studio.gui.model_shelf import ModelShelf
    from ddim_studio.jobs.events import Ended, Event, Pixels
    from ddim_studio.jobs.model_events import FastMeasured

STEPS = 25
COUNT = 9
LARGE = 128
COUNT_OF_LARGE = 4


class ModelsPage(Page):
    """The list and the hub at the left; the card of the selected model beside them.

    Args:
        shelf: The models used last, and where each runs.

    Attributes:
        hub: Looks models of the hub up and downloads them.
    """

    title: ClassVar[str] = "Models"
    icon_name: ClassVar[str] = "models"

    def __init__(self, shelf: ModelShelf, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("modelsPage")
        self.setAccessibleName("Models")
        self._shelf = shelf
        self._source = DEFAULT_MODEL
        self._card: CardRead | None = None
        self._drawn: tuple[CardRead, SampleRun] | None = None
        self._pixels: Pixels | None = None
        self._memory: dict[tuple[str, str], MemoryMeasured] = {}
        self._uses: Mapping[str, str] = {}
        self._downloaded: tuple[str, ...] = ()
        self._ready = False
        self.models = ModelList()
        self.hub = HubPanel()
        self.card = ModelCard()
        self._stack = QStackedWidget()
        self._stack.addWidget(self.card)
        self._stack.addWidget(self.hub.offer)
        self._lay_out()
        self._connect()
        self._list()
        self.models.select(self._source)

    # --- what others call --------------------------------------------------------------------

    def source(self) -> str:
        """The model whose card is shown, or was asked for last."""
        return self._source

    def open_source(self, source: str) -> None:
        """Show the card of a model, listed or not."""
        self._source = source
        with QSignalBlocker(self.models):
            self.models.select(source)
        self._stack.setCurrentWidget(self.card)
        self.card.show_reading(shown_name(source))
        self.card.details.show_device(self._shelf.device_of(source))
        self._card = None
        self._show_uses()
        if self._ready:
            self.side_requested.emit(CardOrder(source))

    def show_uses(self, uses: Mapping[str, str]) -> None:
        """Which model each page is set to, by the page's title."""
        if list(uses) != list(self._uses):
            self.card.set_pages(list(uses))
        self._uses = uses
        self._show_uses()

    def show_engine(self, found: ModelOpened | FastMeasured) -> None:
        """Keep what runs a model's network, and show it if the model is on show."""
        if isinstance(found, ModelOpened):
            self.card.details.show_engine(found)

    def show_memory(self, memory: MemoryMeasured) -> None:
        """A model was opened somewhere, and what it takes is known."""
        self._memory[memory.source, memory.device] = memory
        if self._card is not None and self._card.info.source == memory.source:
            self.card.details.show_memory(memory)

    def show_failure(self, source: str, text: str) -> None:
        """A model could not be opened where it was wanted."""
        if source == self._source:
            self.card.said.say(text, "error")

    def begin(self) -> None:
        """Samples are being drawn."""
        self.card.set_drawing(drawing=True)
        self.card.said.say("Opening…")

    def receive(self, events: Sequence[Event]) -> None:
        """Show the samples as they become clear."""
        frames = [event for event in events if isinstance(event, Frame)]
        if frames and self._drawn is not None:
            self._pixels = frames[-1].views["x"]
            if self._drawn[0].source == self._source:
                self.card.show_samples(self._pixels)
                self.card.said.say(f"Frame {frames[-1].index} of {self._drawn[1].steps}")
        for event in events:
            if isinstance(event, Notice):
                self.said.emit(event.text)

    def end(self, ended: Ended) -> None:
        """The samples are drawn, or not."""
        self.card.set_drawing(drawing=False)
        drawn, self._drawn = self._drawn, None
        if drawn is None:
            return
        card, run = drawn
        shown = card.source == self._source
        if ended.failure is not None:
            self.show_failure(card.source, f"{ended.failure.message} {ended.failure.advice}")
            self.problem.emit(ended.failure)
        elif ended.outcome == "finished" and self._pixels is not None:
            keep = partial(keep_preview, card.preview, self._pixels, run.to_json())
            self.file_requested.emit(FileWork("Keeping the samples", keep))
            if shown:
                self.card.said.say(_description(run))
        elif shown:
            self.card.show_samples(card.samples)
            self.card.said.say("Cancelled")

    def receive_live(self, events: Sequence[Event]) -> None:
        """The card that was asked for."""
        for event in events:
            if isinstance(event, CardRead) and event.source == self._source:
                self._show_card(event)
            elif isinstance(event, CardUnreadable) and event.source == self._source:
                recent = event.source in self._shelf.recent()
                self.card.show_problem(event.message, event.advice, forgettable=recent)

    def slow_parts(self) -> list[Callable[[], None]]:
        """The plot; then the first card can be read, and the hub's cache searched."""
        return [*self.card.details.slow_parts(), self._get_ready]

    # --- what the user does ------------------------------------------------------------------

    def ask_to_draw(self) -> None:
        """Draw a few samples of the model on show."""
        card = self._card
        if card is None or self._drawn is not None:
            return
        info = card.info
        run = SampleRun(
            model=card.source,
            device=self.card.details.device.currentText(),
            steps=min(STEPS, info.timesteps),
            count=COUNT if max(info.image_shape[1:]) < LARGE else COUNT_OF_LARGE,
            class_label=0 if info.classes else None,
        )
        self._drawn, self._pixels = (card, run), None
        self.run_requested.emit(PreviewOrder(run))

    def _open(self, ask: Callable[[QWidget], Path | None]) -> None:
        path = ask(self)
        if path is not None:
            self.open_source(str(path))

    def _forget(self, source: str) -> None:
        self._shelf.forget(source)
        self.open_source(DEFAULT_MODEL)

    def _choose_device(self, device: str) -> None:
        self._shelf.set_device(self._source, device)

    def _device_changed(self, source: str, device: str) -> None:
        if source == self._source:
            self.card.details.show_device(device)

    def _offer_sends(self, place: QPoint, tile: int) -> None:
        pixels, card = self.card.shown, self._card
        if tile < 0 or pixels is None or card is None:
            return
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        source = ImageSource(f"sample of {card.info.name}, seed {tile}", pixels[tile].copy())
        add_sends(menu, source, self.sent)
        menu.popup(place)

    # --- what it shows -----------------------------------------------------------------------

    def _show_card(self, card: CardRead) -> None:
        self._card = card
        memory = [m for (source, _), m in self._memory.items() if source == card.info.source]
        self.card.show_card(card, memory[-1] if memory else None)
        self._show_uses()
        self.card.said.say("" if card.samples is None else "Samples drawn earlier")
        if card.info.source not in self.models.sources():
            self._shelf.remember(card.info.source)
            self._source = card.source
        with QSignalBlocker(self.models):
            self.models.select(card.info.source)

    def _show_uses(self) -> None:
        names = {self._source, self._card.info.source if self._card else self._source}
        used = [title for title, source in self._uses.items() if source in names]
        self.card.details.show_uses(used, list(self._uses))

    def _list(self) -> None:
        bundled = list(bundled_models())
        others = [source for source in self._shelf.recent() if source not in bundled]
        recent = [source for source in others if not source.startswith(HUB_PREFIX)]
        hub = sorted({*self._downloaded, *(set(others) - set(recent))})
        self.models.show_models({BUNDLED: bundled, RECENT: recent, HUB: hub})
        self.models.select(self._source)

    def _show_downloaded(self, sources: tuple[str, ...]) -> None:
        self._downloaded = sources
        with QSignalBlocker(self.models):
            self._list()

    def _get_ready(self) -> None:
        self._ready = True
        self.hub.search_cache()
        self.open_source(self._source)

    # --- parts -------------------------------------------------------------------------------

    def _connect(self) -> None:
        self.models.chosen.connect(self.open_source)
        self.models.forgotten.connect(self._forget)
        self.hub.found.connect(lambda: self._stack.setCurrentWidget(self.hub.offer))
        self.hub.listed.connect(self._show_downloaded)
        self.hub.downloaded.connect(self.open_source)
        self._shelf.recent_changed.connect(lambda: self._show_downloaded(self._downloaded))
        self._shelf.device_changed.connect(self._device_changed)
        self.card.use_requested.connect(lambda page: self.use_requested.emit(self._source, page))
        self.card.draw_requested.connect(self.ask_to_draw)
        self.card.cancel_requested.connect(self.cancel_requested)
        self.card.details.device_chosen.connect(self._choose_device)
        self.card.forget_requested.connect(lambda: self._forget(self._source))
        self.card.samples.menu_requested.connect(self._offer_sends)

    def _lay_out(self) -> None:
        panel = QWidget()
        panel.setFixedWidth(PANEL_WIDTH)
        row = QHBoxLayout()
        row.setSpacing(SPACE)
        for text, name, tip, ask in (
            ("Open a folder…", "openFolderButton", "A diffusers folder", ask_for_model_folder),
            ("Open a file…", "openFileButton", "A checkpoint file", ask_for_checkpoint),
        ):
            button = QPushButton(text)
            button.setObjectName(name)
            button.setAccessibleName(text)
            button.setToolTip(f"{tip}; it can be dropped on the window as well")
            button.clicked.connect(partial(self._open, ask))
            row.addWidget(button)
        column = QVBoxLayout(panel)
        column.setContentsMargins(2 * SPACE, 2 * SPACE, SPACE, 2 * SPACE)
        column.setSpacing(SPACE + 4)
        column.addWidget(self.models, 1)
        column.addLayout(row)
        column.addWidget(self.hub)
        beside(self, panel, self._stack)


def _description(run: SampleRun) -> str:
    drawn = "" if run.class_label is None else f" of class {run.class_label}"
    return f"Seeds 0–{run.count - 1}{drawn}, S\u00a0=\u00a0{run.steps}, η\u00a0=\u00a00"
