"""Whether cost grows linearly: time a step over S, time an image over the batch.

    python benchmarks/scaling.py [--model fashion-28] [--engine] [--rounds 5] [--write]

Processor time of the whole process, which other programs move least, turn by turn; medians.
--engine takes the engine of processors in place of torch. With --write the table takes its place in
docs/performance.md.
"""

from __future__ import annotations

import argparse
import time
from functools import partial

import torch

import ddim_studio as ds
from ddim_studio.evaluation.throughput import turn_by_turn
from ddim_studio.jobs.models import ModelCache
from ddim_studio.models.acceleration.network import holding
from ddim_studio.models.model import Model
from documents import replace_part
from sampling_loop import PAGE, recorded

STEPS = (10, 20, 50, 100, 200, 500, 1000)
BATCHES = (1, 2, 4, 8, 16, 32, 64)


def opened(o: argparse.Namespace) -> Model:
    """The model, on torch or on its engine."""
    model = ModelCache(1).open(o.model, "cpu")
    if not o.engine:
        return model
    made = model.engine.prepare("precise", max(BATCHES)) if model.engine else None
    if made is None:
        raise SystemExit("There is no engine here.")
    return holding(model, model.engine, "precise", made)


def over_steps(model: Model, rounds: int) -> dict[int, float]:
    """Milliseconds a step for one image, by S. Every way takes about as many steps in all."""
    x_T = ds.seeded_noise(model, [0])

    def draw(steps: int) -> None:
        for _ in range(max(STEPS) // steps // 2 or 1):
            recorded(model, x_T, steps)

    ways = {str(steps): partial(draw, steps) for steps in STEPS}
    timings = turn_by_turn(ways, rounds=rounds, clock=time.process_time)
    taken = {steps: steps * (max(STEPS) // steps // 2 or 1) for steps in STEPS}
    return {steps: 1000 * timings[str(steps)].median / taken[steps] for steps in STEPS}


def over_batches(model: Model, rounds: int) -> dict[int, float]:
    """Milliseconds an image and step, by the batch. Every way draws as many images in all."""

    def draw(batch: int) -> None:
        x_T = ds.seeded_noise(model, range(batch))
        for _ in range(max(BATCHES) // batch):
            recorded(model, x_T, 2)

    ways = {str(batch): partial(draw, batch) for batch in BATCHES}
    timings = turn_by_turn(ways, rounds=rounds, clock=time.process_time)
    images = 2 * max(BATCHES)
    return {batch: 1000 * timings[str(batch)].median / images for batch in BATCHES}


def table(name: str, unit: str, found: dict[int, float]) -> list[str]:
    """One row over the other, the first one being the base of the ratios."""
    base = next(iter(found.values()))
    return [
        f"| {name} | " + " | ".join(map(str, found)) + " |",
        "|---" * (len(found) + 1) + "|",
        f"| {unit} | " + " | ".join(f"{value:.2f}" for value in found.values()) + " |",
        "| over the first | " + " | ".join(f"{v / base:.3f}" for v in found.values()) + " |",
    ]


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="fashion-28")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--engine", action="store_true")
    parser.add_argument("--write", action="store_true")
    o = parser.parse_args()
    torch.set_num_threads(o.threads)
    model = opened(o)
    lines = table("S, one image", "ms a step", over_steps(model, o.rounds))
    lines += ["", *table("batch, S = 2", "ms an image and step", over_batches(model, o.rounds))]
    by = "OpenVINO" if o.engine else "torch"
    lines += [
        "",
        f"{o.model} by {by}, {o.threads} thread(s), medians of {o.rounds}, processor time.",
    ]
    print("\n".join(lines))
    if o.write:
        replace_part(PAGE, "benchmarks/scaling.py", "\n".join(lines))


if __name__ == "__main__":
    main()
