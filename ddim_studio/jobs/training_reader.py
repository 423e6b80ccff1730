"""Everything that a run's folder tells of it: its settings, log and samples, as they appear."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ddim_studio.diffusion.settings import SettingsError
from ddim_studio.jobs.training_events import ModelKept, RunDescribed, SheetRead, SheetsLeft
from ddim_studio.jobs.training_log import LogReader, last_event
from ddim_studio.jobs.training_sheets import read_sheet, sheet_steps
from ddim_studio.training.run_folder import RunFolder
from ddim_studio.training.settings import TrainSettings

if TYPE_CHECKING:
    from pathlib import Path

    from ddim_studio.jobs.runner import Job

WEIGHTS = ("unet", "diffusion_pytorch_model.safetensors")


def model_is_there(folder: Path) -> bool:
    """Whether the folder of a run holds a model that can be opened."""
    return folder.joinpath(*WEIGHTS).is_file()


def described(folder: Path) -> RunDescribed | None:
    """The settings of the run in a folder; None where there is none that can be used."""
    try:
        values = json.loads(RunFolder(folder).config.read_text(encoding="utf-8"))
        settings = TrainSettings.from_dict(values["settings"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError, SettingsError):
        return None
    data = values.get("data")
    return RunDescribed(settings, data if isinstance(data, dict) else {})


class RunReader:
    """Reads what is new in the folder of a run.

    Args:
        folder: The model's.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = RunFolder(folder)
        self._log = LogReader(self._folder.log)
        self._described: float | None = None
        self._sheets: set[int] = set()
        self._kept = False

    def news(self) -> Job:
        """What is new since the last time.

        Yields:
            `RunDescribed`, `LogRead`, `SheetsLeft` with `SheetRead`, and `ModelKept`.
        """
        yield from self._description()
        for part in self._log.parts():
            if part.afresh:
                yield from self._description(again=True)
            yield part
        yield from self._samples()
        if not self._kept and model_is_there(self._folder.model):
            self._kept = True
            yield ModelKept(str(self._folder.model))

    def _description(self, *, again: bool = False) -> Job:
        try:
            changed = self._folder.config.stat().st_mtime
        except OSError:
            return
        found = described(self._folder.model) if again or changed != self._described else None
        if found is not None:
            self._described = changed
            yield found

    def _samples(self) -> Job:
        there = sheet_steps(self._folder.samples)
        found = described(self._folder.model) if there.keys() != self._sheets else None
        if found is None:
            return
        yield SheetsLeft(frozenset(there))
        for step in there.keys() - self._sheets:
            pixels = read_sheet(there[step], found.settings.size)
            if pixels is not None:
                yield SheetRead(step, pixels)
        self._sheets = set(there)


def look_job(folder: Path) -> Job:
    """Read a run that nobody continues at the moment.

    Yields:
        What `RunReader.news` yields.
    """
    yield from RunReader(folder).news()


def state_of(folder: Path) -> tuple[str, int]:
    """How the run in a folder stands: its last event and step, from the end of its log."""
    return last_event(RunFolder(folder).log)
