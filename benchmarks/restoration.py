"""Restoration in numbers: what DDNM and RePaint find of held-out images, beside simple means.

    nice python benchmarks/restoration.py --data toonheads-32=PATH [--only NAME…] [--write]

Images that a model was not trained on are measured and restored, one seed an image: those that the
run held out for models of `HELD_OUT` (their data are given with --data), and the test set of
Fashion-MNIST. The network runs on the CPU's engine where that can be had. What is restored is kept
in --keep, a file a batch, so that the command goes on after it was stopped; about half an hour on
one core in all. With --write the table in docs/restoration.md, docs/restoration.csv and
docs/images/restoration.png are made anew.
"""

from __future__ import annotations

import argparse
import csv
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

import ddim_studio as ds
from bundled import HELD_OUT, TRAINING, real_images
from ddim_studio.diffusion.measurements import measurement_for
from ddim_studio.diffusion.restore_settings import walk
from ddim_studio.diffusion.timesteps import tau_of
from ddim_studio.evaluation.blocks import fingerprint
from ddim_studio.evaluation.likeness import likenesses
from ddim_studio.imaging.datasets import read_images
from ddim_studio.imaging.pixels import from_pixels
from ddim_studio.jobs.models import ModelCache
from ddim_studio.models.model import Model
from documents import replace_part
from restoration_figure import draw_figure
from restoration_means import Problem, simple_means
from restoration_store import Store

ROOT = Path(__file__).resolve().parent.parent
MODELS = ("toonheads-32", "fashion-28")
DRAWN = "toonheads-32"
"""The model whose images are shown."""
SHOWN = 6
BATCH = 16
STEPS = 50
SIGMA = 0.3
TRAVEL = {"travel_length": 10, "travel_repeats": 3}
OTHER_SEEDS = 1000
"""First seed of the second images in the figure."""
CSV_HEAD = ("model", "task", "way", "network_calls", "image", "seed", "psnr", "ssim", "max_off")


@dataclass(frozen=True)
class Task:
    """What is measured, and how it is restored.

    Attributes:
        name: In words.
        hole: Top, bottom, left and right of the hole, as shares of the side.
        ways: Name and settings of each way to restore; the first is DDNM's, shown in the figure.
    """

    name: str
    ways: tuple[tuple[str, ds.RestoreSettings], ...]
    hole: tuple[float, float, float, float] = (0, 0, 0, 0)

    def problem(self, images: torch.Tensor) -> Problem:
        """The measurement of images (N, C, H, W), with noise of seeds 0 … N − 1."""
        shape, settings = tuple(images.shape[1:]), self.ways[0][1]
        edges = [round(share * shape[1]) for share in self.hole]
        hole = torch.zeros(shape[1:], dtype=torch.bool)
        hole[edges[0] : edges[1], edges[2] : edges[3]] = True
        measurement = measurement_for(settings, shape, hole)
        y = ds.measure(measurement, images, settings.sigma, range(len(images)))
        return Problem(measurement, y, settings.sigma)


class Row(NamedTuple):
    """What one way made of all images: numbers of each."""

    model: str
    task: str
    way: str
    calls: int
    psnr: np.ndarray
    ssim: np.ndarray
    off: np.ndarray


def tasks_for(channels: int) -> list[Task]:
    """The tasks of models with so many channels."""
    inpaint = [
        ("DDNM", ds.RestoreSettings(steps=STEPS)),
        ("RePaint", ds.RestoreSettings(steps=STEPS, method="repaint", eta=1.0, **TRAVEL)),
    ]
    travelled = [("DDNM with time-travel", ds.RestoreSettings(steps=STEPS, **TRAVEL))]
    scales = (2, 4, 8) if channels == 3 else (2, 4)
    found = [
        Task("a box in the centre", tuple(inpaint), (0.25, 0.75, 0.25, 0.75)),
        Task("the lower half", tuple(inpaint + travelled), (0.5, 1, 0, 1)),
        *(Task(f"×{k}", (_way(task="superres", scale=k),)) for k in scales),
    ]
    if channels == 3:
        found.append(Task("colours", (_way(task="colorize"),)))
    return [*found, Task(f"noise, σ = {SIGMA:g}", (_way(task="denoise", sigma=SIGMA),))]


