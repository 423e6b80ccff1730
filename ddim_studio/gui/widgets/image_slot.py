"""A place for one image: drop it, paste it, choose it, or take a sample or a seed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QPointF, QSize, Qt, Signal
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import (
    QApplication,
    QFrame,
    QHBoxLayout,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from ddim_studio.gui.image_menu import ImageMenu
from ddim_studio.gui.image_source import can_take, sources_in
from ddim_studio.gui.labels import ElidedLabel
from ddim_studio.gui.remark import Remark
from ddim_studio.gui.slot_picture import SMALLEST, SlotPicture, image_drag, paint_outline
from ddim_studio.gui.theme import (
    SPACE,
    is_restyle,
    label,
    tool_button,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PySide6.QtGui import (
        QDragEnterEvent,
        QDragLeaveEvent,
        QDropEvent,
        QFocusEvent,
        QKeyEvent,
        QMouseEvent,
        QPaintEvent,
    )

    from ddim_studio.gui.image_source import ImageSource

    Pixels = NDArray[np.uint8]

_HINT = (
    "Drop an image here, click to open one, or press Ctrl+V to paste one.\n"
    "The menu ⋯ has bundled samples and seeds. Delete empties the place."
)
_DRAGGED = 64


class ImageSlot(QFrame):
    """Takes one image at a time and shows it as the model will see it.

    The slot opens nothing itself: it emits `changed`, its owner reads `wanted`, fits the image,
    and answers with `accept` or `refuse`. What was refused leaves what was there before.

    Args:
        title: A letter or a word over the picture.

    Signals:
        changed: Another image is wanted, or none.
    """

    changed = Signal()

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(f"Image {title}")
        self.setToolTip(_HINT)
        self.setAcceptDrops(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self._source: ImageSource | None = None
        self._wanted: ImageSource | None = None
        self._pixels: Pixels | None = None
        self._fit_note = ""
        self._hovered = False
        self._press: QPointF | None = None
        self.menu = ImageMenu(self)
        self.menu.addSeparator()
        self._copy = self.menu.addAction("Copy the picture (Ctrl+C)", self.copy)
        self._clear = self.menu.addAction("Clear (Delete)", self.clear)
        self.menu.given.connect(lambda sources: self.take(sources[0]))
        self.menu.complained.connect(self.refuse)
        self.menu.aboutToShow.connect(self._refresh_menu)
        self._title = label(title, "heading")
        self._caption = ElidedLabel("small")
        self._picture = SlotPicture()
        self._note = ElidedLabel("small")
        self._error = Remark()
        self._error.setObjectName("slotError")
        self._lay_out()
        self._refresh()

    # --- what the owner does -----------------------------------------------------------------

    def source(self) -> ImageSource | None:
        """The image that is in the slot, or None."""
        return self._source

    def wanted(self) -> ImageSource | None:
        """The image that was given last and is not accepted yet; None if there is none."""
        return self._wanted

    def pixels(self) -> Pixels | None:
        """The image as it was fitted, (H, W, C); None if the slot is empty or has a seed."""
        return self._pixels

    def error(self) -> str:
        """Why the last image was refused, or nothing."""
        return self._error.said()

    def note(self) -> str:
        """What was done to fit the image."""
        return self._fit_note

    def take(self, source: ImageSource) -> None:
        """Want an image, as if the user had given it."""
        self._wanted = source
        self._error.say("")
        self._caption.set_full_text(f"opening {source.label}…")
        self.changed.emit()

    def accept(self, source: ImageSource, pixels: Pixels | None, note: str) -> None:
        """The image was opened and fitted: it is in the slot now.

        Args:
            source: The image.
            pixels: Shape (H, W, C), or None for a seed.
            note: What was done to fit it.
        """
        self._source, self._wanted = source, None
        self._pixels, self._fit_note = pixels, note
        self._error.say("")
        self._refresh()

    def refuse(self, sentence: str) -> None:
        """The image cannot be taken, and why; what was there before stays."""
        self._wanted = None
        self._refresh()
        self._error.say(sentence, "error")
        self._note.hide()
        # In an empty slot the sentence has the room.
        self._picture.setVisible(self._source is not None)

    def clear(self) -> None:
        """Empty the slot, as if the user had."""
        self._source = self._wanted = self._pixels = None
        self._fit_note = ""
        self._error.say("")
        self._refresh()
        self.changed.emit()

    def show_instead(self, pixels: Pixels | None, note: str = "") -> None:
        """Show another picture in place of the image, such as its reconstruction; or it again."""
        shown = self._pixels if pixels is None else pixels
        self._picture.set_pixels(None if shown is None else shown[None])
        self._note.set_full_text(note or self._fit_note)

    def copy(self) -> None:
        """Put the picture shown on the clipboard."""
        image = self._picture.shown_image()
        if not image.isNull():
            QApplication.clipboard().setImage(image)

    def minimumSizeHint(self) -> QSize:
        """A small picture with its lines."""
        return QSize(SMALLEST + 2 * SPACE, super().minimumSizeHint().height())

    # --- what the user does ------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """A click or a drag may begin."""
        if event.button() == Qt.MouseButton.LeftButton:
            self._press = event.position()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Drag the image to another slot."""
        if self._press is None or self._source is None:
            return
        moved = event.position() - self._press
        if moved.manhattanLength() >= QApplication.startDragDistance():
            self._press = None
            self._drag()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """A click opens a file."""
        inside = self.rect().contains(event.position().toPoint())
        if event.button() == Qt.MouseButton.LeftButton and self._press is not None and inside:
            self._press = None
            self.menu.open_file()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Paste, copy, Enter to open, Delete to clear."""
        if event.matches(QKeySequence.StandardKey.Paste):
            self.menu.paste()
        elif event.matches(QKeySequence.StandardKey.Copy):
            self.copy()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.menu.open_file()
        elif event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.clear()
        else:
            super().keyPressEvent(event)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take files, pictures, and other slots' images."""
        slot = isinstance(event.source(), ImageSlot)
        if event.source() is not self and (slot or can_take(event.mimeData())):
            event.acceptProposedAction()
            self._set_hovered(hovered=True)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        """Look as before."""
        super().dragLeaveEvent(event)
        self._set_hovered(hovered=False)

    def dropEvent(self, event: QDropEvent) -> None:
        """Take what was dropped; from another slot its original, not the picture shown there."""
        self._set_hovered(hovered=False)
        other = event.source()
        original = other.source() if isinstance(other, ImageSlot) else None
        found = [original] if original is not None else sources_in(event.mimeData())
        if found:
            event.acceptProposedAction()
            self.take(found[0])

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show the focus."""
        super().focusInEvent(event)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Show no focus."""
        super().focusOutEvent(event)
        self.update()

    def changeEvent(self, event: QEvent) -> None:
        """Follow the theme."""
        super().changeEvent(event)
        if is_restyle(event):
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """The outline: dashed while empty, in the accent under a drag or with the focus."""
        super().paintEvent(event)
        active = self._hovered or self.hasFocus()
        dashed = self._source is None and not active
        paint_outline(self, active=active, dashed=dashed, filled=self._hovered)

    # --- inside ------------------------------------------------------------------------------

    def _refresh(self) -> None:
        source = self._source
        self._caption.set_full_text(source.label if source else "")
        self._picture.seed = source.seed if source else None
        self._picture.set_placeholder("Drop an image", "or click to open one")
        self.setAccessibleDescription(source.label if source else "empty")
        self._picture.show()
        self._note.show()
        self.show_instead(None)
        self.update()

    def _refresh_menu(self) -> None:
        self._copy.setEnabled(not self._picture.shown_image().isNull())
        self._clear.setEnabled(self._source is not None or self._wanted is not None)

    def _set_hovered(self, hovered: bool) -> None:
        self._hovered = hovered
        self.update()

    def _drag(self) -> None:
        drag = image_drag(self, self._pixels, self._caption.full_text())
        drag.exec(Qt.DropAction.CopyAction)

    def _lay_out(self) -> None:
        menu = tool_button("add", "Open, paste, bundled samples, seeds, clear", size=16)
        menu.setObjectName("slotMenu")
        menu.setMenu(self.menu)
        menu.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu.setCursor(Qt.CursorShape.ArrowCursor)
        head = QHBoxLayout()
        head.setSpacing(SPACE // 2)
        head.addWidget(self._title)
        head.addWidget(self._caption, 1)
        head.addWidget(menu)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE, SPACE // 2, SPACE // 2, SPACE // 2)
        column.setSpacing(2)
        column.addLayout(head)
        column.addWidget(self._picture, 1)
        column.addWidget(self._note)
        column.addWidget(self._error, 0, Qt.AlignmentFlag.AlignVCenter)
