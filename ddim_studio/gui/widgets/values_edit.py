"""A line for several values, with a menu of those that there are to choose from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, Signal
from PySide6.QtWidgets import QLineEdit, QMenu, QWidget

from ddim_studio.gui.theme import set_icon

if TYPE_CHECKING:
    from collections.abc import Sequence


class ValuesEdit(QLineEdit):
    """Values with commas between; where there are choices, a menu at the right adds and removes.

    Signals:
        more_wanted: The last entry of the menu was chosen, for what is in no list.
    """

    more_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._choices: Sequence[tuple[str, str]] = ()
        self._more = ""
        self._menu = QMenu(self)
        self._menu.setObjectName("choicesMenu")
        self._menu.aboutToShow.connect(self._fill)
        self._action = self.addAction(self.windowIcon(), self.ActionPosition.TrailingPosition)
        self._action.setObjectName("chooseValues")
        self._action.setText("Choose values")
        self._action.setToolTip("Choose values from a list")
        set_icon(self._action, "add", "muted")
        self._action.triggered.connect(self._open)
        self.set_choices(())

    def set_choices(self, choices: Sequence[tuple[str, str]], more: str = "") -> None:
        """Offer a list: text and value of each entry, and a last one that emits `more_wanted`."""
        self._choices, self._more = choices, more
        self._action.setVisible(bool(choices or more))

    def values(self) -> list[str]:
        """What stands between the commas."""
        return [part.strip() for part in self.text().split(",") if part.strip()]

    def add_value(self, value: str) -> None:
        """Write one more value behind the others, unless it is there."""
        if value not in self.values():
            self.setText(", ".join([*self.values(), value]))

    def menu(self) -> QMenu:
        """The menu of choices, as it is now."""
        self._fill()
        return self._menu

    def _open(self) -> None:
        self._menu.popup(self.mapToGlobal(QPoint(0, self.height())))

    def _fill(self) -> None:
        self._menu.clear()
        there = self.values()
        for text, value in self._choices:
            action = self._menu.addAction(text)
            action.setCheckable(True)
            action.setChecked(value in there)
            action.setToolTip(value)
            action.toggled.connect(lambda on, value=value: self._toggle(value, on=on))
        if self._more:
            self._menu.addSeparator()
            self._menu.addAction(self._more).triggered.connect(lambda _on: self.more_wanted.emit())

    def _toggle(self, value: str, *, on: bool) -> None:
        if on:
            self.add_value(value)
        else:
            self.setText(", ".join(other for other in self.values() if other != value))
