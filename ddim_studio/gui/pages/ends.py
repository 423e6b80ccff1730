"""The images between which a path runs: from the slots, fitted to the model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from ddim_studio.gui.intake import Intake, Target
from ddim_studio.jobs.orders import ImageInput

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ddim_studio.gui.intake import Taken
    from ddim_studio.gui.pages.fit_choice import FitChoice
    from ddim_studio.gui.widgets.image_slot import ImageSlot

_MISSING = "An image is needed here."


class Ends(QObject):
    """Has what is given to the slots opened and fitted, and fitted again when the target changes.

    Args:
        slots: A, B, C and D.
        fit: How to fit.
        parent: Qt's owner.

    Signals:
        file_requested: A `FileWork`.
        changed: Another image is in a slot, or none.
        settled: Nothing is being opened any more.
    """

    file_requested = Signal(object)
    changed = Signal()
    settled = Signal()

    def __init__(self, slots: Sequence[ImageSlot], fit: FitChoice, parent: QObject) -> None:
        super().__init__(parent)
        self._slots = list(slots)
        self._fit = fit
        self.intake = Intake(self)
        self.intake.file_requested.connect(self.file_requested)
        self.intake.taken.connect(self._taken)
        self.intake.refused.connect(self._refused)
        fit.changed.connect(self._fit_changed)
        for place, slot in enumerate(self._slots):
            slot.changed.connect(lambda place=place: self._slot_changed(place))

    def set_shape(self, image_shape: tuple[int, int, int]) -> None:
        """Fit to a model's images from now on."""
        self.intake.set_target(Target(image_shape, self._fit.fit(), self._fit.background()))

    def is_busy(self) -> bool:
        """Whether an image is still to be opened."""
        return self.intake.is_busy()

    def complain_of_gaps(self, count: int) -> bool:
        """Say in each empty one of the first slots that it needs an image; whether there is one."""
        empty = [
            slot for slot in self._slots[:count] if slot.source() is None and slot.wanted() is None
        ]
        for slot in empty:
            slot.refuse(_MISSING)
        return bool(empty)

    def inputs(self, count: int) -> tuple[ImageInput, ...]:
        """What is in the first slots."""
        return tuple(
            ImageInput(slot.pixels(), source.seed, source.label)
            for slot in self._slots[:count]
            if (source := slot.source()) is not None
        )

    def swap(self) -> None:
        """A becomes B, and B becomes A."""
        first, second = self._slots[:2]
        sources = first.source(), second.source()
        for slot, source in ((second, sources[0]), (first, sources[1])):
            if source is None:
                slot.clear()
            else:
                slot.take(source)

    def _slot_changed(self, place: int) -> None:
        wanted = self._slots[place].wanted()
        if wanted is not None:
            self.intake.take(place, wanted)
        else:
            self.intake.forget(place)
            self.changed.emit()

    def _taken(self, place: int, taken: Taken) -> None:
        self._slots[place].accept(taken.source, taken.pixels, taken.note)
        self.changed.emit()
        if not self.is_busy():
            self.settled.emit()

    def _refused(self, place: int, sentence: str) -> None:
        self._slots[place].refuse(sentence)
        if not self.is_busy():
            self.settled.emit()

    def _fit_changed(self) -> None:
        target = self.intake.target()
        if target is not None:
            self.set_shape(target.image_shape)
