"""A run from its settings to its model, as a generator of events."""

from __future__ import annotations

import errno
import time
from contextlib import closing, nullcontext, suppress
from typing import TYPE_CHECKING

from ddim_studio.training.checkpoint import checkpoint_paths
from ddim_studio.training.errors import TrainingError
from ddim_studio.training.events import Begun, Done, Remark
from ddim_studio.training.records import Records
from ddim_studio.training.run import open_run
from ddim_studio.training.trainer import train_steps

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from ddim_studio.models.team import Team
    from ddim_studio.training.events import TrainEvent
    from ddim_studio.training.run import Run
    from ddim_studio.training.run_folder import RunFolder
    from ddim_studio.training.settings import TrainSettings
    from ddim_studio.training.trainer import StepResult

    Events = Generator[TrainEvent, None, None]

LOOK = 0.2
"""Seconds between two looks for the file that pauses a run."""


def train(
    settings: TrainSettings, folder: RunFolder, team: Team, stop: Callable[[], bool]
) -> Events:
    """Train a model, or go on with it where its newest checkpoint stands.

    Args:
        settings: From `RunFolder.planned`.
        folder: The folder of the run.
        team: The processes that share it; all must call this, and the first one writes.
        stop: Asked before every step. Once it says so, that step is done, a checkpoint and the
            model are written, and the run ends; it can go on later.

    Yields:
        `Begun`, `Stepped` after every step, what else is done meanwhile, and `Done`. Processes
        that write nothing yield only the first and the last.

    Raises:
        ImageError: The images cannot be used.
        SettingsError: The settings do not fit the images or the team.
        TrainingError: The loss is not finite, the disk is full, or the images are others than
            those that the run began with.
    """
    try:
        with folder.claimed() if team.index == 0 else nullcontext():
            run = open_run(settings, folder, team)
            yield from _Session(run, stop).events()
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        raise TrainingError(
            f"The disk is full, so the training has stopped.{_last_good(folder)}",
            "Free some space, and go on with --resume.",
        ) from error
    except TrainingError as error:
        raise TrainingError(f"{error}{_last_good(folder)}", error.advice) from error


def _last_good(folder: RunFolder) -> str:
    paths = checkpoint_paths(folder.checkpoints)
    step = int(paths[-1].stem.rpartition("-")[2]) if paths else 0
    return f" The last checkpoint is that of step {step}." if paths else ""


class _Session:
    """The course of one run."""

    def __init__(self, run: Run, stop: Callable[[], bool]) -> None:
        self._run, self._team, self._stop = run, run.team, stop
        self._records = Records(run) if run.team.index == 0 else None

    def events(self) -> Events:
        """From the next step to the last."""
        try:
            yield from self._events()
        finally:
            if self._records:
                with suppress(OSError):  # what was not written yet was told already
                    self._records.close()

    def _events(self) -> Events:
        run = self._run
        yield from self._greeting()
        stopped = False
        with closing(run.batches().since(run.trainer.step)) as batches:
            steps = train_steps(run.trainer, run.settings, batches, run.clock.seconds, self._flags)
            begun = time.perf_counter()
            for result in steps:
                stopped = yield from self._after(result, time.perf_counter() - begun)
                if stopped:
                    break
                begun = time.perf_counter()
        yield from self._ending(stopped=stopped)

    def _greeting(self) -> Events:
        run = self._run
        yield Begun(
            step=run.trainer.step,
            images=len(run.split.training),
            held_out=len(run.split.held_out),
            skipped=run.images.skipped,
            parameters=run.trainer.parameter_count,
            place=run.trainer.place,
        )
        if self._records:
            for path in run.damaged:
                yield self._remark(f"{path.name} is damaged, so the checkpoint before it is used.")
            if run.trainer.notice:
                yield self._remark(run.trainer.notice)

    def _remark(self, text: str) -> Remark:
        """Something to tell, which the log keeps as well."""
        if self._records:
            self._records.note("remark", text=text)
        return Remark(text)

    def _note(self, event: str) -> None:
        if self._records:
            self._records.note(event)

    def _flags(self) -> tuple[float, float, float]:
        """What the processes tell each other with a step: time, whether to stop, to pause."""
        stop = float(self._stop())
        if not self._records:
            return 0.0, stop, 0.0
        return self._run.clock.seconds, stop, float(self._run.folder.pause.exists())

    def _after(self, result: StepResult, busy: float) -> Generator[TrainEvent, None, bool]:
        """What there is to do after a step; returns whether the run stops."""
        _, stop, pause = result.flags
        if self._records:
            yield self._records.stepped(result, busy)
            if self._records.assessment_due():
                yield self._records.assess()
            if pause or self._records.checkpoint_due():
                yield self._records.keep()
        if pause and not stop:
            stop = yield from self._paused()
        return bool(stop)

    def _paused(self) -> Generator[TrainEvent, None, bool]:
        """Wait until the file is gone; returns whether the run stops."""
        yield Remark(f"Paused: remove {self._run.folder.pause} to go on.")
        self._note("paused")
        begun = time.monotonic()
        while True:
            wishes = self._team.gather((self._run.folder.pause.exists(), self._stop()))
            stop = any(wish[1] for wish in wishes)
            if stop or not wishes[0][0]:
                break
            time.sleep(LOOK)
        self._run.clock.leave_out(time.monotonic() - begun)
        self._note("unpaused")
        return stop

    def _ending(self, *, stopped: bool) -> Events:
        run = self._run
        if self._records:
            begun = 0 if run.checkpoint is None else run.checkpoint.step
            if run.trainer.step > begun and not (stopped or self._records.assessed_now):
                yield self._records.assess()
            yield self._records.keep()
            self._records.end(stopped=stopped)
        self._team.gather(None)
        yield Done(run.trainer.step, stopped=stopped, model=str(run.folder.model))
