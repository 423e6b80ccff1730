"""A model of 256×256 pixels with 113.7 million parameters: seconds and peak memory of every use.

    python benchmarks/big_model.py [--device auto] [--threads N]

The network is that of google/ddpm-celebahq-256 with random weights, in the form of its time: a flat
folder with a pickled ``.bin``. It is written by another process, so that the memory measured is
that of opening and using it. Twelve network calls in all; a minute or so on two cores.
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

CONFIG = {
    "_class_name": "UNet2DModel",
    "_diffusers_version": "0.0.4",
    "sample_size": 256,
    "in_channels": 3,
    "out_channels": 3,
    "layers_per_block": 2,
    "block_out_channels": [128, 128, 256, 256, 512, 512],
    "down_block_types": ["DownBlock2D"] * 4 + ["AttnDownBlock2D", "DownBlock2D"],
    "up_block_types": ["UpBlock2D", "AttnUpBlock2D"] + ["UpBlock2D"] * 4,
    "attention_head_dim": None,
    "norm_eps": 1e-6,
    "downsample_padding": 0,
    "flip_sin_to_cos": False,
    "freq_shift": 1,
}
SCHEDULER = {
    "_class_name": "DDPMScheduler",
    "_diffusers_version": "0.1.1",
    "num_train_timesteps": 1000,
    "beta_start": 0.0001,
    "beta_end": 0.02,
    "beta_schedule": "linear",
    "clip_sample": True,
    "variance_type": "fixed_small",
}
OLD_ATTENTION = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}


def make(folder: Path) -> None:
    """Write the model with random weights, and with the names that attention had in 2022."""
    import torch
    from diffusers import UNet2DModel

    torch.manual_seed(0)
    arguments = {name: value for name, value in CONFIG.items() if not name.startswith("_")}
    tensors = UNet2DModel(**arguments).state_dict()
    for today, before in OLD_ATTENTION.items():
        tensors = {n.replace(f".{today}.", f".{before}."): t for n, t in tensors.items()}
    torch.save(tensors, folder / "diffusion_pytorch_model.bin")
    (folder / "config.json").write_text(json.dumps(CONFIG))
    (folder / "scheduler_config.json").write_text(json.dumps(SCHEDULER))


def peak_mb() -> float:
    """The most memory that this process has had so far, in MB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6


def use(folder: Path, device: str) -> None:
    """Open the model, sample, invert and interpolate with it; print a row of a table for each."""
    import torch

    import ddim_studio as ds

    print(f"{'':24}{'seconds':>9}{'peak MB':>9}")
    print(f"{'imports':24}{'':>9}{peak_mb():9.0f}")
    begun = time.perf_counter()

    def row(name: str) -> None:
        nonlocal begun
        print(f"{name:24}{time.perf_counter() - begun:9.1f}{peak_mb():9.0f}", flush=True)
        begun = time.perf_counter()

    model = ds.load_model(folder, device)
    row(f"open, {model.info.parameters / 1e6:.1f} M")
    x_T = ds.seeded_noise(model, seeds=[0, 1])
    *_, last = ds.sample(model, x_T[:1], ds.SampleSettings(steps=2))
    row("sample, 2 steps")
    settings = ds.InvertSettings(steps=2, method="source")
    result = ds.invert(model, last.x.clamp(-1, 1), settings)
    row("invert naïvely, 2 steps")
    between = ds.slerp(result.x_T[0], x_T[1], [0.0, 0.5, 1.0])
    frames = ds.reconstruct(model, between, settings)
    row("interpolate, 3 frames")
    assert bool(torch.isfinite(frames).all())
    print(f"on {model.device}, {torch.get_num_threads()} threads")


def main() -> None:
    """Write the model, use it, and remove it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="auto")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--make", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.make is not None:
        make(options.make)
        return
    import torch

    if options.threads:
        torch.set_num_threads(options.threads)
    with tempfile.TemporaryDirectory() as name:
        subprocess.run([sys.executable, __file__, "--make", name], check=True)
        use(Path(name), options.device)


if __name__ == "__main__":
    main()
