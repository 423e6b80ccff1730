"""How well inversion inverts, and what it costs: encode and decode test images by every method.

    python benchmarks/inversion.py [IDX.gz] [--count 64] [--model NAME] [--threads 1] [--write]

Prints a table in Markdown; with --write it also takes the place of the one in docs/inversion.md.
The images are the first of the test set of Fashion-MNIST, from an IDX file (by default where the
Debian package dataset-fashion-mnist puts it); the bundled model was not trained on them.
"""

from __future__ import annotations

import argparse
import gzip
import time
from pathlib import Path

import numpy as np
import torch

import ddim_studio as ds
from ddim_studio.models.model import Model

TEST_IMAGES = Path("/usr/share/datasets/fashion-mnist/t10k-images-idx3-ubyte.gz")
PAGE = Path(__file__).resolve().parent.parent / "docs" / "inversion.md"
BEGIN, END = "<!-- table of benchmarks/inversion.py -->", "<!-- end of the table -->"
STEPS = (10, 20, 50)
HEAD = (
    "| method | τ | S | mean MSE | worst image | calls a step | unsolved steps | seconds |\n"
    "|---|---|---|---|---|---|---|---|"
)


def read_images(path: Path, count: int) -> torch.Tensor:
    """The first images of an IDX file, (count, 1, H, W) in [−1, 1]."""
    with gzip.open(path) as file:
        head = np.frombuffer(file.read(16), ">u4")
        _, _, height, width = (int(number) for number in head)
        values = np.frombuffer(file.read(count * height * width), np.uint8)
    pixels = values.reshape(-1, 1, height, width).astype(np.float32)
    return torch.from_numpy(pixels / 127.5 - 1)


def plans() -> list[ds.InvertSettings]:
    """What is measured, in the order of the table."""
    made = [
        ds.InvertSettings(method=method, spacing=spacing, steps=steps)
        for method, spacing in (
            ("source", "linear"),
            ("target", "linear"),
            ("source", "quadratic"),
            ("target", "quadratic"),
            ("exact", "linear"),
            ("exact", "quadratic"),
        )
        for steps in STEPS
    ]
    others = (1e-4, 1e-6)
    return made + [ds.InvertSettings(steps=20, tolerance=value) for value in others]


def errors(images: torch.Tensor, rebuilt: torch.Tensor) -> torch.Tensor:
    """Mean square error of each image on pixels in [0, 1], (N,)."""
    first, second = (((x.double().cpu() + 1) / 2).clamp(0, 1) for x in (images, rebuilt))
    return (first - second).square().flatten(1).mean(1)


def row(model: Model, images: torch.Tensor, settings: ds.InvertSettings) -> str:
    """One line of the table."""
    begun = time.perf_counter()
    inversion = ds.invert(model, images, settings)
    seconds = time.perf_counter() - begun
    mse = errors(images, ds.reconstruct(model, inversion.x_T, settings))
    unsolved = "; ".join(
        f"{step.t} → {step.t_next}: {len(step.images)} of {len(images)}, "
        f"residual ≤ {max(step.residuals):.0e}"
        for step in inversion.unsolved
    )
    naive = settings.method != "exact"
    name = settings.method if naive else f"exact, tolerance {settings.tolerance:.0e}"
    calls = inversion.network_calls / inversion.calls.size
    return (
        f"| {name} | {settings.spacing} | {settings.steps} | {mse.mean():.1e} | {mse.max():.1e} "
        f"| {calls:.1f} | {unsolved or ('—' if naive else 'none')} | {seconds:.0f} |"
    )


def write(table: str) -> None:
    """Put the table into its place in the page."""
    text = PAGE.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    PAGE.write_text(f"{before}{BEGIN}\n{table}\n{END}{after}", encoding="utf-8")


def main() -> None:
    """Measure and print, and write where asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("images", nargs="?", type=Path, default=TEST_IMAGES)
    parser.add_argument("--model", default="fashion-28")
    parser.add_argument("--count", type=int, default=64)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    model = ds.load_model(options.model, device="cpu", engine="auto")
    images = read_images(options.images, options.count)
    lines = [HEAD]
    print(HEAD)
    for settings in plans():
        lines.append(row(model, images, settings))
        print(lines[-1], flush=True)
    if options.write:
        write("\n".join(lines))


if __name__ == "__main__":
    main()
