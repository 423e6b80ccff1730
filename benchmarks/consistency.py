"""Sample consistency in numbers: one x_T in S = 20 and in S = 1000 steps, against two x_T.

    nice python benchmarks/consistency.py [--seeds 64] [--model NAME] [--write]

For every seed the image of S = 10, 20, 50, 100 steps (η = 0, linear τ) is compared with that of
S = 1000 from the same x_T, and with those of S = 1000 from all other x_T. About ten minutes on one
core; samples are kept in --keep. With --write docs/consistency.csv, docs/images/consistency.png and
the table in docs/quality.md are made anew.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path
from typing import NamedTuple

import matplotlib as mpl
import numpy as np
import torch
from matplotlib.figure import Figure, SubFigure

from ddim_studio.diffusion.settings import SampleSettings
from ddim_studio.evaluation.blocks import BlockStore, block_seeds, fingerprint
from ddim_studio.evaluation.likeness import likenesses
from ddim_studio.evaluation.shares import CellShare
from ddim_studio.evaluation.team import Alone
from ddim_studio.imaging.pixels import from_pixels
from ddim_studio.jobs.models import ModelCache
from documents import replace_part

ROOT = Path(__file__).resolve().parent.parent
STEPS = (10, 20, 50, 100)
MOST = 1000
SHOWN = 8


class Compared(NamedTuple):
    """One S against S = 1000, (number of pairs, 2): MSE and SSIM."""

    same: np.ndarray
    other: np.ndarray


def draw(model_name: str, steps: int, seeds: int, keep: Path) -> np.ndarray:
    """The images of seeds 0 … n − 1 in S steps, (n, H, W, C), drawn now unless they are kept."""
    model = ModelCache(1).get(model_name, "cpu")
    settings = SampleSettings(steps=steps)
    store = BlockStore(keep, fingerprint(model))
    share = CellShare(store, settings, block_seeds(0, seeds, 64), Alone())
    for _ in share.draw(model):
        pass
    return np.concatenate(share.gathered(lambda block: block.pixels))


def compare(few: np.ndarray, many: np.ndarray) -> Compared:
    """Every image of ``few`` with its own of ``many``, and with all others of ``many``."""
    a, b = from_pixels(few), from_pixels(many)
    same = [(pair.mse, pair.ssim) for pair in likenesses(a, b)]
    other = []
    for shift in range(1, len(a)):
        other += [(pair.mse, pair.ssim) for pair in likenesses(a, b.roll(shift, 0))]
    return Compared(np.array(same), np.array(other))


def table(found: dict[int, Compared]) -> str:
    """Medians and the pairs that overlap, in Markdown."""
    lines = [
        "| S against 1000 | MSE, same x_T | MSE, other x_T | SSIM, same x_T | SSIM, other x_T "
        "| same x_T nearer than every other (MSE) |",
        "|---|---|---|---|---|---|",
    ]
    for steps, c in found.items():
        nearest = _nearest(c)
        cells = [f"{_spread(c.same[:, 0])} | {_spread(c.other[:, 0])}"]
        cells += [f"{_spread(c.same[:, 1])} | {_spread(c.other[:, 1])}"]
        lines.append(f"| {steps} | {' | '.join(cells)} | {nearest} of {len(c.same)} |")
    return "\n".join(lines)


def _nearest(c: Compared) -> int:
    """For how many images their own is nearer than all others."""
    count = len(c.same)
    others = c.other[:, 0].reshape(count - 1, count).min(0)
    return int((c.same[:, 0] < others).sum())


def _spread(values: np.ndarray) -> str:
    low, middle, high = np.percentile(values, [5, 50, 95])
    return f"{middle:.3g} ({low:.2g} … {high:.2g})"


def write_pairs(found: dict[int, Compared], path: Path) -> None:
    """One row a seed and S: its own pair, and the nearest of all others."""
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(("steps", "seed", "mse_same", "ssim_same", "mse_nearest_other"))
        for steps, c in found.items():
            nearest = c.other[:, 0].reshape(-1, len(c.same)).min(0)
            for seed, (mse, ssim) in enumerate(c.same):
                rows.writerow((steps, seed, f"{mse:.6g}", f"{ssim:.6g}", f"{nearest[seed]:.6g}"))


def draw_figure(pictures: dict[int, np.ndarray], found: dict[int, Compared], path: Path) -> None:
    """The first images by S above, the distributions of MSE and SSIM below."""
    with mpl.rc_context({"font.size": 9, "font.family": "DejaVu Sans"}):
        figure = Figure(figsize=(9, 7.4), layout="constrained")
        above, below = figure.subfigures(2, 1, height_ratios=[1.55, 1])
        _pictures(above, pictures)
        for axis, number, name in zip(below.subplots(1, 2), (0, 1), ("MSE", "SSIM"), strict=True):
            _distributions(axis, found, number, name)
        figure.savefig(path, dpi=200)


def _pictures(part: SubFigure, pictures: dict[int, np.ndarray]) -> None:
    axes = part.subplots(len(pictures), SHOWN)
    for row, (steps, images) in enumerate(pictures.items()):
        for column in range(SHOWN):
            axis = axes[row, column]
            axis.imshow(images[column].squeeze(), cmap="gray", vmin=0, vmax=255)
            axis.set_xticks([])
            axis.set_yticks([])
            if row == 0:
                axis.set_title(f"seed {column}")
        axes[row, 0].set_ylabel(f"S = {steps}", rotation=0, ha="right", va="center")


def _distributions(axis: mpl.axes.Axes, found: dict[int, Compared], number: int, name: str) -> None:
    at = np.arange(len(found))
    kinds = (("same x_T", "same", "#0072b2", -0.2), ("another x_T", "other", "#d55e00", 0.2))
    for label, kind, colour, shift in kinds:
        values = [getattr(compared, kind)[:, number] for compared in found.values()]
        boxes = axis.boxplot(
            values,
            positions=at + shift,
            widths=0.32,
            whis=(5, 95),
            showfliers=False,
            patch_artist=True,
            medianprops={"color": "black"},
        )
        for box in boxes["boxes"]:
            box.set(facecolor=colour, alpha=0.7, label=label if box is boxes["boxes"][0] else None)
    axis.set_xticks(at, [f"S = {steps}" for steps in found])
    axis.set_ylabel(f"{name} against S = {MOST}")
    if name == "MSE":
        axis.set_yscale("log")
    axis.spines[["top", "right"]].set_visible(False)
    axis.legend(frameon=False)


def main() -> None:
    """Measure, print, and write where asked to."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=64)
    parser.add_argument("--model", default="fashion-28")
    parser.add_argument("--keep", type=Path, default=ROOT / ".bench" / "table1")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    pictures = {
        steps: draw(arguments.model, steps, arguments.seeds, arguments.keep)
        for steps in (*STEPS, MOST)
    }
    found = {steps: compare(pictures[steps], pictures[MOST]) for steps in STEPS}
    print(table(found))
    if arguments.write:
        replace_part(ROOT / "docs" / "quality.md", "benchmarks/consistency.py", table(found))
        draw_figure(pictures, found, ROOT / "docs" / "images" / "consistency.png")
        write_pairs(found, ROOT / "docs" / "consistency.csv")


if __name__ == "__main__":
    main()
