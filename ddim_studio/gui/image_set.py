"""The images of the Invert page, in order, opened and fitted to the model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from ddim_studio.gui.intake import Intake, Target
from ddim_studio.gui.widgets.image_strip import StripItem
from ddim_studio.jobs.orders import ImageInput

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ddim_studio.gui.image_source import ImageSource
    from ddim_studio.gui.intake import Taken

MAX_IMAGES = 16


@dataclass(frozen=True, eq=False)
class _Entry:
    number: int
    source: ImageSource
    taken: Taken | None = None


class ImageSet(QObject):
    """At most 16 images.

    Signals:
        file_requested: A `FileWork`.
        changed: The images, or how they are fitted, are not what they were.
        settled: Nothing is being opened any more.
        complained: Why an image was not added; an empty sentence when all is well.
    """

    file_requested = Signal(object)
    changed = Signal()
    settled = Signal()
    complained = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._entries: list[_Entry] = []
        self._numbers = 0
        self._intake = Intake(self)
        self._intake.file_requested.connect(self.file_requested)
        self._intake.taken.connect(self._taken)
        self._intake.refused.connect(self._refused)

    def __len__(self) -> int:
        return len(self._entries)

    def target(self) -> Target | None:
        """What images are fitted to, None before a model is known."""
        return self._intake.target()

    def set_target(self, target: Target) -> None:
        """Fit all to this from now on."""
        self._intake.set_target(target)

    def add(self, sources: Sequence[ImageSource]) -> None:
        """Add images, as many as there is room for."""
        room = MAX_IMAGES - len(self._entries)
        left_out = len(sources) - room
        self.complained.emit(
            f"{left_out} not added: {MAX_IMAGES} images are the most at a time."
            if left_out > 0
            else ""
        )
        for source in sources[:room]:
            self._numbers += 1
            self._entries.append(_Entry(self._numbers, source))
            self._intake.take(self._numbers, source)
        if room > 0:
            self.changed.emit()

    def remove(self, index: int) -> None:
        """Remove one."""
        self._intake.forget(self._entries.pop(index).number)
        self.complained.emit("")
        self.changed.emit()

    def clear(self) -> None:
        """Remove all."""
        for entry in self._entries:
            self._intake.forget(entry.number)
        self._entries.clear()
        self.complained.emit("")
        self.changed.emit()

    def is_busy(self) -> bool:
        """Whether an image is still to be opened."""
        return self._intake.is_busy()

    def items(self) -> list[StripItem]:
        """The images as a strip shows them."""
        return [_item(entry) for entry in self._entries]

    def inputs(self) -> tuple[ImageInput, ...]:
        """The images as a job takes them; those still to be opened are left out."""
        return tuple(
            ImageInput(entry.taken.pixels, entry.source.seed, entry.source.label)
            for entry in self._entries
            if entry.taken is not None
        )

    def _taken(self, number: int, taken: Taken) -> None:
        self._entries = [
            _Entry(number, taken.source, taken) if entry.number == number else entry
            for entry in self._entries
        ]
        self._tell()

    def _refused(self, number: int, sentence: str) -> None:
        # One that was fitted before, and cannot be fitted anew, does not suit the model either.
        self._entries = [entry for entry in self._entries if entry.number != number]
        self.complained.emit(sentence)
        self._tell()

    def _tell(self) -> None:
        self.changed.emit()
        if not self.is_busy():
            self.settled.emit()


def _item(entry: _Entry) -> StripItem:
    if entry.taken is None:
        return StripItem(entry.source.label, "opening…", opening=True)
    return StripItem(entry.source.label, entry.taken.note, entry.taken.pixels)
