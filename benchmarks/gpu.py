"""All that is to be measured on a graphics processor, in one command, within ten minutes.

    python benchmarks/gpu.py [--json FILE]              on a CUDA device
    python benchmarks/gpu.py --device cpu --small       the same with tiny numbers, anywhere

Prints what the card multiplies (bfloat16), a network call of every way to sample beside diffusers
at batch 1 and 64, how much of the card that uses, and the time of 50,000 images of 32×32 by a U-Net
of the size that is used for CIFAR-10 (35.7 million parameters; its weights are random, which
changes no time). torch.compile, which takes a minute a shape, is tried at the largest batch only.
The models are made in a temporary folder, and nothing is downloaded.
"""

from __future__ import annotations

import argparse
import copy
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from diffusers import DDIMPipeline, DDIMScheduler, UNet2DModel
from torch.utils.flop_counter import FlopCounterMode

import ddim_studio as ds
from ddim_studio.diffusion.timesteps import tau_of
from ddim_studio.evaluation.team import Alone
from ddim_studio.evaluation.throughput import Timing, turn_by_turn
from ddim_studio.jobs.bench import processor
from ddim_studio.jobs.bulk import bulk_job
from ddim_studio.jobs.bulk_archive import ArchivePlace, NpzFormat
from ddim_studio.jobs.events import Notice
from ddim_studio.jobs.file_sink import Plan
from ddim_studio.jobs.models import ModelCache
from ddim_studio.jobs.runs import SampleRun
from ddim_studio.models.acceleration.cuda import CudaEngine
from ddim_studio.models.acceleration.network import holding
from ddim_studio.models.model import Model

CIFAR = {
    "sample_size": 32,
    "layers_per_block": 2,
    "block_out_channels": (128, 256, 256, 256),
    "down_block_types": ("DownBlock2D", "AttnDownBlock2D", "DownBlock2D", "DownBlock2D"),
    "up_block_types": ("UpBlock2D", "UpBlock2D", "AttnUpBlock2D", "UpBlock2D"),
    "attention_head_dim": None,
    "norm_eps": 1e-6,
    "downsample_padding": 0,
    "flip_sin_to_cos": False,
    "freq_shift": 1,
}
"""The network of DDPM (Ho et al. 2020) for CIFAR-10."""
SMALL = {**CIFAR, "block_out_channels": (32, 64, 64, 64)}


