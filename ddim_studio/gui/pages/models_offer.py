"""A model of the hub before it is here: what it is, how large, and the button to download it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QPushButton, QVBoxLayout, QWidget

from ddim_studio.gui import words
from ddim_studio.gui.cards import carded
from ddim_studio.gui.facts import Facts
from ddim_studio.gui.labels import ElidedLabel
from ddim_studio.gui.remark import Remark
from ddim_studio.gui.theme import SPACE, make_primary

if TYPE_CHECKING:
    from ddim_studio.jobs.events import Progress
    from ddim_studio.models.hub import HubInfo

_ROWS = {
    "kind": ("Kind", "What the hub says of it."),
    "size": ("Size", "What is needed to open it; other files of the model are not fetched."),
    "licence": ("Licence", "As its card on the hub says."),
    "files": ("Files", "The files that are fetched, and no others."),
    "commit": ("Commit", "The version that is fetched."),
    "gated": ("Gated", "Whether its owner lets only some people in."),
}
_GATED = "Its owner lets only those in who have accepted its terms on the hub."
_WIDTH = 640
_TICKS = 1000


class HubOffer(QWidget):
    """What a look-up found.

    Attributes:
        info: What is on offer, or None.
        done: Bytes of it that are here.

    Signals:
        download_requested: The user wants it.
        cancel_requested: The download is to stop.
        show_requested: It is here already, and its card is wanted.
    """

    download_requested = Signal()
    cancel_requested = Signal()
    show_requested = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.info: HubInfo | None = None
        self.done = 0
        self._complete = False
        self._title = ElidedLabel("title")
        self._title.setObjectName("offerTitle")
        self.facts = Facts(_ROWS, cut=("commit",))
        self.button = make_primary(QPushButton("Download"))
        self.button.setObjectName("downloadButton")
        self.button.setAccessibleName("Download")
        self.button.clicked.connect(self._clicked)
        self.cancel = QPushButton("Cancel")
        self.cancel.setObjectName("downloadCancelButton")
        self.cancel.setAccessibleName("Cancel the download")
        self.cancel.setToolTip("Stop the download; what has arrived is kept")
        self.cancel.clicked.connect(self.cancel_requested)
        self._bar = QProgressBar()
        self._bar.setObjectName("downloadProgress")
        self._bar.setAccessibleName("Progress of the download")
        self._bar.setRange(0, _TICKS)
        self._bar.setTextVisible(False)
        self.state = Remark(hides=False)
        self.state.setObjectName("downloadState")
        self._lay_out()
        self.set_running(running=False)

    def show_info(self, info: HubInfo, *, here: bool) -> None:
        """Offer a model."""
        self.info, self.done, self._complete = info, info.cached, here
        self._title.set_full_text(info.name.repo)
        named = f" (version {info.name.revision})" if info.name.revision else ""
        self.facts.set_text("kind", info.summary or "not stated")
        self.facts.set_text("size", words.size(info.nbytes) + named)
        self.facts.set_text("licence", info.licence)
        self.facts.set_text("files", ", ".join(file.name for file in info.files))
        self.facts.set_text("commit", info.commit)
        self.facts.set_text("gated", _GATED if info.gated else "", "warning")
        self._show_state()

    def begin(self) -> None:
        """The download was accepted."""
        self.state.say("Asking the hub…")

    def show_progress(self, progress: Progress) -> None:
        """How far the download is."""
        self.done = progress.done
        self._fill()
        left = words.duration(progress.remaining)
        speed = f"{words.size(progress.rate)}/s" if progress.rate > 0 else ""
        parts = [f"{words.size(progress.done)} of {words.size(progress.total)}", speed]
        self.state.say(" · ".join(filter(None, [*parts, f"{left} left" if left else ""])))

    def end(self, problem: str) -> None:
        """The download is over; ``problem`` says why it is not complete, or is empty."""
        self._show_state()
        if problem:
            self.state.say(problem, "error")

    def show_done(self) -> None:
        """Everything is here."""
        self._complete = True
        self._show_state()

    def set_running(self, running: bool) -> None:
        """Whether a job of the hub is under way."""
        self.button.setEnabled(not running)
        self.cancel.setEnabled(running)

    def _show_state(self) -> None:
        if self.info is None:
            return
        self._fill()
        missing = self.info.nbytes - self.done
        if self._complete:
            self._label("Show it", "Show the card of the model, which is on this computer")
            self.state.say("It is on this computer.", "good")
        elif self.done:
            tip = "Fetch the rest; this uses the network"
            self._label(f"Resume: {words.size(missing)}", tip)
            self.state.say(f"{words.size(self.done)} of it are here already.")
        else:
            tip = "Fetch the files into the cache of the hub's library; this uses the network"
            self._label(f"Download {words.size(missing)}", tip)
            self.state.say("Nothing of it was fetched yet.")

    def _label(self, text: str, tooltip: str) -> None:
        self.button.setText(text)
        self.button.setAccessibleName(text)
        self.button.setToolTip(tooltip)

    def _fill(self) -> None:
        total = self.info.nbytes if self.info is not None else 0
        self._bar.setValue(round(_TICKS * self.done / total) if total else 0)

    def _clicked(self) -> None:
        if self._complete and self.info is not None:
            self.show_requested.emit(self.info.name.source)
        else:
            self.download_requested.emit()

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(SPACE)
        row.addWidget(self.button)
        row.addWidget(self.cancel)
        row.addStretch(1)
        buttons = QWidget()
        buttons.setLayout(row)
        inner = QWidget()
        inner.setMaximumWidth(_WIDTH)
        cards = QVBoxLayout(inner)
        cards.setContentsMargins(0, 0, 0, 0)
        cards.setSpacing(SPACE + 4)
        cards.addWidget(self._title)
        cards.addWidget(carded(self.facts))
        cards.addWidget(self._bar)
        cards.addWidget(self.state)
        cards.addWidget(buttons)
        cards.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE, 2 * SPACE, 2 * SPACE, 2 * SPACE)
        column.addWidget(inner, 1)
        column.setAlignment(inner, Qt.AlignmentFlag(0))