def _way(**settings: object) -> tuple[str, ds.RestoreSettings]:
    found = ds.RestoreSettings(steps=STEPS, **settings)
    return ("DDNM" if found.sigma == 0 else "DDNM+"), found


@dataclass(frozen=True)
class Restorer:
    """Restores with a model, and keeps what it restored."""

    model: Model
    store: Store

    def images(
        self, task: Task, problem: Problem, settings: ds.RestoreSettings, seeds: range
    ) -> torch.Tensor:
        """The images, float64, in batches that are made now unless they are kept."""
        found = []
        for first in range(0, len(seeds), BATCH):
            own, y = seeds[first : first + BATCH], problem.y[first : first + BATCH]
            path = self.store.path(f"{task.hole} {settings.to_json()} {list(own)}", y)
            images = self.store.get(path)
            if images is None:
                begun = time.perf_counter()
                for step in ds.restore(self.model, y, problem.measurement, settings, seeds=own):
                    images = step.x.cpu()
                self.store.put(path, images)
                print(f"    {own}: {time.perf_counter() - begun:.0f} s", flush=True)
            found.append(images)
        return torch.cat(found)


def row_of(
    names: tuple[str, str, str],
    calls: int,
    clean: torch.Tensor,
    images: torch.Tensor,
    problem: Problem,
) -> Row:
    """How like the clean images they are, and how far from the measurement."""
    found = likenesses(clean, images)
    off = (problem.measurement.A(images.double()) - problem.y).flatten(1).abs().amax(1)
    psnr, ssim = ([getattr(one, name) for one in found] for name in ("psnr", "ssim"))
    return Row(*names, calls, np.array(psnr), np.array(ssim), off.numpy())


def rows_of(
    restorer: Restorer, clean: torch.Tensor, training: np.ndarray
) -> Iterator[tuple[Row, torch.Tensor]]:
    """Every task and way with its images, one after another."""
    model = restorer.model
    for task in tasks_for(model.image_shape[0]):
        problem = task.problem(clean)
        print(f"  {task.name}", flush=True)
        for way, calls, images in simple_means(model, problem, clean, training):
            names = (model.info.name, task.name, way)
            yield row_of(names, calls, clean, images, problem), images
        for way, settings in task.ways:
            images = restorer.images(task, problem, settings, range(len(clean)))
            calls = len(walk(settings, tau_of(settings, model.schedule.T)))
            names = (model.info.name, task.name, way)
            yield row_of(names, calls, clean, images, problem), images


def panels(
    restorer: Restorer, clean: torch.Tensor, found: list[tuple[Row, torch.Tensor]]
) -> list[list[tuple[str, torch.Tensor]]]:
    """The rows of the figure, name and images: two halves side by side, of two tasks each."""
    known = {(row.task, row.way): images[:SHOWN] for row, images in found}
    shown = clean[:SHOWN]
    halves: list[list[tuple[str, torch.Tensor]]] = [[("clean", shown)], [("clean", shown)]]
    seeds = range(OTHER_SEEDS, OTHER_SEEDS + SHOWN)
    for task in tasks_for(len(shown[0])):
        half = {"a box in the centre": 0, "the lower half": 0, "×4": 1, "colours": 1}.get(task.name)
        if half is None:
            continue
        problem = task.problem(shown)
        names = [way for name, way in known if name == task.name]
        simple = names[names.index(task.ways[0][0]) - 1]
        lines = [(f"{task.name}:\nmeasured", problem.measurement.pinv(problem.y))]
        lines += [
            (way.replace(" of the", "\nof the"), known[task.name, way]) for way in (simple, "DDNM")
        ]
        if "RePaint" in names:
            lines.append(("RePaint", known[task.name, "RePaint"]))
        else:
            again = restorer.images(task, problem, task.ways[0][1], seeds)
            lines.append(("DDNM,\nanother seed", again))
        halves[half] += lines
    return halves


