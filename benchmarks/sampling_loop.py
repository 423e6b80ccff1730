"""What the sampling loop costs over the bare network calls, turn by turn in one process.

    python benchmarks/sampling_loop.py [--model NAME] [--steps 20] [--rounds 5] [--batches 1 16]

Ratios of medians: 1.00 means that everything but the network is free.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import torch
from diffusers import DDIMScheduler

import ddim_studio as ds
from ddim_studio.jobs.frames import step_frame
from ddim_studio.models.model import Model


def bare(model: Model, x_T: torch.Tensor, steps: int) -> None:
    """Nothing but the network, as often as the sampler calls it."""
    with torch.no_grad():
        for t in range(steps):
            model.unet(x_T, torch.full((len(x_T),), t), return_dict=False)


def loop(model: Model, x_T: torch.Tensor, steps: int) -> None:
    """The sampler, its steps thrown away."""
    for _ in ds.sample(model, x_T, ds.SampleSettings(steps=steps)):
        pass


def recorded(model: Model, x_T: torch.Tensor, steps: int) -> None:
    """The sampler with a trajectory of tensors."""
    trajectory = ds.Trajectory(x_T)
    for step in ds.sample(model, x_T, ds.SampleSettings(steps=steps)):
        trajectory.append(step)


def shown(model: Model, x_T: torch.Tensor, steps: int) -> None:
    """The sampler with the window's frames: five or six pictures of every step, and its numbers."""
    before = None
    for step in ds.sample(model, x_T, ds.SampleSettings(steps=steps)):
        step_frame(step, before)
        before = step.x0


def diffusers_loop(model: Model, x_T: torch.Tensor, steps: int) -> None:
    """The scheduler of diffusers around the same network."""
    scheduler = DDIMScheduler(clip_sample=False)
    scheduler.set_timesteps(steps)
    x = x_T
    with torch.no_grad():
        for t in scheduler.timesteps:
            x = scheduler.step(model.unet(x, t).sample, t, x).prev_sample


CONTENDERS: dict[str, Callable[[Model, torch.Tensor, int], None]] = {
    "bare network": bare,
    "sample()": loop,
    "sample() + Trajectory": recorded,
    "sample() + window's frames": shown,
    "diffusers' DDIMScheduler": diffusers_loop,
}


def measure(model: Model, batch: int, steps: int, rounds: int) -> dict[str, float]:
    """Median seconds of each contender, taken in turns."""
    x_T = ds.seeded_noise(model, range(batch))
    seconds: dict[str, list[float]] = {name: [] for name in CONTENDERS}
    for round_number in range(rounds + 1):
        for name, contender in CONTENDERS.items():
            begun = time.perf_counter()
            contender(model, x_T, steps)
            if round_number:  # the first round warms up
                seconds[name].append(time.perf_counter() - begun)
    return {name: statistics.median(values) for name, values in seconds.items()}


def main() -> None:
    """Print a table a batch size."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="fashion-28")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 16])
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    model = ds.load_model(options.model, device="cpu")
    for batch in options.batches:
        seconds = measure(model, batch, options.steps, options.rounds)
        base = seconds["bare network"]
        print(f"\n{options.model}, batch {batch}, S = {options.steps}, {options.threads} thread(s)")
        for name, value in seconds.items():
            per_call = 1000 * value / options.steps
            print(f"  {name:28s} {per_call:8.2f} ms/step   ratio {value / base:.3f}")


if __name__ == "__main__":
    main()
