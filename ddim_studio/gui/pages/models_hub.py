"""Models of the hub: looking one up, and downloading it after its size and licence were shown."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QPushButton, QVBoxLayout, QWidget

from ddim_studio.gui.pages.models_offer import HubOffer
from ddim_studio.gui.pages.page import Page
from ddim_studio.gui.remark import Remark
from ddim_studio.gui.theme import SPACE, restyle
from ddim_studio.gui.widgets.panels import Section
from ddim_studio.jobs.events import Progress
from ddim_studio.jobs.hub import CachedOrder, DownloadOrder, LookUpOrder
from ddim_studio.jobs.hub_events import CachedFound, Downloaded, HubFound
from ddim_studio.models.errors import ModelError
from ddim_studio.models.hub_cache import hub_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ddim_studio.jobs.events import Ended, Event

_TIP = "The owner and the name of a model on the Hugging Face hub, such as google/ddpm-cifar10-32."
_PROMISE = "Looking up asks the hub over the network. No file is fetched before you say so."


class HubPanel(Page):
    """The field for a model's name, at the left. The offer of what was found is shown elsewhere.

    It speaks to the controller as a page does, since it has jobs of its own.

    Attributes:
        offer: What was found, with a button to download it.

    Signals:
        found: There is an offer to show.
        listed: The sources of the models that were downloaded.
        downloaded: The source of the model that was downloaded now.
    """

    found = Signal()
    listed = Signal(object)
    downloaded = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("hubPanel")
        self._order: LookUpOrder | DownloadOrder | None = None
        self._here = ""
        self.offer = HubOffer()
        self._section = Section("Get one from the hub")
        self._make_controls()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._section)
        self._set_running(running=False)
        self.edit.returnPressed.connect(self.look_up)
        self.edit.textEdited.connect(lambda _text: self.say_problem(""))
        self.button.clicked.connect(self.look_up)
        self.stop.clicked.connect(self.cancel_requested)
        self.offer.download_requested.connect(self._download)
        self.offer.cancel_requested.connect(self.cancel_requested)
        self.offer.show_requested.connect(self.downloaded)

    def look_up(self) -> None:
        """Ask the hub for the model whose name was typed."""
        if self._order is not None:
            return
        try:
            name = hub_name(self.edit.text())
        except ModelError as error:
            self.say_problem(f"{error} {error.advice}")
            return
        self._ask(LookUpOrder(name.source))

    def search_cache(self) -> None:
        """Find out which models of the hub are on this computer."""
        self.side_requested.emit(CachedOrder())

    def say_problem(self, text: str) -> None:
        """Say under the field what is wrong, or nothing."""
        self._words.say(text or _PROMISE, "error" if text else "muted")
        if bool(self.edit.property("invalid")) != bool(text):
            self.edit.setProperty("invalid", bool(text))
            restyle(self.edit)

    def problem_said(self) -> str:
        """What is wrong, as it stands under the field."""
        return self._words.said() if self._words.tone() == "error" else ""

    def begin(self) -> None:
        """The order was accepted."""
        self._set_running(running=True)
        self.say_problem("")
        if isinstance(self._order, DownloadOrder):
            self.offer.begin()

    def receive(self, events: Sequence[Event]) -> None:
        """What was found, or how far the download is."""
        for event in events:
            if isinstance(event, HubFound):
                self.offer.show_info(event.info, here=event.here)
                self.found.emit()
            elif isinstance(event, Downloaded):
                self._here = event.source
        newest = [event for event in events if isinstance(event, Progress)]
        if newest:
            self.offer.show_progress(newest[-1])

    def end(self, ended: Ended) -> None:
        """The order is done, or not; what has arrived is kept."""
        order, self._order = self._order, None
        self._set_running(running=False)
        failure = ended.failure
        text = "" if failure is None else f"{failure.message} {failure.advice}".strip()
        if isinstance(order, LookUpOrder):
            self.say_problem(text)
            return
        self.offer.end(text)
        if self._here:
            source, self._here = self._here, ""
            self.offer.show_done()
            self.search_cache()
            self.downloaded.emit(source)

    def receive_live(self, events: Sequence[Event]) -> None:
        """Which models were downloaded."""
        for event in events:
            if isinstance(event, CachedFound):
                self.listed.emit(event.sources)

    def _download(self) -> None:
        info = self.offer.info
        if info is not None and self._order is None:
            self._ask(DownloadOrder(dataclasses.replace(info, cached=self.offer.done)))

    def _ask(self, order: LookUpOrder | DownloadOrder) -> None:
        self._order = order
        self.run_requested.emit(order)

    def _set_running(self, running: bool) -> None:
        self.button.setEnabled(not running)
        self.stop.setEnabled(running and isinstance(self._order, LookUpOrder))
        self.offer.set_running(running=running)

    def _make_controls(self) -> None:
        self.edit = QLineEdit()
        self.edit.setObjectName("hubEdit")
        self.edit.setPlaceholderText("owner/name")
        self.button = QPushButton("Look up")
        self.button.setObjectName("lookUpButton")
        self.button.setAccessibleName("Look up")
        self.button.setToolTip("Ask the hub what this model is; this uses the network")
        self.stop = QPushButton("Cancel")
        self.stop.setObjectName("lookUpCancelButton")
        self.stop.setAccessibleName("Cancel looking up")
        self.stop.setToolTip("Ask no longer")
        row = QHBoxLayout()
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(SPACE)
        row.addWidget(self.button, 2)
        row.addWidget(self.stop, 1)
        buttons = QWidget()
        buttons.setLayout(row)
        self._words = Remark(hides=False)
        self._words.setObjectName("hubRemark")
        self.say_problem("")
        self._section.add_row("Model", self.edit, _TIP)
        self._section.add_widget(buttons)
        self._section.add_widget(self._words)
