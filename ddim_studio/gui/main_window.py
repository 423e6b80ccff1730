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
from ddim_studio.gui.drops import dropped_path, settings_in
from ddim_studio.gui.navigation import Navigation
from ddim_studio.gui.pages.sample import SamplePage
from ddim_studio.gui.state import Memory
from ddim_studio.gui.theme import apply_theme, icon, is_dark, settle
from ddim_studio.gui.widgets.error_bar import ErrorBar
from ddim_studio.gui.widgets.job_bar import JobBar
from ddim_studio.jobs.failures import explain
from ddim_studio.jobs.runs import SampleRun

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QShowEvent

    from ddim_studio.gui.pages.page import Page
    from ddim_studio.jobs.events import ModelOpened


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
        self.sample = SamplePage(self.memory.texts("recent_models"))
        self.pages: list[Page] = [self.sample]
        self.controller = Controller(self.job_bar, self.error_bar, prepare)
        self._started = False
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
        self._remember()
        self.controller.close()
        event.accept()

    def _start(self) -> None:
        self.controller.start()
        self.sample.ask_for_model()

    # --- dropping files ----------------------------------------------------------------------

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take one file or folder."""
        if dropped_path(event.mimeData()) is not None:
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """A folder is a model; a picture made here brings its settings back."""
        path = dropped_path(event.mimeData())
        if path is None:
            return
        event.acceptProposedAction()
        self.open_path(path)

    def open_path(self, path: Path) -> None:
        """Open what a path holds: the folder of a model, or a picture or JSON with settings."""
        if path.is_dir():
            self.sample.panel.model.set_source(str(path))
            return
        try:
            run = SampleRun.from_json(settings_in(path))
        except Exception as error:  # noqa: BLE001 (whatever is in a dropped file, the window stays)
            self.controller.show_failure(explain(error))
            return
        self.sample.panel.set_settings(run)
        self.error_bar.show_notice(f"Settings of {path.name} are set; press Run to repeat it.")

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
        self.navigation.pages.currentRowChanged.connect(self.stack.setCurrentIndex)
        self.navigation.theme_clicked.connect(self._toggle_theme)
        self.controller.prepared.connect(self.sample.prepare)
        self.controller.model_opened.connect(self._model_opened)
        self.controller.model_failed.connect(self._model_failed)
        for number in range(len(self.pages)):
            shortcut = QShortcut(QKeySequence(f"Ctrl+{number + 1}"), self)
            shortcut.activated.connect(lambda row=number: self.navigation.pages.setCurrentRow(row))
        self.navigation.pages.setCurrentRow(0)
        QGuiApplication.styleHints().colorSchemeChanged.connect(self._follow_system)

    def _model_opened(self, opened: ModelOpened) -> None:
        if opened.info.source == self.sample.panel.model.source():
            self.sample.panel.show_model(opened.info, opened.device)
        self.memory.remember_model(opened.info.source)

    def _model_failed(self, source: str, text: str) -> None:
        if source == self.sample.panel.model.source():
            self.sample.panel.model.show_error(text)

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
        settings = self.memory.get("sample")
        try:
            if isinstance(settings, dict):
                self.sample.panel.set_settings(SampleRun.from_dict(settings))
        except (SettingsError, TypeError):
            return

    def _remember(self) -> None:
        self.memory.set("geometry", bytes(self.saveGeometry().toBase64().data()).decode())
        with contextlib.suppress(SettingsError):
            self.memory.set("sample", self.sample.panel.settings().to_dict())
        self.memory.save()
