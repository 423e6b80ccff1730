"""The part of ``ddim-studio sample`` that draws many images: streamed, shared and resumed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from ddim_studio.cli.progress import follow
from ddim_studio.cli.terminal import FINISHED, UsageError, tell
from ddim_studio.evaluation.team import end_team, is_first, join_team, launched
from ddim_studio.jobs.bulk import bulk_job
from ddim_studio.jobs.bulk_archive import ArchivePlace, NpzFormat, TarFormat
from ddim_studio.jobs.bulk_place import FolderPlace
from ddim_studio.jobs.models import ModelCache

if TYPE_CHECKING:
    from argparse import Namespace

    from ddim_studio.jobs.bulk_place import Place
    from ddim_studio.jobs.file_sink import Plan
    from ddim_studio.jobs.outputs import Kind

BULK_FROM: Final = 1000
"""Images from which on a folder or an archive is streamed and can be resumed."""
BATCH: Final = 64
GPU_BATCH: Final = 512
"""Images of 32×32 that fill a graphics processor; of larger ones accordingly fewer."""


def bulk_place(arguments: Namespace, kind: Kind, plan: Plan) -> Place | None:
    """Where a bulk run goes; None where the order is for a small run.

    Raises:
        UsageError: Several processes cannot share this output.
    """
    path = Path(arguments.out)
    place = _place(arguments, kind, plan, path)
    many = launched()
    if place is None:
        if many:
            raise UsageError(
                "several processes share a folder, an .npz without --trajectory, or a .tar: "
                f"not {arguments.out!r}"
            )
        return None
    always = kind == "tar" or arguments.pixels or many
    return place if always or plan.run.count >= BULK_FROM or place.journal.exists() else None


def _place(arguments: Namespace, kind: Kind, plan: Plan, path: Path) -> Place | None:
    if kind == "folder":
        return FolderPlace(path, plan.run)
    if kind == "tar":
        return ArchivePlace(path, plan, TarFormat(plan))
    if kind == "archive" and not arguments.trajectory:
        return ArchivePlace(path, plan, NpzFormat(plan, floats=not arguments.pixels))
    return None


def draw_bulk(place: Place, plan: Plan, batch_size: int | None, *, quiet: bool) -> int:
    """Draw what is missing, alone or as one of several processes.

    Interrupted, it leaves what is whole.

    Args:
        place: Where images go.
        plan: What is asked for.
        batch_size: Images a network call; None for what suits the device.
        quiet: Whether there is neither bar nor notice.

    Returns:
        The exit code 0.

    Raises:
        FailureError: The run failed.
    """
    from ddim_studio.models.devices import pick_device

    quiet = quiet or not is_first()
    device = pick_device(plan.run.device)
    size = batch_size or default_batch(device, plan.image_shape)
    team = join_team(device)
    try:
        job = bulk_job(plan.run, ModelCache(1), place, team, batch_size=size)
        follow(job, "Sampling", quiet=quiet)
    except KeyboardInterrupt:
        if not quiet and (there := int(place.held().sum())):
            tell(f"{there:,} of {plan.run.count:,} images are written: the same command goes on.")
        raise
    finally:
        end_team()
    return FINISHED


def default_batch(device: str, image_shape: tuple[int, int, int]) -> int:
    """Images a network call, unless asked for otherwise."""
    if device != "cuda":
        return BATCH
    _, height, width = image_shape
    return max(BATCH // 4, min(GPU_BATCH, GPU_BATCH * 32 * 32 // (height * width)))
