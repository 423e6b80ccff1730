"""The main window: pages, the bars around them, and what it remembers."""

from __future__ import annotations

import contextlib
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QByteArray, QTimer
from PySide6.QtGui import QGuiApplication, QKeySequence, QShortcut
from PySide6.QtWidgets import QApplication, QHBoxLayout, QVBoxLayout, QWidget

from ddim_studio.diffusion.settings import SettingsError
from ddim_studio.gui.controller import Controller
from ddim_studio.gui.drops import dropped_path, run_in
from ddim_studio.gui.history_menu import HistoryMenu
from ddim_studio.gui.image_menu import ImageMenu
from ddim_studio.gui.model_files import is_model
from ddim_studio.gui.model_shelf import ModelShelf
from ddim_studio.gui.model_wiring import ModelWiring
from ddim_studio.gui.navigation import Navigation
from ddim_studio.gui.page_set import ENTRIES, PageSet
from ddim_studio.gui.paged_window import PagedWindow
from ddim_studio.gui.qt_types import TypeMaker
from ddim_studio.gui.state import Memory
from ddim_studio.gui.theme import apply_theme, icon, is_dark, settle
from ddim_studio.gui.widgets.error_bar import ErrorBar
from ddim_studio.gui.widgets.job_bar import JobBar
from ddim_studio.jobs.failures import explain
from ddim_studio.jobs.forward_events import ForwardRun
from ddim_studio.jobs.matrix import CompareRun
from ddim_studio.jobs.restore_order import RestoreRun

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QShowEvent

    from ddim_studio.gui.image_source import ImageSource
    from ddim_studio.gui.pages.page import Page
    from ddim_studio.gui.theme import Mode
    from ddim_studio.jobs.runs import SampleRun


BUILD_PAUSE_MS = 40


