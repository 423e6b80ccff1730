"""What the window knows of models: those used last, and where each of them runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from ddim_studio.jobs.runs import DEVICE_NAMES

if TYPE_CHECKING:
    from ddim_studio.gui.state import Memory

AUTO = "auto"
_DEVICES = "model_devices"
_RECENT = "recent_models"


class ModelShelf(QObject):
    """Shared by every place where a model is chosen, and kept in the window's memory.

    Args:
        memory: What survives a restart.

    Signals:
        recent_changed: Other models were used last.
        device_changed: A model and where it runs from now on.
    """

    recent_changed = Signal()
    device_changed = Signal(str, str)

    def __init__(self, memory: Memory, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._memory = memory

    def recent(self) -> list[str]:
        """The sources of the models used last, newest first."""
        return self._memory.texts(_RECENT)

    def remember(self, source: str) -> None:
        """A model was opened."""
        before = self.recent()
        self._memory.remember_model(source)
        if self.recent() != before:
            self.recent_changed.emit()

    def forget(self, source: str) -> None:
        """Take a model off the list; its files stay."""
        self._memory.set(_RECENT, [other for other in self.recent() if other != source])
        self._memory.set(_DEVICES, {k: v for k, v in self._devices().items() if k != source})
        self.recent_changed.emit()

    def device_of(self, source: str) -> str:
        """Where a model runs: one of `DEVICE_NAMES`, "auto" unless chosen otherwise."""
        return self._devices().get(source, AUTO)

    def set_device(self, source: str, device: str) -> None:
        """Have a model run somewhere else from now on."""
        if device == self.device_of(source):
            return
        others = {k: v for k, v in self._devices().items() if k != source}
        chosen = {} if device == AUTO else {source: device}
        self._memory.set(_DEVICES, others | chosen)
        self.device_changed.emit(source, device)

    def _devices(self) -> dict[str, str]:
        values = self._memory.get(_DEVICES)
        pairs = values.items() if isinstance(values, dict) else ()
        return {source: device for source, device in pairs if device in DEVICE_NAMES}
