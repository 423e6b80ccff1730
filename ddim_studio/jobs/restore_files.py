"""Restorations into files: the sinks of the sampler, with the measurement in archives."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np

from ddim_studio.jobs.file_sink import check_place
from ddim_studio.jobs.outputs import ArchiveSink, TrajectorySink, output_kind, sink_for

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ddim_studio.diffusion.restoration import RestoreStep
    from ddim_studio.diffusion.sampling import Step
    from ddim_studio.jobs.file_sink import FileSink, Plan


class RestoredArchive(ArchiveSink):
    """Writes an ``.npz`` of the restored images.

    It holds what `ArchiveSink` says, ``timesteps`` being those that the steps left, in their order
    (not descending with time-travel), and ``measurement`` (C, H, W), A⁺y.
    """

    def step(self, step: Step, first_image: int) -> None:
        """Store the final images."""
        super().step(step, first_image)
        self._measurement = _measurement(step)

    def _complete(self) -> None:
        super()._complete()
        self._archive.add("measurement", self._measurement)


class RestoredTrajectory(TrajectorySink):
    """Writes an ``.npz`` of every step, in constant memory.

    It holds what `TrajectorySink` says, S being the number of steps with those of time-travels,
    ``x0`` being corrected, and ``guess`` (S, N, C, H, W), x̂_0 before that; and ``measurement``.
    """

    def step(self, step: Step, first_image: int) -> None:
        """Store x, x̂_0 before and after, and ε_θ of the step."""
        super().step(step, first_image)
        self._fill("guess", first_image, cast("RestoreStep", step).guess, step.index - 1)
        self._measurement = _measurement(step)

    def _shapes(self) -> dict[str, tuple[int, ...]]:
        shapes = super()._shapes()
        return {**shapes, "guess": shapes["x0"]}

    def _complete(self) -> None:
        super()._complete()
        self._archive.add("measurement", self._measurement)


def restore_sink(out: str, plan: Plan, *, trajectory: bool = False) -> FileSink:
    """The sink that writes a restoration to ``out``; nothing is written before it is entered.

    Args:
        out: A file whose suffix is the format, or a folder.
        plan: What the run will be; its timesteps are those that the steps leave, in their order.
        trajectory: Whether an archive holds every step rather than the final images.

    Raises:
        OSError: Its folder cannot be written to.
        SettingsError: The suffix is unknown, or there are too many images for the format.
    """
    if output_kind(out) != "archive":
        return sink_for(out, plan)
    path = Path(out)
    check_place(path.parent)
    return RestoredTrajectory(path, plan) if trajectory else RestoredArchive(path, plan)


def _measurement(step: Step) -> NDArray[np.float32]:
    """A⁺y of the first image, (C, H, W): the same for all."""
    restored = cast("RestoreStep", step)
    seen = restored.measured[0] - restored.residual[0]
    return np.asarray(seen.cpu().numpy(), np.float32)
