"""One slim line at the foot of the window: what runs, how far it is, and what waits."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QProgressBar, QToolButton, QWidget

from ddim_studio.gui import words
from ddim_studio.gui.labels import ElidedLabel
from ddim_studio.gui.theme import SPACE, label, tool_button

_HEIGHT = 32
_TICKS = 1000


class JobBar(QFrame):
    """Always there and always of one height, so that the layout never jumps.

    Signals:
        cancel_requested: The user asks the running job to stop.
    """

    cancel_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("jobBar")
        self.setAccessibleName("Running job")
        self.setFixedHeight(_HEIGHT)
        self._title = ElidedLabel()
        self._title.setObjectName("jobTitle")
        self._progress = QProgressBar()
        self._progress.setObjectName("jobProgress")
        self._progress.setAccessibleName("Progress of the running job")
        self._progress.setTextVisible(False)
        self._progress.setFixedWidth(200)
        self._progress.setRange(0, _TICKS)
        self._numbers = label("", "muted")
        self._numbers.setObjectName("jobNumbers")
        self._queue = label("", "muted")
        self._queue.setObjectName("jobQueue")
        self._cancel = self._make_cancel()
        self._keep_room(self._progress)
        row = QHBoxLayout(self)
        row.setContentsMargins(2 * SPACE, 0, SPACE, 0)
        row.setSpacing(2 * SPACE)
        row.addWidget(self._title, 1)
        for control in (self._numbers, self._progress, self._queue, self._cancel):
            row.addWidget(control)
        self.finish("Ready")

    def _make_cancel(self) -> QToolButton:
        tooltip = "Cancel the running job; the frames it has are kept"
        cancel = tool_button("cancel", tooltip, size=16)
        cancel.setObjectName("jobCancel")
        cancel.setAccessibleName("Cancel the running job")
        cancel.setText("Cancel")
        cancel.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        cancel.clicked.connect(self.cancel_requested)
        return cancel

    @staticmethod
    def _keep_room(widget: QWidget) -> None:
        policy = widget.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        widget.setSizePolicy(policy)

    def start(self, title: str) -> None:
        """A job runs."""
        self._title.set_full_text(title)
        self._numbers.clear()
        self._progress.setValue(0)
        self._progress.show()
        self._cancel.setEnabled(True)

    def set_progress(
        self, done: int, total: int, rate: float, remaining_seconds: float, unit: str
    ) -> None:
        """How far it is.

        Args:
            done: Units done.
            total: Units in all.
            rate: Units a second; 0 if unknown.
            remaining_seconds: Time left; infinite if unknown.
            unit: What a unit is, in the singular; "B" for bytes.
        """
        self._progress.setValue(round(_TICKS * done / total) if total > 0 else 0)
        left = words.duration(remaining_seconds)
        share, speed = f"{done} / {total}", words.rate(rate, unit)
        if unit == "B":
            share = f"{words.size(done)} / {words.size(total)}"
            speed = f"{words.size(rate)}/s" if rate > 0 else ""
        parts = [share, speed, f"{left} left" if left else ""]
        self._numbers.setText("  ·  ".join(part for part in parts if part))

    def set_queue(self, waiting: list[str]) -> None:
        """The titles of the jobs that wait, next one first."""
        self._queue.setText(f"{len(waiting)} waiting" if waiting else "")
        self._queue.setToolTip("\n".join(["Waiting:", *waiting]) if waiting else "")
        self._queue.setVisible(bool(waiting))

    def finish(self, text: str) -> None:
        """Nothing runs; say how the last job ended, such as "Done in 12.3 s"."""
        self._title.set_full_text(text)
        self._numbers.clear()
        self._progress.setValue(0)
        self._progress.hide()
        self._cancel.setEnabled(False)
