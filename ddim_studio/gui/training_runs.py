"""How a run of training stands, in words, and which runs there were. No Qt here."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from ddim_studio.gui import words
from ddim_studio.jobs.training_events import ChildEnded, Looked, RunDescribed
from ddim_studio.jobs.training_log import BEGINNINGS
from ddim_studio.jobs.training_reader import state_of

if TYPE_CHECKING:
    from ddim_studio.gui.remark import Tone
    from ddim_studio.gui.training_record import TrainingRecord
    from ddim_studio.jobs.events import Failure
    from ddim_studio.jobs.training_events import LogRead
    from ddim_studio.jobs.training_run import TrainOrder

MOST_RUNS = 12
_READY = "Choose images at the left, then press Start. Other pages can be used meanwhile."
_RESUMABLE = "Go on continues it from its last checkpoint."


@dataclass
class RunState:
    """What is wanted of the run on show, and what became of it.

    Attributes:
        live: Whether a process trains.
        begun: Whether that process has begun to train.
        wants_pause: Whether it is to wait.
        wants_stop: Whether it is to end.
        paused: Whether it waits.
        problem: Why it ended, in a sentence; "" where nothing went wrong.
    """

    live: bool = False
    begun: bool = False
    wants_pause: bool = False
    wants_stop: bool = False
    paused: bool = False
    problem: str = ""
    _logs: int = field(default=1, repr=False)

    QUIET: ClassVar = (Looked, RunDescribed)
    """Events after which there is nothing new to draw."""

    @classmethod
    def starting(cls, order: TrainOrder) -> RunState:
        """Of a run that was just ordered."""
        # A run that goes on replaces its log, so what is read first is that of before.
        old = (order.folder / "training" / "log.jsonl").exists()
        return cls(live=True, _logs=2 if old else 1)

    def read(self, part: LogRead) -> None:
        """The log has more lines."""
        self._logs -= int(part.afresh)
        if self._logs <= 0:
            self.begun = self.begun or part.begun is not None
        self.paused = self.begun and part.last == "paused"

    def end(self, ended: ChildEnded) -> None:
        """The process has ended."""
        self.live = self.wants_pause = self.wants_stop = self.paused = False
        if ended.failure is not None:
            self.fail(ended.failure)

    def fail(self, failure: Failure) -> None:
        """Something went wrong."""
        self.live = self.wants_pause = self.wants_stop = self.paused = False
        self.problem = f"{failure.message} {failure.advice}".strip()

    def said(self, record: TrainingRecord | None) -> tuple[str, str, Tone]:
        """How the run stands: in a word or two, in a sentence more, and the tone of that."""
        if record is None:
            return "No run yet", _READY, "muted"
        if self.live:
            return self._live(record)
        if record.last == "finished":
            return "Finished", "The model is saved. It can go on with more steps.", "good"
        if not record.last:
            return "Not begun", "", "muted"
        word = "Stopped" if record.last == "stopped" else "Interrupted"
        # What went wrong says what to do already.
        return f"{word} at step {record.step:,}", "" if self.problem else _RESUMABLE, "muted"

    def _live(self, record: TrainingRecord) -> tuple[str, str, Tone]:
        if self.wants_stop:
            return "Stopping", "Writing the checkpoint and the model…", "muted"
        if not self.begun:
            return "Starting", "Reading the images…", "muted"
        if self.paused:
            return "Paused", "Its checkpoint is kept. Resume goes on.", "muted"
        if self.wants_pause:
            return "Pausing", "After this step…", "muted"
        left = words.duration(record.remaining)
        return "Training", f"{left} left" if left else "", "muted"


class RunShelf:
    """The folders of the runs that were begun or opened, the newest first."""

    def __init__(self) -> None:
        self._folders: list[Path] = []

    def add(self, folder: Path) -> None:
        """Put a run first."""
        others = [other for other in self._folders if other != folder]
        self._folders = [folder, *others][:MOST_RUNS]

    def forget(self, folder: Path) -> None:
        """Take a run off the list; its files stay."""
        self._folders = [other for other in self._folders if other != folder]

    def states(self, live: Path | None = None) -> dict[Path, str]:
        """The runs that are there still, each with how it stands; one of them may train now."""
        return {
            folder: "training" if folder == live else _state(folder)
            for folder in self._folders
            if folder == live or folder.is_dir()
        }

    def unfinished(self) -> Path | None:
        """The newest run, if it can go on to an end that it has not reached."""
        newest = next((folder for folder in self._folders if folder.is_dir()), None)
        if newest is None or state_of(newest)[0] in ("", "finished"):
            return None
        return newest

    def memory(self) -> list[str]:
        """The folders, to be kept."""
        return [str(folder) for folder in self._folders]

    def recall(self, values: object) -> None:
        """Take folders that were kept; anything else is passed over."""
        listed = values if isinstance(values, list) else []
        self._folders = [Path(value) for value in listed if isinstance(value, str)][:MOST_RUNS]


def _state(folder: Path) -> str:
    event, step = state_of(folder)
    if event == "finished":
        return f"finished, {step:,} steps"
    if event in ("", *BEGINNINGS):
        return "not begun" if not step else f"{step:,} steps"
    return f"{'stopped' if event == 'stopped' else 'interrupted'} at step {step:,}"