class MainWindow(PagedWindow):
    """Composes the pages; owns the `Controller`.

    The page on show is built at once, the others as soon as there is leisure for it.

    Args:
        prepare: Imports what takes long, in the worker thread; it is given `TypeMaker.wait`.
    """

    def __init__(self, prepare: Callable[[Callable[[], bool]], None] = lambda _wait: None) -> None:
        super().__init__()
        self.setWindowTitle("DDIM Studio")
        self.setWindowIcon(icon("app"))
        self.setAcceptDrops(True)
        self.setMinimumSize(1000, 620)
        self.memory = Memory()
        self.job_bar, self.error_bar = JobBar(), ErrorBar()
        ImageMenu.providers = [
            lambda parent: HistoryMenu("From a past run", parent, of_images=True)
        ]
        self.shelf = ModelShelf(self.memory, self)
        self.types = types = TypeMaker(self)
        self.controller = Controller(self.job_bar, self.error_bar, partial(prepare, types.wait))
        self.wiring = ModelWiring(self.shelf, self.controller, self)
        self.page_set = PageSet(self.shelf, self)
        self.stack = self.page_set.stack
        self._started = self._prepared = False
        self._slow_parts: list[Callable[[], None]] = []
        self._building = QTimer(self, interval=BUILD_PAUSE_MS, singleShot=True)
        self._building.timeout.connect(self._build_next)
        self._lay_out()
        self._connect()
        self._recall()

    # --- life --------------------------------------------------------------------------------

    def showEvent(self, event: QShowEvent) -> None:
        """The first time, start what has to wait until the window is up."""
        super().showEvent(event)
        if not self._started:
            self._started = True
            QTimer.singleShot(0, self, self._start)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Cancel whatever runs, remember everything, and go."""
        self.hide()
        for page in self.page_set.there():
            page.close_down()
        self.types.abandon()
        self._remember()
        self.controller.close()
        self._slow_parts.clear()
        self._building.stop()
        event.accept()

    def _start(self) -> None:
        self.types.start()
        self.controller.start()
        asked = set()
        for page in self.page_set.there():
            choice = page.model()
            if choice is not None and choice.source() not in asked:
                asked.add(choice.source())
                page.ask_for_model()

    # --- dropping files ----------------------------------------------------------------------

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take one file or folder."""
        if dropped_path(event.mimeData()) is not None:
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """A folder or checkpoint is a model; a picture made here brings its settings back."""
        path = dropped_path(event.mimeData())
        if path is None:
            return
        event.acceptProposedAction()
        self.open_path(path)

    def open_path(self, path: Path) -> None:
        """Open what a path holds: a model, or a picture or JSON with settings."""
        if is_model(path):
            self.wiring.open_path(self.pages[self.stack.currentIndex()], path)
            return
        try:
            run = run_in(path)
        except Exception as error:  # noqa: BLE001 (whatever is in a dropped file, the window stays)
            self.controller.show_failure(explain(error))
            return
        self._take_settings(run)

    def _take_settings(self, run: SampleRun | CompareRun | ForwardRun) -> None:
        """Take the settings of a run on the page on show: what inversion can use, or all."""
        from ddim_studio.gui.pages.inversion_page import InversionPage

        page = self.stack.currentWidget()
        if isinstance(run, CompareRun):
            self.compare.panel.set_settings(run)
            self.show_page(self.compare)
        elif isinstance(run, ForwardRun):
            self.forward.panel.set_settings(run)
            self.show_page(self.forward)
        elif isinstance(run, RestoreRun):
            self.restore.take(run)
            self.show_page(self.restore)
        elif isinstance(page, InversionPage):
            page.panel.adopt(run)  # which says in place what it does otherwise, and why
            return
        else:
            self.sample.panel.set_settings(run)
            self.show_page(self.sample)
        self.error_bar.show_notice("The run's settings are set; press Run to repeat it.")

    # --- parts -------------------------------------------------------------------------------

    def _lay_out(self) -> None:
        self.navigation = Navigation([(entry.title, entry.icon_name) for entry in ENTRIES])
        middle = QHBoxLayout()
        middle.setSpacing(0)
        middle.addWidget(self.navigation)
        middle.addLayout(self.stack, 1)
        column = QVBoxLayout()
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.error_bar)
        column.addLayout(middle, 1)
        column.addWidget(self.job_bar)
        centre = QWidget()
        centre.setLayout(column)
        self.setCentralWidget(centre)

    def _connect(self) -> None:
        self.page_set.built.connect(self._adopt)
        self.navigation.pages.currentRowChanged.connect(self.page_set.show)
        self.navigation.theme_clicked.connect(self._toggle_theme)
        self.navigation.history.run_chosen.connect(self._take_settings)
        self.controller.prepared.connect(self._prepare)
        self.wiring.models_wanted.connect(lambda: self.show_page(self.models))
        self.wiring.said.connect(self.error_bar.show_notice)
        for number in range(len(ENTRIES)):
            shortcut = QShortcut(QKeySequence(f"Ctrl+{number + 1}"), self)
            shortcut.activated.connect(lambda row=number: self.navigation.pages.setCurrentRow(row))
        QGuiApplication.styleHints().colorSchemeChanged.connect(self._follow_system)

    def show_page(self, page: Page) -> None:
        """Turn to a page."""
        self.navigation.pages.setCurrentRow(self.stack.indexOf(page))

    def _adopt(self, page: Page) -> None:
        """A page was built: connect it, and give it what it had at the last start."""
        if page is not self.sample:
            _keep_names_apart(self.sample, page)
        self.controller.attach(page)
        self.wiring.add(page)
        if page.title == "Models":
            self.wiring.add_models(self.models)
        page.sent.connect(self._bring)
        page.settings_sent.connect(self._take_settings)
        values = self.memory.get(page.title)
        if isinstance(values, dict):
            with contextlib.suppress(SettingsError, TypeError):
                page.recall(values)
        if self._started:
            page.ask_for_model()
        if self._prepared:
            self._slow_parts += page.slow_parts()
            self._building.start()

    def _bring(self, place: str, source: ImageSource) -> None:
        """Bring an image to another page, and show that page."""
        if place == "invert":
            self.invert.add([source])
        elif place == "forward":
            self.forward.give(source)
        elif place == "restore":
            self.restore.give(source)
        else:
            self.interpolate.give("AB".index(place), source)
        self.show_page(self.page_set.get("interpolate" if place in "AB" else place))

    def _prepare(self) -> None:
        """Build what is slow to build, one part at a time, with a pause for the user between."""
        self._prepared = True
        self._slow_parts = [part for page in self.page_set.there() for part in page.slow_parts()]
        self._slow_parts += [partial(self._build, key) for key in self.page_set.missing()]
        self._build_next()

    def is_building(self) -> bool:
        """Whether parts of the window are still to be built, after its start."""
        return bool(self._slow_parts) or self._building.isActive()

    def _build(self, key: str) -> None:
        self.page_set.get(key)

    def _build_next(self) -> None:
        if self._slow_parts:
            self._slow_parts.pop(0)()
            self._building.start()

    # --- the theme ---------------------------------------------------------------------------

    def _follow_system(self) -> None:
        if self.memory.text("theme", "system") == "system":
            self.set_theme("system")

    def _toggle_theme(self) -> None:
        self.set_theme("light" if is_dark() else "dark")

    def set_theme(self, mode: str) -> None:
        """Put "light", "dark" or "system" in force, and remember it."""
        self._apply_theme(mode)
        self.memory.set("theme", mode)
        self.navigation.refresh_icons()

    def _apply_theme(self, mode: str) -> None:
        app = QApplication.instance()
        if isinstance(app, QApplication):
            known: Mode = "dark" if mode == "dark" else "light" if mode == "light" else "system"
            page = self.stack.currentWidget()
            bars = [self.navigation, self.job_bar, self.error_bar]
            apply_theme(app, known, bars if page is None else [*bars, page])

    # --- what it remembers -------------------------------------------------------------------

    def _recall(self) -> None:
        self._apply_theme(self.memory.text("theme", "system"))
        self.navigation.refresh_icons()
        settle(self.navigation)
        geometry = self.memory.text("geometry")
        if not geometry or not self.restoreGeometry(QByteArray.fromBase64(geometry.encode())):
            self.resize(1280, 800)
        page_number = self.memory.get("page")
        known = isinstance(page_number, int) and 0 <= page_number < len(ENTRIES)
        self.navigation.pages.setCurrentRow(page_number if known else 0)

    def _remember(self) -> None:
        self.memory.set("geometry", bytes(self.saveGeometry().toBase64().data()).decode())
        self.memory.set("page", self.stack.currentIndex())
        for page in self.page_set.there():
            values = page.memory()
            if values is not None:
                self.memory.set(page.title, values)
        self.memory.save()


def _keep_names_apart(first: QWidget, other: QWidget) -> None:
    """Leave a name that several pages have to the first; scripts look in the whole window."""
    taken = {child.objectName() for child in first.findChildren(QWidget)}
    for child in other.findChildren(QWidget):
        if child.objectName() and child.objectName() in taken:
            child.setObjectName(f"{other.objectName()}_{child.objectName()}")
