"""What the program does where it cannot open its window: the same job, into files."""

from __future__ import annotations

from pathlib import Path

from ddim_studio.cli.progress import follow
from ddim_studio.cli.terminal import FINISHED, PROGRAM, guarded, tell
from ddim_studio.diffusion.timesteps import tau_of
from ddim_studio.jobs.animation_sink import AnimationSink
from ddim_studio.jobs.file_sink import Plan, Tee, check_place
from ddim_studio.jobs.models import ModelCache
from ddim_studio.jobs.outputs import SheetSink
from ddim_studio.jobs.runs import SampleRun
from ddim_studio.jobs.sample import sample_job
from ddim_studio.models.loading import describe

SHEET = "ddim-studio-samples.png"
ANIMATION = "ddim-studio-denoising.gif"


def instead_of_window(reason: str) -> int:
    """Say why there is no window, and write a sheet of samples and their denoising instead.

    Args:
        reason: Why, and what to do about it, in one sentence.

    Returns:
        The exit code.
    """
    tell(f"{PROGRAM}: {reason}")
    tell(f"Instead, 16 samples go to {SHEET}, and their denoising to {ANIMATION}, in this folder.")
    return guarded(PROGRAM, _write)


def _write() -> int:
    run, info = SampleRun(count=16), describe(SampleRun().model)
    plan = Plan(run, tuple(reversed(tau_of(run, info.timesteps))), info.image_shape)
    check_place(Path())
    sink = Tee(SheetSink(Path(SHEET), plan), AnimationSink(Path(ANIMATION), plan))
    follow(sample_job(run, ModelCache(1), sink=sink, views=()), "Sampling")
    return FINISHED
