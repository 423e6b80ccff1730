"""The folder of a run: the model itself, and in ``training`` all that belongs to its making.

    MODEL_DIR/                      the diffusers folder, replaced file by file at each checkpoint
        README.md  model_index.json  unet/  scheduler/
        training/
            config.json             the settings and the data
            log.jsonl               see `ddim_studio.training.log`
            skipped.txt             images that could not be used, where there are any
            samples/step-N.png      samples of the moving average, from the same noise each time
            checkpoints/            the last two
            PAUSE                   while this file is there, the run waits

Torch-free.
"""

from __future__ import annotations

import json
import os
import re
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from ddim_studio.diffusion.settings import SettingsError
from ddim_studio.storage import atomic_path
from ddim_studio.training.errors import TrainingError
from ddim_studio.training.legs import Leg, read_legs
from ddim_studio.training.settings import TrainSettings, continued
from ddim_studio.training.start import planned_from

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_TEMPORARY = re.compile(r"\..+-[0-9a-f]{16}\.[a-z]+")
"""The names that `atomic_path` gives."""
MOST_SHEETS = 64
"""Sheets of samples that are kept; past that every second one goes."""


class RunFolder:
    """The paths of a run.

    Args:
        model: MODEL_DIR.
    """

    def __init__(self, model: Path) -> None:
        self.model = model
        self.root = model / "training"
        self.config = self.root / "config.json"
        self.log = self.root / "log.jsonl"
        self.skipped = self.root / "skipped.txt"
        self.samples = self.root / "samples"
        self.checkpoints = self.root / "checkpoints"
        self.pause = self.root / "PAUSE"

    def planned(self, given: Mapping[str, Any], *, resume: bool) -> TrainSettings:
        """The settings of the run that begins or goes on here.

        Args:
            given: Settings by name. For a run that goes on they may be left out.
            resume: Whether a run that is here goes on.

        Raises:
            ModelError: There is no such model to start from.
            SettingsError: A value is out of range, or differs from what the run began with, or
                contradicts the model that it starts from.
            TrainingError: The folder holds something already, and is not to be resumed.
        """
        self._check_place(resume=resume)
        stored = self._stored()
        if stored is not None and any(self.checkpoints.glob("step-*")):
            return continued(stored, given)
        if stored is not None and "data" not in given:
            return planned_from({**stored.to_dict(), **given}, given)
        return planned_from({"data": "", **given}, given)

    def _check_place(self, *, resume: bool) -> None:
        if not self.model.exists():
            return
        if not self.model.is_dir():
            raise TrainingError(f"{self.model} is a file.", "Give the folder of a new model.")
        names = {path.name for path in self.model.iterdir()}
        if resume and names - {self.root.name} and not self.config.exists():
            raise TrainingError(
                f"{self.model} holds other files, and no run of training to go on with.",
                "Give the folder of a new model.",
            )
        if names and not resume:
            raise TrainingError(
                f"{self.model} is not empty.",
                "Go on with the run in it with --resume, or give another folder.",
            )

    def _stored(self) -> TrainSettings | None:
        """The settings of the run that is here, None where there is none.

        Raises:
            TrainingError: They cannot be read.
        """
        if not self.config.exists():
            return None
        try:
            values = json.loads(self.config.read_text(encoding="utf-8"))
            return TrainSettings.from_dict(values["settings"])
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            reason = str(error) if isinstance(error, SettingsError) else "it is damaged"
            raise TrainingError(
                f"{self.config} cannot be used: {reason.rstrip('.')}.", "Begin a run elsewhere."
            ) from error

    @contextmanager
    def claimed(self) -> Iterator[None]:
        """Keep other processes from training here while the block lasts.

        The system gives the folder free when the process dies. Folders that were made for it and
        are still empty go at the end.

        Raises:
            OSError: The folder cannot be made.
            TrainingError: Another process trains here.
        """
        new = [path for path in (self.root, *self.root.parents) if not path.exists()]
        self.root.mkdir(parents=True, exist_ok=True)
        try:
            with _locked(self.root):
                yield
        finally:
            with suppress(OSError):
                for path in new:
                    path.rmdir()

    def legs(self) -> list[Leg]:
        """The parts of the run so far, each with the settings that it had.

        Raises:
            TrainingError: The run's settings cannot be read.
        """
        stored = self._stored()
        if stored is None:
            return []
        values = json.loads(self.config.read_text(encoding="utf-8"))
        return read_legs(values.get("legs")) or [Leg(0, stored)]

    def write_config(self, settings: TrainSettings, **about: object) -> None:
        """Write down what the run is, for people and for `planned`."""
        values = {"settings": settings.to_dict(), **about}
        with atomic_path(self.config) as temporary:
            text = json.dumps(values, indent=2, ensure_ascii=False)
            # What is no UTF-8 in the name of a file becomes an escape that JSON knows.
            temporary.write_text(text + "\n", encoding="utf-8", errors="backslashreplace")

    def sheet(self, step: int) -> Path:
        """Where the samples after ``step`` steps go."""
        return self.samples / f"step-{step:09}.png"

    def thin_sheets(self) -> None:
        """Remove every second sheet of samples but the first and the last if they are many."""
        sheets = sorted(self.samples.glob("step-*.png"))
        if len(sheets) > MOST_SHEETS:
            for path in sheets[1:-1:2]:
                path.unlink(missing_ok=True)

    def remove_leftovers(self) -> None:
        """Remove the temporary files of a process that was killed while it wrote them."""
        for path in self.model.rglob(".*"):
            if _TEMPORARY.fullmatch(path.name) and path.is_file():
                path.unlink(missing_ok=True)

    def forget(self) -> None:
        """Remove the log and the samples of a run that never came to a checkpoint."""
        for path in (self.log, *self.samples.glob("step-*.png")):
            path.unlink(missing_ok=True)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold the lock of a folder, where the system and the disk have locks."""
    if sys.platform == "win32":
        yield
        return
    import fcntl

    number = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # a file system without locks
            try:
                fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise TrainingError(
                    f"Another process trains in {folder.parent}.",
                    "Wait for its end, or give another folder.",
                ) from None
        yield
    finally:
        os.close(number)
