"""Bulk runs of the small random model, one for each kind of place, and what they leave."""

from __future__ import annotations

from ddim_studio.diffusion.timesteps import tau_of
from ddim_studio.evaluation.team import Alone
from ddim_studio.jobs.bulk import bulk_job
from ddim_studio.jobs.bulk_archive import ArchivePlace, NpzFormat, TarFormat
from ddim_studio.jobs.bulk_place import FolderPlace
from ddim_studio.jobs.events import Ended
from ddim_studio.jobs.file_sink import Plan
from ddim_studio.jobs.runner import run as run_job
from ddim_studio.jobs.runs import SampleRun

COUNT, BATCH = 22, 5
KINDS = ("folder", "tar", "pixels", "floats")


def plan_of(model, source):
    """A run of that model whose seeds pass the largest one."""
    settings = SampleRun(
        model=str(source), device="cpu", steps=3, eta=0.5, seed=2**64 - 7, count=COUNT
    )
    return Plan(settings, tuple(reversed(tau_of(settings, model.schedule.T))), model.image_shape)


def place_of(kind, folder, plan):
    """A place of each kind in a folder."""
    if kind == "folder":
        return FolderPlace(folder / "images", plan.run)
    layout = TarFormat(plan) if kind == "tar" else NpzFormat(plan, floats=kind == "floats")
    return ArchivePlace(folder / ("out.tar" if kind == "tar" else "out.npz"), plan, layout)


def draw(plan, models, place, team=None):
    """The events of a run that must finish."""
    events = list(run_job(bulk_job(plan.run, models, place, team or Alone(), batch_size=BATCH)))
    assert events[-1] == Ended("finished"), events[-1].failure
    return events


def contents(folder):
    """What is in a folder, by path: the bytes of every file, hidden ones too."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}