def table(rows: list[Row]) -> str:
    """One row a way, in Markdown."""
    lines = [
        "| model | what is missing | how it is restored | calls | PSNR, dB | SSIM "
        "| max \\|A x̂_0 − y\\| |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        psnr, ssim = (_mean(values, digits) for values, digits in ((row.psnr, 2), (row.ssim, 3)))
        off = "–" if row.task.startswith("noise") else f"{row.off.max():.1g}"
        calls = row.calls or "–"
        lines.append(
            f"| {row.model} | {row.task} | {row.way} | {calls} | {psnr} | {ssim} | {off} |"
        )
    return "\n".join(lines)


def _mean(values: np.ndarray, digits: int) -> str:
    error = values.std(ddof=1) / np.sqrt(len(values))
    return f"{values.mean():.{digits}f} ± {error:.{digits}f}"


def write_images(rows: list[Row], path: Path) -> None:
    """One row a way and image."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(CSV_HEAD)
        for row in rows:
            for image, (psnr, ssim, off) in enumerate(
                zip(row.psnr, row.ssim, row.off, strict=True)
            ):
                numbers = (f"{psnr:.3f}", f"{ssim:.4f}", f"{off:.1e}")
                writer.writerow((*row[:4], image, image if row.calls > 1 else "", *numbers))


def read_options() -> argparse.Namespace:
    """The options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", default=list(MODELS), metavar="NAME")
    parser.add_argument("--data", nargs="+", default=[], metavar="NAME=PATH")
    parser.add_argument("--images", type=int, default=64)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--keep", type=Path, default=ROOT / ".bench" / "restoration")
    parser.add_argument("--write", action="store_true")
    return parser.parse_args()


def main() -> None:
    """Restore and measure, print, and write where asked to."""
    options = read_options()
    torch.set_num_threads(options.threads)
    paths = {name: Path(path) for name, _, path in (text.partition("=") for text in options.data)}
    rows, figure = [], None
    for name in options.only:
        cache = ModelCache(1)
        opened = cache.open(name, "cpu")
        if opened.engine is not None:
            opened.engine.prepare("precise", BATCH)
        model = cache.get(name, "cpu")
        print(f"{name}, {'OpenVINO' if model.compiled is not None else 'torch'}", flush=True)
        training, held_out = real_images(model, paths.get(name))
        if name not in HELD_OUT:
            training = read_images(TRAINING, model.image_shape).pixels
        clean = from_pixels(held_out[: options.images]).double()
        restorer = Restorer(model, Store(options.keep, fingerprint(model)))
        found = list(rows_of(restorer, clean, training))
        rows += [row for row, _ in found]
        if name == DRAWN:
            figure = panels(restorer, clean, found)
    print(table(rows))
    if options.write:
        note = (
            f"{options.images} images a model, seeds 0 to {options.images - 1}; S = {STEPS}, "
            f"linear τ, η = 0.85 for DDNM and DDNM+, η = 1 for RePaint; time-travel and RePaint go "
            f"back {TRAVEL['travel_length']} steps and walk {TRAVEL['travel_repeats']} times. ± is "
            f"one standard error of the mean over images."
        )
        page = ROOT / "docs" / "restoration.md"
        replace_part(page, "benchmarks/restoration.py", f"{table(rows)}\n\n{note}")
        write_images(rows, ROOT / "docs" / "restoration.csv")
        if figure is not None:
            draw_figure(figure, ROOT / "docs" / "images" / "restoration.png")


if __name__ == "__main__":
    main()
