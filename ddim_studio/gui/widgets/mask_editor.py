"""Painting a mask on a picture: tools, undo, ready-made masks, and masks in files."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QButtonGroup,
    QFrame,
    QHBoxLayout,
    QMenu,
    QSpinBox,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from ddim_studio.gui.labels import ElidedLabel
from ddim_studio.gui.mask_canvas import MOST_SIZE, MaskCanvas
from ddim_studio.gui.mask_presets import PRESETS
from ddim_studio.gui.remark import Remark
from ddim_studio.gui.theme import SPACE, settle, tool_button

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from PySide6.QtGui import QAction, QKeyEvent

    from ddim_studio.gui.mask_canvas import Tool

    Mask = NDArray[np.bool_]

_TOOLS: dict[Tool, tuple[str, str]] = {
    "brush": ("brush", "Brush: paint what is to be filled (B)"),
    "eraser": ("eraser", "Eraser: take away from the mask, as the right button does (E)"),
    "box": ("box", "Box: fill from corner to corner (R)"),
}
_SIZE_TIP = "Diameter of the brush in pixels of the picture ([ and ])"


class MaskEditor(QWidget):
    """A canvas with a row of tools over it and a line about the mask under it.

    Signals:
        edited: The mask has changed.
        load_requested: The mask in a file is wanted.
        save_requested: The mask is to be written to a file.
    """

    edited = Signal()
    load_requested = Signal()
    save_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("maskEditor")
        self.setAccessibleName("Mask editor")
        self.canvas = MaskCanvas()
        self.diameter = _size_spin()
        self.menu = QMenu(self)
        self._tools = QButtonGroup(self)
        self._buttons: dict[str, QToolButton] = {}
        self._about = ElidedLabel("small")
        self._about.setObjectName("maskAbout")
        self._error = Remark()
        self._error.setObjectName("maskError")
        self._fill_menu()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE)
        column.addLayout(self._row())
        column.addWidget(self.canvas, 1)
        column.addWidget(self._error)
        column.addWidget(self._about)
        self.canvas.edited.connect(self._edited)
        self.canvas.size_changed.connect(self.diameter.setValue)
        self.diameter.valueChanged.connect(self.canvas.set_brush_size)
        self.diameter.setValue(self.canvas.brush_size())
        self._refresh()

    # --- what the owner does -----------------------------------------------------------------

    def set_picture(self, pixels: NDArray[np.uint8] | None) -> None:
        """Paint on a picture, (H, W, C), or on none."""
        self.canvas.set_picture(pixels)
        self._refresh()

    def drawn(self) -> Mask | None:
        """The mask, (H, W), True where the picture is to be filled; None before any picture."""
        return self.canvas.drawn()

    def take(self, mask: Mask) -> None:
        """Take a mask; of another size, it is brought to the picture's."""
        self.canvas.take(mask)

    def complain(self, sentence: str) -> None:
        """Say what is wrong with the mask; nothing takes it away."""
        self._error.say(sentence, "error")

    def error(self) -> str:
        """What is wrong with the mask."""
        return self._error.said()

    def about(self) -> str:
        """The line about the mask."""
        return self._about.full_text()

    def tool(self, tool: Tool) -> QToolButton:
        """The button of a tool."""
        return self._buttons[tool]

    def handle_key(self, event: QKeyEvent) -> bool:
        """Act on the keys of the tools and of undo, wherever the page's focus is.

        Returns:
            Whether the key was one of these.
        """
        control = Qt.KeyboardModifier.ControlModifier
        both = control | Qt.KeyboardModifier.ShiftModifier
        none = Qt.KeyboardModifier.NoModifier
        canvas = self.canvas
        actions: dict[tuple[int, Qt.KeyboardModifier], Callable[[], None]] = {
            (Qt.Key.Key_Z, control): canvas.undo,
            (Qt.Key.Key_Z, both): canvas.redo,
            (Qt.Key.Key_Y, control): canvas.redo,
            (Qt.Key.Key_BracketLeft, none): lambda: canvas.set_brush_size(
                self.diameter.value() - 1
            ),
            (Qt.Key.Key_BracketRight, none): lambda: canvas.set_brush_size(
                self.diameter.value() + 1
            ),
            (Qt.Key.Key_B, none): self._buttons["brush"].click,
            (Qt.Key.Key_E, none): self._buttons["eraser"].click,
            (Qt.Key.Key_R, none): self._buttons["box"].click,
            (Qt.Key.Key_I, none): self.invert,
            (Qt.Key.Key_Delete, none): self.clear,
            (Qt.Key.Key_Backspace, none): self.clear,
        }
        action = actions.get((event.key(), event.modifiers()))
        if action is None:
            return False
        action()
        event.accept()
        return True

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """The same keys when the focus is here."""
        if not self.handle_key(event):
            super().keyPressEvent(event)

    # --- what the user does ------------------------------------------------------------------

    def clear(self) -> None:
        """Fill nothing."""
        self._replace(np.zeros_like)

    def invert(self) -> None:
        """Fill what is known, and know what was to be filled."""
        self._replace(np.logical_not)

    def take_preset(self, key: str) -> None:
        """Take one of the ready-made masks."""
        self._replace(lambda mask: PRESETS[key][2](*mask.shape))

    def _replace(self, change: Callable[[Mask], Mask]) -> None:
        mask = self.canvas.drawn()
        if mask is not None:
            self.canvas.take(change(mask))

    def _edited(self) -> None:
        self.complain("")
        self._refresh()
        self.edited.emit()

    def _refresh(self) -> None:
        drawing = self.canvas.drawing
        self._undo.setEnabled(drawing is not None and drawing.can_undo())
        self._redo.setEnabled(drawing is not None and drawing.can_redo())
        parts: tuple[QWidget, ...] = (
            self.diameter,
            self._clear,
            self._invert,
            self._more,
            *self._buttons.values(),
        )
        for widget in parts:
            widget.setEnabled(drawing is not None)
        if drawing is None:
            self._about.set_full_text("")
            return
        pixels = drawing.shape[0] * drawing.shape[1]
        share = 100 * drawing.count / pixels
        self._about.set_full_text(
            f"{drawing.count:,} of {pixels:,} pixels to be filled ({share:.0f} %)"
            if drawing.count
            else "Nothing to be filled yet: paint on the picture, or take a ready-made mask"
        )
        self.canvas.setAccessibleDescription(self._about.full_text())

    # --- parts -------------------------------------------------------------------------------

    def _row(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(2)
        for tool, (icon, tooltip) in _TOOLS.items():
            button = tool_button(icon, tooltip)
            button.setObjectName(f"mask_{tool}")
            button.setCheckable(True)
            button.clicked.connect(lambda _on, tool=tool: self._choose(tool))
            self._tools.addButton(button)
            self._buttons[tool] = button
            row.addWidget(button)
        self._buttons["brush"].setChecked(True)
        row.addSpacing(2)
        row.addWidget(self.diameter)
        self._undo = _button("undo", "maskUndo", "Undo (Ctrl+Z)", self.canvas.undo)
        self._redo = _button("redo", "maskRedo", "Redo (Ctrl+Shift+Z)", self.canvas.redo)
        self._clear = _button("trash", "maskClear", "Clear the mask (Delete)", self.clear)
        self._invert = _button(
            "contrast", "maskInvert", "Swap what is known and what is to be filled (I)", self.invert
        )
        self._more = _button(
            "mask-menu", "maskMenu", "Ready-made masks, and masks in files", lambda: None
        )
        self._more.setMenu(self.menu)
        self._more.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        for group in ((self._undo, self._redo), (self._clear, self._invert), (self._more,)):
            row.addWidget(_rule())
            for button in group:
                row.addWidget(button)
        row.addStretch(1)
        return row

    def _choose(self, tool: Tool) -> None:
        self.canvas.tool = tool
        self.canvas.update()

    def _fill_menu(self) -> None:
        for key, (text, tooltip, _make) in PRESETS.items():
            self._action(f"preset_{key}", text, partial(self.take_preset, key), tooltip)
        self.menu.setToolTipsVisible(True)
        self.menu.addSeparator()
        white = "White is to be filled, black is known"
        self._action("loadMask", "Open a mask…", self.load_requested.emit, white)
        self._action("saveMask", "Save the mask…", self.save_requested.emit, white)

    def _action(self, name: str, text: str, run: Callable[[], None], tooltip: str) -> QAction:
        made = self.menu.addAction(text)
        made.setObjectName(name)
        made.setToolTip(tooltip)
        made.triggered.connect(lambda _checked: run())
        return made


def _button(icon: str, name: str, tooltip: str, action: Callable[[], None]) -> QToolButton:
    button = tool_button(icon, tooltip)
    button.setObjectName(name)
    button.clicked.connect(lambda _checked: action())
    return button


def _size_spin() -> QSpinBox:
    spin = QSpinBox()
    spin.setObjectName("maskSize")
    spin.setAccessibleName("Size of the brush")
    spin.setToolTip(_SIZE_TIP)
    spin.setRange(1, MOST_SIZE)
    spin.setFixedWidth(58)
    settle(spin)
    return spin


def _rule() -> QFrame:
    rule = QFrame()
    rule.setProperty("role", "separator")
    rule.setFixedSize(1, 18)
    return rule
