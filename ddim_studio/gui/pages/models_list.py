"""The list at the left of the Models page: bundled, recent, and from the hub."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QBrush, QColor
from PySide6.QtWidgets import QFrame, QListWidget, QListWidgetItem, QWidget

from ddim_studio.gui.theme import current_colors, icon, is_restyle, sized_font
from ddim_studio.jobs.kinds import short_name
from ddim_studio.models.hub_cache import HUB_PREFIX

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from PySide6.QtCore import QEvent
    from PySide6.QtGui import QKeyEvent

SOURCE = Qt.ItemDataRole.UserRole
ICON = Qt.ItemDataRole.UserRole + 1
BUNDLED, RECENT, HUB = "Bundled", "Recent", "From the hub"
_ICONS = {BUNDLED: "models", RECENT: "folder", HUB: "cloud"}
_EMPTY = {
    RECENT: "Models that you open stay here",
    HUB: "Models that you download stay here",
}


class ModelList(QListWidget):
    """Models under three headings.

    Signals:
        chosen: The source of the model that was selected.
        forgotten: The source of a recent model that is to leave the list.
    """

    chosen = Signal(str)
    forgotten = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("modelList")
        self.setAccessibleName("Models")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.setToolTip("Select a model to see what it is; Delete takes a recent one off the list")
        self._sections: dict[str, list[str]] = {}
        self.currentItemChanged.connect(self._selected)

    def show_models(self, sections: Mapping[str, Sequence[str]]) -> None:
        """Show the sources under each heading; the selection stays where it can."""
        listed = {heading: list(sources) for heading, sources in sections.items()}
        if listed == self._sections:
            return
        source = self.source()
        self._sections = listed
        with QSignalBlocker(self):
            self.clear()
            for heading, sources in listed.items():
                self._add_heading(heading)
                for other in sources:
                    self._add(heading, other)
                if not sources and heading in _EMPTY:
                    self._add_hint(_EMPTY[heading])
            self.select(source)

    def source(self) -> str:
        """The model that is selected, or nothing."""
        item = self.currentItem()
        return "" if item is None else str(item.data(SOURCE) or "")

    def sources(self) -> list[str]:
        """All models listed, from above."""
        found = (self.item(row).data(SOURCE) for row in range(self.count()))
        return [str(source) for source in found if source]

    def select(self, source: str) -> None:
        """Select a model, or none where it is not listed."""
        for row in range(self.count()):
            if source and self.item(row).data(SOURCE) == source:
                self.setCurrentRow(row)
                return
        self.setCurrentRow(-1)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Delete takes a recent model off the list."""
        if event.key() == Qt.Key.Key_Delete and self.source() in self._sections.get(RECENT, ()):
            self.forgotten.emit(self.source())
        else:
            super().keyPressEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        """Follow the theme."""
        super().changeEvent(event)
        if is_restyle(event) and hasattr(self, "_sections"):
            for row in range(self.count()):
                self._paint(self.item(row))

    def _add_heading(self, text: str) -> None:
        item = QListWidgetItem(text)
        item.setFlags(Qt.ItemFlag.NoItemFlags)
        item.setFont(sized_font(self.font(), 0.9, bold=True))
        self._insert(item)

    def _add_hint(self, text: str) -> None:
        item = QListWidgetItem(text)
        item.setFlags(Qt.ItemFlag.NoItemFlags)
        item.setFont(sized_font(self.font(), 0.9))
        self._insert(item)

    def _add(self, heading: str, source: str) -> None:
        item = QListWidgetItem(shown_name(source))
        item.setData(SOURCE, source)
        item.setData(ICON, _ICONS[heading])
        item.setToolTip("Comes with the program" if heading == BUNDLED else source)
        self._insert(item)

    def _insert(self, item: QListWidgetItem) -> None:
        self.addItem(item)
        self._paint(item)

    def _paint(self, item: QListWidgetItem) -> None:
        name = item.data(ICON)
        if name:
            item.setIcon(icon(str(name)))
        else:
            item.setForeground(QBrush(QColor(current_colors().muted)))

    def _selected(self, item: QListWidgetItem | None) -> None:
        if item is not None and item.data(SOURCE):
            self.chosen.emit(str(item.data(SOURCE)))


def shown_name(source: str) -> str:
    """What a model is called: owner and name on the hub, else the last part of its path."""
    hub = source.startswith(HUB_PREFIX)
    return source.removeprefix(HUB_PREFIX) if hub else short_name(source)
