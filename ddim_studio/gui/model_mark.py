"""A line over what a page shows that was made with another model than the page is set to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from ddim_studio.gui.remark import Remark
from ddim_studio.gui.theme import SPACE
from ddim_studio.jobs.kinds import short_name

if TYPE_CHECKING:
    from ddim_studio.gui.model_choice import ModelChoice

Shape = tuple[int, int, int]


class ModelMark(QFrame):
    """Hidden as long as what is on show fits the model chosen.

    Signals:
        back_requested: The source of the model that made what is on show; it is wanted again.
    """

    back_requested = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("modelMark")
        self.setAccessibleName("Made with another model")
        self._made_with = ""
        self._words = Remark(hides=False)
        self._words.setObjectName("modelMarkText")
        self._back = QPushButton()
        self._back.setObjectName("modelBackButton")
        self._back.setToolTip("Choose the model again that made what is on show")
        self._back.clicked.connect(lambda: self.back_requested.emit(self._made_with))
        row = QHBoxLayout(self)
        row.setContentsMargins(SPACE, SPACE, 2 * SPACE, 0)
        row.setSpacing(SPACE)
        row.addWidget(self._words, 1)
        row.addWidget(self._back)
        self.hide()

    def show_for(self, made_with: str | None, chosen: str, note: str = "") -> None:
        """Say what was made with another model than the one chosen, or nothing.

        Args:
            made_with: Source of the model that made what is on show; None where nothing is.
            chosen: Source of the model that the page is set to.
            note: What follows from it, in a sentence; may be empty.
        """
        other = made_with is not None and made_with != chosen
        self.setVisible(other)
        self._made_with = made_with or ""
        if not other:
            self._words.say("")
            return
        name = short_name(self._made_with)
        self._words.say(
            f"Made with {name}; the page is set to {short_name(chosen)} now. {note}".rstrip(),
            "warning",
        )
        self._back.setText(f"Back to {name}")
        self._back.setAccessibleName(f"Back to {name}")

    def text(self) -> str:
        """What it says, or nothing."""
        return self._words.said()

    def follow(self, choice: ModelChoice) -> None:
        """Choose in ``choice`` the model that is wanted back."""
        self.back_requested.connect(choice.set_source)


def under_mark(mark: ModelMark, view: QWidget) -> QWidget:
    """What a page shows, with the mark over it."""
    whole = QWidget()
    column = QVBoxLayout(whole)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(0)
    column.addWidget(mark)
    column.addWidget(view, 1)
    return whole


def size_note(images: Shape, model: Shape, action: str) -> str:
    """What another size of images means, in a sentence; nothing where it is the same.

    Args:
        images: (C, H, W) of the images on show.
        model: (C, H, W) of the model chosen.
        action: What fits the images anew, such as "Invert".
    """
    if images == model:
        return ""
    return (
        f"It takes images of {_shown(model)}, not of {_shown(images)}: they are fitted anew when "
        f"you press {action}."
    )


def _shown(shape: Shape) -> str:
    channels, height, width = shape
    return f"{width}×{height} {'grey' if channels == 1 else 'colour'}"
