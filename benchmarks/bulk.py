"""What a stream of images costs over the bare network, and whether its memory stays flat.

    python benchmarks/bulk.py [--model NAME] [--count 256] [--steps 5] [--rounds 5]

First the ratio: the same images by the bulk job, into each kind of output, over the same network
calls with nothing around them, turn by turn in one process, medians of the processor time of all
threads, which other programs do not change. Then the memory: the peak of
processes that draw ever more images of 8×8 with a network of a few thousand weights, each a process
of its own.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch

from ddim_studio.diffusion.timesteps import tau_of
from ddim_studio.evaluation.team import Alone
from ddim_studio.evaluation.throughput import turn_by_turn
from ddim_studio.jobs.bulk import bulk_job
from ddim_studio.jobs.bulk_archive import ArchivePlace, NpzFormat, TarFormat
from ddim_studio.jobs.bulk_place import FolderPlace, Place
from ddim_studio.jobs.file_sink import Plan
from ddim_studio.jobs.models import ModelCache
from ddim_studio.jobs.runs import SampleRun
from ddim_studio.models.model import Model

KINDS = ("folder", "tar", "npz of pixels", "npz of floats")


def place_of(kind: str, folder: Path, plan: Plan) -> Place:
    """Where a stream of each kind goes."""
    if kind == "folder":
        return FolderPlace(folder / "images", plan.run)
    if kind == "tar":
        return ArchivePlace(folder / "images.tar", plan, TarFormat(plan))
    return ArchivePlace(folder / "images.npz", plan, NpzFormat(plan, floats="floats" in kind))


def streamed(kind: str, run: SampleRun, models: ModelCache, batch: int) -> None:
    """The whole job, into a folder that goes again."""
    model = models.open(run.model, run.device)
    plan = Plan(run, tuple(reversed(tau_of(run, model.schedule.T))), model.image_shape)
    with tempfile.TemporaryDirectory() as folder:
        place = place_of(kind, Path(folder), plan)
        for _ in bulk_job(run, models, place, Alone(), batch_size=batch):
            pass


def bare(model: Model, run: SampleRun, batch: int) -> None:
    """The network calls of the same run."""
    for first in range(0, run.count, batch):
        x = torch.zeros(min(batch, run.count - first), *model.image_shape)
        for t in range(run.steps):
            model.raw(x, t)


def overhead(o: argparse.Namespace) -> None:
    """Print the ratio of each output."""
    models = ModelCache(1)
    run = SampleRun(model=o.model, device="cpu", steps=o.steps, count=o.count)
    model = models.open(run.model, "cpu")
    ways = {"bare network": lambda: bare(model, run, o.batch)}
    for kind in KINDS:
        ways[kind] = lambda kind=kind: streamed(kind, run, models, o.batch)
    timings = turn_by_turn(ways, rounds=o.rounds, clock=time.process_time)
    base = timings["bare network"].median
    print(f"{o.model}, {o.count} images, S = {o.steps}, batches of {o.batch}, torch")
    for kind, t in timings.items():
        spread = f"{t.low:.2f}–{t.high:.2f}"
        print(f"  {kind:15} {t.median:7.2f} s ({spread})   ratio {t.median / base:.3f}")


def memory(counts: list[int]) -> None:
    """Print the peak memory of processes that draw so many tiny images."""
    from diffusers import DDIMPipeline, DDIMScheduler, UNet2DModel

    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "tiny"
        network = UNet2DModel(
            sample_size=8,
            in_channels=1,
            out_channels=1,
            layers_per_block=1,
            norm_num_groups=4,
            block_out_channels=(8,),
            down_block_types=("DownBlock2D",),
            up_block_types=("UpBlock2D",),
        )
        pipeline = DDIMPipeline(network, DDIMScheduler(clip_sample=False))
        pipeline.save_pretrained(folder)
        print("peak memory of the process, MB")
        for kind in KINDS:
            peaks = []
            for count in counts:
                command = [
                    sys.executable,
                    __file__,
                    "--peak",
                    json.dumps([str(folder), kind, count]),
                ]
                done = subprocess.run(command, capture_output=True, text=True, check=True)
                peaks.append(float(done.stdout))
            shown = ", ".join(f"{n:,}: {mb:.1f}" for n, mb in zip(counts, peaks, strict=True))
            print(f"  {kind:15} {shown}")


def peak(order: str) -> None:
    """In a process of its own: draw, and print the peak."""
    folder, kind, count = json.loads(order)
    torch.set_num_threads(1)
    models = ModelCache(1)
    run = SampleRun(model=folder, device="cpu", steps=1, count=count)
    streamed(kind, run, models, 64)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def main() -> None:
    """Print both."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="fashion-28")
    parser.add_argument("--count", type=int, default=256)
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--counts", type=int, nargs="+", default=[500, 5000])
    parser.add_argument("--peak", help=argparse.SUPPRESS)
    o = parser.parse_args()
    if o.peak:
        peak(o.peak)
        return
    torch.set_num_threads(o.threads)
    overhead(o)
    memory(o.counts)


if __name__ == "__main__":
    main()
