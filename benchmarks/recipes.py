"""What to predict, and how to weight the loss: recipes at equal steps, by loss and by samples.

    nice python benchmarks/recipes.py --train DIR [--steps 1500] [--data IDX.gz] [--write]
    nice python benchmarks/recipes.py --runs RUN… [--write]

Trains ε and v, each with and without the weighting of timesteps, unless the folders of such runs
are given; then draws samples of each with η = 0. Samples are kept in --keep, so what was stopped
goes on. With --write the table in docs/training.md and docs/images/recipes.png are made anew.
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import torch
from matplotlib.figure import Figure

from ddim_studio.diffusion.settings import SampleSettings
from ddim_studio.evaluation.frechet import Estimate
from ddim_studio.imaging.datasets import read_images
from ddim_studio.imaging.sheets import contact_sheet
from ddim_studio.models.loading import load_model
from ddim_studio.training.log import read_log
from documents import replace_part
from model_measures import ROOT, distance_of, samples_of, shown

FOLDER = "/usr/share/datasets/fashion-mnist/"
TRAINING, TEST = f"{FOLDER}train-images-idx3-ubyte.gz", f"{FOLDER}t10k-images-idx3-ubyte.gz"
PREDICTED = {"epsilon": "ε", "v": "v"}
PICTURED = 32
COMMON = "--size 28 --channels 32,64,128 --layers-per-block 1 --batch-size 32 --held-out 1000"


def trained(folder: Path, data: str, steps: int, threads: int) -> list[Path]:
    """Train all four recipes, or go on with them."""
    found = []
    for prediction in PREDICTED:
        for weighting in ("inverse", "none"):
            out = folder / f"{prediction}-{weighting}"
            options = f"{COMMON} --prediction {prediction} --weighting {weighting} --seed 0"
            options += f" --steps {steps} --threads {threads} --resume"
            command = [sys.executable, "-m", "ddim_studio", "train", *options.split()]
            subprocess.run([*command, "--data", data, "--out", str(out)], check=True)
            found.append(out)
    return found


def last(run: Path, event: str) -> dict[str, Any]:
    """The last line of that kind in a run's log."""
    *_, line = (line for line in read_log(run / "training" / "log.jsonl") if line["event"] == event)
    return line


def recipe(run: Path) -> dict[str, Any]:
    """The settings of a run."""
    values: dict[str, Any] = json.loads((run / "training" / "config.json").read_text("utf-8"))
    return values["settings"]


def name_of(run: Path) -> str:
    """What is predicted, and how it is weighted."""
    settings = recipe(run)
    weighted = {"inverse": "weighted", "none": "not weighted"}[settings["weighting"]]
    return f"{PREDICTED[settings['prediction']]}, {weighted}"


def table(runs: dict[Path, Estimate], floor: Estimate) -> str:
    """The figures of all runs, in Markdown."""
    lines = [
        "| network predicts | each timestep's loss | steps | validation loss "
        "| by quarter of the timesteps, least noise first "
        "| Fréchet distance (fashion classifier) |",
        "|---|---|---|---|---|---|",
    ]
    for run, distance in runs.items():
        settings, assessed, step = recipe(run), last(run, "assessed"), last(run, "step")
        weighted = {"inverse": "divided by its running mean", "none": "as it is"}
        quarters = ", ".join(f"{value:.4f}" for value in assessed["by_noise"])
        lines.append(
            f"| {PREDICTED[settings['prediction']]} | {weighted[settings['weighting']]} "
            f"| {step['step']:,} of {settings['batch_size']} "
            f"| {assessed['validation']:.5f} | {quarters} | {shown(distance)} |"
        )
    return "\n".join([*lines, "", f"Real images in the place of samples: {shown(floor)}."])


def draw_figure(pictures: dict[str, np.ndarray], path: Path) -> None:
    """The first samples of every run, side by side."""
    with mpl.rc_context({"font.size": 10, "font.family": "DejaVu Sans"}):
        rows = math.ceil(len(pictures) / 2)
        figure = Figure(figsize=(9.2, 2.75 * rows), layout="constrained")
        axes = list(figure.subplots(rows, 2, squeeze=False).flat)
        for axis in axes:
            axis.set_axis_off()
        for axis, (name, pixels) in zip(axes, pictures.items(), strict=False):
            sheet = contact_sheet(pixels[:PICTURED], columns=8, scale=2)
            axis.imshow(sheet[..., 0], cmap="gray", vmin=0, vmax=255, interpolation="nearest")
            axis.set_title(name)
        figure.savefig(path, dpi=110)


def read_options() -> argparse.Namespace:
    """The options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--train", type=Path, metavar="DIR")
    parser.add_argument("--runs", type=Path, nargs="+", default=[])
    parser.add_argument("--data", default=TRAINING)
    parser.add_argument("--test", default=TEST)
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--samples", type=int, default=512)
    parser.add_argument("--sampling-steps", type=int, default=50)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--keep", type=Path, default=ROOT / ".bench" / "recipes")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    if not (options.train or options.runs):
        parser.error("give --train or --runs")
    return options


def main() -> None:
    """Train where there is nothing yet, measure, print, and write where asked to."""
    options = read_options()
    torch.set_num_threads(options.threads)
    runs = options.runs or trained(options.train, options.data, options.steps, options.threads)
    settings = SampleSettings(steps=options.sampling_steps)
    real = read_images(options.test, (1, 28, 28)).pixels
    pictures, found = {}, {}
    for run in runs:
        pixels = samples_of(load_model(run, device="cpu"), options.samples, options.keep, settings)
        pictures[name_of(run)], found[run] = pixels, distance_of(pixels, real)
        print(f"{name_of(run)}: {shown(found[run])}", flush=True)
    chosen = np.random.Generator(np.random.PCG64(0)).permutation(len(real))
    floor = distance_of(real[chosen[: options.samples]], real[chosen[options.samples :]])
    text = table(found, floor)
    text += f"\n\n{options.samples} samples each, S = {settings.steps}, η = 0."
    print(text)
    if options.write:
        replace_part(ROOT / "docs" / "training.md", "benchmarks/recipes.py", text)
        draw_figure(pictures, ROOT / "docs" / "images" / "recipes.png")


if __name__ == "__main__":
    main()
