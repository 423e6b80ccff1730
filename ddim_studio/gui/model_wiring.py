"""Between the pages that use a model, the page about models, and the controller that opens them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from ddim_studio.jobs.kinds import short_name

if TYPE_CHECKING:
    from pathlib import Path

    from ddim_studio.gui.controller import Controller
    from ddim_studio.gui.model_choice import ModelChoice
    from ddim_studio.gui.model_shelf import ModelShelf
    from ddim_studio.gui.pages.models import ModelsPage
    from ddim_studio.gui.pages.page import Page
    from ddim_studio.jobs.events import ModelOpened
    from ddim_studio.jobs.model_events import FastMeasured, MemoryMeasured


class ModelWiring(QObject):
    """Sets pages to models, and tells pages of the models that were opened for them.

    Args:
        shelf: The models used last.
        controller: Opens models.
        parent: Qt's owner.

    Signals:
        models_wanted: The page about models is to be shown.
        said: A sentence to show.
    """

    models_wanted = Signal()
    said = Signal(str)

    def __init__(
        self, shelf: ModelShelf, controller: Controller, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._shelf, self._controller = shelf, controller
        self._models: ModelsPage | None = None
        self._choices: dict[Page, ModelChoice] = {}
        self._measured: list[MemoryMeasured] = []
        controller.model_opened.connect(self._opened)
        controller.model_failed.connect(self._failed)
        controller.memory_measured.connect(self._keep_measured)
        controller.fast_measured.connect(self._show_fast)

    def add(self, page: Page) -> None:
        """Follow a page, whether a model is chosen on it or only offered."""
        page.use_requested.connect(self.use)
        choice = page.model()
        if choice is None:
            return
        self._choices[page] = choice
        choice.follow(self._shelf)
        choice.browse_requested.connect(lambda: self.show_card(choice.source()))
        choice.chosen.connect(lambda _source, _device: self._show_uses())
        self._show_uses()

    def add_models(self, models: ModelsPage) -> None:
        """Tell the page about models of all that was opened so far, and from now on."""
        self._models = models
        self._controller.attach(models.hub)
        self._controller.memory_measured.connect(models.show_memory)
        for measured in self._measured:
            models.show_memory(measured)
        self._show_uses()

    def open_path(self, page: Page, path: Path) -> None:
        """Open the model at a path on a page; on one without a model, show its card."""
        source = str(path)
        if page in self._choices:
            self._choices[page].set_source(source)
        else:
            self.show_card(source)

    def show_card(self, source: str) -> None:
        """Show what a model is."""
        self.models_wanted.emit()  # which has the page built, if it was not
        if self._models is not None:
            self._models.open_source(source)

    def use(self, source: str, title: str) -> None:
        """Set the page with this title to a model, or every page where there is no title."""
        for page, choice in self._choices.items():
            if title in ("", page.title):
                choice.set_source(source)
        where = f"The {title} page is" if title else "Every page is"
        self.said.emit(f"{where} set to {short_name(source)}.")

    def _show_uses(self) -> None:
        if self._models is not None:
            uses = {page.title: choice.source() for page, choice in self._choices.items()}
            self._models.show_uses(uses)

    def _keep_measured(self, measured: MemoryMeasured) -> None:
        self._measured.append(measured)

    def _opened(self, opened: ModelOpened, asked: str) -> None:
        for page, choice in self._choices.items():
            if choice.source() in (opened.info.source, asked):
                page.show_model(opened.info, opened.device)
                page.show_engine(opened)
        if self._models is not None:
            self._models.show_engine(opened)
        self._shelf.remember(asked or opened.info.source)

    def _show_fast(self, measured: FastMeasured) -> None:
        for page, choice in self._choices.items():
            if choice.source() == measured.source:
                page.show_engine(measured)

    def _failed(self, source: str, text: str) -> None:
        if self._models is not None:
            self._models.show_failure(source, text)
        for choice in self._choices.values():
            if choice.source() == source:
                choice.show_error(text)
