"""A window with pages as its attributes, which finds what is in them though they are not built."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from PySide6.QtWidgets import QMainWindow

if TYPE_CHECKING:
    from ddim_studio.gui.page_set import PageSet
    from ddim_studio.gui.pages.compare import ComparePage
    from ddim_studio.gui.pages.forward import ForwardPage
    from ddim_studio.gui.pages.interpolate import InterpolatePage
    from ddim_studio.gui.pages.invert import InvertPage
    from ddim_studio.gui.pages.models import ModelsPage
    from ddim_studio.gui.pages.page import Page
    from ddim_studio.gui.pages.restore import RestorePage
    from ddim_studio.gui.pages.sample import SamplePage
    from ddim_studio.gui.pages.train import TrainPage


class PagedWindow(QMainWindow):
    """Whoever looks for a widget in the window, or names a page, finds it built.

    Attributes:
        page_set: The pages; the subclass makes it.
    """

    page_set: PageSet

    @property
    def pages(self) -> list[Page]:
        """Every page in order; those that nobody has needed yet are built now."""
        return self.page_set.all()

    @property
    def sample(self) -> SamplePage:
        """The Sample page."""
        return cast("SamplePage", self.page_set.get("sample"))

    @property
    def invert(self) -> InvertPage:
        """The Invert page."""
        return cast("InvertPage", self.page_set.get("invert"))

    @property
    def interpolate(self) -> InterpolatePage:
        """The Interpolate page."""
        return cast("InterpolatePage", self.page_set.get("interpolate"))

    @property
    def compare(self) -> ComparePage:
        """The Compare page."""
        return cast("ComparePage", self.page_set.get("compare"))

    @property
    def train(self) -> TrainPage:
        """The Train page."""
        return cast("TrainPage", self.page_set.get("train"))

    @property
    def forward(self) -> ForwardPage:
        """The Forward page."""
        return cast("ForwardPage", self.page_set.get("forward"))

    @property
    def restore(self) -> RestorePage:
        """The Restore page."""
        return cast("RestorePage", self.page_set.get("restore"))

    @property
    def models(self) -> ModelsPage:
        """The Models page."""
        return cast("ModelsPage", self.page_set.get("models"))

    def findChild(self, *wanted: Any, **options: Any) -> Any:  # noqa: ANN401 (Qt's own signature)
        """As Qt's, in every page."""
        self.page_set.all()
        return super().findChild(*wanted, **options)

    def findChildren(self, *wanted: Any, **options: Any) -> Any:  # noqa: ANN401 (Qt's own)
        """As Qt's, in every page."""
        self.page_set.all()
        return super().findChildren(*wanted, **options)

    def centralWidget(self) -> Any:  # noqa: ANN401 (a QWidget, or None before there is one)
        """As Qt's, with every page in it."""
        self.page_set.all()
        return super().centralWidget()
