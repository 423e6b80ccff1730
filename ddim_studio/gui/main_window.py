"""The main window: pages, the bars around them, and what it remembers."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from PySide6.QtCore import QByteArray, QTimer
from PySide6.QtGui import QGuiApplication, QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QApplication,
    QHBoxLayout,
    QMainWindow,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from ddim_studio.diffusion.settings import SettingsError
from ddim_studio.gui.controller import Controller
from ddim_studio.gui.drops import dropped_path, run_in
from ddim_studio.gui.history_menu import HistoryMenu
from ddim_studio.gui.image_menu import ImageMenu
from ddim_studio.gui.model_files import is_model
from ddim_studio.gui.model_shelf import ModelShelf
from ddim_studio.gui.model_wiring import ModelWiring
from ddim_studio.gui.navigation import Navigation
from ddim_studio.gui.pages.compare import ComparePage
from ddim_studio.gui.pages.interpolate import InterpolatePage
from ddim_studio.gui.pages.inversion_page import InversionPage
from ddim_studio.gui.pages.invert import InvertPage
from ddim_studio.gui.pages.models import ModelsPage
from ddim_studio.gui.pages.sample import SamplePage
from ddim_studio.gui.state import Memory
from ddim_studio.gui.theme import apply_theme, icon, is_dark, settle
from ddim_studio.gui.widgets.error_bar import ErrorBar
from ddim_studio.gui.widgets.job_bar import JobBar
from ddim_studio.jobs.failures import explain
from ddim_studio.jobs.matrix import CompareRun

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QShowEvent

    from ddim_studio.gui.image_source import ImageSource
    from ddim_studio.gui.pages.page import Page
    from ddim_studio.jobs.runs import SampleRun


BUILD_PAUSE_MS = 40


class MainWindow(QMainWindow):
    """Composes the pages; owns the `Controller`.

    Args:
        prepare: Called in the worker thread once the window is up, to import what takes long.
    """

    def __init__(self, prepare: Callable[[], None] = lambda: None) -> None:
        super().__init__()
        self.setWindowTitle("DDIM Studio")
        self.setWindowIcon(icon("app"))
        self.setAcceptDrops(True)
        self.setMinimumSize(1000, 620)
        self.memory = Memory()
        self.job_bar, self.error_bar = JobBar(), ErrorBar()
        recent = self.memory.texts("recent_models")
        ImageMenu.providers = [
            lambda parent: HistoryMenu("From a past run", parent, of_images=True)
        ]
        self.sample = SamplePage(recent)
        self.invert = InvertPage(recent)
        self.interpolate = InterpolatePage(recent)
        self.compare = ComparePage(recent)
        self.shelf = ModelShelf(self.memory, self)
        self.models = ModelsPage(self.shelf)
        self.pages: list[Page] = [self.sample, self.invert, self.interpolate, self.compare]
        self.pages.append(self.models)
        self.controller = Controller(self.job_bar, self.error_bar, prepare)
        self.wiring = ModelWiring(self.pages, self.models, self.shelf, self.controller, self)
        self._started = False
        self._slow_parts: list[Callable[[], None]] = []
        self._building = QTimer(self, interval=BUILD_PAUSE_MS, singleShot=True)
        self._building.timeout.connect(self._build_next)
        _keep_names_apart(self.sample, self.pages[1:])
        self._lay_out()
        self._connect()
        self._recall()
        settle(self)

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
        self.interpolate.live.stop()
        self._remember()
        self.controller.close()
        self._building.stop()
        event.accept()

    def _start(self) -> None:
        self.controller.start()
        asked = set()
        for page in self.pages:
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

    def _take_settings(self, run: SampleRun | CompareRun) -> None:
        """Take the settings of a run on the page on show: what inversion can use, or all."""
        page, taker = self.stack.currentWidget(), self.pages.index(self.sample)
        if isinstance(run, CompareRun):
            self.compare.panel.set_settings(run)
            taker = self.pages.index(self.compare)
        elif isinstance(page, InversionPage):
            page.panel.adopt(run)  # which says in place what it does otherwise, and why
            return
        else:
            self.sample.panel.set_settings(run)
        self.navigation.pages.setCurrentRow(taker)
        self.error_bar.show_notice("The run's settings are set; press Run to repeat it.")

    # --- parts -------------------------------------------------------------------------------

    def _lay_out(self) -> None:
        self.navigation = Navigation([(page.title, page.icon_name) for page in self.pages])
        self.stack = QStackedWidget()
        for page in self.pages:
            self.stack.addWidget(page)
        middle = QHBoxLayout()
        middle.setSpacing(0)
        middle.addWidget(self.navigation)
        middle.addWidget(self.stack, 1)
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
        for page in self.pages:
            self.controller.attach(page)
            page.sent.connect(self._bring)
            page.settings_sent.connect(self._take_settings)
        self.navigation.pages.currentRowChanged.connect(self.stack.setCurrentIndex)
        self.navigation.theme_clicked.connect(self._toggle_theme)
        self.navigation.history.run_chosen.connect(self._take_settings)
        self.controller.prepared.connect(self._prepare)
        self.wiring.models_wanted.connect(
            lambda: self.navigation.pages.setCurrentRow(self.pages.index(self.models))
        )
        self.wiring.said.connect(self.error_bar.show_notice)
        for number in range(len(self.pages)):
            shortcut = QShortcut(QKeySequence(f"Ctrl+{number + 1}"), self)
            shortcut.activated.connect(lambda row=number: self.navigation.pages.setCurrentRow(row))
        self.navigation.pages.setCurrentRow(0)
        QGuiApplication.styleHints().colorSchemeChanged.connect(self._follow_system)

    def _bring(self, place: str, source: ImageSource) -> None:
        """Bring an image to another page, and show that page."""
        if place == "invert":
            self.invert.add([source])
        else:
            self.interpolate.give("AB".index(place), source)
        page = self.invert if place == "invert" else self.interpolate
        self.navigation.pages.setCurrentRow(self.pages.index(page))

    def _prepare(self) -> None:
        """Build what is slow to build, one part at a time, with a pause for the user between."""
        self._slow_parts = [part for page in self.pages for part in page.slow_parts()]
        self._build_next()

    def _build_next(self) -> None:
        if self._slow_parts:
            self._slow_parts.pop(0)()
            self._building.start()

    def _follow_system(self) -> None:
        if self.memory.text("theme", "system") == "system":
            self.set_theme("system")

    def _toggle_theme(self) -> None:
        self.set_theme("light" if is_dark() else "dark")

    def set_theme(self, mode: str) -> None:
        """Put "light", "dark" or "system" in force, and remember it."""
        app = QApplication.instance()
        if not isinstance(app, QApplication):
            return
        apply_theme(app, "dark" if mode == "dark" else "light" if mode == "light" else "system")
        self.memory.set("theme", mode)
        self.navigation.refresh_icons()

    # --- what it remembers -------------------------------------------------------------------

    def _recall(self) -> None:
        self.set_theme(self.memory.text("theme", "system"))
        geometry = self.memory.text("geometry")
        if not geometry or not self.restoreGeometry(QByteArray.fromBase64(geometry.encode())):
            self.resize(1280, 800)
        page_number = self.memory.get("page")
        if isinstance(page_number, int) and 0 <= page_number < len(self.pages):
            self.navigation.pages.setCurrentRow(page_number)
        for page in self.pages:
            values = self.memory.get(page.title)
            if isinstance(values, dict):
                with contextlib.suppress(SettingsError, TypeError):
                    page.recall(values)

    def _remember(self) -> None:
        self.memory.set("geometry", bytes(self.saveGeometry().toBase64().data()).decode())
        self.memory.set("page", self.stack.currentIndex())
        for page in self.pages:
            values = page.memory()
            if values is not None:
                self.memory.set(page.title, values)
        self.memory.save()


def _keep_names_apart(first: QWidget, others: Sequence[QWidget]) -> None:
    """Leave a name that several pages have to the first; scripts look in the whole window."""
    taken = {child.objectName() for child in first.findChildren(QWidget)}
    for page in others:
        for child in page.findChildren(QWidget):
            if child.objectName() and child.objectName() in taken:
                child.setObjectName(f"{page.objectName()}_{child.objectName()}")
