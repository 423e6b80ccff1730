"""The memory of a long trajectory in the window: S = 1000 with 64 images by default.

    python benchmarks/memory.py [--steps 1000] [--count 64] [--budget-mb 512]

The frames are made by the real job from the bundled model's own shapes, with a network that costs
nothing, so that only the bookkeeping is measured.
"""

from __future__ import annotations

import argparse
import resource
from itertools import pairwise

import torch

from ddim_studio.diffusion.denoiser import Denoiser
from ddim_studio.diffusion.noise import seeded_noise
from ddim_studio.diffusion.sampling import sample
from ddim_studio.diffusion.schedule import linear
from ddim_studio.gui.run_record import RunRecord
from ddim_studio.jobs.frames import first_frame, step_frame
from ddim_studio.jobs.runs import SampleRun

MB = 1024**2


def main() -> None:
    """Fill a record, print what it holds and what the process took."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--count", type=int, default=64)
    parser.add_argument("--size", type=int, default=28)
    parser.add_argument("--channels", type=int, default=1)
    parser.add_argument("--eta", type=float, default=1.0)
    parser.add_argument("--budget-mb", type=int, default=512)
    options = parser.parse_args()
    shape = (options.channels, options.size, options.size)
    model = Denoiser(lambda x, _t: torch.zeros_like(x), linear(), shape)
    run = SampleRun(steps=options.steps, count=options.count, eta=options.eta)
    record = RunRecord(run, options.budget_mb * MB)
    x_T = seeded_noise(model, range(options.count))
    record.add(first_frame(x_T, 999, 0.0))
    before_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    most = 0
    before = None
    for step in sample(model, x_T, run):
        record.add(step_frame(step, before))
        before = step.x0
        most = max(most, record.frames.nbytes)
    after_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    kept = record.frames.kept
    print(f"frames: {len(record.numbers)}, kept {len(kept)} ({record.thinning() or 'all'})")
    print(f"pictures: at most {most / MB:.0f} MB of {options.budget_mb} MB")
    print(f"process: {before_mb:.0f} MB before, {after_mb:.0f} MB at its peak")
    gaps = [late - early for early, late in pairwise(kept)]
    print(f"largest gap between kept frames: {max(gaps)}")


if __name__ == "__main__":
    main()