def wait(device: torch.device) -> None:
    """Until the device has done all that was asked of it."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def matmul_rate(device: torch.device, size: int) -> float:
    """Operations a second of a product of two square bfloat16 matrices, the best of 20."""
    a, b = (torch.randn(size, size, device=device).bfloat16() for _ in range(2))

    def multiply() -> None:
        torch.mm(a, b)
        wait(device)

    return 2 * size**3 / turn_by_turn({"mm": multiply}, rounds=20, seconds=20)["mm"].low


def operations(model: Model) -> float:
    """Floating-point operations of a network call for one image."""
    counter = FlopCounterMode(display=False)
    with counter:
        model.raw(ds.seeded_noise(model, [0]).to(model.device), 0)
    return float(counter.get_total_flops())


def sampled(model: Model, x_T: torch.Tensor, steps: int) -> torch.Tensor:
    """The final images of the sampler."""
    x = x_T
    for step in ds.sample(model, x_T, ds.SampleSettings(steps=steps)):
        x = step.x
    wait(model.device)
    return x


def bare(model: Model, x: torch.Tensor, steps: int) -> None:
    """Nothing but the network."""
    for t in range(steps):
        model.raw(x, t)
    wait(model.device)


def pipeline(model: Model, batch: int, steps: int, kind: torch.dtype) -> Callable[[], object]:
    """The loop of diffusers, with the weights in a type."""
    unet = copy.deepcopy(model.unet)
    torch.nn.Module.to(unet, kind)
    pipe = DDIMPipeline(unet, DDIMScheduler(clip_sample=False))
    pipe.set_progress_bar_config(disable=True)
    return lambda: pipe(batch_size=batch, num_inference_steps=steps, output_type="np")


def engine_ways(model: Model, batch: int, steps: int, x_T: torch.Tensor) -> dict[str, Any]:
    """The sampler on the engine, in both precisions; what cannot be had is told and left out."""
    ways: dict[str, Any] = {}
    for precision in ("precise", "fast"):
        made = model.engine.prepare(precision, batch) if model.engine else None
        if made is None:
            print(f"  no engine, {precision}: {model.engine and model.engine.fault(precision)}")
            continue
        view = holding(model, model.engine, precision, made)
        ways[f"DDIM Studio, {precision}"] = lambda view=view: sampled(view, x_T, steps)
    return ways


@contextmanager
def compiling(wanted: bool) -> Iterator[None]:
    """Let torch.compile fuse the fast network of engines that are made meanwhile."""
    if wanted:
        os.environ["DDIM_STUDIO_ENGINE"] = "compile"
    try:
        yield
    finally:
        os.environ.pop("DDIM_STUDIO_ENGINE", None)


def compare(
    model: Model, batch: int, steps: int, *, rounds: int, compiled: bool
) -> dict[str, Timing]:
    """Every way to sample, turn by turn."""
    x_T = ds.seeded_noise(model, range(batch)).to(model.device)
    ways: dict[str, Any] = {
        "bare network, torch": lambda: bare(model, x_T, steps),
        "DDIM Studio, torch": lambda: sampled(model, x_T, steps),
        **engine_ways(model, batch, steps, x_T),
        "diffusers, float32": pipeline(model, batch, steps, torch.float32),
        "diffusers, float16": pipeline(model, batch, steps, torch.float16),
    }
    if compiled:
        with compiling(True):
            engine = CudaEngine(model)
            made = engine.prepare("fast", batch)
        if made is not None:
            view = holding(model, engine, "fast", made)  # type: ignore[arg-type]
            ways["DDIM Studio, fast, compiled"] = lambda: sampled(view, x_T, steps)
    return turn_by_turn(ways, rounds=rounds, seconds=40)


def table(timings: dict[str, Timing], batch: int, steps: int, flops: float, rate: float) -> None:
    """Print one comparison."""
    theirs = timings["diffusers, float32"].median
    print(f"\nbatch {batch}, S = {steps}, medians of {len(next(iter(timings.values())).seconds)}")
    print("| | ms/call | min–max | images/s | × diffusers | of the matmul rate |")
    print("|---|---|---|---|---|---|")
    for name, t in timings.items():
        call = 1000 / steps
        used = flops * batch * steps / t.median / rate
        print(
            f"| {name} | {t.median * call:.2f} | {t.low * call:.2f}–{t.high * call:.2f} "
            f"| {batch / t.median:.1f} | {theirs / t.median:.2f} | {100 * used:.1f} % |"
        )


def bulk(folder: Path, device: str, *, count: int, steps: int, batch: int) -> dict[str, Any]:
    """The stream of many images into an .npz, from the opened model to the complete file.

    The engine is recorded before, as it is in any run but the first.
    """
    values = {"model": str(folder), "device": device, "steps": steps, "count": count}
    run = SampleRun.from_dict({**SampleRun().to_dict(), **values, **fast()})
    models = ModelCache(1)
    model = models.open(str(folder), device)
    if model.engine is not None:
        model.engine.prepare("fast", batch)
    tau = tau_of(run, model.schedule.T)
    with tempfile.TemporaryDirectory() as out:
        plan = Plan(run, tuple(reversed(tau)), model.image_shape)
        place = ArchivePlace(Path(out) / "images.npz", plan, NpzFormat(plan, floats=False))
        begun = time.perf_counter()
        for event in bulk_job(run, models, place, Alone(), batch_size=batch):
            if isinstance(event, Notice):
                print(f"  {event.text}")
        seconds = time.perf_counter() - begun
    rate = count / seconds
    return {"steps": steps, "count": count, "seconds": seconds, "images_per_second": rate}


def fast() -> dict[str, str]:
    """The setting that lets the engine compute in 16 bits."""
    return {"precision": "fast"} if "precision" in SampleRun().to_dict() else {}


def main() -> None:
    """Measure everything, and print it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--small", action="store_true", help="tiny numbers, to try the script")
    parser.add_argument("--images", type=int, default=50_000)
    parser.add_argument("--batch", type=int, default=512)
    parser.add_argument("--steps", type=int, nargs="+", default=[10, 20])
    parser.add_argument("--no-compile", action="store_true")
    parser.add_argument("--json", type=Path)
    o = parser.parse_args()
    if o.small:
        o.images, o.batch, o.steps = min(o.images, 48), min(o.batch, 16), [2]
    if o.device == "cuda" and not torch.cuda.is_available():
        parser.exit(1, "There is no CUDA device here: try --device cpu --small.\n")
    begun = time.perf_counter()
    device = torch.device(o.device)
    name = torch.cuda.get_device_name(device) if o.device == "cuda" else processor()
    rate = matmul_rate(device, 256 if o.small else 8192)
    print(f"{name}, torch {torch.__version__}: bfloat16 matmul {rate / 1e12:.2f} TFLOP/s")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "cifar"
        torch.manual_seed(0)
        unet = UNet2DModel(**(SMALL if o.small else CIFAR))
        DDIMPipeline(unet, DDIMScheduler(clip_sample=False)).save_pretrained(folder)
        results = measure(o, folder, rate)
    if o.device == "cuda":
        print(f"most GPU memory: {torch.cuda.max_memory_allocated() / 2**30:.2f} GiB")
    print(f"all of it took {time.perf_counter() - begun:.0f} s")
    if o.json:
        o.json.write_text(json.dumps({"card": name, "matmul": rate, **results}, indent=1))


def measure(o: argparse.Namespace, folder: Path, rate: float) -> dict[str, Any]:
    """The tables and the streams, printed as they come."""
    models = ModelCache(1)
    model = models.open(str(folder), o.device)
    flops = operations(model)
    print(f"U-Net of {model.info.parameters / 1e6:.1f} million parameters: {flops / 1e9:.2f} GFLOP")
    results: dict[str, Any] = {"flops": flops, "tables": {}, "bulk": []}
    rounds, steps = (2, 2) if o.small else (7, 20)
    compile_it = o.device == "cuda" and not o.no_compile
    for batch in (1, 4) if o.small else (1, 64, o.batch):
        fused = compile_it and batch == o.batch
        timings = compare(model, batch, steps, rounds=rounds, compiled=fused)
        table(timings, batch, steps, flops, rate)
        results["tables"][batch] = {way: asdict(timing) for way, timing in timings.items()}
    models.clear()
    ways = (False, True) if compile_it else (False,)
    for S, fused in [(S, fused) for fused in ways for S in o.steps]:
        way = "fast, compiled" if fused else "fast"
        print(f"\n{o.images:,} images of 32×32 at S = {S}, batches of {o.batch}, {way}, to .npz:")
        with compiling(fused):
            done = bulk(folder, o.device, count=o.images, steps=S, batch=o.batch)
        used = flops * o.images * S / done["seconds"] / rate
        print(f"  that is {100 * used:.1f} % of the matmul rate")
        results["bulk"].append({**done, "way": way})
    return results


if __name__ == "__main__":
    main()
