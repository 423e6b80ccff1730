"""What the first process of a run writes: log, samples, checkpoints and the model."""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING

from ddim_studio.training.assess import validation_loss, write_samples
from ddim_studio.training.card import Figures, card
from ddim_studio.training.checkpoint import Checkpoint, write_checkpoint
from ddim_studio.training.events import Assessed, Kept, Stepped
from ddim_studio.training.legs import Leg, with_leg, written
from ddim_studio.training.log import RunLog, cut_back
from ddim_studio.training.model_files import scheduler_config, write_model
from ddim_studio.training.settings import expected_steps, progress

if TYPE_CHECKING:
    from ddim_studio.training.run import Run
    from ddim_studio.training.trainer import StepResult

RECENT = 100
"""Steps whose mean loss the card tells."""
WINDOW = 50
"""Steps that the throughput is taken from."""
CHECKPOINT_SECONDS = 300.0
ASSESSMENTS = 20
ASSESSMENT_SHARE = 0.02
"""The part of the time that assessments may take, unless their steps are given."""


class Records:
    """The files of a run.

    Args:
        run: What is recorded.
    """

    def __init__(self, run: Run) -> None:
        self._run, self._settings, self._folder = run, run.settings, run.folder
        state = {} if run.checkpoint is None else run.checkpoint.state
        self._losses: deque[float] = deque(state.get("losses", ()), RECENT)
        self._validation: float | None = state.get("validation")
        self._kept_step = None if run.checkpoint is None else run.checkpoint.step
        self._kept_at = time.monotonic()
        self._begun = (run.clock.seconds, self._progress())
        self._looked = self._begun[1]
        self._assessed_step: int | None = None
        self._assessing = 0.0
        self._busy: deque[tuple[int, float]] = deque([(run.trainer.step, 0.0)], WINDOW + 1)
        self._log = self._opened()

    def _progress(self) -> float:
        return progress(self._settings, self._run.trainer.step, self._run.clock.seconds)

    def _opened(self) -> RunLog:
        run, folder = self._run, self._folder
        folder.checkpoints.mkdir(parents=True, exist_ok=True)
        folder.remove_leftovers()
        for path in (folder.pause, *run.damaged):
            path.unlink(missing_ok=True)
        legs = folder.legs() if run.checkpoint else []
        self._legs = with_leg(legs, Leg(run.trainer.step, self._settings))
        folder.write_config(
            self._settings,
            legs=written(self._legs),
            data={
                "images": len(run.split.training),
                "held_out": len(run.split.held_out),
                "skipped": len(run.images.skipped),
                "checksum": run.images.checksum,
            },
        )
        if run.images.skipped:
            lines = [f"{name}: {reason}\n" for name, reason in run.images.skipped]
            folder.skipped.write_text("".join(lines), encoding="utf-8")
        if run.checkpoint is None:
            folder.forget()
        cut_back(folder.log, run.trainer.step)
        log = RunLog(folder.log)
        begun = "resumed" if run.checkpoint else "begun"
        log.write(
            begun,
            run.trainer.step,
            seconds=round(run.clock.seconds, 3),
            images=len(run.split.training),
            held_out=len(run.split.held_out),
            skipped=len(run.images.skipped),
            parameters=run.trainer.parameter_count,
            place=run.trainer.place,
        )
        return log

    def note(self, event: str, **values: object) -> None:
        """Write down that something happened after this step."""
        self._log.write(event, self._run.trainer.step, **values)

    def close(self) -> None:
        """Close the log."""
        self._log.close()

    def stepped(self, result: StepResult, busy: float) -> Stepped:
        """Write a step down.

        Args:
            result: What it did.
            busy: Seconds that it took.
        """
        self._losses.append(result.loss)
        self._busy.append((result.step, self._busy[-1][1] + busy))
        (first, start), (last, end) = self._busy[0], self._busy[-1]
        rate = (last - first) * self._settings.batch_size / max(end - start, 1e-9)
        seconds = self._run.clock.seconds
        self._log.write(
            "step",
            result.step,
            loss=result.loss,
            gradient=round(result.gradient, 6),
            learning_rate=result.learning_rate,
            images_per_second=round(rate, 2),
            seconds=round(seconds, 3),
        )
        return Stepped(
            step=result.step,
            total=expected_steps(self._settings, result.step, seconds),
            loss=result.loss,
            learning_rate=result.learning_rate,
            images_per_second=rate,
            seconds=seconds,
            remaining=self._remaining(),
        )

    def _remaining(self) -> float:
        seconds, done = self._begun
        gained = max(self._progress() - done, 1e-9)
        return (1 - self._progress()) * (self._run.clock.seconds - seconds) / gained

    def assessment_due(self) -> bool:
        """Whether samples and validation loss are wanted after this step."""
        step, every = self._run.trainer.step, self._settings.sample_every
        before, self._looked = self._looked, self._progress()
        if every is not None:
            return step % every == 0
        due = int(before * ASSESSMENTS) < int(self._looked * ASSESSMENTS)
        spent = self._run.clock.seconds - self._begun[0]
        return due and self._assessing <= ASSESSMENT_SHARE * spent

    @property
    def _mean_loss(self) -> float:
        return sum(self._losses) / max(len(self._losses), 1)

    @property
    def assessed_now(self) -> bool:
        """Whether this step was assessed already."""
        return self._assessed_step == self._run.trainer.step

    def assess(self) -> Assessed:
        """Measure the moving average, and draw from it."""
        run, trainer, begun = self._run, self._run.trainer, time.monotonic()
        by_noise: tuple[float, ...] = ()
        if len(run.split.held_out):
            batch, size = run.held_out().at(0), self._settings.batch_size
            self._validation, by_noise = validation_loss(
                trainer.ema.network, trainer.objective, batch, size, run.schedule.T
            )
        sheet = self._folder.sheet(trainer.step)
        write_samples(sheet, run.denoiser(), self._settings.seed)
        self._folder.thin_sheets()
        self._assessed_step = trainer.step
        self._assessing += time.monotonic() - begun
        self._log.write(
            "assessed",
            trainer.step,
            validation=self._validation,
            by_noise=by_noise,
            samples=f"{sheet.parent.name}/{sheet.name}",
        )
        return Assessed(trainer.step, self._mean_loss, self._validation, by_noise, str(sheet))

    def checkpoint_due(self) -> bool:
        """Whether a checkpoint is wanted after this step; after the last one there is any way."""
        if self._progress() >= 1:
            return False
        every = self._settings.checkpoint_every
        if every is not None:
            return self._run.trainer.step % every == 0
        return time.monotonic() - self._kept_at >= CHECKPOINT_SECONDS

    def keep(self) -> Kept:
        """Write a checkpoint, unless there is one of this step, and the model."""
        run, trainer = self._run, self._run.trainer
        self._log.synchronise()
        if trainer.step != self._kept_step:
            state = {
                "data": run.images.checksum,
                "seconds": run.clock.seconds,
                "losses": list(self._losses),
                "validation": self._validation,
                "start": run.start.about() if run.start else None,
            }
            checkpoint = Checkpoint(trainer.step, trainer.state(), state)
            write_checkpoint(self._folder.checkpoints, checkpoint)
        self._kept_step, self._kept_at = trainer.step, time.monotonic()
        text = card(self._folder.model.resolve().name, self._settings, self._figures())
        scheduler = scheduler_config(self._settings.prediction, run.scheduler)
        store = self._settings.store
        write_model(self._folder.model, trainer.ema.network, scheduler, text, store=store)
        return Kept(trainer.step, str(self._folder.checkpoints))

    def _figures(self) -> Figures:
        run = self._run
        return Figures(
            step=run.trainer.step,
            seconds=run.clock.seconds,
            images=len(run.split.training),
            held_out=len(run.split.held_out),
            parameters=run.trainer.parameter_count,
            place=run.trainer.place,
            loss=self._mean_loss,
            validation=self._validation,
            start=run.start.name if run.start else None,
            scheduler=run.scheduler,
            legs=self._legs,
        )

    def end(self, *, stopped: bool) -> None:
        """Write down how the run ended."""
        seconds = round(self._run.clock.seconds, 3)
        self._log.write(
            "stopped" if stopped else "finished", self._run.trainer.step, seconds=seconds
        )
