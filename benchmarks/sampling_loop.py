"""Sampling with its trajectory recorded, over the bare network calls, beside diffusers.

    python benchmarks/sampling_loop.py [--model NAME] [--steps 50] [--rounds 5] [--batches 1 16]
                                       [--profile] [--onnx] [--write]

Turn by turn in one process; medians, and the median of each turn's ratio, which other work on the
machine moves least. The ratio's base is the bare network: torch in float32, as often as the sampler
calls it, and nothing else. With --profile a table follows of where the time of a network call goes
in the engine. With --onnx ONNX Runtime runs the network too (packages onnx and onnxruntime, which
the program does not need). With --write the tables take their places in docs/performance.md.
"""

from __future__ import annotations

import argparse
import statistics
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
from diffusers import DDIMPipeline, DDIMScheduler

import ddim_studio as ds
from ddim_studio.evaluation.throughput import Timing, turn_by_turn
from ddim_studio.imaging.pixels import to_pixels
from ddim_studio.jobs.bench import processor
from ddim_studio.jobs.frames import step_frame
from ddim_studio.jobs.models import ModelCache
from ddim_studio.models.acceleration.network import holding
from ddim_studio.models.model import Model
from documents import replace_part
from onnx_network import onnx_network

PAGE = Path(__file__).resolve().parent.parent / "docs" / "performance.md"
BARE, TORCH = "bare network, torch", "`sample()` + `Trajectory`, torch"
Way = Callable[[], object]


def bare(model: Model, x: torch.Tensor, steps: int) -> None:
    """Nothing but the network, as often as the sampler calls it."""
    with torch.no_grad():
        for t in range(steps):
            model.unet(x, torch.full((len(x),), t), return_dict=False)


def recorded(model: Model, x_T: torch.Tensor, steps: int) -> torch.Tensor:
    """The sampler with a trajectory of tensors; its last state."""
    trajectory = ds.Trajectory(x_T)
    for step in ds.sample(model, x_T, ds.SampleSettings(steps=steps)):
        trajectory.append(step)
    return step.x


def shown(model: Model, x_T: torch.Tensor, steps: int) -> torch.Tensor:
    """The sampler with the window's frames: five or six pictures of every step, and its numbers."""
    before = None
    for step in ds.sample(model, x_T, ds.SampleSettings(steps=steps)):
        step_frame(step, before)
        before = step.x0
    return step.x


def pipeline(model: Model, batch: int, steps: int) -> Way:
    """The loop of diffusers around the same network, from noise to pictures."""
    pipe = DDIMPipeline(model.unet, DDIMScheduler(clip_sample=False))
    pipe.set_progress_bar_config(disable=True)
    return lambda: pipe(batch_size=batch, num_inference_steps=steps, output_type="np")


def engines(model: Model, batch: int) -> dict[str, Model]:
    """The model on its engine, in each precision that this processor has."""
    found = {}
    for precision in ("precise", "fast"):
        made = model.engine.prepare(precision, batch) if model.engine else None
        if made is None:
            print(f"no {precision} engine: {model.engine and model.engine.fault(precision)}")
        else:
            found[precision] = holding(model, model.engine, precision, made)
    return found


def ways_of(model: Model, batch: int, steps: int, *, onnx: bool) -> tuple[dict[str, Way], Any]:
    """Every way to sample, by name, and the pixels that each drew last."""
    x_T, drawn = ds.seeded_noise(model, range(batch)), {}

    def keep(name: str, draw: Callable[..., torch.Tensor], on: Model) -> None:
        drawn[name] = to_pixels(draw(on, x_T, steps)).astype(int)

    ways: dict[str, Way] = {BARE: lambda: bare(model, x_T, steps)}
    ways[TORCH] = partial(keep, TORCH, recorded, model)
    for precision, view in engines(model, batch).items():
        name = f"the same, engine, {precision}"
        ways[name] = partial(keep, name, recorded, view)
        name = f"with the window's frames, engine, {precision}"
        ways[name] = partial(keep, name, shown, view)
    if onnx:
        name = "the same, ONNX Runtime"
        ways[name] = partial(keep, name, recorded, onnx_network(model, batch))
    ways["diffusers' `DDIMPipeline`"] = pipeline(model, batch, steps)
    return ways, drawn


def ratio(timing: Timing, base: Timing) -> float:
    """The median of each turn's ratio."""
    return statistics.median(a / b for a, b in zip(timing.seconds, base.seconds, strict=True))


def measure(o: argparse.Namespace, model: Model, batch: int) -> list[str]:
    """The rows of one size of batch."""
    ways, drawn = ways_of(model, batch, o.steps, onnx=o.onnx)
    timings = turn_by_turn(ways, rounds=o.rounds)
    rows = []
    for name, timing in timings.items():
        per_call = 1000 * timing.median / o.steps
        pixels = "–"
        if name in drawn:
            change = abs(drawn[name] - drawn[TORCH])
            pixels = f"{change.mean():.4f}, {change.max()}"
        rows.append(
            f"| {batch} | {name} | {per_call:.1f} | {ratio(timing, timings[BARE]):.3f} | {pixels} |"
        )
        print(rows[-1], flush=True)
    return rows


def profile(model: Model, batch: int) -> list[str]:
    """Where the time of one call goes in the engine, by kind of operation and kernel."""
    compiled = model.engine.take_up("precise") if model.engine else None
    if compiled is None:
        return []
    spent: Counter[tuple[str, str]] = Counter()
    given = ds.seeded_noise(model, range(batch)), torch.zeros(batch, dtype=torch.long)
    for kind, kernel, seconds in compiled.profile(*given):
        spent[kind, kernel] += seconds
    whole = sum(spent.values())
    return [
        f"| {batch} | {kind} | {kernel} | {1000 * seconds:.2f} | {100 * seconds / whole:.0f} % |"
        for (kind, kernel), seconds in spent.most_common(6)
    ]


def main() -> None:
    """Print the tables, and write them if asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="fashion-28")
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 16])
    parser.add_argument("--threads", type=int, default=1)
    for switch in ("--profile", "--onnx", "--write"):
        parser.add_argument(switch, action="store_true")
    o = parser.parse_args()
    torch.set_num_threads(o.threads)
    model = ModelCache(1).open(o.model, "cpu")
    head = (
        f"{o.model}, S = {o.steps}, {o.threads} thread(s), medians of {o.rounds} turns, "
        f"{processor()}, torch {torch.__version__}."
    )
    print(head)
    lines = [
        "| batch | | ms a step | over the bare network | pixels moved, of 255: mean, most |",
        "|---|---|---|---|---|",
    ]
    for batch in o.batches:
        lines += measure(o, model, batch)
    lines += ["", head]
    if o.profile:
        lines += [
            "",
            "| batch | operation | kernel | ms of a call | share |",
            "|---|---|---|---|---|",
        ]
        for batch in o.batches:
            lines += profile(model, batch)
        print("\n".join(lines[-14:]))
    if o.write:
        replace_part(PAGE, "benchmarks/sampling_loop.py", "\n".join(lines))


if __name__ == "__main__":
    main()
