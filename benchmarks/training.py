"""What the trainer costs over a plain loop, and what precision, layout and compiling gain.

    python benchmarks/training.py [--size 28] [--colours grey] [--batch 32] [--rounds 8] [--write]
    python benchmarks/training.py --ways [--compile]

Turn by turn in one process, on random images; medians, and medians of the ratios of each turn,
which other work on the machine moves least. 1.00: everything but the plain loop (random batch,
forward, backward, AdamW) is free. With --write the table takes its place in docs/training.md.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch

from ddim_studio.diffusion.schedule import from_config
from ddim_studio.evaluation.team import Alone
from ddim_studio.training.events import Stepped
from ddim_studio.training.model_files import BETAS
from ddim_studio.training.network import build_network, network_config
from ddim_studio.training.run_folder import RunFolder
from ddim_studio.training.session import train
from ddim_studio.training.settings import TrainSettings
from documents import replace_part

ROOT = Path(__file__).resolve().parent.parent
Step = Callable[[], None]
NEVER = 10**8
PLAIN = "plain loop"


def write_idx(path: Path, size: int, count: int = 2000) -> None:
    """Random grey images."""
    pixels = np.random.default_rng(0).integers(0, 256, (count, size, size), np.uint8)
    path.write_bytes(b"\0\0\x08\x03" + np.array(pixels.shape, ">u4").tobytes() + pixels.tobytes())


def trainer(settings: TrainSettings, folder: Path) -> Step:
    """A step of the trainer with its log, without samples and checkpoints."""
    events = train(settings, RunFolder(folder), Alone(), lambda: False)

    def step() -> None:
        while not isinstance(next(events), Stepped):
            pass

    return step


def plain(settings: TrainSettings, *, channels_last: bool = False, compiled: bool = False) -> Step:
    """A step of the loop that one writes first, on a network of the same settings."""
    planes = 1 if settings.colours == "grey" else 3
    network = build_network(network_config(settings, planes), 0)
    layout = torch.channels_last if channels_last else torch.contiguous_format
    network = network.to(memory_format=layout)
    called = torch.compile(network) if compiled else network
    optimizer = torch.optim.AdamW(network.parameters(), fused=True)
    images = torch.rand(2000, planes, settings.size, settings.size) * 2 - 1
    alpha_bar = from_config(BETAS).alpha_bars.float()[:, None, None, None]
    half = settings.precision == "bfloat16"

    def step() -> None:
        x0 = images[torch.randint(len(images), (settings.batch_size,))]
        x0 = x0.contiguous(memory_format=layout)
        t = torch.randint(1000, (settings.batch_size,))
        epsilon = torch.randn_like(x0)
        x_t = alpha_bar[t].sqrt() * x0 + (1 - alpha_bar[t]).sqrt() * epsilon
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            said = called(x_t, t, return_dict=False)[0]
        torch.nn.functional.mse_loss(said.float(), epsilon).backward()
        optimizer.step()
        optimizer.zero_grad()

    return step


def spent(steps: dict[str, Step], rounds: int) -> dict[str, np.ndarray]:
    """Seconds of each, by the clock and of the processor, (rounds, 2), taken in turns."""
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in steps}
    for number in range(rounds + 2):
        for name, step in steps.items():
            begun = time.perf_counter(), time.process_time()
            step()
            if number > 1:  # the first rounds warm up
                taken[name].append((time.perf_counter() - begun[0], time.process_time() - begun[1]))
    return {name: np.array(each) for name, each in taken.items()}


def ways(settings: TrainSettings, *, compiled: bool) -> Iterator[tuple[str, Step]]:
    """The plain loop by precision, layout and compiling."""
    for precision in ("float32", "bfloat16"):
        changed = TrainSettings.from_dict(settings.to_dict() | {"precision": precision})
        yield f"{precision}, {PLAIN if precision == 'float32' else 'eager'}", plain(changed)
        yield f"{precision}, channels-last", plain(changed, channels_last=True)
        if compiled:
            yield f"{precision}, compiled", plain(changed, compiled=True)


def table(steps: dict[str, Step], rounds: int, batch: int) -> str:
    """Medians, and medians of the ratios to the plain loop before it, in Markdown."""
    found = spent(steps, rounds)
    lines = [
        "| | processor time a step | images a second of it | over the plain loop | the same by the "
        "clock |",
        "|---|---|---|---|---|",
    ]
    base = next(iter(found.values()))
    for name, taken in found.items():
        base = taken if PLAIN in name else base
        seconds, (clock, processor) = np.median(taken, 0)[1], np.median(taken / base, 0)
        lines.append(
            f"| {name} | {1000 * seconds:.0f} ms | {batch / seconds:.1f} | {processor:.3f} "
            f"| {clock:.3f} |"
        )
    return "\n".join(lines)


def costs(settings: TrainSettings, folder: Path) -> Iterator[tuple[str, Step]]:
    """The plain loop and the trainer, by precision."""
    for precision in ("float32", "bfloat16"):
        changed = TrainSettings.from_dict(settings.to_dict() | {"precision": precision})
        yield f"{precision}, {PLAIN}", plain(changed)
        yield f"{precision}, trainer", trainer(changed, folder / precision)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=28)
    parser.add_argument("--colours", default="grey")
    parser.add_argument("--channels", type=int, nargs="+", default=[32, 64, 128])
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--ways", action="store_true")
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "images"
        write_idx(data, options.size)
        settings = TrainSettings(
            data=str(data),
            size=options.size,
            colours=options.colours,
            channels=tuple(options.channels),
            batch_size=options.batch,
            sample_every=NEVER,
            checkpoint_every=NEVER,
            steps=NEVER,
            device="cpu",
        )
        if options.ways:
            steps = dict(ways(settings, compiled=options.compile))
        else:
            steps = dict(costs(settings, Path(folder)))
        text = table(steps, options.rounds, options.batch)
        about = f"{options.size}×{options.size} {options.colours}, batch {options.batch}, "
        text = f"{text}\n\n{about}{options.threads} thread(s), {options.rounds} turns."
    print(text)
    if options.write and not options.ways:
        replace_part(ROOT / "docs" / "training.md", "benchmarks/training.py", text)


if __name__ == "__main__":
    main()
