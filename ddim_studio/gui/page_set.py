"""The pages of the window in their order. Each is imported and built when it is first needed.

A page costs the start of the program nothing until somebody looks at it, looks for it, or the
window has leisure to build it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QSize, Signal
from PySide6.QtWidgets import QStackedLayout, QWidget

from ddim_studio.gui.theme import settle, wear

if TYPE_CHECKING:
    from collections.abc import Callable

    from ddim_studio.gui.model_shelf import ModelShelf
    from ddim_studio.gui.pages.page import Page


@dataclass(frozen=True)
class Entry:
    """A page that may not be built yet.

    Attributes:
        key: What the window calls it: its attribute.
        title: The page's own title.
        icon_name: The page's own icon.
        build: Imports and makes it.
    """

    key: str
    title: str
    icon_name: str
    build: Callable[[ModelShelf], Page]


def _sample(shelf: ModelShelf) -> Page:
    from ddim_studio.gui.pages.sample import SamplePage

    return SamplePage(shelf.recent())


def _invert(shelf: ModelShelf) -> Page:
    from ddim_studio.gui.pages.invert import InvertPage

    return InvertPage(shelf.recent())


def _interpolate(shelf: ModelShelf) -> Page:
    from ddim_studio.gui.pages.interpolate import InterpolatePage

    return InterpolatePage(shelf.recent())


def _compare(shelf: ModelShelf) -> Page:
    from ddim_studio.gui.pages.compare import ComparePage

    return ComparePage(shelf.recent())


def _restore(shelf: ModelShelf) -> Page:
    from ddim_studio.gui.pages.restore import RestorePage

    return RestorePage(shelf.recent())


def _train(shelf: ModelShelf) -> Page:  # noqa: ARG001 (it makes models, and uses none)
    from ddim_studio.gui.pages.train import TrainPage

    return TrainPage()


def _forward(shelf: ModelShelf) -> Page:
    from ddim_studio.gui.pages.forward import ForwardPage

    return ForwardPage(shelf.recent())


def _models(shelf: ModelShelf) -> Page:
    from ddim_studio.gui.pages.models import ModelsPage

    return ModelsPage(shelf)


# A new page is a function above and a line here; the window gets an attribute for it.
ENTRIES = (
    Entry("sample", "Sample", "sample", _sample),
    Entry("invert", "Invert", "invert", _invert),
    Entry("interpolate", "Interpolate", "interpolate", _interpolate),
    Entry("compare", "Compare", "compare", _compare),
    Entry("forward", "Forward", "forward", _forward),
    Entry("restore", "Restore", "restore", _restore),
    Entry("train", "Train", "train", _train),
    Entry("models", "Models", "models", _models),
)


class PageStack(QStackedLayout):
    """Shows one page at a time, and asks only that one how large it wants to be.

    Qt's own stack asks every page, which has each of them styled before the window is shown.
    """

    def sizeHint(self) -> QSize:
        """That of the page on show."""
        page = self.currentWidget()
        return QSize(0, 0) if page is None else page.sizeHint()

    def minimumSize(self) -> QSize:
        """That of the page on show."""
        page = self.currentWidget()
        return QSize(0, 0) if page is None else page.minimumSizeHint()


class PageSet(QObject):
    """Builds pages on demand and keeps them.

    Args:
        shelf: The models used last.
        parent: Qt's owner.

    Signals:
        built: A page was made just now, in its place in the stack.

    Attributes:
        stack: The pages, or empty places for those that are not built.
    """

    built = Signal(object)

    def __init__(self, shelf: ModelShelf, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._shelf = shelf
        self._pages: dict[str, Page] = {}
        self.stack = PageStack()
        for _ in ENTRIES:
            self.stack.addWidget(QWidget())

    def get(self, key: str) -> Page:
        """A page by its key, built now if it was not."""
        if key not in self._pages:
            row = next(i for i, entry in enumerate(ENTRIES) if entry.key == key)
            page = ENTRIES[row].build(self._shelf)
            self._pages[key] = page
            self._place(row, page)
            self.built.emit(page)
        return self._pages[key]

    def all(self) -> list[Page]:
        """Every page in order, built now where it was not."""
        return [self.get(entry.key) for entry in ENTRIES]

    def there(self) -> list[Page]:
        """The pages built so far, in order."""
        return [self._pages[entry.key] for entry in ENTRIES if entry.key in self._pages]

    def missing(self) -> list[str]:
        """The keys of those that are not built, in order."""
        return [entry.key for entry in ENTRIES if entry.key not in self._pages]

    def show(self, row: int) -> None:
        """Put a page on show, styled: as long as nobody sees it, a page wears no theme."""
        page = self.get(ENTRIES[row].key)
        if wear(page):
            settle(page)
        self.stack.setCurrentIndex(row)

    def _place(self, row: int, page: QWidget) -> None:
        """Put a page where its empty place was."""
        place, shown = self.stack.widget(row), self.stack.currentIndex()
        self.stack.insertWidget(row, page)
        if place is not None:
            self.stack.removeWidget(place)
            place.deleteLater()
        self.stack.setCurrentIndex(shown)
