"""Between the pages that use a model, the page about models, and the controller that opens them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from ddim_studio.jobs.kinds import short_name

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ddim_studio.gui.controller import Controller
    from ddim_studio.gui.model_choice import ModelChoice
    from ddim_studio.gui.model_shelf import ModelShelf
    from ddim_studio.gui.pages.models import ModelsPage
    from ddim_studio.gui.pages.page import Page
    from ddim_studio.jobs.events import ModelOpened


class ModelWiring(QObject):
    """Sets pages to models, and tells pages of the models that were opened for them.

    Args:
        pages: All pages; those without a choice of a model are passed over.
        models: The page about models.
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
        self,
        pages: Sequence[Page],
        models: ModelsPage,
        shelf: ModelShelf,
        controller: Controller,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._models, self._shelf = models, shelf
        found = ((page, page.model()) for page in pages)
        self._choices: dict[Page, ModelChoice] = {
            page: choice for page, choice in found if choice is not None
        }
        controller.attach(models.hub)
        controller.model_opened.connect(self._opened)
        controller.model_failed.connect(self._failed)
        controller.memory_measured.connect(models.show_memory)
        models.use_requested.connect(self.use)
        for choice in self._choices.values():
            choice.follow(shelf)
            choice.browse_requested.connect(lambda of=choice: self.show_card(of.source()))
            choice.chosen.connect(lambda _source, _device: self._show_uses())
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
        self.models_wanted.emit()
        self._models.open_source(source)

    def use(self, source: str, title: str) -> None:
        """Set the page with this title to a model, or every page where there is no title."""
        for page, choice in self._choices.items():
            if title in ("", page.title):
                choice.set_source(source)
        where = f"The {title} page is" if title else "Every page is"
        self.said.emit(f"{where} set to {short_name(source)}.")

    def _show_uses(self) -> None:
        uses = {page.title: choice.source() for page, choice in self._choices.items()}
        self._models.show_uses(uses)

    def _opened(self, opened: ModelOpened, asked: str) -> None:
        for page, choice in self._choices.items():
            if choice.source() in (opened.info.source, asked):
                page.show_model(opened.info, opened.device)
        self._shelf.remember(asked or opened.info.source)

    def _failed(self, source: str, text: str) -> None:
        self._models.show_failure(source, text)
        for choice in self._choices.values():
            if choice.source() == source:
                choice.show_error(text)
